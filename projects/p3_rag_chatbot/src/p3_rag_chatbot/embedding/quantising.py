"""Weights in 8 bits, symmetric, each output with a scale of its own.

Jacob et al. 2018 (arXiv:1712.05877), section 2: w is about scale x number. What goes into a product
is brought to 8 bits as it comes, by the runtime; weights here, once. Numbers keep to seven bits:
processors without VNNI add two products in 16 bits, and eight bits of weight would overflow there.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from p3_rag_chatbot.embedding.tensor_files import Tensor

LARGEST = 127
LARGEST_IN_PRODUCT = 63


class Quantised(NamedTuple):
    """Numbers and the scales that they are multiplied with."""

    numbers: NDArray[np.int8]
    scales: Tensor


def quantise_columns(weight: Tensor, largest: int = LARGEST_IN_PRODUCT) -> Quantised:
    """Quantise W (in, out), a scale for each of the (out,) columns."""
    return _quantised(weight, axis=0, largest=largest)


def quantise_rows(weight: Tensor, largest: int = LARGEST) -> Quantised:
    """Quantise a table of vectors (n, d), a scale for each of the (n,) rows."""
    return _quantised(weight, axis=1, largest=largest)


def _quantised(weight: Tensor, axis: int, largest: int) -> Quantised:
    scales = np.abs(weight).max(axis=axis, keepdims=True) / largest
    scales[scales == 0] = 1
    numbers = np.round(weight / scales).astype(np.int8)
    return Quantised(numbers, scales.squeeze(axis).astype(np.float32))
