"""Convolutional networks: the same small filters everywhere, LeCun et al. (1998).

A filter sees a neighbourhood and is shared by all places, so that a thing is known wherever it
stands. `Cnn` is small and quick; `StrongCnn` adds residual connections (He et al. 2016) and width.
"""

from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from p2_nn_service.models.convolution import batch_norm, convolution, halving, pooled_to_one
from p2_nn_service.models.inputs import Task
from p2_nn_service.models.network import Network


class Cnn(Network):
    """Three stages; each ends at half the resolution, and the next has more channels.

    Of 28 x 28 pixels: (n, 1, 28, 28) -> (n, 32, 14, 14) -> (n, 64, 7, 7) -> (n, 128, 4, 4) -> (n,
    128). The first stage has one convolution, since places are what costs there.
    """

    def __init__(self, task: Task, *, widths: tuple[int, int, int] = (32, 64, 128)) -> None:
        super().__init__()
        first, second, third = widths
        self.stages = nn.Sequential(
            self._stage(task, task.shape[0], first),
            self._stage(task, first, second, second),
            self._stage(task, second, third, third),
        )
        self.pool = pooled_to_one(task)
        self.head = nn.Linear(third, task.n_classes)

    @staticmethod
    def _stage(task: Task, n_in: int, *widths: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        for k, n_out in enumerate(widths):
            layers += [convolution(task, n_in, n_out)]
            if k == len(widths) - 1:
                layers += [halving(task)]  # before norm and bend, which then cost a quarter
            layers += [batch_norm(task, n_out), nn.ReLU(inplace=True)]
            n_in = n_out
        return nn.Sequential(*layers)

    @override
    def features(self, x: Tensor) -> Tensor:
        return self.pool(self.stages(x))


class Residual(nn.Module):
    """`x + f(x)`: the gradient reaches early layers by the sum, whatever `f` does to it."""

    def __init__(self, task: Task, n_in: int, n_out: int) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = batch_norm(task, n_in), batch_norm(task, n_out)
        self.conv_1 = convolution(task, n_in, n_out)
        self.conv_2 = convolution(task, n_out, n_out)
        self.short = nn.Identity() if n_in == n_out else convolution(task, n_in, n_out, size=1)

    @override
    def forward(self, x: Tensor) -> Tensor:
        bent = functional.relu(self.norm_1(x))
        out = self.conv_1(bent)
        return self.short(x) + self.conv_2(functional.relu(self.norm_2(out)))


class StrongCnn(Network):
    """Three stages of two residual blocks, in the manner of wide networks (Zagoruyko 2016).

    Of 28 x 28 pixels: (n, 1, 28, 28) -> (n, 64, 28, 28) -> (n, 128, 14, 14) -> (n, 256, 7, 7) ->
    (n, 256); 2.7 million parameters. For a GPU, or for patience.
    """

    def __init__(self, task: Task, *, width: int = 64, dropout: float = 0.2) -> None:
        super().__init__()
        widths = (width, 2 * width, 4 * width)
        blocks: list[nn.Module] = [convolution(task, task.shape[0], width)]
        n_in = width
        for k, n_out in enumerate(widths):
            blocks += [] if k == 0 else [halving(task)]
            blocks += [Residual(task, n_in, n_out), Residual(task, n_out, n_out)]
            n_in = n_out
        self.blocks = nn.Sequential(*blocks, batch_norm(task, n_in), nn.ReLU(inplace=True))
        self.pool = pooled_to_one(task)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(n_in, task.n_classes)

    @override
    def features(self, x: Tensor) -> Tensor:
        return self.dropout(self.pool(self.blocks(x)))
