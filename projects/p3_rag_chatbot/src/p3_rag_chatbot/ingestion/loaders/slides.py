"""Presentations: slides as pages, with their titles, texts, tables and notes."""

import io
from collections.abc import Iterable, Iterator

import pptx
from pptx.shapes.autoshape import Shape
from pptx.shapes.base import BaseShape
from pptx.shapes.graphfrm import GraphicFrame
from pptx.slide import Slide

from p3_rag_chatbot.ingestion.documents import DocumentBuilder
from p3_rag_chatbot.ingestion.loaders.limits import Limits
from p3_rag_chatbot.ingestion.loaders.packages import add_properties
from p3_rag_chatbot.ingestion.loaders.tables import rows_of


def read(content: bytes, builder: DocumentBuilder, _: Limits) -> None:
    """Read a presentation: each slide is a page, its title a heading, its notes a paragraph."""
    deck = pptx.Presentation(io.BytesIO(content))
    add_properties(builder, deck.core_properties)
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
    if isinstance(shape, GraphicFrame) and shape.has_table:
        rows, header = rows_of([cell.text for cell in row.cells] for row in shape.table.rows)
        builder.table(rows, header)
        return
    if not isinstance(shape, Shape):
        return
    paragraphs = [(one.text.strip(), one.level) for one in shape.text_frame.paragraphs]
    filled = [(text, level) for text, level in paragraphs if text]
    if len(filled) == 1:
        builder.paragraph(filled[0][0])
        return
    builder.end_list()
    for text, level in filled:
        builder.item(text, level)
