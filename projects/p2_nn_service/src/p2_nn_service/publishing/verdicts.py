"""A model in a sentence, and what it is not good for, said from its figures."""

from collections.abc import Sequence

from p2_nn_service.contracts import Estimate, RunRecord, Strangeness
from p2_nn_service.data.datasets import Dataset

BADLY_TOLD = 0.8
"""An AUROC below it means that this kind of stranger is often taken for something known."""


def verdict(record: RunRecord, accuracy: Estimate, confusion: Sequence[Sequence[int]]) -> str:
    """Say what it is, how good it is, and what it confuses most."""
    said = (
        f"{record.model} with {record.n_parameters:,} parameters: {accuracy.value:.1%} "
        f"({accuracy.low:.1%} to {accuracy.high:.1%}) of held-out images right"
    )
    pairs = [
        (count, truth, answer)
        for truth, row in enumerate(confusion)
        for answer, count in enumerate(row)
        if truth != answer
    ]
    count, truth, answer = max(pairs, default=(0, 0, 0))
    if count == 0:
        return f"{said}."
    share = count / sum(confusion[truth])
    names = record.classes
    return f"{said}; it takes {share:.0%} of {names[truth]} for {names[answer]}."


def limits(training: Dataset, found: Strangeness) -> tuple[str, ...]:
    """Say what it was not made for."""
    channels, height, width = training.shape
    kind = "grey" if channels == 1 else "colour"
    learned = f"{len(training):,} {kind} images of {width} x {height} pixels of {training.name}"
    told = [
        f"Learned from {learned}; it gives everything else one of those names, too.",
        "One thing an image; photographs of one's own differ in ways that no figure here has seen.",
    ]
    if weak := [name for name, auroc in found.auroc.items() if auroc < BADLY_TOLD]:
        told.append(f"These strangers are often not called strange: {', '.join(weak)}.")
    return tuple(told)
