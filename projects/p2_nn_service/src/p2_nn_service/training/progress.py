"""How far a run is: the part of a checkpoint that is not weights."""

import math
from dataclasses import dataclass, field
from typing import Any, Self

from torch import Tensor


@dataclass
class Progress:
    """Position and scores; changed by the loop alone."""

    epoch: int = 0
    """Whole epochs behind."""
    step_in_epoch: int = 0
    step: int = 0
    """Steps of the optimiser behind."""
    loss_sum: float = 0.0
    """Of this epoch, over its steps."""
    train_s: float = 0.0
    best_score: float = -math.inf
    best_epoch: int = 0
    metrics: dict[str, float] = field(default_factory=dict)
    best_weights: dict[str, Tensor] = field(default_factory=dict)

    def as_state(self) -> dict[str, Any]:
        """Return the fields as a checkpoint holds them."""
        return dict(vars(self))

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Read what `as_state` returned."""
        return cls(**state)

    def end_step(self, loss: float) -> None:
        """Count a step."""
        self.step += 1
        self.step_in_epoch += 1
        self.loss_sum += loss

    def end_epoch(self, measured: dict[str, float]) -> dict[str, float]:
        """Count an epoch; returns its metrics, with the mean loss of its steps."""
        self.metrics = {"loss": self.loss_sum / max(1, self.step_in_epoch), **measured}
        self.epoch += 1
        self.step_in_epoch, self.loss_sum = 0, 0.0
        return self.metrics
