"""Seconds of a step against the length of sequences: the same characters, cut ever longer.

A recurrent network takes a sequence step after step, so that longer sequences, fewer side by side,
leave less to do at once; a Transformer takes all steps at once, but compares each with each.
"""

import time

import torch

from p2_nn_service.language.kinds import BodyKind
from p2_nn_service.language.networks import LanguageNetwork
from p2_nn_service.language.texts import Text
from p2_nn_service.language.training import next_symbol
from p2_nn_service.language.why.findings import Pace, Plan
from p2_nn_service.language.why.quality import network_of
from p2_nn_service.training.distributed import best_device

COMPARED: tuple[BodyKind, ...] = ("lstm", "transformer")
_N_ROUNDS = 5


def measure_paces(text: Text, plan: Plan) -> list[Pace]:
    """Time a step of both at every length, in turns; the quickest of the rounds counts.

    What else the machine does comes on top of a step's time, never below it.
    """
    n_symbols = len(text.characters)
    taken: dict[tuple[BodyKind, int], float] = {}
    widths = {kind: network_of(text, plan, kind, 0).width for kind in COMPARED}
    for length in plan.pace_lengths:
        networks = {
            kind: LanguageNetwork(kind, n_symbols, widths[kind], length) for kind in COMPARED
        }
        n = max(1, plan.pace_characters // length)
        for _ in range(_N_ROUNDS):
            for kind, network in networks.items():
                seconds = step_seconds(network, n, length)
                taken[kind, length] = min(seconds, taken.get((kind, length), seconds))
    return [
        Pace(kind=kind, length=length, step_s=step_s) for (kind, length), step_s in taken.items()
    ]


def step_seconds(network: LanguageNetwork, n: int, length: int) -> float:
    """Time one pass forward and backward over n sequences, whatever the device."""
    device = best_device()
    network.to(device).train()
    batch = torch.zeros(n, length + 1, dtype=torch.int64, device=device)
    _settle(device)
    start = time.perf_counter()
    loss = next_symbol(network, (batch,))
    loss.backward()
    _settle(device)
    passed = time.perf_counter() - start
    network.zero_grad()
    return passed


def _settle(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
