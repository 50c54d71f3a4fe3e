"""The parts of a convolutional network for images (two dimensions) and for series (one)."""

from torch import nn

from p2_nn_service.models.inputs import Task


def convolution(task: Task, n_in: int, n_out: int, size: int = 3) -> nn.Module:
    """Slide `n_out` filters of `size` over (n, n_in, ...); the length of every side is kept.

    No bias: a batch norm follows and has its own.
    """
    kind = nn.Conv2d if task.is_images else nn.Conv1d
    return kind(n_in, n_out, size, padding=size // 2, bias=False)


def batch_norm(task: Task, n_channels: int) -> nn.Module:
    """Give each channel mean 0 and variance 1 over the batch, Ioffe and Szegedy (2015)."""
    return (nn.BatchNorm2d if task.is_images else nn.BatchNorm1d)(n_channels)


def halving(task: Task) -> nn.Module:
    """Keep the largest of each two neighbours a side; an odd edge, and a side of one, are kept."""
    kind = nn.MaxPool2d if task.is_images else nn.MaxPool1d
    return kind(2, ceil_mode=True)


def pooled_to_one(task: Task) -> nn.Module:
    """Average each channel over all places: (n, channels, ...) to (n, channels)."""
    pool = nn.AdaptiveAvgPool2d(1) if task.is_images else nn.AdaptiveAvgPool1d(1)
    return nn.Sequential(pool, nn.Flatten(1))
