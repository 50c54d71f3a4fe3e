"""Answers that leak into the inputs: the shuffled-label control, and a value that tells all alone.

With labels dealt out anew nothing can be learned about held-out examples. A network that still
does better than chance on them got the answer some other way: through the preparation of inputs, or
through examples that stand on both sides. (A permutation test, Ojala and Garriga 2010.)
"""

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from p2_nn_service.data.datasets import Dataset
from p2_nn_service.debugging.allowance import Allowance, CannotTellError
from p2_nn_service.debugging.findings import Bars, Finding
from p2_nn_service.debugging.practice import check_finite, practise, reference_optimiser, right
from p2_nn_service.debugging.repeats import contents
from p2_nn_service.debugging.subject import Subject

SHUFFLED, ALONE = "shuffled-labels", "one-value-tells"
N_STEPS = 100
N_TRAINED, N_JUDGED = 1000, 1000
SURE = 1e-4
"""Chance of a result so good by luck; where even all right is likelier, nothing can be told."""
N_ALONE, MOST_COLUMNS = 5000, 4096
N_BINS = 16
TELLS = 0.9
"""Of the way from the commonest class to always right."""
HONEST = 0.5
"""Of that way: what a value may truly tell, such as a pixel of one class alone."""


def check_shuffled(subject: Subject, time: Allowance) -> Finding:
    """Train on labels dealt out anew; on held-out examples it must do no better than chance."""
    training, held_out = _dealt(
        subject.some(subject.training, N_TRAINED), subject.some(subject.held_out, N_JUDGED),
        subject.recipe.seed,
    )  # fmt: skip
    n, chance = len(held_out), float(np.bincount(held_out.labels).max()) / len(held_out)
    if _at_least(n, n, chance) >= SURE:
        raise CannotTellError(_too_few(n, "a network may guess them all"))
    model, losses = subject.fresh(), list[float]()
    steps = time.steps(N_STEPS, at_least=N_STEPS // 2)
    batches = subject.batches(training, stream=1)
    for step in practise(model, subject, batches, steps, reference_optimiser(model)):
        losses.append(step.loss)
    check_finite(losses, "while it trained on shuffled labels")
    n_right = right(model, subject.batch(held_out))
    luck = _at_least(n_right, n, chance)
    figures = {"accuracy": n_right / n, "chance": chance, "n": n, "p": luck}
    said = (
        f"Trained on shuffled labels, it is right on {n_right / n:.0%} of held-out "
        f"examples; chance is {chance:.0%}"
    )
    if luck < SURE:
        return Finding(
            code=SHUFFLED, severity="problem", figures=figures,
            verdict=f"{said}: the answers leak.",
            next="Look for repeats on both sides (`repeats`), and for a preparation of inputs that "
            "has seen the labels or the order of examples.",
        )  # fmt: skip
    return Finding(code=SHUFFLED, severity="ok", figures=figures, verdict=f"{said}, as it should.")


def _dealt(training: Dataset, held_out: Dataset, seed: int) -> tuple[Dataset, Dataset]:
    """Deal all labels out anew, one to each distinct example: repeats keep a common one."""
    keys = [*contents(training), *contents(held_out)]
    labels = np.concatenate([training.labels, held_out.labels])
    dealt = np.random.default_rng(seed).permutation(labels)
    first = {key: k for k, key in reversed(list(enumerate(keys)))}
    new = dealt[[first[key] for key in keys]]
    n = len(training)
    return (
        replace(training, labels=new[:n], fingerprint=""),
        replace(held_out, labels=new[n:], fingerprint=""),
    )


def _at_least(k: int, n: int, p: float) -> float:
    """Return the chance of `k` or more of `n` when each has the chance `p`: the binomial tail."""
    if p >= 1:
        return 1.0
    logs = [
        math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1)
        + i * math.log(p) + (n - i) * math.log1p(-p)
        for i in range(k, n + 1)
    ]  # fmt: skip
    return min(1.0, math.fsum(math.exp(one) for one in logs))


def check_alone(subject: Subject, time: Allowance) -> Finding:
    """Try each input value alone: one that nearly tells the class was put there by the answer."""
    time.told(0)
    seen, asked = (subject.some(one, N_ALONE) for one in (subject.training, subject.held_out))
    n_values = math.prod(seen.shape)
    columns = np.linspace(0, n_values - 1, min(n_values, MOST_COLUMNS)).astype(np.int64)
    values, questions = (
        subject.prepare(one).flatten(1).numpy()[:, columns] for one in (seen, asked)
    )
    edges = np.quantile(values, np.linspace(0, 1, N_BINS + 1)[1:-1], axis=0)
    rates = _alone(
        _binned(values, edges), seen.labels, _binned(questions, edges), asked.labels,
        subject.n_classes,
    )  # fmt: skip
    best = {_place(columns[k], seen): float(rates[k]) for k in np.argsort(-rates)[:10].tolist()}
    place, rate = next(iter(best.items()))
    common = float(np.bincount(asked.labels).max()) / len(asked)
    told = (rate - common) / (1 - common) if common < 1 else 0.0
    figures = {"accuracy": rate, "commonest_class": common, "values": len(columns)}
    said = f"The one input value {place} tells {rate:.0%} of held-out classes"
    title = "Held-out accuracy of one input value alone, the best ten"
    drawn = Bars(title=title, y_title="accuracy", bars=best)
    if told > TELLS:
        honest = common + HONEST * (1 - common)
        if len(columns) * _at_least(round(rate * len(asked)), len(asked), honest) >= SURE:
            why = f"one of {len(columns):,} values may tell them by luck"
            raise CannotTellError(_too_few(len(asked), why))
        return Finding(
            code=ALONE, severity="warning", figures=figures, drawings=(drawn,),
            verdict=f"{said}: is the answer written into the inputs?",
            next="Look at what that value is, and take it out if it would not be known later.",
        )  # fmt: skip
    return Finding(
        code=ALONE, severity="ok", figures=figures, drawings=(drawn,),
        verdict=f"{said}, no more than it may.",
    )  # fmt: skip


def _too_few(n: int, why: str) -> str:
    return f"{n} held-out examples are too few: {why}"


def _place(column: int, dataset: Dataset) -> str:
    """Name an input value by its channel, row and column, or channel and step."""
    return str(tuple(int(one) for one in np.unravel_index(column, dataset.shape)))


def _binned(values: NDArray[np.float32], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bin of each value, by the edges of its column."""
    bins = np.zeros(values.shape, dtype=np.int64)
    for edge in edges:
        bins += values > edge
    return bins


def _alone(
    seen: NDArray[np.int64],
    labels: NDArray[np.int64],
    asked: NDArray[np.int64],
    truths: NDArray[np.int64],
    n_classes: int,
) -> NDArray[np.float64]:
    """Say the commonest class of each column's bin; returns the share said rightly by column."""
    n_columns = seen.shape[1]
    counts = np.zeros((n_columns, N_BINS, n_classes), dtype=np.int32)
    columns = np.arange(n_columns)
    np.add.at(counts, (columns[None, :], seen, labels[:, None]), 1)
    said = counts.argmax(2)[columns[None, :], asked]
    return (said == truths[:, None]).mean(0)
