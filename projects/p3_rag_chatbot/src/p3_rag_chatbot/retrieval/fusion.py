"""Two rankings into one: a blend of scores, each brought to 0..1 over its own candidates.

Every list of candidates is scaled by its own best and worst ("relative score fusion"). nDCG@10 on
CACM and NPL (float vectors): BM25 47.4 and 43.9, vectors 38.6 and 43.3, this blend 54.3 and 50.2;
reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009), which forgets how far ahead the first
is, 53.3 and 49.3. The weight was chosen on CACM and confirmed on NPL (`benchmarks/rag_quality.py`).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
DENSE_WEIGHT = 0.5
DEPTH = 1_000
"""Candidates that each side brings: what is scaled by, so a short list would spread its ends."""


def blend(
    parts: Sequence[tuple[float, NDArray[np.int64], Floats]], ids: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Floats]:
    """Blend weighted rankings, each of rows with their scores; returns every row of them once.

    The best stands first; rows with equal scores stand in the order of their `ids`.
    """
    rows = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *(part[1] for part in parts)]))
    blended = np.zeros(len(rows), dtype=np.float32)
    for weight, found, scores in parts:
        if not len(found):
            continue
        least, most = float(scores.min()), float(scores.max())
        scaled = (scores - least) / (most - least) if most > least else np.ones_like(scores)
        blended[np.searchsorted(rows, found)] += np.float32(weight) * scaled
    order = np.lexsort((ids[rows], -blended))
    return rows[order], blended[order]


def best(scores: Floats, k: int, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows of the k highest scores above 0, best first; equal ones by their ids."""
    if k < len(scores):
        rows = np.argpartition(-scores, k)[:k] if k else np.zeros(0, dtype=np.int64)
    else:
        rows = np.arange(len(scores))
    rows = rows[scores[rows] > 0]
    return rows[np.lexsort((ids[rows], -scores[rows]))].astype(np.int64)
