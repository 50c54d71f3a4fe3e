"""Word documents: headings, paragraphs, lists and tables in their order."""

import io
from collections.abc import Iterator

import docx
from docx.table import Table
from docx.text.paragraph import Paragraph

from p3_rag_chatbot.ingestion.documents import DocumentBuilder, one_line
from p3_rag_chatbot.ingestion.loaders.limits import Limits
from p3_rag_chatbot.ingestion.loaders.packages import add_properties
from p3_rag_chatbot.ingestion.loaders.tables import rows_of


def read(content: bytes, builder: DocumentBuilder, _: Limits) -> None:
    """Read a Word document in the order of its text."""
    document = docx.Document(io.BytesIO(content))
    add_properties(builder, document.core_properties)
    for block in document.iter_inner_content():
        if isinstance(block, Table):
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


def _word_rows(table: Table) -> Iterator[list[str]]:
    """Yield the rows; empty cells follow one that spans columns."""
    for row in table.rows:
        all_cells = row.cells  # a cell stands here once for each column that it spans
        cells = [""] * len(all_cells)
        k = 0
        while k < len(all_cells):
            cells[k] = one_line(all_cells[k].text)
            k += max(all_cells[k].grid_span, 1)
        yield cells
