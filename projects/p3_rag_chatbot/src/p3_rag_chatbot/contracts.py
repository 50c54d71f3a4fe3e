"""What travels beside the OpenAI protocol: collections, documents, passages, and answers' reasons.

Offsets are characters in a document's text, end exclusive: `text[start:end]` is the passage.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Depth = Literal["extract", "generate", "free"]
Verdict = Literal["answered", "not_in_documents", "free"]

COLLECTION_NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


# ------------------------------------------------------------------------------------- what is kept
class Collection(_Value):
    """A set of documents that is searched as one."""

    name: Annotated[str, Field(pattern=COLLECTION_NAME)]
    description: str = ""
    n_documents: int = 0
    n_chunks: int = 0
    changed_at: datetime | None = None
    embedder: str = Field("", description="Model that its vectors are of.")
    is_default: bool = Field(False, description="Whether it is asked where none is named.")
    trouble: str = Field("", description="Why it cannot be searched now, and what mends it.")


class Document(_Value):
    """A document of a collection, without its text."""

    id: str
    collection: str
    source: str = Field(description="Path or address that it came from.")
    title: str
    media_type: str
    sha256: str = Field(description="Of the bytes that were read.")
    n_characters: int
    n_pages: int | None = None
    n_chunks: int
    indexed_at: datetime
    metadata: dict[str, str] = Field(default_factory=dict)
    notes: tuple[str, ...] = Field((), description="What was not read, such as scanned pages.")


class Passage(_Value):
    """A chunk of a document: what is searched, read and cited."""

    id: str
    document_id: str
    source: str
    title: str
    headings: tuple[str, ...] = Field((), description="From the outermost to the nearest.")
    page: int | None = Field(None, description="From 1; where the passage begins.")
    start: int
    end: int
    text: str


# ------------------------------------------------------------------------------------- searching
class Scores(_Value):
    """Why a passage stands where it does; a missing part did not take part."""

    fused: float
    bm25: float | None = None
    dense: float | None = None
    reranked: float | None = None


class Hit(_Value):
    """A passage that was found."""

    passage: Passage
    rank: int = Field(description="From 1.")
    scores: Scores


class SearchRequest(_Value):
    """`POST /v1/search`."""

    query: Annotated[str, Field(min_length=1)]
    collection: str | None = None
    k: Annotated[int, Field(ge=1, le=100)] = 5
    filters: dict[str, str | tuple[str, ...]] = Field(
        default_factory=dict, description="Metadata that a document has to have."
    )
    rerank: bool = True
    diversity: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0, description="Weight of being unlike what stands above (maximal marginal relevance)."
    )


class SearchAnswer(_Value):
    """What was found, best first."""

    collection: str
    hits: tuple[Hit, ...]
    latency_ms: float


# ------------------------------------------------------------------------------------- answering
class RagOptions(_Value):
    """Extension `rag` of a chat request: what to answer from, and how."""

    collection: str | None = None
    depth: Depth | None = None
    k: Annotated[int, Field(ge=1, le=50)] | None = None
    filters: dict[str, str | tuple[str, ...]] = Field(default_factory=dict)
    withhold_unsupported: bool | None = None


class Citation(_Value):
    """A place in a document that an answer rests on; `[number]` in the answer's text."""

    number: int = Field(description="From 1.")
    document_id: str
    passage_id: str
    source: str
    title: str
    headings: tuple[str, ...] = ()
    page: int | None = None
    start: int = Field(description="Of the quote, in the document's text.")
    end: int
    quote: str


class Check(_Value):
    """A sentence of an answer against what it cites."""

    sentence: str
    is_supported: bool
    score: float = Field(description="0..1, of the best passage it cites.")
    citations: tuple[int, ...] = ()
    is_withheld: bool = False


class RagAnswer(_Value):
    """Extension `rag` of an answer: where it comes from, and how far it can be trusted."""

    depth: Depth
    verdict: Verdict
    collection: str
    question: str = Field(description="As searched: a follow-up is rewritten from the history.")
    confidence: float = Field(description="0..1; of an extracted answer, the reader's.")
    answer: str = Field("", description="Of an extracted answer, the words that answer, alone.")
    citations: tuple[Citation, ...] = ()
    checks: tuple[Check, ...] = ()
    hits: tuple[Hit, ...] = Field((), description="What was retrieved, with its scores.")
    nearest: tuple[Citation, ...] = Field((), description="Where the documents do not say.")
    timings_ms: dict[str, float] = Field(default_factory=dict)


# -------------------------------------------------------------------------------------- feedback
class Feedback(_Value):
    """`POST /v1/feedback`: what a reader thought of an answer; the last word of each counts."""

    answer_id: Annotated[str, Field(min_length=1, max_length=200)]
    rating: Literal["up", "down"]
    comment: Annotated[str, Field(max_length=4_000)] = ""
    collection: str = ""
    passages: Annotated[tuple[str, ...], Field(max_length=100)] = Field(
        (), description="Ids of the passages that it cited."
    )
