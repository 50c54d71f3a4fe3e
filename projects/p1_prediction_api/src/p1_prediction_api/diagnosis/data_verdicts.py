"""What is wrong with the data or the split, in words; one rule a fault.

Every threshold stands here with its reason. Read next: `verdicts.py`, which runs the rules.
"""

from collections.abc import Iterator

from p1_prediction_api.diagnosis.contracts import Diagnosis, Finding, LabelNoise
from p1_prediction_api.diagnosis.words import named, words_of

MANY_REPEATED, MOST_REPEATED = 0.01, 0.05
MIN_REPEATED = 3
TIMES_CHANCE = 5
"""Repeats so much above those of independent columns are copies (columns go together a little)."""
TOLD_APART, TOLD_APART_Z = 0.6, 4.0
MOVED, MOVED_P = 0.15, 0.001
"""A column moved when its distributions differ by so much, and not by chance."""
RARE = 0.2
"""A class is rare below so much of its even share: of two classes, below a tenth."""
POOR_RECALL = 0.6
"""Missing two in five of what is looked for is worth more than a note."""
FLIPPED, FLIPPED_P = 0.03, 0.001
"""Fewer wrong labels change a model little; odds as for a column that moved."""
ENOUGH_SKILL = 0.3
"""Share of the way from guessing to perfect below which nothing can be said of labels."""
FAR_TARGETS, MIN_FAR = 0.004, 3
"""One or two far values are events; a few in a thousand come from how values were written."""


def find_leak(d: Diagnosis) -> Iterator[Finding]:
    """Name columns that tell the target too well to have been known before it."""
    leak = d.leakage
    if leak is None or not leak.suspects:
        return
    powers = {one.column: one.power for one in leak.columns}
    evidence = [f"“{name}” alone: {leak.measure} {powers[name]:.2f}" for name in leak.suspects[:5]]
    rest = [one for one in leak.columns if one.column not in leak.suspects]
    if rest:
        evidence.append(f"The best of the others, “{rest[0].column}”, alone: {rest[0].power:.2f}")
    if leak.score_without is not None:
        evidence.append(
            f"Without {'it' if len(leak.suspects) == 1 else 'them'}, cross-validation scores "
            f"{leak.score_without:.2f} instead of {d.fit.cross_validated:.2f}"
        )
    verb = "gives" if len(leak.suspects) == 1 and leak.is_certain else "give"
    may = "" if leak.is_certain else "may "
    yield Finding(
        slug="leak",
        severity="problem" if leak.is_certain else "warning",
        headline=f"{named(leak.suspects)} {may}{verb} {d.target} away: known only afterwards?",
        evidence=tuple(evidence),
        next_step=(
            f"Ask when its value is written: if after {d.target} is known, drop it and train "
            "again. If it is honest, one rule on it may do."
        ),
    )


def find_duplicates(d: Diagnosis) -> Iterator[Finding]:
    """Name held-out rows that training saw, where chance would repeat far fewer."""
    one = d.duplicates
    if one is None or one.n_found < MIN_REPEATED:
        return
    share = one.n_found / one.n_test
    if share < MANY_REPEATED or share < TIMES_CHANCE * one.expected_share:
        return
    evidence = [
        (
            f"{one.n_found:,} of {one.n_test:,} rows held out, {one.n_same_target:,} with the same "
            f"{d.target}; independent columns would repeat {one.expected_share:.1%}"
        )
    ]
    if one.score_without is not None:
        evidence.append(
            f"On the other rows it scores {one.score_without:.2f} instead of "
            f"{d.fit.held_out.value:.2f}"
        )
    yield Finding(
        slug="duplicates",
        severity="problem" if share >= MOST_REPEATED else "warning",
        headline=f"{share:.0%} of the rows held out stand in the training part too",
        evidence=tuple(evidence),
        next_step="Remove repeats before splitting, or split by what the copies share (a group).",
    )


def find_shift(d: Diagnosis) -> Iterator[Finding]:
    """Name columns by which held-out rows differ from training rows."""
    one = d.shift
    if one is None:
        return
    moved = [c for c in one.columns if c.p_adjusted < MOVED_P and c.distance >= MOVED]
    is_told = one.told_apart.low >= 0.5 and one.told_apart.value >= TOLD_APART
    if not moved and not (is_told and one.z >= TOLD_APART_Z):
        return
    names = [column.column for column in moved]
    what = f"{named(names)} moved" if names else "no single column does, together they do"
    yield Finding(
        slug="shift",
        severity="warning",
        headline=f"Rows held out are unlike those trained on: {what}",
        evidence=(
            f"Trees tell the two apart with AUC {words_of(one.told_apart)}; 0.50 is not at all",
            *(f"“{c.column}”: {c.words} (distance {c.distance:.2f})" for c in moved[:4]),
        ),
        next_step=(
            "Find out what changed between the two. If it goes on, train on recent rows, test on "
            "the latest, and watch these columns once it serves."
        ),
    )


def find_label_noise(d: Diagnosis) -> Iterator[Finding]:
    """Say how many targets seem wrong, where the model knows enough to tell."""
    one = d.label_noise
    if one is None:
        return
    finding = _wrong_classes(d, one) if d.task == "classification" else _wrong_numbers(d, one)
    if finding is not None:
        yield finding


def _wrong_classes(d: Diagnosis, one: LabelNoise) -> Finding | None:
    skill = (d.fit.cross_validated - d.fit.no_skill) / max(1 - d.fit.no_skill, 1e-9)
    if skill < ENOUGH_SKILL or one.rate < FLIPPED or one.p > FLIPPED_P:
        return None
    return Finding(
        slug="label-noise",
        severity="problem" if one.rate >= 0.1 else "warning",
        headline=f"About {one.rate:.0%} of the values of {d.target} contradict all columns",
        evidence=(
            (
                "Even where it is surest it is wrong more often than its own curve allows "
                f"(p = {one.p:.1g}): wrong labels, or causes that no column shows; data alone "
                "cannot tell the two apart"
            ),
            (
                f"{one.n_suspects:,} of {one.n_rows:,} training rows are suspects; the surest are "
                "listed"
            ),
        ),
        next_step=(
            "Check some of the listed rows by hand. Wrong labels: correct or drop them and train "
            "again. Right ones: look for a column that explains them."
        ),
    )


def _wrong_numbers(d: Diagnosis, one: LabelNoise) -> Finding | None:
    if one.n_suspects < MIN_FAR or one.rate < FAR_TARGETS:
        return None
    return Finding(
        slug="label-noise",
        severity="warning",
        headline=f"{one.n_suspects:,} values of {d.target} lie far from what is predicted",
        evidence=(
            (
                f"{one.rate:.1%} of {one.n_rows:,} training rows are 6 typical errors or more "
                "away; of normal errors none would be"
            ),
        ),
        next_step="Check the listed rows: a slipped comma, another unit, or a rare true event?",
    )


def find_imbalance(d: Diagnosis) -> Iterator[Finding]:
    """Name the rare class that is found least, and how much of it is missed."""
    rare = [one for one in d.classes if one.share < RARE / len(d.classes)]
    if not rare:
        return
    worst = min(rare, key=lambda one: one.recall.value)
    is_missed = worst.recall.value < POOR_RECALL
    often = max(one.share for one in d.classes)
    yield Finding(
        slug="imbalance",
        severity="warning" if is_missed else "note",
        headline=(
            f"“{worst.label}” is {worst.share:.1%} of the rows"
            + (", and most of it is missed" if worst.recall.value < 0.5 else "")
        ),
        evidence=(
            f"Of {worst.n_test:,} held out, {words_of(worst.recall)} were found",
            f"Always saying the commonest class is right in {often:.0%}: accuracy says nothing",
        ),
        next_step=(
            "Judge by precision and recall, set the threshold by what each mistake costs, and "
            f"collect more of “{worst.label}”."
        ),
    )
