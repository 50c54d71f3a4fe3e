"""Networks with a planted bug: each is told by its check, in words that name the place."""

from collections.abc import Callable

import pytest
import torch
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.debugging.allowance import Allowance, CannotTellError
from p2_nn_service.debugging.flow import check_flow
from p2_nn_service.debugging.numbers import check_numbers
from p2_nn_service.debugging.overfitting import check_overfitting
from p2_nn_service.debugging.rates import check_rate
from p2_nn_service.debugging.starting import check_start
from p2_nn_service.debugging.subject import Subject
from p2_nn_service.debugging.units import check_units
from p2_nn_service.debugging.updates import check_updates
from p2_nn_service.training.recipe import Recipe
from torch import Tensor, nn
from torch.optim import SGD, Optimizer
from typing_extensions import override

MakeSubject = Callable[..., Subject]


def layers(*inner: nn.Module, n_in: int = 64, width: int = 16) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(n_in, width), *inner, nn.Linear(width, 3))


class Through(nn.Module):
    """A layer that is a function."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


# ------------------------------------------------------------------------------------- the start
def sure_of_itself() -> nn.Module:
    network = layers(nn.ReLU())
    with torch.no_grad():
        network[-1].weight.mul_(40)  # type: ignore[union-attr]
    return network


def test_weights_that_are_drawn_too_large_show_in_the_first_loss(make_subject: MakeSubject) -> None:
    found = check_start(make_subject(sure_of_itself), Allowance())
    assert found.severity == "problem"
    assert found.figures["any_label"] > 1 + found.figures["expected"]
    assert "begins sure, and knows nothing" in found.verdict


def test_a_network_that_was_trained_already_knows_too_much(make_subject: MakeSubject) -> None:
    """The mean of each bar's columns, read off by hand: the answer before any step."""

    def knowing() -> nn.Module:
        network = nn.Sequential(nn.Flatten(), nn.Linear(64, 3))
        with torch.no_grad():
            network[1].weight.zero_()
            for k in range(3):
                columns = network[1].weight[k].view(8, 8)
                columns[:, 1 + 2 * k : 3 + 2 * k] = 0.1
        return network

    found = check_start(make_subject(knowing), Allowance())
    assert found.severity == "warning"
    assert "knows too much" in found.verdict


# ------------------------------------------------------------------------------- gradients' flow
def test_a_layer_that_is_cut_off_is_named(make_subject: MakeSubject) -> None:
    found = check_flow(make_subject(lambda: layers(Through(Tensor.detach), nn.ReLU())), Allowance())
    assert found.severity == "problem"
    assert found.verdict.startswith("No gradient reaches 1:")
    assert "detach()" in found.next


def test_a_frozen_layer_is_named(make_subject: MakeSubject) -> None:
    def frozen() -> nn.Module:
        network = layers(nn.ReLU())
        network[1].requires_grad_(requires_grad=False)  # type: ignore[operator]
        return network

    found = check_flow(make_subject(frozen), Allowance())
    assert found.severity == "warning"
    assert found.verdict.startswith("1 is frozen")


def last_layer_alone(model: nn.Module, recipe: Recipe) -> Optimizer:
    return SGD(list(model.parameters())[-1:], lr=0.1)


def test_what_the_optimiser_does_not_hold_is_named(make_subject: MakeSubject) -> None:
    found = check_flow(make_subject(make_optimiser=last_layer_alone), Allowance())
    assert found.severity == "problem"
    assert "The optimiser does not hold 1.weight, 1.bias, 3.weight" in found.verdict


def test_a_gradient_vanishes_over_thirty_sigmoids(make_subject: MakeSubject) -> None:
    deep = [part for _ in range(30) for part in (nn.Sigmoid(), nn.Linear(16, 16))]
    found = check_flow(make_subject(lambda: layers(*deep)), Allowance())
    assert found.severity == "problem"
    assert "vanishes over 32 layers" in found.verdict
    assert found.figures["first_over_last"] < 1e-5


def test_a_gradient_explodes_over_thirty_large_layers(make_subject: MakeSubject) -> None:
    def exploding() -> nn.Module:
        network = layers(*(nn.Linear(16, 16) for _ in range(30)))
        with torch.no_grad():
            for layer in network[2:-1]:  # type: ignore[index]
                nn.init.normal_(layer.weight, std=0.6)
        return network

    found = check_flow(make_subject(exploding), Allowance())
    assert found.severity == "problem"
    assert "The gradient explodes" in found.verdict


def test_a_gradient_explodes_on_its_way_to_the_first_layers(make_subject: MakeSubject) -> None:
    def exploding() -> nn.Module:
        """Norms keep what goes forward at its size; backward each layer multiplies by 5."""
        steep = [
            part
            for _ in range(12)
            for part in (nn.LayerNorm(16), nn.Linear(16, 16), Through(_five_times_backward))
        ]
        return layers(*steep)

    found = check_flow(make_subject(exploding), Allowance())
    assert found.severity in {"warning", "problem"}
    assert "explodes over 14 layers" in found.verdict


def _five_times_backward(x: Tensor) -> Tensor:
    return x * 5.0 - (x * 4.0).detach()


# ------------------------------------------------------------------------------ a batch by heart
def test_an_optimiser_without_the_weights_cannot_learn_a_batch(make_subject: MakeSubject) -> None:
    found = check_overfitting(make_subject(make_optimiser=last_layer_alone), Allowance())
    assert found.severity == "problem"
    assert "AdamW over all parameters at 0.003 did" in found.verdict


def test_a_network_that_throws_its_input_away_cannot_learn_a_batch(
    make_subject: MakeSubject,
) -> None:
    blind = make_subject(lambda: layers(Through(lambda x: x * 0.0)))
    found = check_overfitting(blind, Allowance())
    assert found.severity == "problem"
    assert "could not be learned by heart in 300 steps" in found.verdict
    assert found.figures["last_loss"] > 1.0


# ----------------------------------------------------------------------------------------- units
def dead() -> nn.Module:
    network = layers(nn.ReLU())
    nn.init.constant_(network[1].bias, -100.0)  # type: ignore[arg-type]
    return network


def test_units_that_never_fire_are_counted(make_subject: MakeSubject) -> None:
    found = check_units(make_subject(dead), Allowance())
    assert found.severity == "problem"
    assert found.verdict == "100% of the 16 units in 2 never fire."


@pytest.mark.parametrize("bend", [nn.Tanh, nn.Sigmoid])
def test_units_that_stand_at_their_end_are_counted(
    make_subject: MakeSubject, bend: Callable[[], nn.Module]
) -> None:
    def saturated() -> nn.Module:
        network = layers(bend())
        with torch.no_grad():
            network[1].weight.mul_(2000)  # type: ignore[union-attr]
        return network

    found = check_units(make_subject(saturated), Allowance())
    assert found.severity == "problem"
    assert "units in 2 are saturated" in found.verdict


def test_the_network_of_a_finished_run_is_looked_at_as_it_is(make_subject: MakeSubject) -> None:
    found = check_units(make_subject(trained=dead()), Allowance())
    assert found.severity == "problem"


# --------------------------------------------------------------------------------------- numbers
@pytest.mark.parametrize(
    ("function", "named"),
    [
        (torch.log, "log in 2, forward: it made NaN of numbers from -"),
        (lambda x: x / torch.relu(-x.abs()), "div in 2, forward: it made"),
        (lambda x: torch.exp(x * 1e4), "exp in 2, forward: it made infinity"),
        (lambda x: torch.sqrt(torch.relu(x) * 0), "sqrt in 2, backward: it made"),
        (lambda x: x.norm(dim=1, keepdim=True) * 0 + torch.sqrt(x - x), "sqrt in 2, backward"),
    ],
    ids=["log of a negative", "division by zero", "exp overflows", "root of zero", "root of none"],
)
def test_the_first_bad_operation_is_named(
    make_subject: MakeSubject, function: Callable[[Tensor], Tensor], named: str
) -> None:
    found = check_numbers(make_subject(lambda: layers(Through(function))), Allowance())
    assert found.severity == "problem"
    assert named in found.verdict
    assert found.figures["step"] == 1


def test_a_mask_of_infinities_is_not_taken_for_the_fault(make_subject: MakeSubject) -> None:
    def masked(x: Tensor) -> Tensor:
        weights = torch.softmax(x.masked_fill(x < 0, -torch.inf).clone(), 1)
        return torch.log(weights - weights.detach() - 1.0)

    found = check_numbers(make_subject(lambda: layers(Through(masked))), Allowance())
    assert ": log in 2, forward" in found.verdict


def test_weights_that_a_rate_drove_away_are_said_to_be_so(make_subject: MakeSubject) -> None:
    subject = make_subject(
        layers, recipe={"learning_rate": 900.0, "optimiser": "sgd", "warm_up": 0.0}
    )
    found = check_numbers(subject, Allowance())
    assert found.severity == "problem"
    assert "the learning rate is too high" in found.next


# ----------------------------------------------------------------------------------------- rates
def test_a_rate_far_too_high_is_told(
    make_subject: MakeSubject, bars: Callable[..., Dataset]
) -> None:
    subject = make_subject(dataset=bars(contrast=25), recipe={"learning_rate": 10.0})
    found = check_rate(subject, Allowance())
    assert found.severity == "problem"
    assert found.verdict.startswith("The rate 10 is too high")
    assert found.figures["suggested"] < 0.5
    assert check_updates(subject, Allowance()).severity == "problem"


def test_a_rate_far_too_low_is_told(make_subject: MakeSubject) -> None:
    subject = make_subject(recipe={"learning_rate": 1e-7})
    found = check_rate(subject, Allowance())
    assert found.severity == "problem"
    assert found.verdict.startswith("The rate 1e-07 is too low")
    assert found.figures["suggested"] > 1e-4
    assert "Raise the learning rate" in check_updates(subject, Allowance()).next


def test_no_rate_is_judged_where_nothing_can_be_learned(make_subject: MakeSubject) -> None:
    blind = make_subject(lambda: layers(Through(lambda x: x * 0.0)))
    with pytest.raises(CannotTellError, match="the loss falls at no rate"):
        check_rate(blind, Allowance())
