"""What tests of this project share: one thread, and a data set that is learned in a second."""

import sys

import numpy as np
import pytest
from p2_nn_service.data.datasets import Dataset


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Small tensors on a shared machine: threads would wait for each other longer than they work.

    Also makes sums come in one order, so that equal means equal to the bit.
    """
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


@pytest.fixture(scope="session")
def squares() -> Dataset:
    """Three classes of 8 x 8 images: a bright bar on the left, in the middle or at the right."""
    labels = np.arange(120) % 3
    images = np.random.default_rng(0).integers(0, 90, (120, 1, 8, 8))
    for k, label in enumerate(labels):
        images[k, 0, :, 1 + 2 * label : 3 + 2 * label] += 130
    return Dataset("squares", images.astype(np.uint8), labels.astype(np.int64), ("l", "m", "r"))
