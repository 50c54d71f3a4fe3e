"""Plain text and reStructuredText: paragraphs, and headings that are underlined."""

import re

from p3_rag_chatbot.ingestion.documents import DocumentBuilder, clean
from p3_rag_chatbot.ingestion.loaders.encodings import decode
from p3_rag_chatbot.ingestion.loaders.limits import Limits

_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
_UNDERLINE = re.compile(r"([=\-~^\"'`#*+.:_])\1{2,}$")


def read(content: bytes, builder: DocumentBuilder, _: Limits) -> None:
    """Read a text; paragraphs are parted by blank lines."""
    add_text(builder, decode(content))


def add_text(builder: DocumentBuilder, text: str) -> None:
    """Add a text's paragraphs and its underlined headings; line signs give levels as they come."""
    levels: dict[str, int] = {}
    for block in _BLANK_LINES.split(clean(text).strip("\n")):
        lines = block.split("\n")
        if len(lines) == 3 and lines[0] == lines[2] and _UNDERLINE.match(lines[0]):
            lines = lines[1:]  # a heading with a line above it too
        line = _UNDERLINE.match(lines[1].rstrip()) if len(lines) > 1 else None
        if line and len(lines[1].rstrip()) >= len(lines[0].strip()) > 0:
            builder.heading(lines[0], levels.setdefault(line[1], len(levels) + 1))
            lines = lines[2:]
        builder.paragraph("\n".join(lines))
