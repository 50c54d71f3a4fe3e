"""A small Transformer encoder: every step looks at every other at once, Vaswani et al. (2017).

`attention(Q, K, V) = softmax(Q K^T / sqrt(d)) V` (their equation 1). No step waits for the one
before it, and from any step to any other the way is one layer long; that is why it replaced
recurrent networks, at the cost of steps squared. Norm before each part (Xiong et al. 2020).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional
from typing_extensions import override

from p2_nn_service.models.inputs import Task, as_patches, as_rows, n_patches
from p2_nn_service.models.network import Network


class Attention(nn.Module):
    """Self-attention with several heads, each in its own `width / n_heads` dimensions.

    With `is_causal` a step sees itself and those before it alone, as a language model must.
    """

    def __init__(self, width: int, n_heads: int, *, is_causal: bool = False) -> None:
        super().__init__()
        self.n_heads, self.is_causal = n_heads, is_causal
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    @override
    def forward(self, x: Tensor) -> Tensor:
        n, steps, width = x.shape
        split = self.query_key_value(x).view(n, steps, 3, self.n_heads, width // self.n_heads)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)  # each (n, heads, steps, d)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=self.is_causal)
        return self.out(mixed.transpose(1, 2).reshape(n, steps, width))


class Block(nn.Module):
    """Attention, which mixes steps, then a network for each step, both added to what comes in."""

    def __init__(
        self, width: int, n_heads: int, dropout: float, *, is_causal: bool = False
    ) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, n_heads, is_causal=is_causal)
        self.network = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    @override
    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropout(self.attention(self.norm_1(x)))
        return x + self.dropout(self.network(self.norm_2(x)))


class Transformer(Network):
    """Reads an image as rows (`patch` 0) or as patches; a series as steps or runs of steps.

    Steps have no order of their own: a learned vector for each position is added.
    """

    def __init__(
        self,
        task: Task,
        *,
        width: int = 96,
        n_blocks: int = 3,
        n_heads: int = 4,
        patch: int = 0,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.patch = patch
        n_steps = n_patches(task, patch) if patch else task.shape[-2 if task.is_images else -1]
        self.embed = nn.Linear(self._n_numbers(task), width)
        self.positions = nn.Parameter(0.02 * torch.randn(1, n_steps, width))
        self.blocks = nn.Sequential(*(Block(width, n_heads, dropout) for _ in range(n_blocks)))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, task.n_classes)

    def _n_numbers(self, task: Task) -> int:
        """Count the numbers of one step."""
        if self.patch:
            return task.shape[0] * self.patch ** (len(task.shape) - 1)
        return task.n_values // task.shape[1] if task.is_images else task.shape[0]

    @override
    def features(self, x: Tensor) -> Tensor:
        steps = as_patches(x, self.patch) if self.patch else as_rows(x)  # (n, steps, numbers)
        hidden = self.blocks(self.embed(steps) + self.positions)  # (n, steps, width)
        return self.norm(hidden).mean(1)  # (n, width)
