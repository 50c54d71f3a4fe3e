"""What turns gradients into steps: SGD with momentum, AdamW, and Muon for what is a matrix.

SGD and AdamW are torch's. Muon is short enough to be read here, with AdamW for the vectors that it
leaves, so that a run has one optimiser and one state.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer
from typing_extensions import override

from p2_nn_service.training.recipe import Recipe

MOMENTUM = 0.9
MUON_MOMENTUM = 0.85
"""Jordan et al. take 0.95; 0.85 scored higher in one run of 324 steps, within the noise of one."""
_QUINTIC = (3.4445, -4.7750, 2.0315)


def make_optimiser(model: nn.Module, recipe: Recipe) -> Optimizer:
    """Make the recipe's optimiser; each group holds its highest rate as `highest_lr`.

    Weight decay goes to matrices and filters alone, never to biases, norms and other vectors.
    """
    trained = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    matrices = [p for _, p in trained if p.ndim >= 2]
    vectors = [p for _, p in trained if p.ndim < 2]
    decay, rate = recipe.weight_decay, recipe.learning_rate
    if recipe.optimiser == "muon":
        optimiser: Optimizer = _muon(trained, recipe)
    else:
        groups = [
            {"params": matrices, "weight_decay": decay},
            {"params": vectors, "weight_decay": 0.0},
        ]
        groups = [group for group in groups if group["params"]]
        if recipe.optimiser == "sgd":
            optimiser = SGD(groups, lr=rate, momentum=MOMENTUM, nesterov=True)
        else:
            optimiser = AdamW(groups, lr=rate)
    for group in optimiser.param_groups:
        group["highest_lr"] = group["lr"]
    return optimiser


def _muon(trained: list[tuple[str, nn.Parameter]], recipe: Recipe) -> "Muon":
    """Give Muon the hidden matrices; the head, embeddings and vectors go to AdamW.

    The output layer and positions are no maps between hidden spaces, and do worse with it.
    """
    is_left = [
        p.ndim < 2 or name.startswith("head.") or p.shape[0] == 1 or "embedding" in name
        for name, p in trained
    ]
    hidden = [p for (_, p), left in zip(trained, is_left, strict=True) if not left]
    rest = [p for (_, p), left in zip(trained, is_left, strict=True) if left]
    groups: list[dict[str, Any]] = [
        {"params": hidden, "lr": recipe.learning_rate, "is_orthogonal": True},
        {"params": rest, "lr": recipe.rest_learning_rate, "is_orthogonal": False},
    ]
    return Muon([group for group in groups if group["params"]], weight_decay=recipe.weight_decay)


def orthogonal(matrices: Tensor, n_rounds: int = 5) -> Tensor:
    """Bring the singular values of a matrix (rows, columns) near 1, its directions kept.

    Newton and Schulz's iteration with the quintic of Jordan et al. (2024), which stops between
    about 0.7 and 1.2 rather than at 1: five rounds of three products, no decomposition.
    """
    a, b, c = _QUINTIC
    is_tall = matrices.shape[0] > matrices.shape[1]
    x = matrices.T if is_tall else matrices
    x = x / (x.norm() + 1e-7)
    for _ in range(n_rounds):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if is_tall else x


class Muon(Optimizer):
    """Momentum, made orthogonal: every direction of a matrix moves alike. Jordan et al. (2024).

    A filter bank (out, in, h, w) is read as the matrix (out, in h w). Groups whose `is_orthogonal`
    is false take AdamW's step (Loshchilov and Hutter 2019, betas 0.9 and 0.99).
    """

    def __init__(self, groups: list[dict[str, Any]], *, weight_decay: float = 0.0) -> None:
        super().__init__(groups, {"lr": 0.02, "is_orthogonal": True, "weight_decay": weight_decay})

    @override
    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[bad-override]
        """Take one step; `closure` is not used."""
        for group in self.param_groups:
            take = self._orthogonal_step if group["is_orthogonal"] else self._adam_step
            for parameter in group["params"]:
                if parameter.grad is not None:
                    take(parameter, parameter.grad, group)

    def _orthogonal_step(self, weight: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(grad)
        momentum: Tensor = state["momentum"].mul_(MUON_MOMENTUM).add_(grad)
        looked_ahead = grad.add(momentum, alpha=MUON_MOMENTUM).flatten(1)  # Nesterov's
        direction = orthogonal(looked_ahead)
        scale = max(1.0, direction.shape[0] / direction.shape[1]) ** 0.5
        weight.mul_(1 - group["lr"] * group["weight_decay"])
        weight.add_(direction.view_as(weight), alpha=-group["lr"] * scale)

    def _adam_step(self, weight: Tensor, grad: Tensor, group: dict[str, Any]) -> None:
        state, beta_1, beta_2 = self.state[weight], 0.9, 0.99
        if not state:
            state |= {"step": 0, "mean": torch.zeros_like(grad), "square": torch.zeros_like(grad)}
        state["step"] += 1
        mean = state["mean"].lerp_(grad, 1 - beta_1)
        square = state["square"].mul_(beta_2).addcmul_(grad, grad, value=1 - beta_2)
        mean_hat = mean / (1 - beta_1 ** state["step"])
        size = (square / (1 - beta_2 ** state["step"])).sqrt_().add_(1e-8)
        if weight.ndim >= 2:
            weight.mul_(1 - group["lr"] * group["weight_decay"])
        weight.addcdiv_(mean_hat, size, value=-group["lr"])
