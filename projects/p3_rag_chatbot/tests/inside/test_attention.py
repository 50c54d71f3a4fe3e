"""The encoder opened up: the very network that embeds, with its attention."""

import numpy as np
import pytest
from p3_rag_chatbot.errors import RequestError
from p3_rag_chatbot.inside.attention import OpenEncoder
from p3_rag_chatbot.inside.contracts import MAX_ATTENDED


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> OpenEncoder:
    return OpenEncoder.load(tmp_path_factory.mktemp("graphs"))


def test_each_token_shares_out_all_its_attention_in_every_head_of_every_layer(
    encoder: OpenEncoder,
) -> None:
    for layer in range(1, 7):
        found = encoder.attention("The cat slept.", layer)
        weights = np.array(found.weights)
        assert found.tokens == ("[CLS]", "the", "cat", "slept", ".", "[SEP]")
        assert weights.shape == (12, 6, 6)
        assert weights.sum(axis=-1) == pytest.approx(np.ones((12, 6)), abs=1e-3)


def test_the_layers_differ(encoder: OpenEncoder) -> None:
    first, last = (encoder.attention("The cat slept.", layer).weights for layer in (1, 6))
    assert np.abs(np.array(first) - np.array(last)).max() > 0.1


def test_a_long_sentence_is_cut_and_says_so(encoder: OpenEncoder) -> None:
    found = encoder.attention("word " * 100, 1)
    assert found.is_cut
    assert len(found.tokens) == MAX_ATTENDED == len(found.weights[0])
    assert found.tokens[-1] == "[SEP]"


def test_a_layer_that_is_not_there_is_refused(encoder: OpenEncoder) -> None:
    with pytest.raises(RequestError, match="layer"):
        encoder.attention("The cat slept.", 7)


def test_what_spells_a_special_token_is_text(encoder: OpenEncoder) -> None:
    assert [one.text for one in encoder.tokenized("[SEP]").tokens] == ["[", "sep", "]"]
