"""Reads bytes with a loader in the test's own process."""

from p3_rag_chatbot.ingestion.documents import DocumentBuilder, LoadedDocument
from p3_rag_chatbot.ingestion.formats import format_of
from p3_rag_chatbot.ingestion.loaders.limits import Limits
from p3_rag_chatbot.ingestion.worker import loader_of


def read(name: str, content: bytes, limits: Limits | None = None) -> LoadedDocument:
    found = format_of(name)
    assert found is not None
    limits = limits or Limits(100_000, max_unpacked_bytes=10**7, max_files=100, seconds=600)
    builder = DocumentBuilder(limits.max_characters)
    loader_of(found.loader)(content, builder, limits)
    return builder.finish(name, found.media_type)


def headings(document: LoadedDocument) -> list[tuple[int, str]]:
    return [(mark.number, mark.label) for mark in document.marks if mark.kind == "heading"]


def kinds(document: LoadedDocument) -> list[str]:
    return [mark.kind for mark in document.marks]
