"""Finding how the reader's and the search's marks are to be weighed, on questions with answers.

Each question is searched and what was found is read; a logistic regression tells, from the marks of
a passage, whether the span in it is right. Scores before and after are by five-fold
cross-validation over questions, so that the gain that is told is not that of having seen them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from common.evaluation.answers import token_f1
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from p3_rag_chatbot.answering.headings import read_bodies
from p3_rag_chatbot.contracts import SearchRequest
from p3_rag_chatbot.errors import DocumentError
from p3_rag_chatbot.evaluating.question_sets import Asked
from p3_rag_chatbot.ports import Reader, Searches
from p3_rag_chatbot.reading.trust import Trust, features

N_READ = 8
N_FOLDS = 5
RIGHT_F1 = 0.5
LEAST = 20


@dataclass(frozen=True)
class Marks:
    """Of each passage that was read: its question's number, what is weighed, F1 of its span."""

    question: NDArray[np.int64]
    features: NDArray[np.float64]
    f1: NDArray[np.float64]


@dataclass(frozen=True)
class Fit:
    """The weights, the threshold that they do best at, and F1 of first answers held out."""

    trust: Trust
    threshold: float
    f1: float


def marks_of(
    questions: Sequence[Asked],
    collection: str,
    searches: Searches,
    reader: Reader,
    told: Callable[[int], None] = lambda _: None,
) -> Marks:
    """Search and read each question; raises `DocumentError` for too few with answers."""
    known = [one for one in questions if one.has_answers]
    if sum(one.is_answerable for one in known) < LEAST:
        raise DocumentError("the questions", f"fitting needs {LEAST} with an answer or more")
    rows: list[tuple[int, tuple[float, float, float], float]] = []
    for number, asked in enumerate(known):
        request = SearchRequest(query=asked.question, collection=collection, k=N_READ, rerank=False)
        hits = searches.search(request).hits
        readings = read_bodies(asked.question, [hit.passage for hit in hits], reader)
        for hit, reading in zip(hits, readings, strict=True):
            span = hit.passage.text[reading.start : reading.end]
            right = token_f1(span, asked.accepted) if asked.is_answerable else 0.0
            rows.append((number, features(reading.p_answerable, hit.scores), right))
        told(number + 1)
    return Marks(
        np.array([row[0] for row in rows]),
        np.array([row[1] for row in rows], dtype=np.float64),
        np.array([row[2] for row in rows], dtype=np.float64),
    )


def fit_trust(marks: Marks, is_answerable: Sequence[bool]) -> Fit:
    """Fit weights; the threshold is the one that held-out answers have their best F1 at."""
    is_right = marks.f1 >= RIGHT_F1
    if is_right.all() or not is_right.any():
        raise DocumentError("the questions", "the reader is right about all of them, or none")
    held_out = np.zeros(len(marks.f1))
    for fold in range(N_FOLDS):
        is_held = marks.question % N_FOLDS == fold
        model = LogisticRegression().fit(marks.features[~is_held], is_right[~is_held])
        held_out[is_held] = model.predict_proba(marks.features[is_held])[:, 1]
    threshold, f1 = _best_threshold(marks, held_out, np.array(is_answerable))
    whole = LogisticRegression().fit(marks.features, is_right)
    weights = [round(float(one), 4) for one in whole.coef_[0]]
    trust = Trust(
        answerable=weights[0], fused=weights[1], dense=weights[2],
        intercept=round(float(whole.intercept_[0]), 4),
    )  # fmt: skip
    return Fit(trust, threshold, f1)


def _best_threshold(
    marks: Marks, trusted: NDArray[np.float64], is_answerable: NDArray[np.bool_]
) -> tuple[float, float]:
    """Return the threshold, and the F1 over all questions, right refusals counted."""
    first = [
        max(np.flatnonzero(marks.question == number), key=lambda row: trusted[row])
        for number in np.unique(marks.question)
    ]
    sure, right = trusted[first], marks.f1[first]
    answerable = is_answerable[np.unique(marks.question)]
    tried = np.unique(np.concatenate([[0.0], sure]))
    scores = [
        float(np.where(sure >= one, np.where(answerable, right, 0.0), ~answerable).mean())
        for one in tried
    ]
    at = int(np.argmax(scores))
    return float(tried[at]), scores[at]
