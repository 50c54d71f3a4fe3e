"""A long short-term memory: a recurrent network with a memory that is added to, not multiplied.

Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000): input, forget and
output gates `i, f, o = sigmoid(W x_t + U h_{t-1} + b)`, a candidate `g = tanh(...)`, the memory
`c_t = f * c_{t-1} + i * g` and the state `h_t = o * tanh(c_t)`. Where `f` is near one the gradient
of `c` passes unchanged, over hundreds of steps.
"""

import torch
from torch import Tensor, nn
from typing_extensions import override

from p2_nn_service.models.inputs import Task, as_rows
from p2_nn_service.models.network import Network


class Lstm(Network):
    """Reads an image row by row, or a series step by step, in `n_layers` LSTMs on each other."""

    def __init__(
        self, task: Task, *, width: int = 128, n_layers: int = 2, dropout: float = 0.1
    ) -> None:
        super().__init__()
        n_numbers = task.n_values // task.shape[1] if task.is_images else task.shape[0]
        self.cell = nn.LSTM(n_numbers, width, n_layers, batch_first=True, dropout=dropout)
        self.head = nn.Linear(width, task.n_classes)
        for name, parameter in self.cell.named_parameters():
            if name.startswith("bias_ih"):  # the gates stand in the order i, f, g, o
                with torch.no_grad():
                    parameter[width : 2 * width].fill_(1.0)  # remember, until taught to forget

    @override
    def features(self, x: Tensor) -> Tensor:
        states, _ = self.cell(as_rows(x))  # (n, steps, width)
        return states[:, -1]  # (n, width)
