"""The last candidate of a search: the blend of its best, at no cost but that of finding weights.

Its members' out-of-fold scores are there already. A row's blended score has weights that were found
on the other folds, so it is out of fold too, and the blend is compared with its members fairly.
"""

from collections.abc import Sequence

import numpy as np

from p1_prediction_api.blending import blend_weights
from p1_prediction_api.candidates import blended, with_rounds
from p1_prediction_api.contracts import CandidateScore
from p1_prediction_api.prepared import Prepared
from p1_prediction_api.raw_scores import link
from p1_prediction_api.splits import Indices, Split
from p1_prediction_api.trials import Floats, Trial, fold_score, standard_error

MAX_MEMBERS = 4
MIN_SHARE = 0.05
"""Share of a blend's weight below which a member is left out."""


def blend_trial(trials: Sequence[Trial], data: Prepared, split: Split) -> Trial | None:
    """Blend the best of whole trials; None when one of them has all the weight."""
    members = _members(trials)
    if len(members) < 2:
        return None
    every = np.ones(len(members[0].rows), dtype=bool)
    share = _weights(members, data, split, every) * [float(np.std(one.raw)) for one in members]
    kept = share >= MIN_SHARE * share.sum()
    members = [one for one, is_kept in zip(members, kept, strict=True) if is_kept]
    if len(members) < 2:
        return None
    weights = _weights(members, data, split, every)
    unfitted = [with_rounds(one.candidate, one.n_rounds) for one in members]
    candidate = blended(data, unfitted, weights.tolist())
    first, y = members[0], data.y[split.train]
    raw = np.zeros_like(first.raw)
    by_fold = []
    for fold in np.unique(first.fold):
        here = first.fold == fold
        raw[here] = _sum([one.raw[here] for one in members], _weights(members, data, split, ~here))
        by_fold.append(fold_score(data)(y[first.rows[here]], link(data, candidate, raw[here])))
    return Trial(
        candidate=candidate,
        score=CandidateScore(
            name=candidate.name,
            score=float(np.mean(by_fold)),
            standard_error=standard_error(np.asarray(by_fold)),
            fit_s=sum(one.score.fit_s for one in members),
            predict_us=sum(one.score.predict_us for one in members),
        ),
        by_fold=tuple(float(one) for one in by_fold),
        rows=first.rows,
        fold=first.fold,
        raw=raw,
    )


def _members(trials: Sequence[Trial]) -> list[Trial]:
    """Return the best of each kind, filled up with the best of the rest; the best first."""
    useful = [one for one in trials if one.candidate.family not in {"dummy", "tree"}]
    ranked = sorted(useful, key=lambda trial: -trial.score.score)
    best_of_kind = {one.candidate.family: one for one in reversed(ranked)}
    others = [one for one in ranked if one not in best_of_kind.values()]
    chosen = [*best_of_kind.values(), *others[: MAX_MEMBERS - len(best_of_kind)]]
    return sorted(chosen, key=lambda trial: -trial.score.score)


def _weights(members: Sequence[Trial], data: Prepared, split: Split, where: Indices) -> Floats:
    y = data.y[split.train][members[0].rows[where]]
    raws = [one.raw[where] for one in members]
    return blend_weights(raws, y, is_classes=data.task == "classification")


def _sum(raws: Sequence[Floats], weights: Floats) -> Floats:
    return np.asarray(np.tensordot(weights, np.stack(raws), axes=1))
