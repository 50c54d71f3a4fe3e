"""A question set's documents as a collection: indexed once, found again by what they are."""

import hashlib
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from p3_rag_chatbot.errors import CollectionExistsError
from p3_rag_chatbot.evaluating.question_sets import QuestionSet
from p3_rag_chatbot.ingestion.chunks import chunk, embedding_text
from p3_rag_chatbot.ingestion.documents import LoadedDocument
from p3_rag_chatbot.library.documents import NewDocument
from p3_rag_chatbot.library.library import Library
from p3_rag_chatbot.ports import Embedder

AT_ONCE = 256


def indexed(
    questions: QuestionSet,
    library: Library,
    embedder: Embedder,
    *,
    max_tokens: int,
    told: Callable[[int, int], None] = lambda _done, _all: None,
) -> str:
    """Return the collection that holds the set's documents; what is in it already is not redone.

    Its name says the set and what it was made from, so that another embedder or other chunks make
    another.
    """
    made_from = "\n".join([embedder.name, str(max_tokens), *sorted(questions.documents)])
    digest = hashlib.sha256(made_from.encode()).hexdigest()[:8]
    slug = "".join(c if c.isalnum() else "-" for c in questions.name.lower())[:40].strip("-")
    name = f"eval-{slug}-{digest}"
    with suppress(CollectionExistsError):
        library.create_collection(name, description=f"Documents of {questions.name}.")
    missing = sorted(questions.documents.keys() - library.hashes(name).keys())
    for first in range(0, len(missing), AT_ONCE):
        some = missing[first : first + AT_ONCE]
        for document in _embedded(questions, some, embedder, max_tokens):
            library.put_document(name, document)
        told(len(questions.documents) - len(missing) + first + len(some), len(questions.documents))
    return name


def _embedded(
    questions: QuestionSet, sources: list[str], embedder: Embedder, max_tokens: int
) -> list[NewDocument]:
    """Cut and embed some documents together."""
    cut = []
    for source in sources:
        title, text = questions.titles.get(source, ""), questions.documents[source]
        whole = LoadedDocument(title or source, text or title)
        cut.append((source, whole, chunk(whole, embedder.count_tokens, max_tokens=max_tokens)))
    texts = [embedding_text(whole.title, one) for _, whole, chunks in cut for one in chunks]
    vectors = embedder.embed(texts) if texts else np.zeros((0, embedder.n_dims), np.float32)
    documents: list[NewDocument] = []
    first = 0
    for source, whole, chunks in cut:
        documents.append(
            NewDocument(
                source=source,
                title=whole.title,
                media_type="text/plain",
                sha256=hashlib.sha256(whole.text.encode()).hexdigest(),
                text=whole.text,
                chunks=chunks,
                vectors=vectors[first : first + len(chunks)],
                embedder=embedder.name,
            )
        )
        first += len(chunks)
    return documents
