import pytest
import torch
from p2_nn_service.errors import RecipeError
from p2_nn_service.language.kinds import KINDS
from p2_nn_service.language.networks import build_language
from p2_nn_service.models.building import n_parameters

every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
def test_no_step_sees_what_comes_after_it(kind: str) -> None:
    network = build_language(kind, 7, context=12, n_wanted=7000).eval()
    one = torch.randint(7, (3, 12), generator=torch.Generator().manual_seed(0))
    other = one.clone()
    other[:, 8:] = (other[:, 8:] + 1) % 7
    said, changed = network(one), network(other)
    torch.testing.assert_close(said[:, :8], changed[:, :8])
    assert not torch.allclose(said[:, 8], changed[:, 8])


@every_kind
def test_every_step_sees_all_before_it(kind: str) -> None:
    network = build_language(kind, 7, context=6, n_wanted=7000).eval()
    symbols = torch.zeros(1, 6, dtype=torch.int64)
    other = symbols.clone()
    other[:, 0] = 3
    assert not torch.equal(network(symbols)[:, -1], network(other)[:, -1])


@pytest.mark.parametrize("context", [32, 128])
@pytest.mark.parametrize("n_wanted", [20_000, 200_000])
def test_the_three_are_compared_at_one_size(n_wanted: int, context: int) -> None:
    base = n_parameters(build_language("transformer", 65, context=context, n_wanted=n_wanted))
    for kind in KINDS:
        network = build_language(kind, 65, context=context, n_wanted=base)
        assert n_parameters(network) == pytest.approx(base, rel=0.05)
        same = build_language(kind, 65, context=context, n_wanted=n_parameters(network))
        assert same.width == network.width


@every_kind
def test_weights_are_drawn_from_the_seed_alone(kind: str) -> None:
    before = torch.get_rng_state()
    one, same, other = (
        build_language(kind, 9, context=8, n_wanted=7000, seed=seed).state_dict()
        for seed in (3, 3, 4)
    )
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)
    assert torch.equal(torch.get_rng_state(), before)


def test_what_cannot_be_built_is_refused() -> None:
    with pytest.raises(RecipeError, match="no language network 'gru'; accepted: rnn, lstm"):
        build_language("gru", 9, context=8, n_wanted=7000)
    with pytest.raises(RecipeError, match="reads 5000 different characters"):
        build_language("lstm", 5000, context=8, n_wanted=7000)
    with pytest.raises(RecipeError, match="context is 0"):
        build_language("lstm", 9, context=0, n_wanted=7000)
