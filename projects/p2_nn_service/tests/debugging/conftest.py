"""A subject that is learned in a second, of which each part can be replaced by a faulty one."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.debugging.subject import Subject, of_classifier
from p2_nn_service.training.recipe import Recipe
from torch import nn

RECIPE = Recipe(epochs=2, batch_size=32, learning_rate=3e-3, warm_up=0.1)
SHAPE = (1, 8, 8)

MakeSubject = Callable[..., Subject]


def bars(n: int = 400, seed: int = 0, contrast: int = 130) -> Dataset:
    """Three classes of 8 x 8 images: a bright bar on the left, in the middle or at the right."""
    chance = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    images = chance.integers(0, 90, (n, *SHAPE))
    for k, label in enumerate(labels):
        images[k, 0, :, 1 + 2 * label : 3 + 2 * label] += contrast
    return Dataset("bars", images.astype(np.uint8), labels.astype(np.int64), ("l", "m", "r"))


def small() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 3))


@pytest.fixture(name="bars")
def bars_fixture() -> Callable[..., Dataset]:
    return bars


@pytest.fixture
def make_subject() -> MakeSubject:
    """Return a maker of subjects: `network()` builds it, other parts go by their names."""

    def make(
        network: Callable[[], nn.Module] = small, dataset: Dataset | None = None, **parts: Any
    ) -> Subject:
        def seeded(seed: int) -> nn.Module:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                return network()

        recipe = replace(RECIPE, **parts.pop("recipe", {}))
        subject = of_classifier(bars() if dataset is None else dataset, "mlp", recipe)
        return replace(subject, make=seeded, **parts)

    return make
