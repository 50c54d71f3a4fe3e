"""Which words of a question are names of code, and which sentences speak of them."""

import pytest
from p3_rag_chatbot.reading.identifiers import holds, identifiers, speaking
from p3_rag_chatbot.sentences import sentence_starts

PROSE = "Use P3_PORT for it. It takes 0 too. Nothing else does."
TABLE = (
    "name: P3_A; default: 1; c: d.\nname: P3_B; default: 2; c: d.\nname: P3_C; default: 3; c: d."
)


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("What does P3_RERANKER do?", {"P3_RERANKER"}),
        ("Is search_documents a tool, or ask_documents?", {"search_documents", "ask_documents"}),
        ("What is `top_p` or `seed` for?", {"top_p", "seed"}),
        ("Does --free-ports take a number?", {"--free-ports"}),
        ("Who may ask /v1/collections/{name}?", {"/v1/collections/{name}"}),
        ("What is __init__ good for?", {"__init__"}),
        ("When did the F-16 fly, in 1974 and/or later -- or never?", set()),
        ("A blank ____ to fill", set()),
        ("` ` and ``", set()),
    ],
)
def test_names_are_what_a_question_writes_as_code(question: str, names: set[str]) -> None:
    assert identifiers(question) == names


def test_a_name_is_held_as_a_whole() -> None:
    assert holds("set P3_PORT.", frozenset({"P3_PORT"}))
    assert not holds("set P3_PORTS or XP3_PORT", frozenset({"P3_PORT"}))
    assert not holds("--free-ports-only", frozenset({"--free-ports"}))
    assert holds("anything", frozenset())


def test_the_sentence_behind_a_name_may_go_on_about_it_and_the_row_behind_its_row_does_not() -> (
    None
):
    said = speaking(PROSE, sentence_starts(PROSE), frozenset({"P3_PORT"}))
    assert said is not None
    assert said.tolist() == [True, True, False]
    said = speaking(TABLE, sentence_starts(TABLE), frozenset({"P3_B"}))
    assert said is not None
    assert said.tolist() == [False, True, False]


@pytest.mark.parametrize("names", [frozenset(), frozenset({"P9_NONE"})])
def test_without_a_name_that_the_passage_holds_every_sentence_may_answer(
    names: frozenset[str],
) -> None:
    assert speaking(TABLE, sentence_starts(TABLE), names) is None
