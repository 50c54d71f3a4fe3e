"""The one task interface: what goes into every network, and the forms a network may read it in.

A batch is float32, normalised: images (n, channels, height, width), series (n, channels, steps).
An MLP reads it as pixels, a convolution as it is, a recurrent network or a Transformer as steps:
the rows of an image, its patches, or the steps of a series.
"""

from dataclasses import dataclass

from torch import Tensor

from p2_nn_service.errors import RecipeError


@dataclass(frozen=True)
class Task:
    """What a classifier is built for: the shape of one example, channels first, and the classes."""

    shape: tuple[int, ...]
    n_classes: int

    @property
    def is_images(self) -> bool:
        """Whether examples are images, else series."""
        return len(self.shape) == 3

    @property
    def n_values(self) -> int:
        """Numbers in one example."""
        n = 1
        for size in self.shape:
            n *= size
        return n


def as_pixels(x: Tensor) -> Tensor:
    """Lay every number of an example in one row: (n, ...) to (n, values)."""
    return x.flatten(1)


def as_rows(x: Tensor) -> Tensor:
    """Read an image from top to bottom, a series from its start: to (n, steps, numbers a step)."""
    if x.dim() == 4:
        return x.permute(0, 2, 1, 3).flatten(2)  # (n, height, channels * width)
    return x.transpose(1, 2)  # (n, steps, channels)


def as_patches(x: Tensor, size: int) -> Tensor:
    """Cut an image into squares of `size`, or a series into runs of it: to (n, patches, numbers).

    What does not fill a patch at the right and bottom edges is left out.
    """
    if x.dim() == 4:
        cut = x.unfold(2, size, size).unfold(3, size, size)  # (n, c, rows, columns, size, size)
        return cut.permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)
    return x.unfold(2, size, size).permute(0, 2, 1, 3).flatten(2)


def n_patches(task: Task, size: int) -> int:
    """Return how many patches `as_patches` cuts; `RecipeError` when none fits."""
    n = 1
    for length in task.shape[1:]:
        n *= length // size
    if n == 0:
        raise RecipeError(f"patches of {size} do not fit examples of shape {task.shape}")
    return n
