"""The neural playground: a training of `networks.py` as a stream of small pictures.

Pulled, never pushed: a picture is computed when the one before it is taken, so a training cannot
outrun who watches it. Knows no HTTP. Read next: `playground_routes.py`.
"""

import base64
from collections.abc import Callable, Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from p0_foundations.autodiff import Floats, Tensor
from p0_foundations.datasets import (
    Labelled,
    four_quarters,
    ring_and_core,
    two_clouds,
    two_spirals,
)
from p0_foundations.losses import cross_entropy
from p0_foundations.networks import ACTIVATIONS, Frame, Network, train_frames
from p0_foundations.optimisers import OPTIMISERS, Optimiser, WeightDecay
from p0_foundations.playground_contracts import (
    EXTENT,
    GRID,
    NEURON_GRID,
    Anatomy,
    Begin,
    End,
    Passed,
    Picture,
    Task,
    Training,
)

N_POINTS = 300
TRAIN_SHARE = 0.7
ANATOMY_EVERY = 5
"""Pictures from one look inside the network to the next: it costs twice a picture's bytes."""

Event = Begin | Passed | Picture | End
TASKS: dict[Task, Callable[..., Labelled]] = {
    "spirals": two_spirals,
    "ring": ring_and_core,
    "xor": four_quarters,
    "clouds": two_clouds,
}


class Playground:
    """One training: its points, its network, its events."""

    def __init__(self, training: Training) -> None:
        self._training = training
        self.network = Network((2, *training.hidden, 2), training.activation)
        points = TASKS[training.task](N_POINTS, noise=training.noise, seed=training.seed)
        self.train, self.test = points.split(TRAIN_SHARE, seed=training.seed)

    def events(self) -> Iterator[Event]:
        """Yield the beginning, what passed before `from_step`, the pictures from there, the end."""
        training = self._training
        first = min(training.from_step, training.max_steps)
        n_shown = 0
        yield self._begin()
        for frame in self._frames():
            is_last = bool(frame.problem) or frame.step >= training.max_steps
            if frame.step < first and not is_last:
                yield self._passed(frame)
                continue
            yield self._picture(frame, is_whole=is_last or n_shown % ANATOMY_EVERY == 0)
            n_shown += 1
            if is_last:
                yield _end(frame, training)
                return

    def _frames(self) -> Iterator[Frame]:
        training = self._training
        return train_frames(
            self.network,
            self.train,
            self._optimiser(),
            steps_per_frame=training.steps_per_frame,
            batch_size=training.batch_size,
            grid=GRID,
            extent=EXTENT,
            seed=training.seed,
        )

    def _optimiser(self) -> Optimiser:
        training = self._training
        plain = OPTIMISERS[training.optimiser](training.step_size)
        return WeightDecay(plain, training.weight_decay) if training.weight_decay else plain

    def _begin(self) -> Begin:
        rows = np.concatenate([self.train.rows, self.test.rows]).round(4)
        labels = np.concatenate([self.train.labels, self.test.labels])
        return Begin(
            sizes=self.network.sizes,
            n_parameters=self.network.n_parameters,
            grid=GRID,
            neuron_grid=NEURON_GRID,
            extent=EXTENT,
            points=tuple(
                (float(x), float(y), int(c)) for (x, y), c in zip(rows, labels, strict=True)
            ),
            n_train=len(self.train.rows),
        )

    def _passed(self, frame: Frame) -> Passed:
        test_loss, _ = self._on_test(frame.parameters)
        return Passed(step=frame.step, loss=round(frame.loss, 5), test_loss=test_loss)

    def _picture(self, frame: Frame, *, is_whole: bool) -> Picture:
        test_loss, test_accuracy = self._on_test(frame.parameters)
        return Picture(
            step=frame.step,
            loss=round(frame.loss, 5),
            test_loss=test_loss,
            accuracy=round(frame.accuracy, 4),
            test_accuracy=test_accuracy,
            surface=_bytes(frame.surface),
            anatomy=self._anatomy(frame.parameters) if is_whole else None,
        )

    def _on_test(self, parameters: Floats) -> tuple[float, float]:
        scores = self.network.scores(Tensor(parameters, needs_grad=False), self.test.rows)
        share = (scores.value.argmax(axis=1) == self.test.labels).mean()
        return round(cross_entropy(scores, self.test.labels).item(), 5), round(float(share), 4)

    def _anatomy(self, parameters: Floats) -> Anatomy:
        layers = list(self.network.layers(Tensor(parameters, needs_grad=False)))
        signal = Tensor(self._plane, needs_grad=False)
        neurons = []
        for weights, biases in layers[:-1]:
            signal = ACTIVATIONS[self.network.activation](signal @ weights + biases)
            neurons.append(tuple(_bytes(_stretched(column)) for column in signal.value.T))
        return Anatomy(
            weights=tuple(
                tuple(tuple(row) for row in weights.value.round(3).tolist())
                for weights, _ in layers
            ),
            biases=tuple(tuple(biases.value.round(3).tolist()) for _, biases in layers),
            neurons=tuple(neurons),
        )

    @cached_property
    def _plane(self) -> Floats:
        axis = np.linspace(-EXTENT, EXTENT, NEURON_GRID)
        return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def _end(frame: Frame, training: Training) -> End:
    if frame.problem:
        message = f"{frame.problem}; take smaller steps, or start from another seed"
        return End(reason="diverged", step=frame.step, message=message)
    return End(reason="finished", step=frame.step, message=f"reached {training.max_steps:,} steps")


def _stretched(values: Floats) -> Floats:
    """Stretch values to 0 to 1; a constant is a middle grey."""
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.full_like(values, 0.5)


def _bytes(shares: Floats) -> str:
    levels: NDArray[np.uint8] = (shares * 255).round().astype(np.uint8)
    return base64.b64encode(levels.tobytes()).decode("ascii")
