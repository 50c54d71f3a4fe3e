import pytest
from p3_rag_chatbot.answering.extracting import extract, read_hits
from p3_rag_chatbot.answering.headings import body_start
from p3_rag_chatbot.contracts import Hit, Passage, Scores
from p3_rag_chatbot.fakes import FakeReader


def passage(text: str, *headings: str) -> Passage:
    return Passage(
        id="p", document_id="d", source="a.md", title="T", headings=headings, start=50,
        end=50 + len(text), text=text,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "headings", "body"),
    [
        ("Leave\n\nThirty days.", ("Handbook", "Leave"), "Thirty days."),
        ("Handbook\n\nLeave\n\nThirty days.", ("Handbook", "Leave"), "Thirty days."),
        ("An empty one\n\nLeave\n\nThirty days.", ("Handbook", "Leave"), "Thirty days."),
        ("Thirty days.\n\nMore.", ("Handbook", "Leave"), "Thirty days.\n\nMore."),
        (
            "Thirty days\nof leave.\n\nLeave\n\nx",
            ("Leave",),
            "Thirty days\nof leave.\n\nLeave\n\nx",
        ),
        ("Thirty days.", (), "Thirty days."),
        ("Leave", ("Leave",), ""),
        ("Long " * 60 + "\n\nThirty days.", (("Long " * 60)[:200],), "Thirty days."),
    ],
)
def test_the_text_of_a_passage_begins_behind_its_headings(
    text: str, headings: tuple[str, ...], body: str
) -> None:
    assert text[body_start(passage(text, *headings)) :] == body


def test_a_heading_is_neither_an_answer_nor_part_of_a_quote() -> None:
    text = "2. The notice period.\n\nthe notice period is three months. It rained."
    hit = Hit(passage=passage(text, "2. The notice period."), rank=1, scores=Scores(fused=1))
    answer = extract(read_hits("the notice period?", [hit], FakeReader()), 0.5)
    assert answer.citations[0].quote == "the notice period is three months."
    assert text[answer.citations[0].start - 50 :].startswith("the notice period is three")


def test_a_passage_of_headings_alone_answers_nothing_and_is_not_shown() -> None:
    hit = Hit(passage=passage("Notice period", "Notice period"), rank=1, scores=Scores(fused=1))
    answer = extract(read_hits("notice period?", [hit], FakeReader()), 0.5)
    assert (answer.is_answered, answer.nearest) == (False, ())
