"""What every network here has: features, and one linear layer that reads them.

Publishing exports both outputs, the strangeness of an input is told from them, and a new task can
keep the features and replace the head. Read next: `perceptron.py`, the smallest.
"""

from abc import ABC, abstractmethod

from torch import Tensor, nn
from typing_extensions import override


class Network(nn.Module, ABC):
    """A classifier: `forward(x)` is `head(features(x))`.

    `x`: float32, normalised, as `inputs.py` says. Logits: (n, classes).
    """

    head: nn.Linear

    @abstractmethod
    def features(self, x: Tensor) -> Tensor:
        """Return what the head reads: (n, d)."""

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x))
