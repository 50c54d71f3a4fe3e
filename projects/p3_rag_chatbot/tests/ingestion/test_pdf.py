import io

import numpy as np
import pytest
from p3_rag_chatbot.ingestion.loaders.limits import Limits, UnreadableError
from p3_rag_chatbot.ingestion.loaders.pdf import named
from PIL import Image, ImageDraw, ImageFont

from .pdf_files import Page, pdf
from .reading import headings, kinds, read

TABLE = [["Item", "Price"], ["Rent", "900"], ["Heating", "80"]]


def contract() -> Page:
    return (
        Page()
        .text(72, 80, "Contract of lease", 20)
        .text(72, 120, "1. Notice", 14)
        .lines(
            72,
            150,
            ["The notice period is four weeks to the", "end of a month. It is writ-", "ten."],
        )
        .lines(72, 220, ["A second paragraph."])
        .table(72, 300, TABLE)
        .text(72, 420, "After the table.")
    )


def scan(text: str) -> Page:
    picture = Image.new("L", (1240, 400), 255)
    ImageDraw.Draw(picture).text((60, 60), text, font=ImageFont.load_default(40), fill=0)
    return Page(image=(1240, 400, np.asarray(picture).tobytes()))


def test_a_pdf_has_headings_whole_words_paragraphs_tables_and_pages() -> None:
    document = read("a.pdf", pdf([contract(), Page().text(72, 80, "Page two.")], title="Lease"))
    assert (document.title, document.n_pages) == ("Lease", 2)
    assert headings(document) == [(1, "Contract of lease"), (2, "1. Notice")]
    assert document.text == (
        "Contract of lease\n\n1. Notice\n\nThe notice period is four weeks to the end of a month. "
        "It is written.\n\nA second paragraph.\n\nItem: Rent; Price: 900\nItem: Heating; Price: 80"
        "\n\nAfter the table.\n\nPage two."
    )
    assert kinds(document).count("table") == 1
    second = [mark.start for mark in document.marks if mark.kind == "page"][1]
    assert document.text[second:] == "Page two."


def test_bullets_are_items_and_titles_on_every_page_are_left_out() -> None:
    pages = [
        Page()
        .text(72, 30, "Annual report", 9)
        .text(72, 100, f"Text of part {'abcde'[k]}.")
        .lines(72, 160, ["\u2022 one", "\u2022 two"])
        .text(300, 820, f"Page {k + 1} of 5", 9)
        for k in range(5)
    ]
    document = read("a.pdf", pdf(pages))
    assert "Annual report" not in document.text
    assert "of 5" not in document.text
    assert document.text.startswith("Text of part a.\n\n- one\n- two\n\nText of part b.")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (pdf([contract()], encrypted=True), "encrypted"),
        (pdf([contract()])[:200], "broken"),
        (b"%PDF-1.4 and nothing", "broken"),
        (b"", "broken"),
    ],
)
def test_a_pdf_that_cannot_be_opened_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError, match=reason):
        read("a.pdf", content)


@pytest.mark.slow
def test_a_scanned_page_is_read_and_noted() -> None:
    document = read("a.pdf", pdf([contract(), scan("The deposit is 1500 euros.")]))
    assert document.text.endswith("The deposit is 1500 euros.")
    assert document.notes == ("page 2: read from pictures; mistakes are possible",)


def test_scanned_pages_that_there_is_no_time_for_are_noted() -> None:
    late = Limits(100_000, 10**7, 100, seconds=60, started=-1e9)
    document = read("a.pdf", pdf([contract(), scan("a"), scan("b")]), late)
    assert "want of time" in document.notes[0]
    assert document.notes[0].startswith("pages 2–3: only pictures, not read")
    assert document.n_pages == 3


def test_page_numbers_are_told_as_ranges() -> None:
    assert named([1, 2, 3, 7]) == "pages 1–3, 7"
    assert named([4]) == "page 4"


def test_a_pdf_of_a_drawing_library_is_read() -> None:
    """Another producer, another kind of font: matplotlib's, embedded as outlines."""
    figure = pytest.importorskip("matplotlib.figure").Figure(figsize=(6, 4))
    figure.text(0.1, 0.8, "Quarterly revenue", fontsize=24)
    figure.text(0.1, 0.5, "It grew by seven percent in the third quarter.", fontsize=10)
    file = io.BytesIO()
    figure.savefig(file, format="pdf")
    document = read("a.pdf", file.getvalue())
    assert headings(document) == [(1, "Quarterly revenue")]
    assert document.text.endswith("It grew by seven percent in the third quarter.")


def test_a_table_of_contents_makes_no_headings() -> None:
    page = Page().text(72, 80, "Contents", 20).text(72, 120, "1 Fees" + " ." * 20 + " 7", 14)
    document = read("a.pdf", pdf([page.lines(72, 200, ["Some text of the usual size."] * 5)]))
    assert headings(document) == [(1, "Contents")]
    assert "1 Fees … 7" in document.text
