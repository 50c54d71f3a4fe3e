import subprocess
import sys

import numpy as np
import p0_foundations as p0
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from p2_nn_service.api import create_app
from p2_nn_service.backprop import all_graphs, backprop_graph, draw_numbers
from p2_nn_service.backprop_routes import read_graphs
from p2_nn_service.contracts import Activation, BackpropGraph, SmallLoss
from p2_nn_service.settings import Settings

NUMBER = st.floats(-3, 3, allow_nan=False)
NAMES = [name for name in draw_numbers(0) if not name.startswith("t")]


def numbers(values: list[float], truth: int) -> dict[str, float]:
    drawn = dict(zip(NAMES, values, strict=True))
    return drawn | {"t0": float(truth == 0), "t1": float(truth == 1)}


any_numbers = st.builds(
    numbers, st.lists(NUMBER, min_size=len(NAMES), max_size=len(NAMES)), st.integers(0, 1)
)
every_kind = pytest.mark.parametrize("activation", ["tanh", "relu"])
every_loss = pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])


@every_kind
@every_loss
@given(given_numbers=any_numbers)
@settings(max_examples=30, deadline=None)
def test_phase_0_and_torch_find_the_same_gradient_at_every_node(
    given_numbers: dict[str, float], activation: Activation, loss: SmallLoss
) -> None:
    made = backprop_graph(given_numbers, activation=activation, loss=loss)
    for node in made.nodes:
        assert node.gradient == pytest.approx(node.torch_gradient, rel=1e-6, abs=1e-6), node.id


@every_kind
@every_loss
@given(given_numbers=any_numbers)
@settings(max_examples=30, deadline=None)
def test_the_chain_rule_holds_at_every_node(
    given_numbers: dict[str, float], activation: Activation, loss: SmallLoss
) -> None:
    """A node's gradient is the sum of gradient times derivative over the nodes it goes into."""
    made = backprop_graph(given_numbers, activation=activation, loss=loss)
    arrived = {node.id: 0.0 for node in made.nodes} | {"loss": 1.0}
    for node in reversed(made.nodes):
        for one in node.local:
            arrived[one.to] += node.gradient * one.derivative
    for node in made.nodes:
        assert node.gradient == pytest.approx(arrived[node.id], rel=1e-6, abs=1e-6), node.id


@every_kind
@every_loss
def test_the_loss_is_what_a_formula_says(activation: Activation, loss: SmallLoss) -> None:
    drawn = draw_numbers(1)

    def matrix(letter: str) -> np.ndarray:
        return np.array([[drawn[f"{letter}{k}{i}"] for i in range(2)] for k in range(2)])

    def vector(letter: str) -> np.ndarray:
        return np.array([drawn[f"{letter}{k}"] for k in range(2)])

    bend = np.tanh if activation == "tanh" else lambda a: np.maximum(a, 0)
    scores = matrix("v") @ bend(matrix("w") @ vector("x") + vector("b")) + vector("c")
    target = vector("t")
    if loss == "cross_entropy":
        expected = np.log(np.exp(scores).sum()) - scores @ target
    else:
        expected = ((scores - target) ** 2).sum()
    made = backprop_graph(drawn, activation=activation, loss=loss)
    assert made.loss == pytest.approx(expected)


@pytest.mark.parametrize("made", read_graphs().graphs, ids=lambda one: f"{one.activation}")
def test_a_graph_can_be_drawn_from_left_to_right(made: BackpropGraph) -> None:
    place = {node.id: k for k, node in enumerate(made.nodes)}
    layer = {node.id: node.layer for node in made.nodes}
    for node in made.nodes:
        assert all(place[one] < place[node.id] for one in node.inputs), "inputs come before"
        assert all(layer[one] < node.layer for one in node.inputs), "and stand further left"
        assert [one.to for one in node.local] == list(node.inputs)
    assert made.nodes[-1].id == "loss"
    assert made.nodes[-1].gradient == 1.0


def test_the_graph_has_the_operations_that_phase_0_remembers() -> None:
    x = p0.Tensor(0.5)
    walked = p0.graph(p0.tanh(x * 2.0 + 1.0))
    assert [node.op for node in walked.nodes if node.op not in {"leaf", "constant"}] == [
        "multiply",
        "add",
        "tanh",
    ]


def test_the_committed_file_is_what_the_code_makes() -> None:
    made, kept = all_graphs(), read_graphs()
    assert len(made.graphs) == len(kept.graphs) == 12
    for ours, theirs in zip(made.graphs, kept.graphs, strict=True):
        assert (ours.seed, ours.activation, ours.loss_kind) == (
            theirs.seed,
            theirs.activation,
            theirs.loss_kind,
        )
        for a, b in zip(ours.nodes, theirs.nodes, strict=True):
            assert (a.id, a.op, a.inputs) == (b.id, b.op, b.inputs)
            assert (a.value, a.gradient) == pytest.approx((b.value, b.gradient), abs=1e-7)


def test_a_variation_is_served_and_an_unknown_one_is_refused() -> None:
    with TestClient(create_app(Settings())) as client:
        found = client.get("/v1/backprop", params={"seed": 2, "activation": "relu"})
        assert found.status_code == 200
        assert (found.json()["seed"], found.json()["activation"]) == (2, "relu")
        assert client.get("/v1/backprop", params={"seed": 3}).status_code == 422
        assert client.get("/v1/backprop", params={"activation": "sine"}).status_code == 422


def test_serving_it_loads_neither_torch_nor_phase_0() -> None:
    code = (
        "import sys, p2_nn_service.backprop_routes as r; r.read_graphs(); "
        "print(sorted({'torch', 'pandas', 'p0_foundations'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
