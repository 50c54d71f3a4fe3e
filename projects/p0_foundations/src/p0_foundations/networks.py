"""A multilayer perceptron over our own autodiff, and its training as a stream of frames.

All parameters stand in one flat array, so that every optimiser of `optimisers.py` trains it as it
stands. `train` is for results, `train_frames` for watching: each frame holds what a page draws.
Knows no page. Read before: `autodiff.py`, `optimisers.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np

from p0_foundations.autodiff import Elementwise, Floats, Tensor, relu, sigmoid, softmax, tanh
from p0_foundations.datasets import Labelled
from p0_foundations.descent import Rows, batches
from p0_foundations.errors import NetworkError
from p0_foundations.losses import cross_entropy
from p0_foundations.optimisers import Memory, Optimiser, Place

ACTIVATIONS: dict[str, Elementwise] = {"tanh": tanh, "relu": relu, "sigmoid": sigmoid}
MAX_UNITS = 4096
MAX_GRID = 200
LARGEST_PARAMETER = 1e4
"""A weight beyond it counts as diverged: trained weights are a thousand times smaller."""


@dataclass(frozen=True)
class Network:
    """Layers of sizes such as (2, 8, 8, 2): inputs, hidden units, one score for each class."""

    sizes: tuple[int, ...]
    activation: str = "tanh"

    def __post_init__(self) -> None:
        if len(self.sizes) < 2 or not all(1 <= size <= MAX_UNITS for size in self.sizes):
            raise NetworkError(f"sizes={self.sizes}: two or more, each from 1 to {MAX_UNITS}")
        if self.activation not in ACTIVATIONS:
            known = ", ".join(ACTIVATIONS)
            raise NetworkError(f"activation={self.activation!r}; accepted: {known}")

    @property
    def n_parameters(self) -> int:
        """How many numbers are learned."""
        return sum((n_in + 1) * n_out for n_in, n_out in pairwise(self.sizes))

    def initial(self, seed: int = 0) -> Floats:
        """Return random weights and zero biases (n_parameters,).

        Variance 1 / inputs, which keeps the spread of what passes through (Glorot and Bengio 2010);
        2 / inputs for `relu`, which drops half of it (He et al. 2015).
        """
        rng = np.random.default_rng(seed)
        gain = 2.0 if self.activation == "relu" else 1.0
        parts = []
        for n_in, n_out in pairwise(self.sizes):
            parts.append(rng.normal(size=n_in * n_out) * np.sqrt(gain / n_in))
            parts.append(np.zeros(n_out))
        return np.concatenate(parts)

    def layers(self, parameters: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield each layer's weights (n_in, n_out) and biases (n_out,) out of the flat array."""
        first = 0
        for n_in, n_out in pairwise(self.sizes):
            middle, last = first + n_in * n_out, first + (n_in + 1) * n_out
            yield parameters[first:middle].reshape(n_in, n_out), parameters[middle:last]
            first = last

    def scores(self, parameters: Tensor, rows: Floats) -> Tensor:
        """Return a score for each row and class (n, classes)."""
        activate = ACTIVATIONS[self.activation]
        signal = Tensor(rows, needs_grad=False)
        *hidden, (weights, biases) = self.layers(parameters)
        for inner_weights, inner_biases in hidden:
            signal = activate(signal @ inner_weights + inner_biases)
        return signal @ weights + biases

    def probabilities(self, parameters: Floats, rows: Floats) -> Floats:
        """Return the probability of each class (n, classes)."""
        return softmax(self.scores(Tensor(parameters, needs_grad=False), rows)).value

    def accuracy(self, parameters: Floats, data: Labelled) -> float:
        """Return the share of rows whose most probable class is theirs."""
        found = self.probabilities(parameters, data.rows).argmax(axis=1)
        return float((found == data.labels).mean())


@dataclass(frozen=True)
class Frame:
    """Where a training stands after `step` steps; everything in it is finite.

    `loss` and `accuracy` are over all rows. `surface` (grid, grid) is the probability of class 1
    over the square from -`extent` to `extent`, row 0 at the bottom; without a grid it is empty.
    `problem` says in the last frame of a training that diverged what happened; else it is empty.
    """

    step: int
    loss: float
    accuracy: float
    parameters: Floats
    surface: Floats
    problem: str = ""


def train(
    network: Network,
    data: Labelled,
    optimiser: Optimiser,
    *,
    epochs: int = 10,
    batch_size: int = 32,
    seed: int = 0,
) -> Floats:
    """Return trained parameters; `NetworkError` names the step at which a training diverged."""
    steps = _Training(network, data, optimiser, seed)
    for rows in batches(len(data.rows), batch_size, epochs=epochs, seed=seed):
        if problem := steps.take(rows):
            raise NetworkError(f"{problem}; take smaller steps")
    return steps.parameters


def train_frames(
    network: Network,
    data: Labelled,
    optimiser: Optimiser,
    *,
    steps_per_frame: int = 10,
    batch_size: int = 32,
    grid: int = 40,
    extent: float = 1.2,
    seed: int = 0,
) -> Iterator[Frame]:
    """Yield frame after frame, the untrained network first, until the caller stops or it diverges.

    Rows need two columns for a surface; with `grid=0` they may have any number.
    """
    if grid and (data.rows.shape[1] != 2 or grid > MAX_GRID):
        raise NetworkError(f"grid={grid}: up to {MAX_GRID} a side, over rows of two numbers")
    if steps_per_frame < 1:
        raise NetworkError(f"steps_per_frame={steps_per_frame}; at least 1 is accepted")
    axis = np.linspace(-extent, extent, grid)
    plane = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    training = _Training(network, data, optimiser, seed)
    order = batches(len(data.rows), batch_size, epochs=None, seed=seed)
    problem = ""
    while not problem:
        yield training.frame(plane, grid)
        for rows in islice(order, steps_per_frame):
            problem = problem or training.take(rows)
    yield training.frame(plane, grid, problem)


class _Training:
    """Parameters on their way; a step that diverges is not taken."""

    def __init__(self, network: Network, data: Labelled, optimiser: Optimiser, seed: int) -> None:
        n_in, n_out = network.sizes[0], network.sizes[-1]
        if data.rows.shape[1:] != (n_in,) or data.n_classes > n_out:
            raise NetworkError(
                f"a network of sizes {network.sizes} takes rows of {n_in} numbers and at most "
                f"{n_out} classes, not rows {data.rows.shape} of {data.n_classes} classes"
            )
        self.parameters = network.initial(seed)
        self._network, self._data, self._optimiser = network, data, optimiser
        self._memory: Memory = ()
        self._n_steps = 0

    def take(self, rows: Rows) -> str:
        """Take one step on some rows; returns what went wrong, and then nothing has moved."""
        data = self._data
        with np.errstate(all="ignore"):
            point = Tensor(self.parameters)
            scores = self._network.scores(point, data.rows[rows])
            cross_entropy(scores, data.labels[rows]).backward()
            slope = np.zeros_like(self.parameters) if point.grad is None else point.grad
            place = Place(self.parameters, slope, _no_hessian)
            moved, self._memory = self._optimiser.step(place, self._memory)
        if not np.abs(moved).max() <= LARGEST_PARAMETER:  # not-a-number included
            return f"step {self._n_steps + 1}: a weight left ±{LARGEST_PARAMETER:,.0f}"
        self.parameters, self._n_steps = moved, self._n_steps + 1
        return ""

    def frame(self, plane: Floats, grid: int, problem: str = "") -> Frame:
        """Return how it stands."""
        data, network = self._data, self._network
        scores = network.scores(Tensor(self.parameters, needs_grad=False), data.rows)
        surface = network.probabilities(self.parameters, plane)[:, -1] if grid else plane[:0, 0]
        return Frame(
            step=self._n_steps,
            loss=cross_entropy(scores, data.labels).item(),
            accuracy=float((scores.value.argmax(axis=1) == data.labels).mean()),
            parameters=self.parameters,
            surface=surface.reshape(grid, grid),
            problem=problem,
        )


def _no_hessian() -> Floats:
    raise NetworkError("Newton's method needs second derivatives: too many for a network")
