"""Another model's vectors for documents that are kept: their texts are embedded anew.

A collection keeps the texts of its chunks, so that it needs no files for this. The new vectors are
gathered in the database, a batch at a time; the old ones are searched until the last is there.
Whatever ends the work, the next goes on where it was. Read next: `library/next_vectors.py`.
"""

import threading
from collections.abc import Callable

from p3_rag_chatbot.ingestion.chunks import embedding_text
from p3_rag_chatbot.library.library import Library
from p3_rag_chatbot.ports import Embedder

CHUNKS_AT_ONCE = 256


def is_of_another(library: Library, collection: str, embedder: Embedder) -> bool:
    """Whether a collection has vectors of another model than this."""
    kept = library.collection(collection)
    return kept.n_chunks > 0 and kept.embedder != embedder.name


def reembed(
    library: Library,
    collection: str,
    embedder: Embedder,
    *,
    tell: Callable[[int, int], object] = lambda n_done, n: None,  # noqa: ARG005
    stop: threading.Event | None = None,
) -> int:
    """Embed a collection's texts anew; returns the number of chunks, 0 when it was stopped.

    `tell` hears how many chunks of how many are embedded, first those of a run that was ended
    before. Chunks that come meanwhile are embedded too. Memory holds one batch of vectors, and
    the ids of the chunks.
    """
    gathered = library.next_vectors(collection, embedder.name)
    n = library.collection(collection).n_chunks
    while not gathered.take():
        missing = gathered.missing()
        n = library.collection(collection).n_chunks
        tell(n - len(missing), n)
        for start in range(0, len(missing), CHUNKS_AT_ONCE):
            if stop is not None and stop.is_set():
                return 0
            some = library.passages([str(one) for one in missing[start : start + CHUNKS_AT_ONCE]])
            vectors = embedder.embed([embedding_text(one.title, one) for one in some])
            gathered.put([int(one.id) for one in some], vectors)
            tell(n - len(missing) + start + len(some), n)
    return n
