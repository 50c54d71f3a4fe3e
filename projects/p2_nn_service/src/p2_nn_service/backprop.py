"""Backpropagation seen: a small network as a graph, with value and gradient at every node.

One function writes the network down, operation by operation; it is run by phase 0's autodiff and by
torch, and both gradients stand at each node. The local derivatives are written here by hand, so
that the chain rule can be checked on paper: a node's gradient is the sum, over the nodes it goes
into, of their gradient times their derivative in it (Rumelhart, Hinton and Williams 1986).

`python -m p2_nn_service.backprop` writes the variations to `web/backprop.json`, which is served:
what serves has neither torch nor phase 0.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import p0_foundations as p0
import torch

from p2_nn_service.contracts import (
    N_SMALL_NETWORKS,
    Activation,
    BackpropGraph,
    BackpropGraphs,
    BackpropNode,
    LocalDerivative,
    SmallLoss,
)

FILE = Path(__file__).parent / "web" / "backprop.json"
N_INPUTS, N_HIDDEN, N_OUTPUTS = 2, 2, 2
Engine = Mapping[str, Callable[..., Any]]
_ARITHMETIC: Engine = {
    "add": operator.add, "subtract": operator.sub, "multiply": operator.mul,
}  # fmt: skip
P0: Engine = {
    **_ARITHMETIC, "exp": p0.exp, "log": p0.log, "tanh": p0.tanh, "relu": p0.relu,
}  # fmt: skip
TORCH: Engine = {
    **_ARITHMETIC, "exp": torch.exp, "log": torch.log, "tanh": torch.tanh, "relu": torch.relu,
}  # fmt: skip

_DERIVATIVES: Mapping[str, Callable[[float, Sequence[float]], tuple[float, ...]]] = {
    "add": lambda _out, _of: (1.0, 1.0),
    "subtract": lambda _out, _of: (1.0, -1.0),
    "multiply": lambda _out, of: (of[1], of[0]),
    "exp": lambda out, _of: (out,),
    "log": lambda _out, of: (1 / of[0],),
    "tanh": lambda out, _of: (1 - out * out,),
    "relu": lambda _out, of: (float(of[0] > 0),),
}
"""Of each operation in each operand: (output, operands) to one number for each operand."""


@dataclass(frozen=True)
class _Made:
    """A node as it was written down, with what an engine made of it."""

    label: str
    op: str
    layer: int
    inputs: tuple[str, ...]
    result: Any


class _Sheet:
    """What a network is written down on: every value is a node with an id, in order."""

    def __init__(self, engine: Engine, leaf: Callable[[float], Any]) -> None:
        self._engine, self._leaf = engine, leaf
        self.nodes: dict[str, _Made] = {}

    def given(self, name: str, label: str, value: float, layer: int, op: str) -> str:
        """Write down a number that is given: an input, a weight or a target."""
        self.nodes[name] = _Made(label, op, layer, (), self._leaf(value))
        return name

    def make(self, op: str, name: str, label: str, *inputs: str) -> str:
        """Write down an operation on nodes; it stands one layer after the last of them."""
        operands = [self.nodes[one] for one in inputs]
        result = self._engine[op](*(one.result for one in operands))
        if hasattr(result, "retain_grad"):
            result.retain_grad()
        layer = 1 + max(one.layer for one in operands)
        self.nodes[name] = _Made(label, op, layer, inputs, result)
        return name


def backprop_graph(
    numbers: Mapping[str, float], *, activation: Activation = "tanh", loss: SmallLoss
) -> BackpropGraph:
    """Run the network forward and backward in both engines.

    `numbers` are what `draw_numbers` returns: inputs, targets (one of the classes with 1), weights.
    """
    ours = _Sheet(P0, p0.Tensor)
    theirs = _Sheet(
        TORCH, lambda value: torch.tensor(value, dtype=torch.float64, requires_grad=True)
    )
    for sheet in (ours, theirs):
        last = _write_network(sheet, numbers, activation, loss)
        sheet.nodes[last].result.backward()
    nodes = tuple(_node(name, ours.nodes, theirs.nodes[name].result) for name in ours.nodes)
    return BackpropGraph(
        activation=activation,
        loss_kind=loss,
        inputs={name: numbers[name] for name in numbers if name.startswith(("x", "t"))},
        loss=ours.nodes[last].result.item(),
        nodes=nodes,
    )


def draw_numbers(seed: int) -> dict[str, float]:
    """Draw inputs, targets and weights, rounded so that a person can follow by hand."""
    chance = np.random.default_rng(seed)
    names = [
        *(f"w{k}{i}" for k in range(N_HIDDEN) for i in range(N_INPUTS)),
        *(f"b{k}" for k in range(N_HIDDEN)),
        *(f"v{k}{i}" for k in range(N_OUTPUTS) for i in range(N_HIDDEN)),
        *(f"c{k}" for k in range(N_OUTPUTS)),
        *(f"x{i}" for i in range(N_INPUTS)),
    ]
    drawn = {name: round(float(chance.uniform(-1, 1)), 2) for name in names}
    truth = seed % N_OUTPUTS
    return drawn | {f"t{k}": float(k == truth) for k in range(N_OUTPUTS)}


def all_graphs() -> BackpropGraphs:
    """Make every variation that is served."""
    graphs = [
        backprop_graph(draw_numbers(seed), activation=activation, loss=loss).model_copy(
            update={"seed": seed}
        )
        for activation in get_args(Activation)
        for loss in get_args(SmallLoss)
        for seed in range(N_SMALL_NETWORKS)
    ]
    return BackpropGraphs(graphs=tuple(graphs))


def _write_network(
    sheet: _Sheet, numbers: Mapping[str, float], activation: Activation, loss: SmallLoss
) -> str:
    """Write down the whole network; returns the id of the loss."""
    inputs = [sheet.given(f"x{i}", f"x{i + 1}", numbers[f"x{i}"], 0, "input") for i in range(2)]
    hidden = [
        sheet.make(
            activation, f"h{k}", f"h{k + 1}",
            _weighted_sum(sheet, numbers, f"a{k}", ("w", "b"), inputs),
        )
        for k in range(N_HIDDEN)
    ]  # fmt: skip
    scores = [_weighted_sum(sheet, numbers, f"z{k}", ("v", "c"), hidden) for k in range(N_OUTPUTS)]
    targets = [
        sheet.given(f"t{k}", f"target {k + 1}", numbers[f"t{k}"], 0, "target")
        for k in range(N_OUTPUTS)
    ]
    if loss == "cross_entropy":
        return _cross_entropy(sheet, scores, targets)
    return _squared_error(sheet, scores, targets)


def _weighted_sum(
    sheet: _Sheet,
    numbers: Mapping[str, float],
    name: str,
    letters: tuple[str, str],
    inputs: list[str],
) -> str:
    """Write down `sum of weight * input, plus bias`, one operation at a time."""
    weight, bias = letters
    k, n = name[1:], int(name[1:]) + 1
    layer = max(sheet.nodes[one].layer for one in inputs)
    terms = []
    for i, one in enumerate(inputs):
        own = f"{weight}{k}{i}"
        sheet.given(own, f"{weight}{n}{i + 1}", numbers[own], layer, "weight")
        label = f"{weight}{n}{i + 1}·{sheet.nodes[one].label}"
        terms.append(sheet.make("multiply", f"{name}.{i}", label, own, one))
    total = terms[0]
    for i, term in enumerate(terms[1:]):
        total = sheet.make("add", f"{name}.sum{i}", "+", total, term)
    own = sheet.given(f"{bias}{k}", f"{bias}{n}", numbers[f"{bias}{k}"], layer, "weight")
    return sheet.make("add", name, f"{name[0]}{n}", total, own)


def _cross_entropy(sheet: _Sheet, scores: list[str], targets: list[str]) -> str:
    """Write down `log(sum of exp(score)) - score of the truth`: minus log softmax."""
    powers = [sheet.make("exp", f"e{k}", f"exp z{k + 1}", score) for k, score in enumerate(scores)]
    total = sheet.make("add", "sum", "+", *powers)
    picked = [
        sheet.make("multiply", f"p{k}", f"target {k + 1}·z{k + 1}", target, score)
        for k, (target, score) in enumerate(zip(targets, scores, strict=True))
    ]
    truth = sheet.make("add", "truth", "score of the truth", *picked)
    return sheet.make("subtract", "loss", "loss", sheet.make("log", "log", "log", total), truth)


def _squared_error(sheet: _Sheet, scores: list[str], targets: list[str]) -> str:
    """Write down `sum of (score - target)^2`."""
    squares = []
    for k, (score, target) in enumerate(zip(scores, targets, strict=True)):
        gap = sheet.make("subtract", f"d{k}", f"z{k + 1} - target", score, target)
        squares.append(sheet.make("multiply", f"q{k}", "squared", gap, gap))
    return sheet.make("add", "loss", "loss", *squares)


def _node(name: str, nodes: Mapping[str, _Made], twin: torch.Tensor) -> BackpropNode:
    made = nodes[name]
    value = made.result.item()
    local: tuple[LocalDerivative, ...] = ()
    if made.inputs:
        operands = [nodes[one].result.item() for one in made.inputs]
        found = _DERIVATIVES[made.op](value, operands)
        local = tuple(
            LocalDerivative(to=to, derivative=_rounded(one))
            for to, one in zip(made.inputs, found, strict=True)
        )
    gradient = made.result.grad
    return BackpropNode(
        id=name,
        label=made.label,
        op=made.op,
        layer=made.layer,
        value=_rounded(value),
        gradient=_rounded(0.0 if gradient is None else float(gradient)),
        torch_gradient=_rounded(0.0 if twin.grad is None else twin.grad.item()),
        inputs=made.inputs,
        local=local,
    )


def _rounded(value: float) -> float:
    return float(f"{float(value):.12g}") + 0.0  # no -0.0


def main() -> None:
    """Write the file that is served."""
    FILE.write_text(all_graphs().model_dump_json() + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
