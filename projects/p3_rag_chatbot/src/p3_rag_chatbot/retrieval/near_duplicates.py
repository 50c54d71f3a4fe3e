"""Passages that say the same again: told by their sketches, the best ranked is kept."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from p3_rag_chatbot.library.sketches import resemblance

ALIKE = 0.8
"""Share of three-word shingles in common from which two passages are near-duplicates."""


def first_of_each(sketches: NDArray[np.uint8], *, alike: float = ALIKE) -> Iterator[int]:
    """Yield the places of those that resemble none before them, in their order (a row each)."""
    kept: list[int] = []
    for place, one in enumerate(sketches):
        if not kept or resemblance(one, sketches[kept]).max() < alike:
            kept.append(place)
            yield place
