"""Maximal marginal relevance (Carbonell and Goldstein, 1998): near the question, not alike."""

import numpy as np
from numpy.typing import NDArray

from p3_rag_chatbot.ports import Vectors


def diverse(
    relevance: NDArray[np.float32], vectors: Vectors, k: int, *, diversity: float
) -> list[int]:
    """Choose k places one after another, each by its relevance less its likeness to those before.

    A place's worth is `(1 - diversity) * relevance - diversity * cosine`, the cosine being that to
    the nearest one chosen; `relevance` is scaled to 0..1 first, `vectors` have length 1.
    """
    if not len(relevance):
        return []
    least, most = float(relevance.min()), float(relevance.max())
    scaled = (relevance - least) / (most - least) if most > least else np.ones_like(relevance)
    nearest = np.zeros(len(scaled), dtype=np.float32)
    is_open = np.ones(len(scaled), dtype=bool)
    chosen: list[int] = []
    while len(chosen) < min(k, len(scaled)):
        worth = np.where(is_open, (1 - diversity) * scaled - diversity * nearest, -np.inf)
        place = int(np.argmax(worth))
        chosen.append(place)
        is_open[place] = False
        nearest = np.maximum(nearest, vectors @ vectors[place])
    return chosen
