"""A recurrent network: one small network applied step after step, Elman (1990).

`h_t = tanh(W x_t + U h_{t-1} + b)`. What it knows of step 1 has gone through `U` once for every
step since, so its gradient shrinks or grows like a power: read next `lstm.py`, which mends that.
"""

from torch import Tensor, nn
from typing_extensions import override

from p2_nn_service.models.inputs import Task, as_rows
from p2_nn_service.models.network import Network


class Rnn(Network):
    """Reads an image row by row, or a series step by step; the last state is what it remembers."""

    def __init__(self, task: Task, *, width: int = 128) -> None:
        super().__init__()
        n_numbers = task.n_values // task.shape[1] if task.is_images else task.shape[0]
        self.cell = nn.RNN(n_numbers, width, batch_first=True)
        self.head = nn.Linear(width, task.n_classes)

    @override
    def features(self, x: Tensor) -> Tensor:
        states, _ = self.cell(as_rows(x))  # (n, steps, width)
        return states[:, -1]  # (n, width)
