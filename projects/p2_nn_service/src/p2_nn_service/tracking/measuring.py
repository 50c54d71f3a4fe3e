"""The numbers of a step, at the steps that are written: loss, learning rate, length of gradients.

A long run is written at about `N_POINTS` steps, so that no file grows with the length of a run.
"""

from torch import nn
from torch.optim import Optimizer

from p2_nn_service.contracts import RunRecord

N_POINTS = 500


class StepNumbers:
    """Means of the losses since the last step that was written."""

    def __init__(self) -> None:
        self._every, self._total, self._n = 1, 0.0, 0

    def start(self, record: RunRecord) -> None:
        """Choose how often to write, by the steps that the run will take."""
        self._every = max(1, record.steps // N_POINTS)

    def at(
        self, step: int, loss: float, model: nn.Module, optimiser: Optimizer
    ) -> dict[str, float] | None:
        """Return the numbers when this step is to be written, else None."""
        self._total, self._n = self._total + loss, self._n + 1
        if step % self._every:
            return None
        values = {
            "loss": self._total / self._n,
            "learning_rate": float(optimiser.param_groups[0]["lr"]),
            "gradient_norm": gradient_norm(model),
        }
        self._total, self._n = 0.0, 0
        return values


def gradient_norm(model: nn.Module) -> float:
    """Return the Euclidean norm of all gradients of the last step."""
    squares = [
        float(p.grad.float().square().sum()) for p in model.parameters() if p.grad is not None
    ]
    return sum(squares) ** 0.5
