"""PDF: text with its headings, tables and page numbers; scanned pages by OCR where it is installed.

PDFium reads the text and draws scanned pages; pdfplumber finds tables, on pages that draw lines.
What is a heading is told by its size: PDF knows none. Read next: `pdf_layout.py`.
"""

import importlib.util
import io
from collections.abc import Sequence
from itertools import islice

import pdfplumber
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from p3_rag_chatbot.ingestion.documents import DocumentBuilder
from p3_rag_chatbot.ingestion.loaders.limits import Limits, UnreadableError
from p3_rag_chatbot.ingestion.loaders.pdf_layout import Line, PdfPage, PdfTable, add_pages

_LEAST_LINES_OF_A_TABLE = 4
_MOST_OBJECTS = 2000  # of a page that are looked at, to see what it draws
_FEWEST_CHARACTERS = 8  # of a page that is not a picture of one
_SCAN_DPI = 200


def read(content: bytes, builder: DocumentBuilder, limits: Limits) -> None:
    """Read a PDF; pages that only hold pictures are noted where they cannot be read."""
    document = _opened(content)
    metadata = document.get_metadata_dict()
    builder.title = metadata.get("Title", "")
    names = {"Author": "author", "Subject": "subject", "Keywords": "keywords"}
    builder.metadata |= {ours: metadata.get(theirs, "") for theirs, ours in names.items()}
    pages, scanned = _pages(document, content)
    if scanned:
        _read_scanned(document, pages, scanned, builder, limits)
    add_pages(builder, pages)


def _opened(content: bytes) -> pdfium.PdfDocument:
    try:
        return pdfium.PdfDocument(content)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise UnreadableError("it is encrypted; save it without its password") from error
        raise UnreadableError("it is no PDF, or a broken one; open it and save it anew") from error


def _pages(document: pdfium.PdfDocument, content: bytes) -> tuple[list[PdfPage], list[int]]:
    """Return all pages, and the numbers of those that hold nothing but pictures."""
    pages: list[PdfPage] = []
    scanned: list[int] = []
    with pdfplumber.open(io.BytesIO(content)) as tables:
        for number in range(1, len(document) + 1):
            page = document[number - 1]
            lines = _lines(page)
            objects = islice(page.get_objects(max_depth=3), _MOST_OBJECTS)
            kinds = [pdfium_c.FPDFPageObj_GetType(one) for one in objects]
            n_drawn = kinds.count(pdfium_c.FPDF_PAGEOBJ_PATH)
            found = _tables(tables, number) if lines and n_drawn >= _LEAST_LINES_OF_A_TABLE else ()
            pages.append(PdfPage(number, page.get_height(), tuple(lines), found))
            is_empty = sum(len(line.text.strip()) for line in lines) < _FEWEST_CHARACTERS
            if is_empty and pdfium_c.FPDF_PAGEOBJ_IMAGE in kinds:
                scanned.append(number)
            page.close()
    return pages, scanned


def _lines(page: pdfium.PdfPage) -> list[Line]:
    """Return the lines of a page in the order of its text, with size and place from its top."""
    textpage = page.get_textpage()
    height = page.get_height()
    text = textpage.get_text_range()
    n_characters = textpage.count_chars()
    lines: list[Line] = []
    index = 0
    for text_line in text.split("\r\n"):
        at = index + len(text_line) - len(text_line.lstrip())
        index += len(text_line) + 2
        if not text_line.strip() or at >= n_characters:
            continue
        left, bottom, _, top = textpage.get_charbox(at, loose=True)
        size = pdfium_c.FPDFText_GetFontSize(textpage.raw, at)
        box = max(top - bottom, 0.0) / 1.2  # a font of size 1 may be drawn at any scale
        lines.append(Line(text_line, round(size if size > 2 else box, 1), left, height - top))
    textpage.close()
    return lines


def _tables(document: pdfplumber.PDF, number: int) -> tuple[PdfTable, ...]:
    page = document.pages[number - 1]
    found = []
    for table in page.find_tables():
        rows = [[cell or "" for cell in row] for row in table.extract()]
        _, top, _, bottom = table.bbox
        if len(rows) > 1 and len(rows[0]) > 1:
            found.append(PdfTable(top, bottom, table.bbox[0], table.bbox[2], rows))
    page.close()
    return tuple(found)


# ---------------------------------------------------------------------------------- scanned pages
def _read_scanned(
    document: pdfium.PdfDocument,
    pages: list[PdfPage],
    scanned: Sequence[int],
    builder: DocumentBuilder,
    limits: Limits,
) -> None:
    """Read pictures of pages while there is time; note those that were not."""
    if importlib.util.find_spec("rapidocr") is None:
        builder.notes.append(
            f"{named(scanned)}: only pictures, not read; install the extra `ocr` to read them"
        )
        return
    from p3_rag_chatbot.ingestion.loaders.pictures import PictureReader  # noqa: PLC0415 - the extra

    reader = PictureReader()
    for k, number in enumerate(scanned):
        if limits.seconds_left < limits.seconds / 4:
            builder.notes.append(
                f"{named(scanned[k:])}: only pictures, not read for want of time; "
                "raise P3_LOAD_TIMEOUT_S"
            )
            return
        page = document[number - 1]
        picture = page.render(scale=_SCAN_DPI / 72).to_numpy()
        lines = [
            Line(text, size * 72 / _SCAN_DPI, left * 72 / _SCAN_DPI, top * 72 / _SCAN_DPI)
            for text, size, left, top in reader.lines(picture)
        ]
        pages[number - 1] = PdfPage(number, page.get_height(), tuple(lines), (), is_scanned=True)
        page.close()
    builder.notes.append(f"{named(scanned)}: read from pictures; mistakes are possible")


def named(numbers: Sequence[int]) -> str:
    """Write page numbers as a person does: `pages 1–3, 7`."""
    ranges: list[list[int]] = []
    for number in numbers:
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1][1:] = [number]
        else:
            ranges.append([number])
    listed = ", ".join("–".join(str(one) for one in ends) for ends in ranges)
    return f"page{'s' if len(numbers) > 1 else ''} {listed}"
