import pytest
from markdown_it import MarkdownIt
from p3_rag_chatbot.answering.extracting import extract, read_hits
from p3_rag_chatbot.contracts import Hit, Passage, Scores
from p3_rag_chatbot.fakes import FakeReader


def hit(text: str, rank: int = 1, start: int = 100) -> Hit:
    passage = Passage(
        id=f"p{rank}", document_id=f"d{rank}", source=f"{rank}.md", title=f"T{rank}", start=start,
        end=start + len(text), text=text,
    )  # fmt: skip
    return Hit(passage=passage, rank=rank, scores=Scores(fused=1 / rank))


def test_an_answer_stands_bold_in_its_sentence_and_its_quote_in_the_document() -> None:
    text = "Snow fell. The notice period is months three. It rained."
    extracted = extract(read_hits("notice period?", [hit(text)], FakeReader()), 0.5)
    assert extracted.text == "The notice period **is** months three. [1]"
    quote = extracted.citations[0]
    assert text[quote.start - 100 : quote.end - 100] == quote.quote
    assert quote.quote == "The notice period is months three."


def test_the_same_answer_elsewhere_is_quoted_too_and_at_most_three_are() -> None:
    hits = [
        hit(f"{word} notice period Monday. Other.", rank) for rank, word in enumerate("ABCDE", 1)
    ]
    extracted = extract(read_hits("notice period", hits, FakeReader()), 0.5)
    assert [one.number for one in extracted.citations] == [1, 2, 3]
    assert "> B notice period Monday. [2]" in extracted.text


def test_below_the_threshold_it_says_that_the_documents_do_not_and_shows_the_nearest() -> None:
    hits = [hit("Nothing of it here.", 1), hit("Still nothing.", 2)]
    extracted = extract(read_hits("notice period", hits, FakeReader()), 0.5)
    assert not extracted.is_answered
    assert extracted.text.startswith("The documents do not say. The nearest passages:")
    assert [one.source for one in extracted.nearest] == ["1.md", "2.md"]


def test_what_holds_the_name_that_was_asked_for_comes_first() -> None:
    hits = [
        hit("The notice period of it is Monday.", 1),
        hit("The notice_period is a setting for the notice.", 2),
    ]
    found = read_hits("notice_period of the notice period?", hits, FakeReader())
    assert [one.hit.rank for one in found] == [2, 1]


def test_nothing_found_is_a_refusal_too() -> None:
    assert extract([], 0.5).text == "The documents do not say."


def test_markup_in_a_quote_is_shown_and_not_rendered() -> None:
    text = "The notice period is <b>x</b> *three* [months]."
    extracted = extract(read_hits("notice period", [hit(text)], FakeReader()), 0.5)
    assert "\\<b\\>" in extracted.text
    assert "\\*three\\*" in extracted.text


@pytest.mark.parametrize(
    "quoted", ["P3_VECTOR_STORE", "__init__", "a_b _c_ d_", "a \\_ b", "`open`", "2 * 3 * 4"]
)
def test_a_quote_reads_as_it_is_when_its_markdown_is_rendered(quoted: str) -> None:
    text = f"The notice period is {quoted} months."
    shown = extract(read_hits("notice period", [hit(text)], FakeReader()), 0.5).text
    assert (
        MarkdownIt().renderInline(shown) == f"The notice period <strong>is</strong>{text[20:]} [1]"
    )


def test_a_name_with_underscores_is_not_written_with_escapes() -> None:
    text = "The notice period is P3_VECTOR_STORE months."
    assert (
        "P3_VECTOR_STORE"
        in extract(read_hits("notice period", [hit(text)], FakeReader()), 0.5).text
    )
