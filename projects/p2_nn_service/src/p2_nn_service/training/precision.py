"""Which number format a run multiplies in: bf16 autocast where this machine is faster with it.

Weights, gradients and the optimiser stay fp32; autocast rounds what goes into products to bf16,
which has fp32's range, so no loss scaling is needed.
"""

import time
from contextlib import AbstractContextManager

import torch

from p2_nn_service.training.recipe import Precision

_GAIN = 1.2
"""How much faster bf16 must be to be worth its rounding."""


def choose_precision(asked: Precision, device: torch.device) -> Precision:
    """Return `fp32` or `bf16`; `auto` measures a product of two matrices in both."""
    if asked != "auto":
        return asked
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    if device.type != "cpu":
        return "fp32"
    is_worth_it = _time(torch.float32) > _GAIN * _time(torch.bfloat16)
    return "bf16" if is_worth_it else "fp32"


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Return the context in which the forward pass runs."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")


def _time(kind: torch.dtype, size: int = 256, n_times: int = 7) -> float:
    a = torch.ones(size, size, dtype=kind)
    taken = []
    for _ in range(n_times):
        start = time.perf_counter()
        a @ a
        taken.append(time.perf_counter() - start)
    return min(taken)
