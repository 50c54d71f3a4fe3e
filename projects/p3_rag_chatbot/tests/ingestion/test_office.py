import io

import docx
import openpyxl
import pptx
from pptx.util import Inches

from .reading import headings, kinds, read


def saved(document) -> bytes:
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def word_file() -> bytes:
    document = docx.Document()
    document.core_properties.title = "Lease"
    document.core_properties.author = "Ada"
    document.add_heading("Terms", 1)
    document.add_paragraph("The notice period is four weeks.")
    document.add_heading("Fees", 2)
    table = document.add_table(rows=3, cols=2)
    for row, values in zip(
        table.rows, [("Item", "Price"), ("Rent", "900"), ("Heat", "80")], strict=True
    ):
        for cell, value in zip(row.cells, values, strict=True):
            cell.text = value
    document.add_paragraph("Keys: two", style="List Bullet")
    document.add_paragraph("Cellar: none", style="List Bullet")
    return saved(document)


def test_a_word_document_keeps_headings_rows_and_lists_in_order() -> None:
    document = read("lease.docx", word_file())
    assert (document.title, document.metadata["author"]) == ("Lease", "Ada")
    assert headings(document) == [(1, "Terms"), (2, "Fees")]
    assert document.text == (
        "Terms\n\nThe notice period is four weeks.\n\nFees\n\n"
        "Item: Rent; Price: 900\nItem: Heat; Price: 80\n\n- Keys: two\n- Cellar: none"
    )


def test_a_merged_cell_of_a_word_table_is_told_once() -> None:
    document = docx.Document()
    table = document.add_table(rows=1, cols=3)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "wide"
    table.cell(0, 2).text = "last"
    assert read("a.docx", saved(document)).text == "wide | last"


def test_slides_are_pages_with_their_titles_tables_and_notes() -> None:
    deck = pptx.Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Results"
    body = slide.placeholders[1].text_frame
    body.text = "Faster"
    deeper = body.add_paragraph()
    deeper.text, deeper.level = "Twice", 1
    slide.notes_slide.notes_text_frame.text = "Mention the plan."
    second = deck.slides.add_slide(deck.slide_layouts[6])
    shape = second.shapes.add_table(2, 2, Inches(1), Inches(1), Inches(4), Inches(1))
    for r, row in enumerate([("Year", "Sales"), ("2026", "7")]):
        for c, value in enumerate(row):
            shape.table.cell(r, c).text = value
    document = read("deck.pptx", saved(deck))
    assert document.n_pages == 2
    assert headings(document) == [(1, "Results")]
    assert document.text == (
        "Results\n\n- Faster\n  - Twice\n\nNotes: Mention the plan.\n\nYear: 2026; Sales: 7"
    )
    assert [(mark.start, mark.number) for mark in document.marks if mark.kind == "page"] == [
        (0, 1),
        (document.text.index("Year"), 2),
    ]


def test_each_row_of_a_workbook_names_its_columns() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Prices"
    for row in [["Price list 2026"], [], ["Item", "Euro"], ["Bolt", 0.5], ["Nut", 2.0]]:
        sheet.append(row)
    hidden = book.create_sheet("Old")
    hidden.append(["Item", "Euro"])
    hidden.append(["Screw", 1])
    hidden.sheet_state = "hidden"
    book.create_sheet("Empty")
    document = read("prices.xlsx", saved(book))
    assert document.title == "prices.xlsx"
    assert headings(document) == [(1, "Prices"), (1, "Old")]
    assert document.text == (
        "Prices\n\nPrice list 2026\n\nItem: Bolt; Euro: 0.5\nItem: Nut; Euro: 2\n\n"
        "Old\n\nItem: Screw; Euro: 1"
    )
    assert document.notes == ("hidden sheets were read too: Old",)


def test_csv_is_read_whatever_parts_its_cells() -> None:
    for sign in ",;\t|":
        text = f'name{sign}note{sign}n\nAda{sign}"a{sign}b\nc"{sign}1\nBob{sign}{sign}2\n'
        document = read("people.csv", text.encode())
        shown = " " if sign == "\t" else sign  # a tab is a blank in a line of text
        assert document.text == f"name: Ada; note: a{shown}b c; n: 1\nname: Bob; n: 2"
        assert kinds(document) == ["table"]


def test_a_table_without_a_header_names_its_columns_by_letters() -> None:
    assert read("n.csv", b"1,2\n3,4\n").text == "A: 1; B: 2\nA: 3; B: 4"
