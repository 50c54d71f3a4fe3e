"""The loss before the first step: a network that knows nothing says every class is as likely.

Then its cross-entropy is ln(classes). More means that it begins sure of wrong answers and spends
its first epoch unlearning them; clearly less, that it has seen the answers (Karpathy 2019).
"""

import math

import torch
from torch.nn import functional

from p2_nn_service.debugging.allowance import Allowance
from p2_nn_service.debugging.findings import Finding
from p2_nn_service.debugging.subject import Subject

CODE = "loss-at-start"
N_EXAMPLES = 500
A_LITTLE, MUCH = 0.4, 1.0
"""Nats above ln(classes)."""
KNOWS = 0.4
"""Nats below it, as a share of it."""


def check_start(subject: Subject, time: Allowance) -> Finding:
    """Compare the loss of the fresh network with ln(classes)."""
    time.told(0)
    x, labels = subject.sample(subject.training, N_EXAMPLES)
    model = subject.fresh().train()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(subject.recipe.seed)
        logits = model(x).float()
        loss = functional.cross_entropy(logits, labels).item()
    expected = math.log(subject.n_classes)
    figures = {"loss": loss, "expected": expected, "logits_std": logits.std().item()}
    said = (
        f"The loss before the first step is {loss:.2f}; ln({subject.n_classes}) is {expected:.2f}"
    )
    if not math.isfinite(loss):
        return Finding(
            code=CODE, severity="problem", verdict=f"{said}: it is no number from the start.",
            figures={}, next="See what `numbers` names as the first bad operation.",
        )  # fmt: skip
    if loss > expected + A_LITTLE:
        severity = "problem" if loss > expected + MUCH else "warning"
        return Finding(
            code=CODE, severity=severity, verdict=f"{said}: it begins sure of wrong answers.",
            figures=figures,
            next="Draw smaller weights, above all of the last layer (PyTorch's default is fine), "
            "and check that inputs are normalised.",
        )  # fmt: skip
    if loss < expected * (1 - KNOWS):
        return Finding(
            code=CODE, severity="warning", verdict=f"{said}: a fresh network knows too much.",
            figures=figures,
            next="Is the label among the inputs, or are these weights trained already?",
        )  # fmt: skip
    return Finding(code=CODE, severity="ok", verdict=f"{said}, as it should.", figures=figures)
