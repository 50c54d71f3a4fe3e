"""The generator out of its file, as it is trained."""

from pathlib import Path

import pytest
import torch
from p3_rag_chatbot.generating.generator_weights import published
from p3_rag_chatbot.settings import Settings
from p3_rag_chatbot.training.generator_network import open_generator


@pytest.mark.slow
def test_the_weights_are_read_without_a_bar_or_a_word(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    network, encode = open_generator(published(Settings(data_dir=tmp_path)))
    assert capfd.readouterr() == ("", "")
    assert {one.dtype for one in network.parameters()} == {torch.float32}
    assert encode("Hello")["input_ids"]
