"""Question answering: exact match and token F1, as SQuAD defines them.

Rajpurkar et al. (2016), section 6.1, and the official script of SQuAD 2.0 (2018): answers are
lowercased and stripped of punctuation and of the articles a, an, the; the best of the accepted
answers counts; when there is no answer, only an empty prediction is right.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from common.evaluation.answer_texts import exact_match, token_f1
from common.evaluation.estimates import EvaluationError
from common.evaluation.metrics import Metrics, Resampling, mean_measure, measured


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
