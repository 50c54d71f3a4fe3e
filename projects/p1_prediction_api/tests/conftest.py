"""One trained run for the whole package: training takes seconds, tests ask it many things."""

import pytest
from p1_prediction_api.example_data import TARGET, example_table
from p1_prediction_api.settings import Settings
from p1_prediction_api.training import TrainingRun, train


@pytest.fixture(scope="session")
def cancer_run() -> TrainingRun:
    return train(example_table(), target=TARGET, minutes=0.05)


@pytest.fixture
def settings() -> Settings:
    """Settings with a data directory of the test's own, that looks for swaps often."""
    return Settings(poll_s=0.02, train_on_first_start=False)
