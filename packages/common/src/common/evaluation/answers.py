"""Question answering: exact match and token F1, as SQuAD defines them.

Rajpurkar et al. (2016), section 6.1, and the official script of SQuAD 2.0 (2018): answers are
lowercased and stripped of punctuation and of the articles a, an, the; the best of the accepted
answers counts; when there is no answer, only an empty prediction is right.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from common.evaluation.estimates import EvaluationError
from common.evaluation.metrics import Metrics, Resampling, mean_measure, measured

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise_answer(text: str) -> str:
    """Lowercase; drop punctuation, articles and extra space."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(predicted: str, accepted: Sequence[str]) -> float:
    """Return 1 when the prediction is an accepted answer, both normalised; none accepts ''."""
    answer = normalise_answer(predicted)
    return float(any(answer == normalise_answer(one) for one in _or_none(accepted)))


def token_f1(predicted: str, accepted: Sequence[str]) -> float:
    """Return the best F1 over shared tokens; 1 or 0 where either side has none."""
    return max(
        _f1(normalise_answer(predicted), normalise_answer(one)) for one in _or_none(accepted)
    )


def answer_metrics(
    predicted: Sequence[str],
    accepted: Sequence[Sequence[str]],
    *,
    groups: ArrayLike | None = None,
    resampling: Resampling = Resampling(),  # noqa: B008 - frozen
) -> Metrics:
    """Measure answers; `accepted` lists each question's answers, none for "no answer"."""
    if len(predicted) != len(accepted):
        raise EvaluationError(
            f"predicted has {len(predicted)} answers, accepted {len(accepted)}; accepted: equal"
        )
    if len(predicted) < 2:
        raise EvaluationError(f"there are {len(predicted)} answers; accepted: two or more")
    for at, (one, some) in enumerate(zip(predicted, accepted, strict=True)):
        if isinstance(some, str) or not all(isinstance(text, str) for text in (one, *some)):
            raise EvaluationError(
                f"question {at}: accepted: a text as prediction and a list of texts as answers"
            )
    pairs = list(zip(predicted, accepted, strict=True))
    measures = {
        "exact_match": mean_measure(
            np.array([exact_match(*pair) for pair in pairs]), is_proportion=True
        ),
        "f1": mean_measure(np.array([token_f1(*pair) for pair in pairs])),
    }
    return measured(measures, len(pairs), resampling, groups)


def _or_none(accepted: Sequence[str]) -> Sequence[str]:
    real = [one for one in accepted if normalise_answer(one)]
    return real or [""]


def _f1(predicted: str, accepted: str) -> float:
    ours, theirs = predicted.split(), accepted.split()
    if not ours or not theirs:
        return float(ours == theirs)
    shared = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * shared / (len(ours) + len(theirs))
