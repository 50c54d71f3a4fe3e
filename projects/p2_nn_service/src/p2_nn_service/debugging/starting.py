"""The loss before the first step: a network that knows nothing says every class is as likely.

Then its cross-entropy is ln(classes). More means that it begins sure of wrong answers and spends
its first epoch unlearning them; nearly nothing, that it has seen the answers (Karpathy 2019).
"""

import math

import torch
from torch.nn import functional

from p2_nn_service.debugging.allowance import Allowance
from p2_nn_service.debugging.findings import Finding, Severity
from p2_nn_service.debugging.subject import Subject

CODE = "loss-at-start"
N_EXAMPLES = 500
A_LITTLE, MUCH = 0.4, 1.0
"""Nats above ln(classes)."""
KNOWS = 0.3
"""Of ln(classes): with less, it knows."""


def check_start(subject: Subject, time: Allowance) -> Finding:
    """Compare the loss of the fresh network with ln(classes).

    How sure it is, is told from its loss averaged over all labels: where examples come in a few
    clusters, the loss on their own labels is a matter of luck.
    """
    time.told(0)
    x, labels = subject.sample(subject.training, N_EXAMPLES)
    model = subject.fresh().train()
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(subject.recipe.seed)
        logits = model(x).float()
    loss = functional.cross_entropy(logits, labels).item()
    blind = -torch.log_softmax(logits, 1).mean().item()
    expected = math.log(subject.n_classes)
    severity, verdict, what = _judge(loss, blind, expected, subject.n_classes)
    figures = {"loss": loss, "any_label": blind, "expected": expected}
    figures = {name: one for name, one in figures.items() if math.isfinite(one)}
    return Finding(code=CODE, severity=severity, verdict=verdict, figures=figures, next=what)


def _judge(loss: float, blind: float, expected: float, n_classes: int) -> tuple[Severity, str, str]:
    """Return the severity, the verdict and what to do."""
    said = f"The loss before the first step is {loss:.2f}; ln({n_classes}) is {expected:.2f}"
    if not math.isfinite(loss):
        what = "See what `numbers` names as the first bad operation."
        return "problem", f"{said}: it is no number from the start.", what
    if loss < expected * KNOWS:
        return (
            "warning",
            f"{said}: a fresh network knows too much.",
            "Is the label among the inputs, or are these weights trained already?",
        )
    if blind > expected + A_LITTLE:
        return (
            "problem" if blind > expected + MUCH else "warning",
            f"{said}, and {blind:.2f} over all labels: it begins sure, and knows nothing.",
            "Draw smaller weights, above all in the last layer; check that inputs are normalised.",
        )
    return "ok", f"{said}, as it should.", ""
