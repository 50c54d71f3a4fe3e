"""A perceptron: one linear layer over every pixel, Rosenblatt (1958).

Trained here by gradient descent on the cross-entropy, which is multinomial logistic regression:
each class has a template, and the class whose template matches best wins.
"""

from torch import Tensor, nn
from typing_extensions import override

from p2_nn_service.models.inputs import Task, as_pixels
from p2_nn_service.models.network import Network


class Perceptron(Network):
    """`logits = W x + b`."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.head = nn.Linear(task.n_values, task.n_classes)

    @override
    def features(self, x: Tensor) -> Tensor:
        return as_pixels(x)  # (n, values)
