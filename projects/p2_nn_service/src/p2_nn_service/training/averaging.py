"""The moving average of a network's weights: steadier than the weights, and often better.

Polyak and Juditsky (1992) for the idea; exponential, as in Tarvainen and Valpola (2017).
"""

import copy

import torch
from torch import nn


class WeightAverage:
    """`average <- d average + (1 - d) weights` after each step, buffers as well.

    `d` is the smaller of `decay` and `(1 + step) / (10 + step)`, so that the first, random weights
    are forgotten soon.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.model = copy.deepcopy(model).requires_grad_(requires_grad=False)

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Take in the weights after `step` (from 1)."""
        keep = min(self.decay, (1 + step) / (10 + step))
        ours, theirs = self.model.state_dict(), model.state_dict()
        for name, average in ours.items():
            if average.is_floating_point():
                average.lerp_(theirs[name], 1 - keep)
            else:
                average.copy_(theirs[name])
