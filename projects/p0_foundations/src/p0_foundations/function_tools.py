"""Functions of two variables as MCP tools: search a minimum, look at a picture.

A formula is text that is parsed, never evaluated (`formulas.py`). NumPy and Matplotlib are loaded
by the first call.
"""

from collections.abc import Awaitable, Callable

from mcp.server.mcpserver import Image
from pydantic import BaseModel, Field

from p0_foundations.errors import OptimisationError
from p0_foundations.workbench import Workbench

MAX_TOOL_STEPS = 5_000
N_SHOWN = 20


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
        return await workbench.run(
            lambda: _minimum(formula, start_x, start_y, optimiser, step_size, steps)
        )

    async def plot(
        formula: str,
        x_from: float = -3.0,
        x_to: float = 3.0,
        y_from: float = -3.0,
        y_to: float = 3.0,
    ) -> Image:
        """Draw the contours of a formula in x and y, such as `x^2 + 3*sin(y)`, as a picture."""
        window = (x_from, x_to, y_from, y_to)
        return Image(data=await workbench.run(lambda: _drawn(formula, window)), format="png")

    return minimise_function, plot


def _minimum(
    formula: str, start_x: float, start_y: float, name: str, step_size: float, steps: int
) -> Minimum:
    from p0_foundations.descent import minimise  # noqa: PLC0415 - NumPy at first use
    from p0_foundations.formulas import parse_formula  # noqa: PLC0415 - NumPy at first use
    from p0_foundations.optimisers import OPTIMISERS  # noqa: PLC0415 - NumPy at first use

    if name not in OPTIMISERS:
        raise OptimisationError(f"optimiser {name!r} is not known; use {', '.join(OPTIMISERS)}")
    if not 0 <= steps <= MAX_TOOL_STEPS:
        raise OptimisationError(f"{steps} steps; accepted: 0 to {MAX_TOOL_STEPS:,}")
    function = parse_formula(formula).at
    path = minimise(function, [start_x, start_y], OPTIMISERS[name](step_size), steps=steps)
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


def _drawn(formula: str, window: tuple[float, float, float, float]) -> bytes:
    from p0_foundations.descent_pictures import contour_picture  # noqa: PLC0415 - Matplotlib
    from p0_foundations.formulas import parse_formula  # noqa: PLC0415 - NumPy at first use

    return contour_picture(parse_formula(formula), window).png()
