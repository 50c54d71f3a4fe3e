"""Another model's vectors for documents that are kept: their texts are embedded anew.

A collection keeps the texts of its chunks, so that it needs no files for this. All vectors are
replaced in one transaction; whatever ends it before leaves the collection as it was.
"""

import threading
from collections.abc import Callable

import numpy as np

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

    `tell` hears how many chunks of how many are embedded. Raises `CollectionIndexError` where the
    collection is changed meanwhile.
    """
    with library.view(collection) as view:
        ids = [chunk for chunk, _ in view.chunks()]
    vectors = np.zeros((len(ids), embedder.n_dims), dtype=np.float32)
    for start in range(0, len(ids), CHUNKS_AT_ONCE):
        if stop is not None and stop.is_set():
            return 0
        some = library.passages([str(one) for one in ids[start : start + CHUNKS_AT_ONCE]])
        texts = [embedding_text(one.title, one) for one in some]
        vectors[start : start + len(texts)] = embedder.embed(texts)
        tell(start + len(texts), len(ids))
    library.replace_vectors(view, ids, vectors, embedder.name)
    return len(ids)
