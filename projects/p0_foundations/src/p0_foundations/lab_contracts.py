"""What the first two rooms ask and are told: searches on a formula, surfaces, lines by each loss.

Read next: `lab_routes.py`.
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

MAX_STEPS = 2_000
MAX_GRID = 101
MAX_POINTS = 200
FAR = 1e6

Number = Annotated[float, Field(ge=-FAR, le=FAR, allow_inf_nan=False)]
Pair = Annotated[tuple[Number, Number], Field(strict=False)]
"""Not strict: JSON has lists."""
Span = Pair
Formula = Annotated[
    str,
    Field(description="A function of x and y, such as `(1-x)^2 + 100*(y-x^2)^2`."),
]
OptimiserName = Literal["gradient-descent", "momentum", "nesterov", "rmsprop", "adam", "newton"]
Share = Annotated[float, Field(ge=0, lt=1)]


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)  # true is not 1


class DescentRequest(_Asked):
    """One search."""

    formula: Formula
    start: Pair
    optimiser: OptimiserName = "gradient-descent"
    step_size: float = Field(0.1, gt=0, le=FAR, allow_inf_nan=False)
    momentum: Share = Field(0.9, description="Of momentum, Nesterov and Adam.")
    decay: Share | None = Field(None, description="Of RMSProp (0.99) and Adam (0.999).")
    steps: int = Field(200, ge=0, le=MAX_STEPS)


class Descent(BaseModel):
    """Where a search went, and what explains each step; all numbers are finite."""

    points: list[tuple[float, float]] = Field(description="One more than steps; the first: start.")
    losses: list[float]
    gradients: list[tuple[float, float]]
    memory: dict[str, list[tuple[float, float]]] = Field(
        description="What the optimiser held after each step, such as its velocity."
    )
    hessians: list[tuple[float, float, float]] = Field(
        description="Of Newton: second derivatives xx, xy, yy at each step."
    )
    settings: dict[str, float] = Field(description="What the optimiser ran with.")
    verdict: Literal["converged", "diverged", "stalled", "unfinished"]
    reason: str
    step_limit: float | None = Field(
        description="Largest stable step by the bend at the start; none where there is no limit."
    )


class SurfaceRequest(_Asked):
    """A window onto a formula."""

    formula: Formula
    x: Span = (-3.0, 3.0)
    y: Span = (-3.0, 3.0)
    n: int = Field(61, ge=2, le=MAX_GRID, description="Points along each side.")

    @model_validator(mode="after")
    def _is_open(self) -> Self:
        if self.x[0] >= self.x[1] or self.y[0] >= self.y[1]:
            raise ValueError("a window runs from a smaller to a larger number")
        return self


class Surface(BaseModel):
    """Values over a grid: row k belongs to `y[k]`; null where the formula has no finite value."""

    x: list[float]
    y: list[float]
    values: list[list[float | None]]
    lowest: float | None
    highest: float | None


class NamedFunction(BaseModel):
    """A function worth walking on."""

    name: str
    title: str
    formula: str
    lesson: str
    x: tuple[float, float]
    y: tuple[float, float]
    start: tuple[float, float]
    step_size: float


class LineRequest(_Asked):
    """Points to fit a line through, by one loss or by all that are for such points."""

    points: list[Pair] = Field(min_length=2, max_length=MAX_POINTS)
    task: Literal["values", "labels"] = Field(
        "values", description="Whether y is a value, or a label of -1 or 1."
    )
    loss: Literal["squared", "absolute", "huber", "logistic", "hinge"] | None = Field(
        None, description="Empty asks for every loss of the task."
    )
    delta: float = Field(1.0, gt=0, le=FAR, description="Where Huber's loss turns straight.")


class FittedLine(BaseModel):
    """The line that one loss likes best."""

    loss: str
    title: str
    formula: str
    right_when: str
    slope: float
    intercept: float
    mean_loss: float
    n_tried: int = Field(description="Steps of descent, or lines tried.")
    is_settled: bool = Field(description="False: no best line, it would get steeper for ever.")
