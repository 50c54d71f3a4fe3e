import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from p2_nn_service.errors import DatasetError, RecipeError
from p2_nn_service.language.networks import build_language
from p2_nn_service.language.sampling import continue_text, next_chances

LOGITS = st.lists(st.floats(-8, 8, width=32), min_size=2, max_size=12).map(torch.tensor)


@settings(deadline=None)
@given(LOGITS, st.floats(0.1, 4), st.floats(0.05, 1))
def test_the_fewest_likeliest_with_enough_together_are_kept(
    logits: torch.Tensor, temperature: float, top_p: float
) -> None:
    plain = torch.softmax(logits / temperature, 0)
    chances = next_chances(logits, temperature=temperature, top_p=top_p)
    kept = chances > 0
    assert chances.sum().item() == pytest.approx(1, abs=1e-5)
    assert plain[kept].sum() >= top_p - 1e-4
    assert plain[kept].sum() - plain[kept].min() < top_p + 1e-4, "one fewer would not do"
    assert not (~kept).any() or plain[kept].min() >= plain[~kept].max()
    torch.testing.assert_close(chances[kept], plain[kept] / plain[kept].sum())


@settings(deadline=None)
@given(LOGITS)
def test_without_heat_the_likeliest_is_certain_and_heat_levels(logits: torch.Tensor) -> None:
    cold = next_chances(logits, temperature=0, top_p=0.5)
    assert cold.max() == 1
    assert logits[cold.argmax()] == logits.max()
    warm, hot = (next_chances(logits, temperature=t, top_p=1) for t in (1, 3))
    assert hot.max() <= warm.max() + 1e-6


def test_the_seed_alone_decides_what_is_written() -> None:
    network = build_language("transformer", 5, context=8, n_wanted=3000).eval()

    def write(seed: int) -> str:
        return "".join(continue_text(network, "abcde", "ab", n_characters=40, seed=seed))

    assert write(1) == write(1) != write(2)
    assert len(write(1)) == 40
    assert set(write(1)) <= set("abcde")


def test_what_cannot_be_drawn_is_refused_before_anything_is_written() -> None:
    network = build_language("lstm", 5, context=8, n_wanted=3000)
    with pytest.raises(RecipeError, match="temperature is -1"):
        continue_text(network, "abcde", "a", temperature=-1)
    with pytest.raises(RecipeError, match="top_p is 0"):
        continue_text(network, "abcde", "a", top_p=0)
    with pytest.raises(DatasetError, match="'x' is not in the text"):
        continue_text(network, "abcde", "x")
