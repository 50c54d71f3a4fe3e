"""The parts of training, each against its formula or its invariant."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from p2_nn_service.errors import RecipeError
from p2_nn_service.training.augmenting import find_augmentations
from p2_nn_service.training.averaging import WeightAverage
from p2_nn_service.training.chance import generator_of, seed_of
from p2_nn_service.training.examples import Scaling, classification
from p2_nn_service.training.optimisers import make_optimiser, orthogonal
from p2_nn_service.training.recipe import AUGMENTATIONS, Recipe
from p2_nn_service.training.schedules import rate_factor, set_rate
from torch import nn

SCHEDULES = ["constant", "linear", "cosine", "one_cycle"]


@pytest.mark.parametrize(("optimiser", "rate"), [("sgd", 0.05), ("adamw", 0.1), ("muon", 0.1)])
def test_an_optimiser_finds_the_bottom_of_a_bowl(optimiser: str, rate: float) -> None:
    aim = torch.randn(6, 4, generator=generator_of(1))
    model = nn.Linear(4, 6)
    recipe = Recipe(optimiser=optimiser, learning_rate=rate, rest_learning_rate=0.1)
    stepper = make_optimiser(model, recipe)
    for step in range(300):
        set_rate(stepper, recipe, step, 300)
        stepper.zero_grad()
        distance = ((model.weight - aim) ** 2).sum() + ((model.bias - 1) ** 2).sum()
        distance.backward()
        stepper.step()
    assert distance < 1e-2


@pytest.mark.parametrize(("optimiser", "left"), [("sgd", 0.905), ("adamw", 0.95), ("muon", 0.95)])
def test_decay_shrinks_matrices_and_never_vectors(optimiser: str, left: float) -> None:
    """SGD's goes through Nesterov's momentum: 1.9 times the rate."""
    model = nn.Linear(3, 3)
    weight, bias = (p.detach().clone() for p in model.parameters())
    recipe = Recipe(optimiser=optimiser, weight_decay=0.5, learning_rate=0.1)
    stepper = make_optimiser(model, recipe)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    stepper.step()
    torch.testing.assert_close(model.weight, weight * left)
    assert torch.equal(model.bias, bias)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 5))
def test_a_matrix_made_orthogonal_stretches_all_directions_alike(m: int, n: int, seed: int) -> None:
    made = orthogonal(torch.randn(m, n, generator=generator_of(seed)), n_rounds=12)
    largest = torch.linalg.svdvals(made)[0]
    assert 0.6 < largest < 1.3
    assert made.shape == (m, n)


@pytest.mark.parametrize("schedule", SCHEDULES)
@given(warm_up=st.floats(0, 0.9), share=st.floats(0, 1))
def test_a_rate_never_leaves_its_range(schedule: str, warm_up: float, share: float) -> None:
    assert 0 <= rate_factor(schedule, warm_up, share) <= 1


@pytest.mark.parametrize(
    ("schedule", "first", "last"),
    [("constant", 0, 1), ("linear", 0, 0), ("cosine", 0, 0), ("one_cycle", 0.04, 1e-4)],
)
def test_a_schedule_starts_peaks_and_ends_where_it_says(
    schedule: str, first: float, last: float
) -> None:
    assert rate_factor(schedule, 0.25, 0.0) == pytest.approx(first)
    assert rate_factor(schedule, 0.25, 0.25) == pytest.approx(1.0)
    assert rate_factor(schedule, 0.25, 1.0) == pytest.approx(last)


def test_averaged_weights_follow_their_formula() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 4.0)
    average, expected = WeightAverage(model, decay=0.5), 4.0
    for step, weight in enumerate((1.0, 2.0, 7.0, 3.0, 8.0, 1.0, 0.0, 5.0, 2.0), start=1):
        nn.init.constant_(model.weight, weight)
        average.update(model, step)
        keep = min(0.5, (1 + step) / (10 + step))
        expected = keep * expected + (1 - keep) * weight
        assert average.model.weight.item() == pytest.approx(expected)


@pytest.mark.parametrize("name", AUGMENTATIONS)
@given(n=st.integers(1, 5), height=st.integers(1, 9), width=st.integers(1, 9))
def test_an_augmentation_keeps_shape_and_makes_no_value_from_nowhere(
    name: str, n: int, height: int, width: int
) -> None:
    (change,) = find_augmentations((name,), is_images=True)
    x = 3 * torch.rand(n, 2, height, width, generator=generator_of(n, height, width)) - 1
    once, again = (change(x.clone(), generator_of(7)) for _ in range(2))
    assert torch.equal(once, again)
    assert once.shape == x.shape
    if name != "noise":
        lowest, highest = min(x.min().item(), 0.0), max(x.max().item(), 0.0)
        assert lowest - 1e-5 <= once.min()
        assert once.max() <= highest + 1e-5


def test_some_images_are_mirrored_and_none_is_anything_else() -> None:
    (flip,) = find_augmentations(("flip",), is_images=True)
    x = torch.arange(64 * 6.0).view(64, 1, 2, 3)
    flipped = flip(x, generator_of(0))
    is_same = (flipped == x).flatten(1).all(1)
    is_mirrored = (flipped == x.flip(-1)).flatten(1).all(1)
    assert (is_same ^ is_mirrored).all()
    assert 16 < is_mirrored.sum() < 48


def test_series_are_not_flipped() -> None:
    with pytest.raises(RecipeError, match="'flip'; series have shift, cutout, noise"):
        find_augmentations(("flip",), is_images=False)


def test_smoothed_labels_follow_szegedy() -> None:
    logits = torch.randn(5, 4, generator=generator_of(3))
    labels = torch.tensor([0, 1, 2, 3, 0])
    target = 0.9 * nn.functional.one_hot(labels, 4) + 0.1 / 4
    expected = -(target * logits.log_softmax(1)).sum(1).mean()
    objective = classification(0.1)
    torch.testing.assert_close(objective(nn.Identity(), (logits, labels)), expected)


def test_what_a_series_lacks_becomes_the_mean() -> None:
    series = torch.tensor([[[1.0, 3.0, math.nan]]])
    scaled = Scaling((2.0,), (2.0,)).apply(series)
    assert scaled.tolist() == [[[-0.5, 0.5, 0.0]]]


def test_seeds_of_near_numbers_differ() -> None:
    seeds = {seed_of(seed, epoch, k) for seed in range(5) for epoch in range(5) for k in range(5)}
    assert len(seeds) == 125


def test_a_recipe_is_read_back_from_its_text() -> None:
    recipe = Recipe(augment=("flip", "noise"), channels_last=False, learning_rate=0.3, patience=2)
    assert Recipe.from_text(recipe.as_text()) == recipe


@pytest.mark.parametrize(
    ("field", "value", "accepted"),
    [
        ("epochs", 0, "1 or more"),
        ("learning_rate", 0.0, "above 0"),
        ("learning_rate", math.nan, "above 0"),
        ("average_decay", 1.0, "0 to below 1"),
        ("schedule", "sine", "constant, linear, cosine, one_cycle"),
        ("clip_norm", -1.0, "0 or more"),
    ],
)
def test_what_no_recipe_can_be_is_refused(field: str, value: object, accepted: str) -> None:
    with pytest.raises(RecipeError, match=f"{field} is {value}; accepted: {accepted}"):
        Recipe(**{field: value})
