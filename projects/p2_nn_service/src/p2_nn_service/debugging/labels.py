"""Labels that may be wrong: what networks that never saw an example are surest against.

Confident learning (Northcutt et al. 2021): the examples are cut into folds, each is judged by a
network trained on the others, and a label counts as wrong when another class is more probable than
that class usually is for its own examples.

Hard examples are among the suspects, too: a shirt that is taken for a T-shirt bears the second
guess as its label. A label that was mistaken at random bears it once in (classes - 1), so the share
is estimated from the suspects whose label is not even the second guess. What is always mistaken for
the same other class is therefore listed, but not counted.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from p2_nn_service.data.datasets import Dataset
from p2_nn_service.debugging.allowance import Allowance, CannotTellError
from p2_nn_service.debugging.findings import Finding, Suspect, Thumbnails
from p2_nn_service.debugging.practice import logits_of, practise, reference_optimiser
from p2_nn_service.debugging.subject import Subject

CODE = "labels"
N_FOLDS = 3
N_STEPS, N_EPOCHS = 200, 12
"""Of each fold, whichever is less."""
N_EXAMPLES = 3000
SOME, MANY = 0.05, 0.12
BARELY = 0.25
"""Of the way from chance to always right: below it the network has learned too little to judge."""
N_SHOWN = 24
TEMPERATURES = tuple(float(one) for one in np.geomspace(0.3, 20, 60))
_MARGIN = 0.3


@dataclass(frozen=True)
class Judged:
    """Examples with what was said of them by networks that did not see them: (n, classes)."""

    examples: Dataset
    rows: NDArray[np.int64]
    probabilities: NDArray[np.float64]


def check_labels(subject: Subject, time: Allowance) -> Finding:
    """Look for labels that networks contradict surely, by cross-validation."""
    judged = _cross_validated(subject, time)
    labels, said = judged.examples.labels, judged.probabilities.argmax(1)
    n, common = len(labels), np.bincount(labels).max() / len(labels)
    accuracy = float((said == labels).mean())
    learned = (accuracy - common) / (1 - common) if common < 1 else 0.0
    if learned < BARELY:
        return Finding(
            code=CODE, severity="warning", figures={"accuracy": accuracy, "commonest": common},
            verdict=f"On examples it did not see the network is right in {accuracy:.0%}, the "
            f"commonest class would be in {common:.0%}: the labels do not follow from the inputs.",
            next="Are labels and inputs in the same order? If other checks name a fault, mend that "
            "first.",
        )  # fmt: skip
    wrong = suspects(judged.probabilities, labels)
    share = _share(judged.probabilities, labels, wrong)
    figures = {"share": share, "suspects": len(wrong), "n_examples": n, "accuracy": accuracy}
    if share < SOME:
        return Finding(
            code=CODE, severity="ok", figures=figures, suspects=_shown(judged, wrong),
            drawings=_drawn(judged, wrong),
            verdict=f"About {share:.1%} of {n:,} labels looked at may be wrong; {len(wrong):,} are "
            "doubtful, hard examples among them.",
        )  # fmt: skip
    return Finding(
        code=CODE, severity="problem" if share >= MANY else "warning", figures=figures,
        suspects=_shown(judged, wrong), drawings=_drawn(judged, wrong),
        verdict=f"About {share:.0%} of {n:,} labels looked at are wrong; {len(wrong):,} are "
        "doubtful, hard examples among them.",
        next="Look at the suspects, the surest first; correct or leave out what is wrong. Label "
        "smoothing and early stopping soften what stays.",
    )  # fmt: skip


def suspects(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the positions of doubtful labels: first those that are not even the second guess.

    Among equals the surest comes first. The threshold of a class is its mean probability over the
    examples that bear its label.
    """
    n_classes = probabilities.shape[1]
    usual = np.array(
        [
            probabilities[labels == k, k].mean() if (labels == k).any() else 1.0
            for k in range(n_classes)
        ]
    )
    rows = np.arange(len(labels))
    said = np.where(probabilities >= usual, probabilities, 0.0).argmax(1)
    own, other = probabilities[rows, labels], probabilities[rows, said]
    is_wrong = (other >= usual[said]) & (said != labels) & (other - own > _MARGIN)
    wrong = np.flatnonzero(is_wrong)
    is_second = _rank(probabilities, labels) == 1
    return wrong[np.lexsort((-(other - own)[wrong], is_second[wrong]))]


def _share(
    probabilities: NDArray[np.float64], labels: NDArray[np.int64], wrong: NDArray[np.int64]
) -> float:
    """Estimate the share of labels that were mistaken at random."""
    n_classes = probabilities.shape[1]
    n_wrong = float(len(wrong))
    if n_classes > 2:
        n_lower = int((_rank(probabilities, labels)[wrong] > 1).sum())
        n_wrong = min(n_wrong, n_lower * (n_classes - 1) / (n_classes - 2))
    return n_wrong / len(labels)


def _rank(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many classes are more probable than the label."""
    own = probabilities[np.arange(len(labels)), labels]
    return (probabilities > own[:, None]).sum(1)


def _cross_validated(subject: Subject, time: Allowance) -> Judged:
    chance = np.random.default_rng(subject.recipe.seed)
    rows = chance.permutation(len(subject.training))[:N_EXAMPLES]
    examples = subject.training.take(rows)
    fold = np.arange(len(rows)) % N_FOLDS
    logits = torch.zeros(len(rows), subject.n_classes)
    for k in range(N_FOLDS):
        away = np.flatnonzero(fold == k)
        logits[torch.from_numpy(away)] = _judge(
            subject, examples.take(np.flatnonzero(fold != k)), examples.take(away), k, time
        )
    places = rows if subject.rows is None else subject.rows[0][rows]
    return Judged(examples, places, calibrated(logits, examples.labels))


def calibrated(logits: Tensor, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return probabilities at the temperature that suits the labels best, Guo et al. (2017).

    A network that was trained on few examples is surer than it is right.
    """
    truths = torch.from_numpy(labels)
    best = min(TEMPERATURES, key=lambda one: functional.cross_entropy(logits / one, truths).item())
    return torch.softmax(logits / best, 1).double().numpy()


def _judge(subject: Subject, seen: Dataset, unseen: Dataset, k: int, time: Allowance) -> Tensor:
    """Train on what is seen; returns the logits of what is not."""
    model = subject.make(subject.recipe.seed + k).to(subject.device)
    n_steps = min(N_STEPS, N_EPOCHS * (1 + len(seen) // subject.batch_size))
    part = (k / N_FOLDS, (k + 1) / N_FOLDS)
    steps = time.part(1 / (N_FOLDS - k)).steps(n_steps, at_least=n_steps // 4, of=part)
    batches = subject.batches(seen, stream=2 + k)
    for step in practise(model, subject, batches, steps, reference_optimiser(model)):
        if not np.isfinite(step.loss):
            raise CannotTellError(f"the loss became {step.loss} while labels were judged")
    x, _ = subject.batch(unseen)
    return logits_of(model, x).cpu()


def _shown(judged: Judged, wrong: NDArray[np.int64]) -> tuple[Suspect, ...]:
    names, labels = judged.examples.classes, judged.examples.labels
    chosen = judged.probabilities[wrong[:N_SHOWN]].argmax(1)
    return tuple(
        Suspect(
            row=int(judged.rows[k]), label=names[labels[k]], said=names[said],
            probability=float(judged.probabilities[k, said]),
        )
        for k, said in zip(wrong[:N_SHOWN].tolist(), chosen.tolist(), strict=True)
    )  # fmt: skip


def _drawn(judged: Judged, wrong: NDArray[np.int64]) -> tuple[Thumbnails, ...]:
    if judged.examples.kind != "images" or not len(wrong):
        return ()
    pictures = np.moveaxis(judged.examples.inputs[wrong[:N_SHOWN]], 1, -1)
    captions = [f"{one.row}: {one.label}?\n{one.said}" for one in _shown(judged, wrong)]
    return (
        Thumbnails(
            title="Labels that may be wrong", captions=tuple(captions), images=pictures.tolist()
        ),
    )
