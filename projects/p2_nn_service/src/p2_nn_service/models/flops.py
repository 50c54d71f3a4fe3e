"""How much arithmetic one example takes, counted by torch as it runs."""

import copy

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def multiply_adds(network: nn.Module, shape: tuple[int, ...]) -> int:
    """Count the multiply-adds of one example of that shape, forward.

    Matrix products and convolutions count, norms and bends do not: next to nothing beside them.
    """
    counted = copy.deepcopy(network).float().eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        counted(torch.zeros(1, *shape, device=next(counted.parameters()).device))
    return counter.get_total_flops() // 2
