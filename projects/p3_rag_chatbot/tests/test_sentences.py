from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from p3_rag_chatbot.answering.growing import GrowingText
from p3_rag_chatbot.sentences import sentence_around, sentence_spans


def split(text: str) -> list[str]:
    return [text[a:b] for a, b in sentence_spans(text)]


def test_sentences_end_at_marks_and_not_at_abbreviations_or_initials() -> None:
    text = "Dr. J. Smith met Mr. Lee at 3.5 p.m. yesterday. They spoke! Why? Nobody knows."
    assert split(text) == [
        "Dr. J. Smith met Mr. Lee at 3.5 p.m. yesterday.",
        "They spoke!",
        "Why?",
        "Nobody knows.",
    ]


def test_a_citation_belongs_to_the_sentence_before_it() -> None:
    assert split("It is so. [1] [2] And so. [3]") == ["It is so. [1] [2]", "And so. [3]"]


def test_blank_lines_and_list_items_end_a_sentence() -> None:
    assert split("A heading\n\nFirst line\n- one thing\n- another") == [
        "A heading",
        "First line",
        "- one thing",
        "- another",
    ]


def test_a_row_of_a_table_is_a_sentence_of_its_own() -> None:
    rows = ["name: a; default: 2; sets: The threads.", "name: b; sets: Chats at once"]
    assert split("\n".join([*rows, *rows])) == [*rows, *rows]
    assert split("It is so\nthat: one line runs on; and on.") == [
        "It is so\nthat: one line runs on; and on."
    ]


def test_the_sentence_around_a_span_may_be_two() -> None:
    text = "One two. Three four. Five six."
    assert sentence_around(text, 13, 16) == (9, 20)
    start, end = sentence_around(text, 4, 12)
    assert text[start:end] == "One two. Three four."


@given(st.text(alphabet="aB .!?\n[1]-", max_size=60))
def test_sentences_cover_everything_but_blanks_and_stand_in_order(text: str) -> None:
    spans = sentence_spans(text)
    assert "".join("".join(split(text)).split()) == "".join(text.split())
    assert all(a < b for a, b in spans)
    assert all(first[1] <= second[0] for first, second in pairwise(spans))


@given(st.lists(st.text(alphabet="aB .!?\n[1]", max_size=12), max_size=12))
def test_a_growing_text_hands_out_every_character_once(pieces: list[str]) -> None:
    growing = GrowingText()
    given_out = [sentence for piece in pieces for sentence in growing.add(piece)]
    assert "".join(given_out) + growing.rest() == "".join(pieces)


def test_a_sentence_is_handed_out_when_the_next_has_begun() -> None:
    growing = GrowingText()
    assert growing.add("It is so.") == []
    assert growing.add(" [") == []
    assert growing.add("1") == []
    assert growing.add("]") == []
    assert growing.add(" And") == ["It is so. [1]"]
    assert growing.rest() == " And"
