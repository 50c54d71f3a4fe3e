"""Spreadsheets: each sheet is a section, each row a line that names its columns."""

import datetime
import io
from itertools import chain

from openpyxl import load_workbook

from p3_rag_chatbot.ingestion.documents import DocumentBuilder
from p3_rag_chatbot.ingestion.loaders.limits import Limits
from p3_rag_chatbot.ingestion.loaders.tables import WIDEST, add_rows


def read(content: bytes, builder: DocumentBuilder, _: Limits) -> None:
    """Read a workbook: each sheet that is not empty is a section; formulas by their last values."""
    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    builder.title = book.properties.title or ""
    builder.metadata |= {"author": book.properties.creator or ""}
    for sheet in book.worksheets:
        rows = (
            [_as_text(value) for value in row[:WIDEST]] for row in sheet.iter_rows(values_only=True)
        )
        filled = (row for row in rows if any(row))
        first = next(filled, None)
        if first is not None:
            own_title = builder.title
            builder.heading(sheet.title, 1)
            builder.title = own_title  # a sheet's name is not the workbook's
            add_rows(builder, chain([first], filled))
    if hidden := [sheet.title for sheet in book.worksheets if sheet.sheet_state != "visible"]:
        builder.notes.append(f"hidden sheets were read too: {', '.join(hidden)}")


def _as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return str(value)
