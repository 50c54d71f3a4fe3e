"""Batches of a data set, and how a classifier is judged: normalised, augmented, all as tensors.

Examples stay on the device as they are stored (a byte a pixel); a batch becomes float32 when it is
its turn. No PIL and no worker processes: on small images they cost more than the network.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from p2_nn_service.data.datasets import Dataset
from p2_nn_service.training.augmenting import find_augmentations
from p2_nn_service.training.chance import generator_of
from p2_nn_service.training.loop import Batch, Evaluate, Objective
from p2_nn_service.training.recipe import Recipe

_SMALL = 5 / 7
_N_MEASURED = 1000
_PER_PIXEL = 255.0


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation of each channel; of images as shares of full brightness."""

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def of(cls, dataset: Dataset) -> "Scaling":
        """Measure the examples; what is missing (NaN) is left out, a constant channel keeps 1."""
        channels = np.moveaxis(dataset.inputs, 1, 0).reshape(dataset.shape[0], -1)
        unit = _PER_PIXEL if dataset.kind == "images" else 1.0
        mean = [float(np.nanmean(one, dtype=np.float64)) / unit for one in channels]
        std = [float(np.nanstd(one, dtype=np.float64)) / unit for one in channels]
        return cls(tuple(mean), tuple(one or 1.0 for one in std))

    def apply(self, stored: Tensor) -> Tensor:
        """Normalise stored examples to float32; what is missing becomes the mean, 0."""
        shape = [1, -1, *[1] * (stored.dim() - 2)]
        unit = _PER_PIXEL if stored.dtype == torch.uint8 else 1.0
        mean = torch.tensor(self.mean, device=stored.device).view(shape)
        std = torch.tensor(self.std, device=stored.device).view(shape)
        x = (stored.float() - mean * unit) / (std * unit)
        return x if stored.dtype == torch.uint8 else x.nan_to_num_(nan=0.0)


class ExampleBatches:
    """Shuffled batches of a data set, a function of (seed, epoch, number of the batch).

    What does not fill a last batch waits for another epoch's order.
    """

    def __init__(
        self, dataset: Dataset, scaling: Scaling, recipe: Recipe, device: torch.device
    ) -> None:
        self.inputs = torch.from_numpy(np.ascontiguousarray(dataset.inputs)).to(device)
        self.labels = torch.from_numpy(np.ascontiguousarray(dataset.labels)).to(device)
        self.scaling, self.recipe = scaling, recipe
        self.is_images = dataset.kind == "images"
        self.changes = find_augmentations(recipe.augment, is_images=self.is_images)
        self.batch_size = min(recipe.batch_size, len(dataset))

    def n_batches(self) -> int:
        """Count the whole batches of an epoch."""
        return len(self.labels) // self.batch_size

    def epoch(self, epoch: int, *, start: int = 0) -> Iterator[Batch]:
        """Yield (inputs float32, labels int64) of an epoch from batch `start` on."""
        seed = self.recipe.seed
        order = torch.randperm(len(self.labels), generator=generator_of(seed, epoch))
        for k in range(start, self.n_batches()):
            rows = order[k * self.batch_size : (k + 1) * self.batch_size].to(self.labels.device)
            x = self.scaling.apply(self.inputs[rows])
            chance = generator_of(seed, epoch, k)
            for change in self.changes:
                x = change(x, chance)
            yield self._sized(x, epoch, k), self.labels[rows]

    def _sized(self, x: Tensor, epoch: int, k: int) -> Tensor:
        """Shrink images while the recipe wants them small: early steps learn coarse things."""
        n = self.n_batches()
        is_small = epoch * n + k < self.recipe.small_first * self.recipe.epochs * n
        if not (is_small and self.is_images):
            return x
        sides = [max(1, round(side * _SMALL)) for side in x.shape[2:]]
        return functional.interpolate(x, sides, mode="area")


def classification(label_smoothing: float = 0.0) -> Objective:
    """Return the cross-entropy in nats, labels smoothed as in Szegedy et al. (2016, section 7)."""

    def objective(model: nn.Module, batch: Batch) -> Tensor:
        x, labels = batch
        logits = model(x).float()
        return functional.cross_entropy(logits, labels, label_smoothing=label_smoothing)

    return objective


def logits_of(model: nn.Module, dataset: Dataset, scaling: Scaling, device: torch.device) -> Tensor:
    """Return the logits of every example, in order, on the processor: float32 (n, classes).

    The model's mode and the precision are the caller's.
    """
    inputs = torch.from_numpy(np.ascontiguousarray(dataset.inputs))
    with torch.no_grad():
        parts = [
            model(scaling.apply(part.to(device))).float().cpu()
            for part in inputs.split(_N_MEASURED)
        ]
    return torch.cat(parts)


def measuring(dataset: Dataset, scaling: Scaling, device: torch.device) -> Evaluate:
    """Return what measures `held_out_accuracy` (a share) and `held_out_loss` (nats)."""
    labels = torch.from_numpy(np.ascontiguousarray(dataset.labels))

    def evaluate(model: nn.Module) -> dict[str, float]:
        logits = logits_of(model, dataset, scaling, device)
        accuracy = (logits.argmax(1) == labels).double().mean().item()
        loss = functional.cross_entropy(logits, labels).item()
        return {"held_out_accuracy": accuracy, "held_out_loss": loss}

    return evaluate
