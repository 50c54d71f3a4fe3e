"""Training by several processes at once, each with its share of every batch.

Under `torchrun` the same command trains together: gloo between processors, NCCL between GPUs. Each
process takes every n-th example of a batch and gradients are summed with the weight of the
examples they come from, so that the result is that of one process, within rounding. Batch norm
takes its statistics over all shares, for the same reason.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel
from typing_extensions import override

T = TypeVar("T")


@dataclass(frozen=True)
class Processes:
    """How many train together, and which of them this is."""

    rank: int = 0
    n: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this one writes, evaluates and tells."""
        return self.rank == 0

    def share(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return this process's examples of a batch."""
        return tuple(part[self.rank :: self.n] for part in batch)

    def sums(self, *values: float, device: torch.device) -> list[float]:
        """Add up each value over all processes."""
        if self.n == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64, device=device)
        distributed.all_reduce(total)
        return total.tolist()

    def from_first(self, value: T) -> T:
        """Return the first process's value, such as what it measured."""
        if self.n == 1:
            return value
        box = [value]
        distributed.broadcast_object_list(box, src=0)
        return box[0]


def who() -> Processes:
    """Return which process this is; one alone outside of `together`."""
    if not (distributed.is_available() and distributed.is_initialized()):
        return Processes()
    return Processes(distributed.get_rank(), distributed.get_world_size())


@contextmanager
def together() -> Generator[torch.device]:
    """Join the others under `torchrun`, else train alone; yields the device to train on."""
    device = best_device()
    if "WORLD_SIZE" not in os.environ:
        yield device
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def best_device() -> torch.device:
    """Return this process's GPU, else the processor."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def spread(model: nn.Module, processes: Processes) -> nn.Module:
    """Return the module through which all processes train `model`: itself when alone."""
    if processes.n == 1:
        return model
    return DistributedDataParallel(model)


def with_shared_norms(model: nn.Module, processes: Processes) -> None:
    """Let every batch norm inside see the batches of all processes. Names and weights stay."""
    if processes.n == 1:
        return
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.__class__ = SharedBatchNorm  # type: ignore[bad-argument-type] - same state


class SharedBatchNorm(_BatchNorm):
    """Batch norm with mean and variance over all processes, on any device.

    torch's own works on GPUs alone. The sums travel forward, their gradients backward.
    """

    @override
    def forward(self, input: Tensor) -> Tensor:
        if not (self.training and distributed.is_initialized()):
            return super().forward(input)
        over = [0, *range(2, input.dim())]
        x = input.float()
        n = torch.full((1,), float(x.numel() // x.shape[1]), device=x.device)
        sums = torch.cat([x.sum(over), (x * x).sum(over), n])
        total = _summed(sums)
        count = total[-1].detach()
        mean, square = (total[:-1] / count).chunk(2)
        variance = square - mean * mean
        self._remember(mean.detach(), variance.detach(), count)
        shape = [1, -1, *[1] * (x.dim() - 2)]
        scale = torch.rsqrt(variance + self.eps) * self.weight
        out = (x - mean.view(shape)) * scale.view(shape) + self.bias.view(shape)
        return out.to(input.dtype)

    @override
    def _check_input_dim(self, input: Tensor) -> None:
        """Take what the kind it replaces took."""

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.momentum is None:
            return
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * count / (count - 1), self.momentum)


class _SumOverProcesses(torch.autograd.Function):
    """Add up a tensor over all processes; its gradient is added up over all as well."""

    @staticmethod
    @override
    def forward(ctx: object, values: Tensor) -> Tensor:  # type: ignore[bad-override]
        total = values.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    @override
    def backward(ctx: object, gradient: Tensor) -> Tensor:  # type: ignore[bad-override]
        total = gradient.clone()
        distributed.all_reduce(total)
        return total


def _summed(values: Tensor) -> Tensor:
    total: Tensor = _SumOverProcesses.apply(values)
    return total
