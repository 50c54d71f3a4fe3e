import pytest
from p3_rag_chatbot.answering.follow_ups import proposals
from p3_rag_chatbot.openai_contracts import Message


def history(*texts: str) -> list[Message]:
    roles = ("user", "assistant")
    return [Message(role=roles[k % 2], content=text) for k, text in enumerate(texts)]


def test_a_question_that_stands_alone_is_asked_as_it_is() -> None:
    before = history("Who wrote Hamlet?", "**Shakespeare** wrote it. [1]")
    assert proposals("Which year saw the first Tesla factory open?", before) == [
        "Which year saw the first Tesla factory open?"
    ]


def test_without_history_nothing_is_rewritten() -> None:
    assert proposals("When was it built?", []) == ["When was it built?"]


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ("When was it built?", "When was Golden Gate Bridge built?"),
        ("How long are its cables?", "How long are Golden Gate Bridge's cables?"),
        ("And why?", "why (Golden Gate Bridge)?"),
    ],
)
def test_a_pronoun_or_an_ellipsis_takes_the_name_that_was_talked_about(
    asked: str, first: str
) -> None:
    before = history("Who designed the Golden Gate Bridge?", "**Joseph Strauss** did. [1]")
    made = proposals(asked, before)
    assert made[0] == first
    assert made[-1] == asked


def test_the_answer_given_before_is_a_topic_too() -> None:
    before = history("Who designed the Golden Gate Bridge?", "**Joseph Strauss** did. [1]")
    assert "When was Joseph Strauss born?" in proposals("When was he born?", before)


def test_a_name_written_as_code_is_what_the_next_question_is_about() -> None:
    before = history("What does P3_RERANKER do in Python?", "It orders **candidates**. [1]")
    assert proposals("What is its default?", before) == ["What is P3_RERANKER's default?"]
    assert proposals("And with it P3_N_CANDIDATES?", before)[-1] == "And with it P3_N_CANDIDATES?"
    two = history("Does P3_RERANKER need P3_N_CANDIDATES?", "Yes. [1]")
    assert len(proposals("What is its default?", two)) > 1


def test_without_a_name_the_words_of_the_question_are_the_topic() -> None:
    before = history("What is the notice period of a rental contract?", "Three months. [1]")
    assert proposals("Can it be shortened?", before)[0] == (
        "Can notice period of a rental contract be shortened?"
    )
