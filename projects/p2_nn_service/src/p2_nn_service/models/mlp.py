"""A multilayer perceptron: linear layers with a bend between them, Rumelhart et al. (1986).

Without the bend (ReLU) any number of layers is one matrix. It sees no neighbourhood: shuffle the
pixels of all images in the same way and it learns as well.
"""

from itertools import pairwise

from torch import Tensor, nn
from typing_extensions import override

from p2_nn_service.models.inputs import Task, as_pixels
from p2_nn_service.models.network import Network


class Mlp(Network):
    """Hidden layers of `width`, each with dropout after its bend."""

    def __init__(
        self, task: Task, *, width: int = 256, n_hidden: int = 2, dropout: float = 0.1
    ) -> None:
        super().__init__()
        sizes = [task.n_values, *[width] * n_hidden]
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(sizes):
            layers += [nn.Linear(n_in, n_out), nn.ReLU(), nn.Dropout(dropout)]
        self.hidden = nn.Sequential(*layers)
        self.head = nn.Linear(width, task.n_classes)

    @override
    def features(self, x: Tensor) -> Tensor:
        return self.hidden(as_pixels(x))  # (n, values) -> (n, width)
