"""Texts that are learned in a second."""

import pytest
from p2_nn_service.language.texts import Text

LINE = "a quick brown fox jumps over the lazy dog; "


@pytest.fixture
def line() -> Text:
    """One line over and over: whoever has learned it is sure of every next character."""
    return Text.of("line", LINE * 60)
