import pytest
import torch
from p2_nn_service.errors import RecipeError
from p2_nn_service.models.building import PRESETS, build, n_parameters
from p2_nn_service.models.inputs import Task
from p2_nn_service.training.recipe import PRESET_NAMES
from torch.nn import functional

SHAPES = [(1, 28, 28), (3, 9, 13), (1, 5, 4), (1, 31), (3, 7)]

every_preset = pytest.mark.parametrize("preset", PRESETS)


def some(task: Task, n: int = 6) -> torch.Tensor:
    return torch.randn(n, *task.shape, generator=torch.Generator().manual_seed(1))


@every_preset
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_preset_reads_images_and_series_of_odd_shapes(preset: str, shape: tuple) -> None:
    task = Task(shape, 4)
    network = build(preset, task).eval()
    x = some(task)
    features = network.features(x)
    assert features.shape == (6, network.head.in_features)
    assert network(x).shape == (6, 4)
    torch.testing.assert_close(network(x), network.head(features))


@every_preset
def test_a_preset_learns_one_batch_by_heart(preset: str) -> None:
    task = Task((1, 8, 8), 3)
    network = build(preset, task)
    x, labels = some(task, 12), torch.arange(12) % 3
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-2)
    for _ in range(150):
        optimiser.zero_grad()
        loss = functional.cross_entropy(network(x), labels)
        loss.backward()
        optimiser.step()
        if loss < 0.05:
            break
    assert loss < 0.05


@every_preset
def test_weights_are_drawn_from_the_seed_alone(preset: str) -> None:
    task = Task((1, 8, 8), 3)
    before = torch.get_rng_state()
    one, same, other = (build(preset, task, seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)
    assert torch.equal(torch.get_rng_state(), before)


def test_an_unknown_preset_is_refused_with_those_there_are() -> None:
    with pytest.raises(RecipeError, match="no model 'resnet'; accepted: perceptron, mlp, cnn"):
        build("resnet", Task((1, 8, 8), 3))


def test_patches_larger_than_the_image_are_refused() -> None:
    with pytest.raises(RecipeError, match="patches of 4 do not fit"):
        build("transformer-patches", Task((1, 3, 3), 2))


def test_the_names_that_need_no_torch_are_those_that_are_built() -> None:
    assert tuple(PRESETS) == PRESET_NAMES


def test_the_small_cnn_is_small() -> None:
    assert 250_000 < n_parameters(build("cnn", Task((1, 28, 28), 10))) < 320_000
