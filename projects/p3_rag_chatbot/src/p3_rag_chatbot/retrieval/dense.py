"""Nearest vectors in one segment, by FAISS: exact while small, IVF with 8-bit codes when large.

Exact is a scan of the float16 vectors that the library keeps: 5 to 15 ms for 50,000. Beyond that,
k-means cells of which a share is looked into (Jégou, Douze and Schmid, "Product quantization for
nearest neighbor search", 2011, section IV, with scalar codes). HNSW was measured
beside it (`benchmarks/rag_search.py`): of 100,000 mixtures of real vectors, cells found 0.99 of the
exact first 10 and 0.98 of the first 100, in 41 MB built in 24 s; HNSW (16 links, 256 visited) 0.97
and 0.96, in 53 MB built in 88 s. So it is not offered.
"""

from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from p3_rag_chatbot.errors import CollectionIndexError
from p3_rag_chatbot.ports import Vectors

Bools = NDArray[np.bool_]

SHARE_LOOKED_INTO = 1 / 8
"""Of the cells; recall of the first 100 against exact is 0.98 there."""
VECTORS_A_CELL = 39
"""Fewest to train a cell with: FAISS's own bound."""
TRAINING_ROUNDS = 10
FEW = 5_000
"""Allowed rows up to which they are compared one by one: a filter leaves too few in each cell."""


def build(vectors: Vectors, *, exact_up_to: int) -> faiss.Index:
    """Build the index of some vectors of length 1, row k being vector k; exact up to a number."""
    n_rows, n_dims = vectors.shape
    inner = faiss.METRIC_INNER_PRODUCT
    if n_rows <= max(exact_up_to, VECTORS_A_CELL):
        index = faiss.IndexScalarQuantizer(n_dims, faiss.ScalarQuantizer.QT_fp16, inner)
        index.train(vectors)
        index.add(vectors)
        return index
    n_cells = 1 << min(
        int(4 * np.sqrt(n_rows)).bit_length() - 1, (n_rows // VECTORS_A_CELL).bit_length() - 1
    )
    cells = faiss.IndexFlatIP(n_dims)
    index = faiss.IndexIVFScalarQuantizer(
        cells, n_dims, n_cells, faiss.ScalarQuantizer.QT_8bit, inner
    )
    index.cp.niter = TRAINING_ROUNDS
    chosen = np.random.default_rng(0).permutation(n_rows)[: n_cells * VECTORS_A_CELL]
    index.train(np.ascontiguousarray(vectors[np.sort(chosen)]))
    index.add(vectors)
    index.nprobe = max(1, int(n_cells * SHARE_LOOKED_INTO))
    index.make_direct_map()
    return index


def nearest(
    index: faiss.Index, query: Vectors, allowed: Bools, k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the rows nearest to a vector among those allowed, best first, with their cosines."""
    n_allowed = int(allowed.sum())
    if not n_allowed or not k:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    is_cells = isinstance(index, faiss.IndexIVF)
    if is_cells and n_allowed <= FEW:
        return _one_by_one(index, query, np.flatnonzero(allowed), k)
    parameters: Any = faiss.SearchParametersIVF() if is_cells else faiss.SearchParameters()
    if is_cells:
        parameters.nprobe = index.nprobe
    if n_allowed < len(allowed):
        bits: Any = faiss.IDSelectorBitmap  # takes an array, against what its stub says
        selector = bits(np.packbits(allowed, bitorder="little"))
        parameters.sel = selector
    cosines, rows = index.search(query[None], min(k, n_allowed), params=parameters)
    is_found = rows[0] >= 0
    return rows[0][is_found], cosines[0][is_found]


def vectors_of(index: faiss.Index, rows: NDArray[np.int64]) -> Vectors:
    """Return vectors as the index holds them: to 16 bits, or to 8."""
    return index.reconstruct_batch(np.ascontiguousarray(rows, dtype=np.int64))


def write(index: faiss.Index, path: Path) -> None:
    """Write an index to a file; raises `CollectionIndexError`, a full disk included."""
    try:
        path.write_bytes(faiss.serialize_index(index).tobytes())
    except OSError as error:
        raise CollectionIndexError(f"cannot write {path}: {error.strerror}") from error


def read(path: Path) -> faiss.Index:
    """Read an index from a file; raises `CollectionIndexError` for one that is damaged."""
    try:
        index = faiss.read_index(str(path))
    except RuntimeError as error:
        raise CollectionIndexError(f"cannot read {path}: it is damaged") from error
    if isinstance(index, faiss.IndexIVF):
        index.make_direct_map()
    return index


def _one_by_one(
    index: faiss.Index, query: Vectors, rows: NDArray[np.int64], k: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    cosines = vectors_of(index, rows) @ query
    best = np.argsort(-cosines, kind="stable")[:k]
    return rows[best], cosines[best]
