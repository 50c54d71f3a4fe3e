"""Those who look on while a run goes: progress, sinks, the debugger."""

from torch import nn
from torch.optim import Optimizer

from p2_nn_service.contracts import RunRecord


class Watcher:
    """Is told what happens; override what is of interest. Only the first process has watchers.

    A watcher may draw random numbers (each step is seeded anew), and must not change weights.
    """

    def started(self, record: RunRecord) -> None:
        """Hear that a run starts or goes on, before its first step."""

    def stepped(self, step: int, loss: float, model: nn.Module, optimiser: Optimizer) -> None:
        """Look after step `step` (from 1): gradients are still those of the step."""

    def epoch_ended(self, record: RunRecord, metrics: dict[str, float]) -> None:
        """Hear what the epoch measured; `record.epoch` epochs are behind."""

    def ended(self, record: RunRecord) -> None:
        """Hear how it ended: finished, interrupted or failed."""
