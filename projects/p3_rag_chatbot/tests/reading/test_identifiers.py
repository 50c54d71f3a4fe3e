"""Which words of a question are names of code, and which texts hold them."""

import pytest
from p3_rag_chatbot.reading.identifiers import holds, identifiers


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
