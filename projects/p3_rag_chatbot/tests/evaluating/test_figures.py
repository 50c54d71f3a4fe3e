import pytest
from p3_rag_chatbot.answering.extracting import citation
from p3_rag_chatbot.contracts import Hit, Passage, RagAnswer, Scores
from p3_rag_chatbot.evaluating.figures import Grounds, Prices, figures
from p3_rag_chatbot.evaluating.question_sets import Asked
from p3_rag_chatbot.evaluating.running import Outcome
from p3_rag_chatbot.openai_contracts import Usage


def passage(source: str) -> Passage:
    return Passage(
        id=source, document_id=source, source=source, title=source, start=0, end=4, text="text"
    )


def outcome(
    number: int, answer: str | None, *, accepted: tuple[str, ...], sources: str, cites: str = ""
) -> Outcome:
    """A question answered with text, or refused with None; letters are sources, in their order."""
    about = RagAnswer(
        depth="extract",
        verdict="not_in_documents" if answer is None else "answered",
        collection="c",
        question="q",
        confidence=0.5,
        answer=answer or "",
        citations=tuple(citation(k, passage(s), 0, 4) for k, s in enumerate(cites, 1)),
        hits=tuple(
            Hit(passage=passage(s), rank=k, scores=Scores(fused=1.0 / k))
            for k, s in enumerate(sources, 1)
        ),
    )
    asked = Asked(
        str(number), "q", accepted, {"a": 1.0} if accepted else {}, is_answerable=bool(accepted)
    )
    usage = Usage(prompt_tokens=100, completion_tokens=10, total_tokens=110)
    return Outcome(asked, answer or "no", about, usage, 0.1, 0.2)


OUTCOMES = [
    outcome(1, "Ann", accepted=("Ann",), sources="ab", cites="a"),  # right, found first
    outcome(2, "Bob", accepted=("Ann",), sources="ba", cites="b"),  # wrong, from another document
    outcome(3, None, accepted=("Ann",), sources="bc"),  # refused, though it is there
    outcome(4, None, accepted=(), sources="bc"),  # rightly refused
    outcome(5, "Eve", accepted=(), sources="bc", cites="b"),  # made up
]
GROUNDS = [Grounds(2, 2), Grounds(2, 1), Grounds(0, 0), Grounds(0, 0), Grounds(1, 0)]


def test_every_figure_is_what_counting_by_hand_gives() -> None:
    found = {name: one.value for name, one in figures(OUTCOMES, GROUNDS).items()}
    assert found["recall@1"] == pytest.approx(1 / 3)
    assert found["mrr"] == pytest.approx((1 + 0.5 + 0) / 3)
    assert found["f1"] == pytest.approx(2 / 5)
    assert found["f1_answerable"] == pytest.approx(1 / 3)
    assert found["refusal_precision"] == pytest.approx(1 / 2)
    assert found["refusal_recall"] == pytest.approx(1 / 2)
    assert found["citation_precision"] == pytest.approx(1 / 2)
    assert found["citation_recall"] == pytest.approx(1 / 3)
    assert found["groundedness"] == pytest.approx((1 + 0.5 + 0) / 3)
    assert found["latency_ms"] == pytest.approx(200)


def test_cost_is_told_where_prices_are() -> None:
    found = figures(OUTCOMES, GROUNDS, Prices(prompt=1.0, completion=10.0))
    assert found["cost_usd"].value == pytest.approx((100 * 1 + 10 * 10) / 1e6)
    assert "cost_usd" not in figures(OUTCOMES, GROUNDS)


def test_what_a_set_says_nothing_about_is_left_out() -> None:
    refused = [outcome(k, None, accepted=(), sources="b") for k in (1, 2)]
    found = figures(refused, [Grounds(0, 0)] * 2)
    assert not found.keys() & {"recall@1", "citation_precision", "groundedness", "f1_answerable"}


def test_a_question_that_failed_is_counted_as_failed_alone() -> None:
    broken = Outcome(Asked("9", "q", ("Ann",), {"a": 1.0}), "", None, None, 0, 0, error="cut")
    found = figures([*OUTCOMES, broken], [*GROUNDS, Grounds(0, 0)])
    assert found["failed"].value == pytest.approx(1 / 6)
    assert found["f1"].n == 5
