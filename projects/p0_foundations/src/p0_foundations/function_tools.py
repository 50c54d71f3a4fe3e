"""Functions of two variables as MCP tools: search a minimum, look at a picture.

A formula is text that is parsed, never evaluated (`formulas.py`). NumPy and Matplotlib are loaded
by the first call.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NamedTuple

from mcp.server.mcpserver import Image
from pydantic import BaseModel, Field

from p0_foundations.errors import OptimisationError
from p0_foundations.workbench import Workbench

if TYPE_CHECKING:
    from p0_foundations.descent import Path

MAX_TOOL_STEPS = 5_000
N_SHOWN = 20
WINDOW = (-3.0, 3.0, -3.0, 3.0)


class _Search(NamedTuple):
    """A search as a caller asks for it."""

    start_x: float | None
    start_y: float | None
    optimiser: str
    step_size: float
    steps: int


class Waypoint(BaseModel):
    """One step of a search."""

    step: int
    x: float
    y: float
    loss: float


class Minimum(BaseModel):
    """How a search went."""

    verdict: str = Field(description="converged, diverged, stalled or unfinished")
    reason: str
    n_steps: int
    x: float
    y: float
    loss: float
    path: list[Waypoint] = Field(description="Up to twenty steps, evenly many apart.")


def function_tools(workbench: Workbench) -> tuple[Callable[..., Awaitable[object]], ...]:
    """Make the tools over a workbench."""

    async def minimise_function(
        formula: str,
        start_x: float,
        start_y: float,
        optimiser: str = "gradient-descent",
        step_size: float = 0.1,
        steps: int = 200,
    ) -> Minimum:
        """Search a minimum of a formula in x and y, such as `(1-x)^2 + 100*(y-x^2)^2`.

        Optimisers: gradient-descent, momentum, nesterov, rmsprop, adam, newton. Says whether the
        search converged, diverged or stalled, and why.
        """
        search = _Search(start_x, start_y, optimiser, step_size, steps)
        return await workbench.run(lambda: _told(_path(formula, search)))

    async def plot(
        formula: str,
        x_from: float | None = None,
        x_to: float | None = None,
        y_from: float | None = None,
        y_to: float | None = None,
        start_x: float | None = None,
        start_y: float | None = None,
        optimiser: str = "gradient-descent",
        step_size: float = 0.1,
        steps: int = 200,
    ) -> Image:
        """Draw the contours of a formula in x and y, such as `x^2 + 3*sin(y)`, as a picture.

        With a start, the path of a search over them too, and its loss by step; the arguments of the
        search are those of minimise_function. What is not said of the window is -3 to 3, or what
        shows the path.
        """
        search = _Search(start_x, start_y, optimiser, step_size, steps)
        said = (x_from, x_to, y_from, y_to)
        data = await workbench.run(lambda: _drawn(formula, said, search))
        return Image(data=data, format="png")

    return minimise_function, plot


def _path(formula: str, search: _Search) -> "Path":
    """Search from a start."""
    from p0_foundations.descent import minimise  # noqa: PLC0415 - NumPy at first use
    from p0_foundations.formulas import parse_formula  # noqa: PLC0415 - NumPy at first use
    from p0_foundations.walks import optimiser_named  # noqa: PLC0415 - NumPy at first use

    if search.start_x is None or search.start_y is None:
        raise OptimisationError("a search begins at a point: give start_x and start_y")
    if not 0 <= search.steps <= MAX_TOOL_STEPS:
        raise OptimisationError(f"{search.steps} steps; accepted: 0 to {MAX_TOOL_STEPS:,}")
    optimiser = optimiser_named(search.optimiser, search.step_size)
    start = [search.start_x, search.start_y]
    return minimise(parse_formula(formula).at, start, optimiser, steps=search.steps)


def _told(path: "Path") -> Minimum:
    """Tell a search by its end and a few steps of it."""
    shown = sorted({round(k * path.n_steps / (N_SHOWN - 1)) for k in range(N_SHOWN)})
    waypoints = [
        Waypoint(
            step=k,
            x=float(path.points[k][0]),
            y=float(path.points[k][1]),
            loss=float(path.losses[k]),
        )
        for k in shown
    ]
    end = waypoints[-1]
    return Minimum(
        verdict=path.verdict,
        reason=path.reason,
        n_steps=path.n_steps,
        x=end.x,
        y=end.y,
        loss=end.loss,
        path=waypoints,
    )


def _drawn(formula: str, said: tuple[float | None, ...], search: _Search) -> bytes:
    from p0_foundations.descent_pictures import (  # noqa: PLC0415 - Matplotlib at first use
        contour_picture,
        window_around,
    )
    from p0_foundations.formulas import parse_formula  # noqa: PLC0415 - NumPy at first use

    is_searched = search.start_x is not None or search.start_y is not None
    path = _path(formula, search) if is_searched else None
    whole = window_around(path) if path else WINDOW
    given = zip(said, whole, strict=True)
    left, right, bottom, top = (whole if one is None else one for one, whole in given)
    return contour_picture(parse_formula(formula), (left, right, bottom, top), path).png()
