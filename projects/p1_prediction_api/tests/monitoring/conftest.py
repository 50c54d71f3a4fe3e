"""The world of these tests, learned once."""

import numpy as np
import pytest
from p1_prediction_api.monitoring.assessing import Thresholds

from tests.support.world import World, make_world


@pytest.fixture(scope="session")
def world() -> World:
    return make_world(np.random.default_rng(0), 4_000)


@pytest.fixture
def thresholds() -> Thresholds:
    """The defaults of the settings."""
    return Thresholds(100, 0.01, 0.1, 0.25, 0.05, 0.2)
