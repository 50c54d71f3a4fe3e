"""Functions of two variables worth walking on, each with where to look and where to begin.

Each shows one thing that happens to every search. Knows no optimiser. Read next: `walks.py`.
"""

from dataclasses import dataclass

Span = tuple[float, float]


@dataclass(frozen=True)
class Landscape:
    """A named formula, the window that shows it, a start and a step that make its point."""

    name: str
    title: str
    formula: str
    lesson: str
    x: Span
    y: Span
    start: tuple[float, float]
    step_size: float


LANDSCAPES = (
    Landscape(
        "bowl",
        "Round bowl",
        "x^2 + y^2",
        "The slope points straight at the bottom; every step below 1 gets there.",
        (-3.0, 3.0),
        (-3.0, 3.0),
        (-2.4, 1.8),
        0.1,
    ),
    Landscape(
        "valley",
        "Narrow valley",
        "x^2 + 20*y^2",
        "The steep direction limits the step, the flat one needs a long one: so descent zigzags.",
        (-3.0, 3.0),
        (-2.0, 2.0),
        (-2.6, 1.2),
        0.045,
    ),
    Landscape(
        "rosenbrock",
        "Rosenbrock's banana",
        "(1-x)^2 + 100*(y-x^2)^2",
        "The valley is found at once; following its bend to (1, 1) takes thousands of steps.",
        (-2.0, 2.0),
        (-1.0, 3.0),
        (-1.2, 1.0),
        0.001,
    ),
    Landscape(
        "himmelblau",
        "Himmelblau",
        "(x^2+y-11)^2 + (x+y^2-7)^2",
        "Four minima, all at 0: where the search begins decides where it ends.",
        (-5.0, 5.0),
        (-5.0, 5.0),
        (0.0, -1.0),
        0.01,
    ),
    Landscape(
        "saddle",
        "Saddle",
        "x^2/2 + y^4/4 - y^2/2",
        "The slope is 0 at a place that is no minimum; a search slows down beside it.",
        (-2.5, 2.5),
        (-2.0, 2.0),
        (-2.0, 0.02),
        0.2,
    ),
    Landscape(
        "ripples",
        "Ripples",
        "(x^2+y^2)/10 - cos(3*x) - cos(3*y)",
        "Many bottoms, one lowest: descent stops in the nearest, momentum may roll out of it.",
        (-4.0, 4.0),
        (-4.0, 4.0),
        (-3.0, 2.6),
        0.05,
    ),
    Landscape(
        "plateau",
        "Plateau",
        "1 - exp(-(x^2+y^2)/2)",
        "Far from the pit the slope is nearly 0 and so is every step: a vanishing gradient.",
        (-4.0, 4.0),
        (-4.0, 4.0),
        (-2.6, 1.8),
        0.5,
    ),
    Landscape(
        "crease",
        "Crease",
        "abs(x) + 3*abs(y)",
        "The slope does not shrink towards the bottom, so a fixed step jumps over it for ever.",
        (-3.0, 3.0),
        (-3.0, 3.0),
        (-2.5, 1.7),
        0.1,
    ),
)
