"""Word documents and presentations: paragraphs, lists, tables, slides with their notes."""

import io
import zipfile
from collections.abc import Iterable, Iterator

import docx
import pptx
from docx.document import Document as WordDocument
from docx.opc.coreprops import CoreProperties
from docx.table import Table as WordTable
from docx.text.paragraph import Paragraph
from pptx.shapes.base import BaseShape
from pptx.slide import Slide

from p3_rag_chatbot.ingestion.documents import DocumentBuilder, one_line
from p3_rag_chatbot.ingestion.loaders.limits import Limits, TooLargeError, UnreadableError
from p3_rag_chatbot.ingestion.loaders.tables import rows_of

_ENCRYPTED = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # a compound file: encrypted, or of before 2007
_MOST_COMPRESSED = 200  # times; real documents are below 50


def check_package(content: bytes, limits: Limits) -> None:
    """Refuse an Office file that is encrypted, or that unpacks to more than the limits."""
    if content.startswith(_ENCRYPTED):
        raise UnreadableError(
            "it is encrypted or of a format of before 2007; save it as DOCX, PPTX or XLSX "
            "without a password"
        )
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        parts = package.infolist()
    n_bytes = sum(part.file_size for part in parts)
    if len(parts) > limits.max_files or n_bytes > limits.max_unpacked_bytes:
        raise TooLargeError(f"it unpacks to {len(parts):,} parts of {n_bytes:,} bytes")
    if n_bytes > _MOST_COMPRESSED * max(len(content), 65536):
        raise TooLargeError(f"{len(content):,} bytes unpack to {n_bytes:,}: it is made to exhaust")


# -------------------------------------------------------------------------------------------- Word
def read_docx(content: bytes, builder: DocumentBuilder, _: Limits) -> None:
    """Read a Word document in the order of its text."""
    document = docx.Document(io.BytesIO(content))
    _add_properties(builder, document.core_properties)
    _add_blocks(builder, document.iter_inner_content(), document)


def _add_blocks(
    builder: DocumentBuilder, blocks: Iterable[Paragraph | WordTable], document: WordDocument
) -> None:
    for block in blocks:
        if isinstance(block, WordTable):
            rows, header = rows_of(_word_rows(block))
            builder.table(rows, header)
        else:
            _add_paragraph(builder, block)


def _add_paragraph(builder: DocumentBuilder, paragraph: Paragraph) -> None:
    style = (paragraph.style.name or "") if paragraph.style is not None else ""
    text = paragraph.text
    if style == "Title" or style.startswith("Heading"):
        last = style.rpartition(" ")[2]
        builder.heading(text, int(last) if last.isdigit() else 1)
    elif style.startswith("List") or _is_numbered(paragraph):
        builder.item(text)
    else:
        builder.paragraph(text)


def _is_numbered(paragraph: Paragraph) -> bool:
    properties = paragraph.paragraph_format.element.pPr
    return properties is not None and properties.numPr is not None


def _word_rows(table: WordTable) -> Iterator[list[str]]:
    """Yield the rows; empty cells follow one that spans columns."""
    for row in table.rows:
        all_cells = row.cells  # a cell stands here once for each column that it spans
        cells = [""] * len(all_cells)
        k = 0
        while k < len(all_cells):
            cells[k] = one_line(all_cells[k].text)
            k += max(all_cells[k].grid_span, 1)
        yield cells


def _add_properties(builder: DocumentBuilder, properties: CoreProperties) -> None:
    builder.title = one_line(properties.title or "")
    builder.metadata |= {
        "author": properties.author or "",
        "subject": properties.subject or "",
        "keywords": properties.keywords or "",
        "modified": properties.modified.isoformat() if properties.modified else "",
    }


# -------------------------------------------------------------------------------------- slides
def read_pptx(content: bytes, builder: DocumentBuilder, _: Limits) -> None:
    """Read a presentation: each slide is a page, its title a heading, its notes a paragraph."""
    deck = pptx.Presentation(io.BytesIO(content))
    _add_properties(builder, deck.core_properties)
    for number, slide in enumerate(deck.slides, 1):
        builder.page(number)
        _add_slide(builder, slide)


def _add_slide(builder: DocumentBuilder, slide: Slide) -> None:
    title = slide.shapes.title
    if title is not None:
        builder.heading(title.text_frame.text, 1)
    for shape in sorted(_shapes(slide.shapes), key=lambda one: (one.top or 0, one.left or 0)):
        if title is None or shape.shape_id != title.shape_id:
            _add_shape(builder, shape)
    if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None:
        notes = frame.text.strip()
        builder.paragraph(f"Notes: {notes}" if notes else "")


def _shapes(shapes: Iterable[BaseShape]) -> Iterator[BaseShape]:
    """Yield the shapes, those in groups too; a group's are as deep as a stack of groups may be."""
    waiting = list(shapes)
    while waiting:
        shape = waiting.pop()
        inner = getattr(shape, "shapes", None)
        if inner is None:
            yield shape
        else:
            waiting.extend(inner)


def _add_shape(builder: DocumentBuilder, shape: BaseShape) -> None:
    if getattr(shape, "has_table", False):
        rows, header = rows_of([cell.text for cell in row.cells] for row in shape.table.rows)
        builder.table(rows, header)
        return
    if not shape.has_text_frame:
        return
    paragraphs = [(one.text.strip(), one.level) for one in shape.text_frame.paragraphs]
    filled = [(text, level) for text, level in paragraphs if text]
    if len(filled) == 1:
        builder.paragraph(filled[0][0])
        return
    builder.end_list()
    for text, level in filled:
        builder.item(text, level)
