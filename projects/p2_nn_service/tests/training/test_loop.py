"""The loop, with a network and batches that are small enough to reason about."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.models.building import build
from p2_nn_service.models.inputs import Task
from p2_nn_service.settings import Settings
from p2_nn_service.training.classifying import train_classifier
from p2_nn_service.training.examples import classification
from p2_nn_service.training.loop import Batch, Fitted, fit
from p2_nn_service.training.recipe import Recipe
from p2_nn_service.training.watching import Watcher
from torch import nn

TASK = Task((1, 8, 8), 3)


class Fixed:
    """The same examples in every epoch, in batches of a size."""

    def __init__(self, size: int, n: int = 24) -> None:
        self.x = torch.randn(n, 1, 8, 8, generator=torch.Generator().manual_seed(5))
        self.size, self.labels = size, torch.arange(n) % 3

    def n_batches(self) -> int:
        return len(self.x) // self.size

    def epoch(self, epoch: int, *, start: int = 0) -> Iterator[Batch]:
        parts = zip(self.x.split(self.size), self.labels.split(self.size), strict=True)
        yield from list(parts)[start:]


def fitted(size: int, recipe: Recipe, **more: object) -> Fitted:
    model = build("perceptron", TASK)
    return fit(model, Fixed(size), classification(), recipe, **more)


def test_three_passes_make_the_step_of_one_three_times_larger() -> None:
    many = Recipe(epochs=4, optimiser="sgd", learning_rate=0.1, accumulate=3, precision="fp32")
    one = Recipe(epochs=4, optimiser="sgd", learning_rate=0.1, precision="fp32")
    several, large = fitted(4, many), fitted(12, one)
    assert several.record.step == large.record.step == 8
    for ours, theirs in zip(several.model.parameters(), large.model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_the_same_seed_gives_the_same_bits_whoever_looks_on(
    squares: Dataset, tmp_path: Path
) -> None:
    class Curious(Watcher):
        def stepped(self, step: int, loss: float, model: nn.Module, optimiser: object) -> None:
            torch.rand(7)

    recipe = Recipe(epochs=1, batch_size=20, augment=("noise",), precision="fp32")
    settings = Settings(data_dir=tmp_path)
    before = torch.get_rng_state()
    one, same = (
        train_classifier(squares, "mlp", recipe, settings=settings, sinks=sinks).network
        for sinks in ([], [Curious()])
    )
    assert torch.equal(torch.get_rng_state(), before)
    for ours, theirs in zip(one.parameters(), same.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def test_it_stops_when_nothing_gets_better_and_returns_the_best_weights() -> None:
    scores = iter([0.5, 0.9, 0.8, 0.7, 0.6])
    seen: list[torch.Tensor] = []

    def evaluate(model: nn.Module) -> dict[str, float]:
        seen.append(next(model.parameters()).clone())
        return {"held_out_accuracy": next(scores)}

    found = fitted(12, Recipe(epochs=5, patience=2, precision="fp32"), evaluate=evaluate)
    assert (found.record.epoch, found.record.reason) == (
        4, "no better held_out_accuracy in 2 epochs",
    )  # fmt: skip
    assert torch.equal(next(found.model.parameters()), seen[1])


def test_of_a_loss_the_lowest_is_best() -> None:
    losses = iter([3.0, 1.0, 2.0, 2.5])
    found = fitted(
        12, Recipe(epochs=4, patience=2, precision="fp32"), judged_by="held_out_loss",
        evaluate=lambda model: {"held_out_loss": next(losses)},
    )  # fmt: skip
    assert found.record.epoch == 4
    assert found.record.reason == "no better held_out_loss in 2 epochs"


def test_a_longest_gradient_is_kept_to() -> None:
    norms: list[float] = []

    class Norms(Watcher):
        def stepped(self, step: int, loss: float, model: nn.Module, optimiser: object) -> None:
            gradients = [p.grad for p in model.parameters() if p.grad is not None]
            norms.append(nn.utils.get_total_norm(gradients).item())

    fitted(12, Recipe(epochs=2, clip_norm=0.01, precision="fp32"), watchers=[Norms()])
    assert max(norms) == pytest.approx(0.01, rel=1e-3)


def test_bf16_learns_what_fp32_learns(squares: Dataset, tmp_path: Path) -> None:
    recipe = Recipe(epochs=8, batch_size=18, learning_rate=0.01, precision="bf16")
    settings = Settings(data_dir=tmp_path)
    run = train_classifier(squares, "cnn", recipe, settings=settings)
    assert run.record.precision == "bf16"
    assert run.record.metrics["held_out_accuracy"] == 1.0
    assert all(p.dtype is torch.float32 for p in run.network.parameters())


def test_small_images_come_first_and_whole_ones_last(squares: Dataset, tmp_path: Path) -> None:
    recipe = Recipe(epochs=4, batch_size=27, small_first=0.5, precision="fp32")
    run = train_classifier(squares, "cnn", recipe, settings=Settings(data_dir=tmp_path))
    from p2_nn_service.training.examples import ExampleBatches

    batches = ExampleBatches(run.training, run.scaling, recipe, torch.device("cpu"))
    sides = [x.shape[-1] for epoch in range(4) for x, _ in batches.epoch(epoch)]
    assert sides == [6] * 8 + [8] * 8
