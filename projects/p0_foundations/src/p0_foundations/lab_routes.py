"""The rooms on descent and on losses over HTTP. Thin: what was asked, the workbench, the answer.

NumPy is loaded by the first question. Read next: `walks.py`, `line_fits.py`.
"""

from typing import TYPE_CHECKING

from fastapi import APIRouter

from p0_foundations.lab_contracts import (
    Descent,
    DescentRequest,
    FittedLine,
    LineRequest,
    NamedFunction,
    Surface,
    SurfaceRequest,
)
from p0_foundations.landscapes import LANDSCAPES
from p0_foundations.workbench import Workbench

if TYPE_CHECKING:
    from p0_foundations.line_fits import LineFit


def lab_router(workbench: Workbench) -> APIRouter:
    """Make the routes about functions, searches and lines."""
    router = APIRouter(prefix="/v1", tags=["lab"])

    @router.get("/functions")
    async def functions() -> list[NamedFunction]:
        """List functions worth walking on, each with a window, a start and a step."""
        return [NamedFunction.model_validate(vars(one)) for one in LANDSCAPES]

    @router.post("/descend")
    async def descend(asked: DescentRequest) -> Descent:
        """Search a minimum of a formula from a start, with what explains each step."""
        return await workbench.run(lambda: _descended(asked))

    @router.post("/surface")
    async def surface(asked: SurfaceRequest) -> Surface:
        """Evaluate a formula over a grid."""
        return await workbench.run(lambda: _surface(asked))

    @router.post("/fit-line")
    async def fit_line(asked: LineRequest) -> list[FittedLine]:
        """Fit the best line through points by each loss."""
        return await workbench.run(lambda: _fitted(asked))

    return router


def _descended(asked: DescentRequest) -> Descent:
    from p0_foundations.formulas import parse_formula  # noqa: PLC0415 - NumPy at first use
    from p0_foundations.walks import optimiser_named, walk  # noqa: PLC0415 - NumPy at first use

    extras = {"momentum": asked.momentum}
    if asked.decay is not None:
        extras["decay"] = asked.decay
    optimiser = optimiser_named(asked.optimiser, asked.step_size, **extras)
    found = walk(parse_formula(asked.formula), asked.start, asked.optimiser, optimiser, asked.steps)
    return Descent(
        points=found.path.points.tolist(),
        losses=found.path.losses.tolist(),
        gradients=found.path.gradients.tolist(),
        memory={name: rows.tolist() for name, rows in found.memory.items()},
        hessians=[(one[0, 0], one[0, 1], one[1, 1]) for one in found.hessians],
        settings=vars(optimiser),
        verdict=found.path.verdict.value,
        reason=found.path.reason,
        step_limit=found.step_limit,
    )


def _surface(asked: SurfaceRequest) -> Surface:
    import numpy as np  # noqa: PLC0415 - at first use

    from p0_foundations.formulas import parse_formula  # noqa: PLC0415 - NumPy at first use

    x, y = np.linspace(*asked.x, asked.n), np.linspace(*asked.y, asked.n)
    values = parse_formula(asked.formula)(*np.meshgrid(x, y))
    known = values[np.isfinite(values)]
    return Surface(
        x=x.tolist(),
        y=y.tolist(),
        values=[[float(v) if np.isfinite(v) else None for v in row] for row in values],
        lowest=float(known.min()) if known.size else None,
        highest=float(known.max()) if known.size else None,
    )


def _fitted(asked: LineRequest) -> list[FittedLine]:
    from p0_foundations.line_fits import (  # noqa: PLC0415 - NumPy at first use
        LABEL_LOSSES,
        LINE_LOSSES,
        fit_line,
    )

    is_labels = asked.task == "labels"
    names = [asked.loss] if asked.loss else LABEL_LOSSES if is_labels else LINE_LOSSES
    return [
        _told(fit_line(asked.points, name, delta=asked.delta, is_labels=is_labels))
        for name in names
    ]


def _told(fit: "LineFit") -> FittedLine:
    from p0_foundations.losses import LOSSES  # noqa: PLC0415 - NumPy at first use

    loss = LOSSES[fit.loss]
    return FittedLine(
        **vars(fit), title=loss.title, formula=loss.formula, right_when=loss.right_when
    )
