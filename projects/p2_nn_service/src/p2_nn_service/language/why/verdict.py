"""What the findings show, in words: who is ahead where, and where no difference shows.

Figures are means over seeds with 95 % intervals by Student's t. Two networks of one seed saw the
same batches, so a difference is judged by the differences of the pairs.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from scipy import stats

from p2_nn_service.contracts import Estimate
from p2_nn_service.language.kinds import BodyKind
from p2_nn_service.language.why.findings import Findings, Point, Quality, Recall

NAMES: Mapping[BodyKind, str] = {"rnn": "RNN", "lstm": "LSTM", "transformer": "Transformer"}
Along = Literal["step", "train_s"]
_COMPARED: tuple[BodyKind, ...] = ("lstm", "transformer")
REMEMBERED = 0.9
"""Share of symbols said rightly from which a delay counts as remembered."""


def words(found: Findings) -> tuple[str, ...]:
    """Return a sentence or two for each measurement that has been made."""
    parts = []
    if found.quality:
        parts += [_on_time(found), _on_steps(found)]
    if found.paces:
        parts.append(_on_pace(found))
    if found.gradients:
        parts.append(_on_gradients(found))
    if found.recall:
        parts.append(_on_recall(found))
    return tuple(parts)


def over_seeds(values: Sequence[float]) -> Estimate:
    """Return the mean with its 95 % interval; of a single value the interval is unbounded."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return Estimate(value=mean, low=-np.inf, high=np.inf)
    reach = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return Estimate(value=mean, low=mean - float(reach), high=mean + float(reach))


def bits_at(curve: Sequence[Point], at: float, *, by: Along) -> float:
    """Return the bits of a curve at a step or after seconds, between its points by a line."""
    along = [getattr(one, by) for one in curve]
    return float(np.interp(at, along, [one.bits for one in curve]))


def _on_time(found: Findings) -> str:
    """Compare where the one that was stopped first stands: both had that time."""
    bits, ends = _where_both_are(found, by="train_s")
    return f"Given the same time, {np.mean(ends):,.0f} s of training: {_compared(bits)}"


def _on_steps(found: Findings) -> str:
    bits, ends = _where_both_are(found, by="step")
    return f"After the same {min(ends):,.0f} steps: {_compared(bits)}"


def _where_both_are(
    found: Findings, *, by: Along
) -> tuple[dict[BodyKind, list[float]], list[float]]:
    """Return the bits of each kind, a seed after another, where the shorter of the pair ends."""
    bits: dict[BodyKind, list[float]] = {kind: [] for kind in _COMPARED}
    ends = []
    for pair in zip(*(_runs(found, kind) for kind in _COMPARED), strict=True):
        end = min(float(getattr(one.curve[-1], by)) for one in pair)
        ends.append(end)
        for one in pair:
            bits[one.kind].append(bits_at(one.curve, end, by=by))
    return bits, ends


def _compared(bits: Mapping[BodyKind, Sequence[float]]) -> str:
    told = ", ".join(f"{NAMES[kind]} {_told(over_seeds(values))}" for kind, values in bits.items())
    lead = over_seeds(np.subtract(bits["transformer"], bits["lstm"]).tolist())
    ahead = "LSTM" if lead.value > 0 else "Transformer"
    if lead.low <= 0 <= lead.high:
        return f"{told} bits a character; no difference that these seeds can show."
    return f"{told} bits a character; the {ahead} is ahead by {abs(lead.value):.3f}."


def _on_pace(found: Findings) -> str:
    ratios = pace_ratios(found)
    (short, first), (long, last) = ratios[0], ratios[-1]
    return (
        f"On this machine ({found.machine}) a training step over "
        f"{found.plan.pace_characters:,} characters takes the LSTM {first:.2f} times the "
        f"Transformer's time in sequences of {short}, {last:.2f} times in sequences of {long:,}."
    )


def pace_ratios(found: Findings) -> list[tuple[int, float]]:
    """Return each length with the LSTM's seconds a step over the Transformer's."""
    of = {(one.kind, one.length): one.step_s for one in found.paces}
    lengths = sorted({one.length for one in found.paces})
    return [(n, of["lstm", n] / of["transformer", n]) for n in lengths]


def _on_gradients(found: Findings) -> str:
    fresh = [one for one in found.gradients if not one.is_trained]
    kinds = list(dict.fromkeys(one.kind for one in fresh))
    near, far = min(one.length for one in fresh), max(one.length for one in fresh)

    def norm(kind: BodyKind, length: int) -> float:
        return float(
            np.mean([one.norm for one in fresh if (one.kind, one.length) == (kind, length)])
        )

    kept = {kind: norm(kind, far) / norm(kind, near) for kind in kinds}
    told = ", ".join(f"{NAMES[kind]} {kept[kind]:.1e}" for kind in kinds)
    return (
        f"Of the slope that reaches the first of {near} characters, this part reaches the first of "
        f"{far} before training: {told}."
    )


def _on_recall(found: Findings) -> str:
    told = []
    for kind in NAMES:
        mine = [one for one in found.recall if one.kind == kind]
        held = [delay for delay, mean in recall_means(mine) if mean >= REMEMBERED]
        told.append(f"{NAMES[kind]} {max(held) if held else 'none'}")
    return (
        f"The longest delay over which {REMEMBERED:.0%} of the symbols were recalled after "
        f"{found.plan.recall_steps:,} steps of training each: {', '.join(told)}."
    )


def recall_means(of: Sequence[Recall]) -> list[tuple[int, float]]:
    """Return each delay with the mean share over seeds."""
    delays = sorted({one.delay for one in of})
    return [(d, float(np.mean([one.accuracy for one in of if one.delay == d]))) for d in delays]


def _runs(found: Findings, kind: BodyKind) -> list[Quality]:
    return sorted((one for one in found.quality if one.kind == kind), key=lambda one: one.seed)


def _told(one: Estimate) -> str:
    return f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f})"
