"""What is debugged: how to make the network, its data on both sides, and its recipe.

Everything that may hold the fault is a part that can be given: a network of one's own, another
optimiser, another way from stored examples to tensors. Whoever trains with `p2-nn-service train`
gets the parts from `of_classifier`.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim import Optimizer

from p2_nn_service.data.datasets import Dataset
from p2_nn_service.models.building import build
from p2_nn_service.models.inputs import Task
from p2_nn_service.training.chance import generator_of
from p2_nn_service.training.classifying import HELD_OUT
from p2_nn_service.training.examples import Scaling
from p2_nn_service.training.loop import Batch
from p2_nn_service.training.optimisers import make_optimiser
from p2_nn_service.training.recipe import Recipe

Prepare = Callable[[Dataset], Tensor]
MOST_BATCH = 128
"""A larger batch would tell the same, more slowly."""
FEWEST, MOST_VALUES = 64, 20_000_000
"""Of a sample: examples, and numbers in all of them."""


@dataclass(frozen=True)
class Subject:
    """A network to be made, what it learns from and how.

    `make` returns the network with fresh weights for a seed. `prepare` turns stored examples into
    what it reads. `trained` is the network of a finished run, if there is one. `rows` are the
    positions of the training and held-out examples in the whole data set.
    """

    name: str
    make: Callable[[int], nn.Module]
    training: Dataset
    held_out: Dataset
    recipe: Recipe
    prepare: Prepare
    make_optimiser: Callable[[nn.Module, Recipe], Optimizer] = make_optimiser
    trained: nn.Module | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    rows: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None

    @property
    def n_classes(self) -> int:
        """Classes of the task."""
        return len(self.training.classes)

    @property
    def batch_size(self) -> int:
        """Examples of a batch here."""
        return min(self.recipe.batch_size, MOST_BATCH, len(self.training))

    def fresh(self) -> nn.Module:
        """Return the network as training would begin with it."""
        return self.make(self.recipe.seed).to(self.device)

    def some(self, dataset: Dataset, n: int) -> Dataset:
        """Take `n` examples of one of the parts at random, always the same; of large ones fewer."""
        n = min(n, max(FEWEST, MOST_VALUES // math.prod(dataset.shape)))
        rows = torch.randperm(len(dataset), generator=generator_of(self.recipe.seed, 1))[:n]
        return dataset.take(rows.numpy())

    def sample(self, dataset: Dataset, n: int) -> Batch:
        """Take `some` examples, as the network reads them."""
        return self.batch(self.some(dataset, n))

    def batch(self, dataset: Dataset) -> Batch:
        """Return all of a data set as the network reads it."""
        labels = torch.from_numpy(np.ascontiguousarray(dataset.labels))
        return self.prepare(dataset).float().to(self.device), labels.to(self.device)

    def batches(self, dataset: Dataset | None = None, *, stream: int = 0) -> Iterator[Batch]:
        """Yield shuffled batches of the training part, or of `dataset`, without end."""
        dataset = dataset if dataset is not None else self.training
        size, epoch = min(self.batch_size, len(dataset)), 0
        while True:
            chance = generator_of(self.recipe.seed, 2 + stream, epoch)
            order = torch.randperm(len(dataset), generator=chance)
            for rows in order[: len(dataset) // size * size].split(size):
                yield self.batch(dataset.take(rows.numpy()))
            epoch += 1


def of_classifier(
    dataset: Dataset,
    preset: str,
    recipe: Recipe,
    *,
    name: str = "",
    trained: nn.Module | None = None,
    device: torch.device | None = None,
) -> Subject:
    """Return what `train_classifier` would train: the same split, weights and normalising."""
    training, held_out = dataset.split(HELD_OUT, seed=recipe.seed)
    task, scaling = Task(dataset.shape, len(dataset.classes)), Scaling.of(training)

    def prepare(part: Dataset) -> Tensor:
        return scaling.apply(torch.from_numpy(np.ascontiguousarray(part.inputs)))

    device = device or torch.device("cpu")
    return Subject(
        name=name or f"{preset} on {dataset.name}",
        make=lambda seed: build(preset, task, seed=seed),
        training=training,
        held_out=held_out,
        recipe=recipe,
        prepare=prepare,
        trained=trained.to(device) if trained is not None else None,
        device=device,
        rows=_rows(dataset, recipe.seed),
    )


def _rows(dataset: Dataset, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split positions as the examples were split."""
    places = np.arange(len(dataset), dtype=np.float32).reshape(-1, 1, 1)
    numbered = Dataset("positions", places, dataset.labels, dataset.classes, fingerprint="-")
    training, held_out = numbered.split(HELD_OUT, seed=seed)
    return (
        training.inputs.ravel().astype(np.int64),
        held_out.inputs.ravel().astype(np.int64),
    )
