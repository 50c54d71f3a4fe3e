import numpy as np
import pytest
from p3_rag_chatbot.contracts import Scores
from p3_rag_chatbot.errors import DocumentError
from p3_rag_chatbot.evaluating.fitting import Marks, fit_trust
from p3_rag_chatbot.reading.trust import Trust


def drawn(n: int = 300) -> tuple[Marks, list[bool]]:
    """Two passages a question: the right one is marked by the search, the reader says nothing."""
    chance = np.random.default_rng(0)
    answerable = [k % 3 != 0 for k in range(n)]
    rows = []
    for number, is_there in enumerate(answerable):
        for is_right in (True, False):
            fused = chance.normal(0.9 if is_right and is_there else 0.3, 0.1)
            f1 = float(is_right and is_there)
            rows.append((number, (chance.normal(), fused, chance.normal(0.4, 0.1)), f1))
    return (
        Marks(
            np.array([row[0] for row in rows]),
            np.array([row[1] for row in rows]),
            np.array([row[2] for row in rows]),
        ),
        answerable,
    )


def test_what_tells_right_from_wrong_is_weighed_most() -> None:
    marks, answerable = drawn()
    fit = fit_trust(marks, answerable)
    assert fit.trust.fused > 5 * abs(fit.trust.answerable)
    assert fit.f1 > 0.95
    assert 0 < fit.threshold < 1


def test_a_reader_that_is_always_wrong_cannot_be_weighed() -> None:
    marks, answerable = drawn()
    with pytest.raises(DocumentError, match="right about all of them, or none"):
        fit_trust(Marks(marks.question, marks.features, np.zeros(len(marks.f1))), answerable)


def test_trust_grows_with_each_mark_and_stays_a_probability() -> None:
    trust = Trust(answerable=1, fused=2, dense=3, intercept=-2)
    low = trust.of(0.2, Scores(fused=0.2, dense=0.2))
    assert trust.of(0.8, Scores(fused=0.2, dense=0.2)) > low
    assert trust.of(0.2, Scores(fused=0.9, dense=0.2)) > low
    assert trust.of(0.2, Scores(fused=0.2)) < low
    assert 0 <= trust.of(0.0, Scores(fused=0.0)) < trust.of(1.0, Scores(fused=1.0, dense=1.0)) <= 1
