"""The search: each candidate by cross-validation inside the training part, within a time.

Every fold's held-back rows are scored once, so that each row gets a score from a model that did not
learn from it: these out-of-fold scores choose, blend, calibrate and say how sure to be. A candidate
that is clearly worse on the first folds, or too slow for the time that is left, is not tried on the
rest. Read next: `trials.py` for one candidate's folds, `stacking.py` for the last candidate.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from p1_prediction_api.candidates import (
    BASELINE,
    Candidate,
    Family,
    candidates,
    with_rounds,
)
from p1_prediction_api.interrupts import Interrupt, noted_interrupts
from p1_prediction_api.prepared import Prepared
from p1_prediction_api.splits import Indices, Split
from p1_prediction_api.stacking import MAX_MEMBERS, blend_trial
from p1_prediction_api.trials import N_CORES, Trial, standard_error, try_candidate

Report = Callable[[str, float], None]
"""Called with what is being done and the share done, 0 to 1."""
NEGLIGIBLE = 0.002
"""Share of the best's lead over guessing that a plainer candidate may cost."""
N_REFITS = 2
"""The choice is fitted on the training part, and on every row for what is published."""


@dataclass
class Search:
    """What the search has found so far; an interrupt keeps it."""

    trials: list[Trial] = field(default_factory=list)

    @property
    def whole(self) -> list[Trial]:
        """The trials over every fold: those that can be chosen."""
        return [trial for trial in self.trials if trial.is_whole]

    @property
    def has_any(self) -> bool:
        """Whether there is a whole trial beside the baseline's."""
        return any(trial.candidate.name != BASELINE for trial in self.whole)

    @property
    def best(self) -> Trial | None:
        """The whole trial with the best score so far."""
        return max(self.whole, key=lambda trial: trial.score.score, default=None)

    def choose(self) -> tuple[Trial, str]:
        """Take the plainest candidate that is as good as the best.

        As good is one that is not shown to be worse (it loses by no more than one standard error of
        the paired differences between folds: Breiman's rule of 1984, with pairs) and costs next to
        nothing of what the best gains over guessing: where folds are few and small the rule alone
        gives away too much. A guess is taken by the rule alone.
        """
        best = max(self.whole, key=lambda trial: trial.score.score)
        gain = best.score.score - min(trial.score.score for trial in self.whole)
        for trial in sorted(self.whole, key=lambda trial: trial.candidate.rank):
            lost = np.subtract(best.by_fold, trial.by_fold)
            most = standard_error(lost)
            if trial.candidate.name != BASELINE:
                most = min(most, NEGLIGIBLE * gain)
            if trial is best or lost.mean() <= most:
                break
        if trial is best:
            return best, "it has the best cross-validated score"
        return trial, f"it is the plainest that is as good as {best.candidate.name}, the best"


def search(data: Prepared, split: Split, *, seed: int, minutes: float, report: Report) -> Search:
    """Try candidates until the time is up, or an interrupt comes after the first real one."""
    clock = _Clock(time.monotonic() + minutes * 60)
    found = Search()
    try:
        with noted_interrupts() as interrupt:
            _try_all(found, clock, data, split, seed=seed, report=_heeding(interrupt, report))
    except KeyboardInterrupt:  # may come anywhere, while progress is told as well
        if not found.has_any:
            raise
    report(f"blending{_best_so_far(found)}", 0.87)
    if (blend := blend_trial(found.whole, data, split)) is not None:
        found.trials.append(blend)
    return found


def _try_all(
    found: Search, clock: "_Clock", data: Prepared, split: Split, *, seed: int, report: Report
) -> None:
    listed = list(candidates(data, seed=seed))
    for k, candidate in enumerate(listed):
        if found.has_any and not clock.has_time_for(candidate, found):
            continue
        said = _best_so_far(found)
        report(f"cross-validating {candidate.name}{said}", 0.05 + 0.8 * k / len(listed))
        left = clock.left if found.has_any else _no_limit
        trial = try_candidate(candidate, data, split, found.best, seed=seed, left=left)
        clock.note(trial)
        found.trials.append(trial)


def _heeding(interrupt: Interrupt, report: Report) -> Report:
    """Return a report that ends the search where an interrupt was lost on its way."""

    def heed(what: str, share: float) -> None:
        interrupt.raise_again()
        report(what, share)

    return heed


def _no_limit() -> float:
    return float("inf")


def _best_so_far(found: Search) -> str:
    best = found.best
    return f"; best so far {best.candidate.name}, {best.score.score:.3f}" if best else ""


@dataclass
class _Clock:
    """How long each family takes, as measured, against the time that is left."""

    give_up_at: float
    by_family: dict[Family, float] = field(default_factory=dict)

    def left(self, kept_back_s: float = 0.0) -> float:
        """Return seconds that are left when so many are kept back."""
        return self.give_up_at - time.monotonic() - kept_back_s

    def note(self, trial: Trial) -> None:
        """Remember the slowest of a family."""
        family = trial.candidate.family
        self.by_family[family] = max(self.by_family.get(family, 0.0), trial.seconds)

    def has_time_for(self, candidate: Candidate, found: Search) -> bool:
        """Say whether a candidate like the family's slowest would leave time for the last fits."""
        return self.left(_last_fits_s(found)) > self.by_family.get(candidate.family, 0.0)


def _last_fits_s(found: Search) -> float:
    """Return seconds to fit a blend of the best once on the training part, once on every row."""
    likely = sorted(found.whole, key=lambda trial: -trial.score.score)[:MAX_MEMBERS]
    return sum(trial.score.fit_s for trial in likely) * 1.5 * N_REFITS / N_CORES


def refit(trial: Trial, data: Prepared, rows: Indices) -> Candidate:
    """Fit the choice on some rows, with as many rounds as its folds needed."""
    chosen = with_rounds(trial.candidate, trial.n_rounds)
    chosen.pipeline.fit(data.X.iloc[rows], data.y[rows])
    return chosen
