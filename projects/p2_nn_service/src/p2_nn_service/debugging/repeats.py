"""Examples that stand twice: on both sides of the split, or under two labels.

What was trained on and is held out, too, makes the held-out score a lie (Barz and Denzler 2020
found 3 % and 10 % of CIFAR's test sets in its training sets); what has two labels cannot be
learned. Exact repeats, to the byte.
"""

import hashlib
from collections import defaultdict

import numpy as np

from p2_nn_service.data.datasets import Dataset
from p2_nn_service.debugging.allowance import Allowance
from p2_nn_service.debugging.findings import Finding
from p2_nn_service.debugging.subject import Subject

CODE = "repeats"
SOME, MANY = 0.005, 0.02
"""Share of held-out examples that are trained on; share of examples under two labels."""


def check_repeats(subject: Subject, time: Allowance) -> Finding:
    """Count held-out examples that are trained on, and examples that have two labels."""
    time.told(0)
    training, held_out = contents(subject.training), contents(subject.held_out)
    known = set(training)
    n_leaked = sum(one in known for one in held_out)
    labels: defaultdict[bytes, set[int]] = defaultdict(set)
    for one, label in zip(
        [*training, *held_out],
        [*subject.training.labels.tolist(), *subject.held_out.labels.tolist()],
        strict=True,
    ):
        labels[one].add(label)
    n_torn = sum(len(labels[one]) > 1 for one in training)
    leaked, torn = n_leaked / len(held_out), n_torn / len(training)
    figures = {
        "held_out_in_training": leaked, "under_two_labels": torn,
        "repeats_in_training": 1 - len(known) / len(training),
    }  # fmt: skip
    if leaked > SOME:
        return Finding(
            code=CODE, severity="problem" if leaked > MANY else "warning", figures=figures,
            verdict=f"{leaked:.1%} of held-out examples ({n_leaked:,}) are trained on, too: the "
            "held-out accuracy is too good to be true.",
            next="Take repeats out before the split, or keep all repeats of an example on one "
            "side.",
        )  # fmt: skip
    if torn > SOME:
        return Finding(
            code=CODE, severity="problem" if torn > MANY else "warning", figures=figures,
            verdict=f"{torn:.1%} of training examples ({n_torn:,}) stand there with another label, "
            "too.",
            next="Decide which label holds: no network can learn both.",
        )  # fmt: skip
    return Finding(
        code=CODE, severity="ok", figures=figures,
        verdict=f"{n_leaked or 'No'} of {len(held_out):,} held-out examples is trained on.",
    )  # fmt: skip


def contents(dataset: Dataset) -> list[bytes]:
    """Return a digest of each example's bytes."""
    flat = np.ascontiguousarray(dataset.inputs).reshape(len(dataset), -1)
    return [hashlib.blake2b(row.tobytes(), digest_size=12).digest() for row in flat]
