"""Published sets, where `ROADMAP_DATASETS` names a folder that has them."""

import os
from pathlib import Path

import numpy as np
import pytest
from p2_nn_service import open_dataset
from p2_nn_service.settings import Settings

DATASETS = Path(os.environ.get("ROADMAP_DATASETS", "/nowhere"))
needs_images = pytest.mark.skipif(
    not (DATASETS / "images").is_dir(), reason="ROADMAP_DATASETS names no folder with images/"
)


@needs_images
@pytest.mark.parametrize("name", ["fashion-mnist", "mnist"])
def test_a_published_set_of_images_is_read_whole(name: str) -> None:
    found = open_dataset(name, Settings(ROADMAP_DATASETS=DATASETS))
    assert found.inputs.shape == (60_000, 1, 28, 28)
    assert np.bincount(found.labels).min() > 5000
    assert len(found.classes) == 10
    kept, held_out = found.split(0.1)
    assert len(kept) + len(held_out) == 60_000
    assert len(held_out) == pytest.approx(6_000, abs=5)


SERIES = {
    "BasicMotions": (40, 6, 100),
    "GunPoint": (50, 1, 150),
    "ItalyPowerDemand": (67, 1, 24),
    "JapaneseVowels": (270, 12, 26),
    "OSULeaf": (200, 1, 427),
}


@pytest.mark.skipif(
    not (DATASETS / "series").is_dir(), reason="ROADMAP_DATASETS names no folder with series/"
)
@pytest.mark.parametrize("name", SERIES)
def test_a_published_set_of_series_is_read_whole(name: str) -> None:
    found = open_dataset(DATASETS / "series" / f"{name}_TRAIN.ts")
    assert found.name == name
    assert found.inputs.shape == SERIES[name]
    assert np.isnan(found.inputs).any() == (name == "JapaneseVowels")
    assert not np.isnan(found.inputs[..., 0]).any()
