"""A part of a collection as it is searched: arrays that never change, saved to a folder once.

What is removed later is masked by who holds the segment (`collection_index.py`). A folder is
written beside its place, synchronised and renamed: it is there whole, or not at all.
"""

import json
import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from common.request_ids import random_id
from numpy.typing import NDArray

from p3_rag_chatbot.errors import CollectionIndexError
from p3_rag_chatbot.library.documents import StoredChunk, StoredDocument
from p3_rag_chatbot.library.sketches import N_PLACES
from p3_rag_chatbot.library.views import as_vectors
from p3_rag_chatbot.ports import Vectors
from p3_rag_chatbot.retrieval import dense
from p3_rag_chatbot.retrieval.bm25 import Bools, Postings, count_terms, merge_postings
from p3_rag_chatbot.retrieval.terms import terms

_ARRAYS = ("chunk_ids", "document_of", "sketches", "starts", "rows", "counts", "lengths")


@dataclass(frozen=True)
class Segment:
    """Row k is a chunk: `chunk_ids[k]`, of `documents[document_of[k]]`.

    `vectors` is the FAISS index of its rows; None where vectors are searched elsewhere, or are not
    there.
    """

    name: str
    documents: Sequence[StoredDocument]
    document_of: NDArray[np.int32]
    chunk_ids: NDArray[np.int64]
    sketches: NDArray[np.uint8]
    postings: Postings
    vectors: faiss.Index | None

    @property
    def n_rows(self) -> int:
        """Number of chunks, those included that were removed later."""
        return len(self.chunk_ids)


def build_segment(
    documents: Iterable[tuple[StoredDocument, Sequence[StoredChunk]]], *, exact_up_to: int | None
) -> Segment:
    """Build a segment of documents; `exact_up_to` as in `dense.build`, None leaves vectors out."""
    of: list[StoredDocument] = []
    owner: list[int] = []
    ids: list[int] = []
    sketches: list[bytes] = []
    vectors: list[bytes] = []

    def counted() -> Iterable[list[str]]:
        for document, chunks in documents:
            of.append(document)
            for chunk in chunks:
                owner.append(len(of) - 1)
                ids.append(chunk.id)
                sketches.append(chunk.sketch)
                if exact_up_to is not None:
                    vectors.append(chunk.vector)
                yield terms(chunk.words)

    postings = count_terms(counted())
    return Segment(
        random_id(64),
        of,
        np.array(owner, dtype=np.int32),
        np.array(ids, dtype=np.int64),
        np.frombuffer(b"".join(sketches), dtype=np.uint8).reshape(-1, N_PLACES),
        postings,
        _index(as_vectors(vectors), exact_up_to),
    )


def merge_segments(
    parts: Sequence[tuple[Segment, Bools]], vectors: Vectors, *, exact_up_to: int | None
) -> Segment:
    """Join segments without the rows that are not alive; `vectors` are of the others, in order."""
    documents: list[StoredDocument] = []
    owners = []
    for segment, alive in parts:
        kept, owner = np.unique(segment.document_of[alive], return_inverse=True)
        owners.append(owner.astype(np.int32) + len(documents))
        documents += [segment.documents[number] for number in kept]
    return Segment(
        random_id(64),
        documents,
        np.concatenate(owners).astype(np.int32),
        np.concatenate([segment.chunk_ids[alive] for segment, alive in parts]),
        np.concatenate([segment.sketches[alive] for segment, alive in parts]),
        merge_postings([(segment.postings, alive) for segment, alive in parts]),
        _index(vectors, exact_up_to),
    )


def _index(vectors: Vectors, exact_up_to: int | None) -> faiss.Index | None:
    return (
        dense.build(vectors, exact_up_to=exact_up_to)
        if exact_up_to is not None and len(vectors)
        else None
    )


# ------------------------------------------------------------------------------------------ on disk
def save_segment(segment: Segment, folder: Path) -> None:
    """Write a segment to `folder/name` unless it is there; raises `CollectionIndexError`."""
    place = folder / segment.name
    if place.is_dir():
        return
    unfinished = folder / f".{segment.name}.{random_id(32)}"
    try:
        unfinished.mkdir(parents=True)
        for name, array in _arrays(segment).items():
            written = BytesIO()  # straight to a file, numpy would not say why it could not
            np.save(written, array, allow_pickle=False)
            (unfinished / f"{name}.npy").write_bytes(written.getbuffer())
        kept = {
            "documents": [[one.id, one.revision, one.fields] for one in segment.documents],
            "terms": list(segment.postings.numbers),
        }
        (unfinished / "segment.json").write_text(json.dumps(kept), encoding="utf-8")
        if segment.vectors is not None:
            dense.write(segment.vectors, unfinished / "vectors.faiss")
        for path in [*unfinished.iterdir(), unfinished]:
            synchronise(path)
        unfinished.rename(place)
    except OSError as error:
        raise CollectionIndexError(
            f"cannot write the index {place}: {error.strerror}; what was there is as it was"
        ) from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def load_segment(place: Path) -> Segment:
    """Read a segment, its arrays mapped into memory; raises `CollectionIndexError` if damaged."""
    try:
        kept = json.loads((place / "segment.json").read_text(encoding="utf-8"))
        arrays = {name: _mapped(place / f"{name}.npy") for name in _ARRAYS}
        vectors = place / "vectors.faiss"
        return Segment(
            place.name,
            [StoredDocument(*one) for one in kept["documents"]],
            arrays["document_of"],
            arrays["chunk_ids"],
            arrays["sketches"],
            Postings(
                {term: k for k, term in enumerate(kept["terms"])},
                arrays["starts"],
                arrays["rows"],
                arrays["counts"],
                arrays["lengths"],
            ),
            dense.read(vectors) if vectors.exists() else None,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CollectionIndexError(f"cannot read the index {place}: {error}") from error


def synchronise(path: Path) -> None:
    """Wait until a file, or a folder's entries, would survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _arrays(segment: Segment) -> dict[str, NDArray[Any]]:
    return {
        name: getattr(segment.postings if hasattr(segment.postings, name) else segment, name)
        for name in _ARRAYS
    }


def _mapped(path: Path) -> NDArray[Any]:
    """Map an array: what is not asked for takes no memory. An empty one cannot be mapped."""
    array = (
        np.load(path, mmap_mode="r", allow_pickle=False)
        if path.stat().st_size > 128
        else np.load(path, allow_pickle=False)
    )
    return array.view(np.ndarray)
