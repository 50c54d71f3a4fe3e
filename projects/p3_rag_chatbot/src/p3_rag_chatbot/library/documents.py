"""What goes into the library, and what an index is built from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from common.errors import FieldError

from p3_rag_chatbot.errors import RequestError
from p3_rag_chatbot.ports import Vectors

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class ChunkPlace(Protocol):
    """Where a chunk lies in its document's text, end exclusive, and under what."""

    @property
    def start(self) -> int:
        """First character."""
        ...

    @property
    def end(self) -> int:
        """Character after the last."""
        ...

    @property
    def headings(self) -> Sequence[str]:
        """From the outermost to the nearest."""
        ...

    @property
    def page(self) -> int | None:
        """From 1; where the chunk begins."""
        ...


@dataclass(frozen=True)
class NewDocument:
    """A document as it is put into a collection.

    `vectors` has a row for each of `chunks`, of length 1, made by the model that `embedder` names;
    `sha256` is of the bytes that were read.
    """

    source: str
    title: str
    media_type: str
    sha256: str
    text: str
    chunks: Sequence[ChunkPlace]
    vectors: Vectors
    embedder: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    n_pages: int | None = None

    def check(self) -> None:
        """Raise `RequestError` for what does not fit together."""
        wrong = []
        if not self.source:
            wrong.append(FieldError(field="source", message="is empty", accepted="a path or URL"))
        if self.vectors.ndim != 2 or len(self.vectors) != len(self.chunks):
            message = f"has the shape {self.vectors.shape} for {len(self.chunks)} chunk(s)"
            wrong.append(FieldError(field="vectors", message=message, accepted="one row a chunk"))
        elif not np.isfinite(self.vectors).all():
            wrong.append(FieldError(field="vectors", message="has a value that is not finite"))
        for k, chunk in enumerate(self.chunks):
            if not 0 <= chunk.start < chunk.end <= len(self.text):
                message = f"is {chunk.start}..{chunk.end} of {len(self.text)} characters"
                wrong.append(FieldError(field=f"chunks.{k}", message=message))
        if wrong:
            raise RequestError(wrong)


@dataclass(frozen=True)
class StoredChunk:
    """A chunk as an index takes it in: `words` are its title, its headings and its text."""

    id: int
    words: str
    vector: bytes
    sketch: bytes


@dataclass(frozen=True)
class StoredDocument:
    """A document as an index sees it: which one, in which state, and what it can be filtered by."""

    id: str
    revision: str
    fields: dict[str, str]


@dataclass(frozen=True)
class Placed:
    """A document's revision whose vectors lie in a store outside."""

    document: str
    revision: str
    chunk_ids: Sequence[int]


def storable(text: str) -> str:
    """Replace what no database takes (NUL, lone surrogates), one character for one."""
    return _UNSTORABLE.sub("\ufffd", text)
