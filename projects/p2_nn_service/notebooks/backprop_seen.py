# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     name: python3
# ---

# A notebook prints, shows what a cell ends in, claims with assert, and has its text in cells:
# ruff: noqa: D100, D103, ERA001, S101, T201

# %% [markdown]
# # Backpropagation, seen
#
# A network of two inputs, two hidden units and two outputs, written down one operation at a time.
# Each line below is a number of it: what it is made of, its value, and how much the loss would
# change if it did. Nothing else happens in a network of a billion weights.

# %%
from itertools import pairwise

from p2_nn_service.backprop import backprop_graph, draw_numbers

numbers = draw_numbers(0)
graph = backprop_graph(numbers, loss="cross_entropy")
nodes = {node.id: node for node in graph.nodes}
print(f"{'node':8} {'made by':14} {'value':>9} {'gradient':>9}")
for node in graph.nodes:
    made_by = f"{node.op} {' '.join(node.inputs)}"
    print(f"{node.id:8} {made_by:14} {node.value:9.4f} {node.gradient:9.4f}")

# %% [markdown]
# ## The one rule
#
# A node hears from every node it goes into: their gradient, times how much they change with it.
# What it hears is added up. That is the whole of backpropagation; here it is, by hand, for every
# node, from the loss backwards.

# %%
heard = dict.fromkeys(nodes, 0.0) | {"loss": 1.0}
for node in reversed(graph.nodes):
    for way in node.local:
        heard[way.to] += heard[node.id] * way.derivative
worst = max(abs(heard[name] - nodes[name].gradient) for name in nodes)
print(f"by hand and by phase 0's autodiff: at most {worst:.1e} apart")
assert worst < 1e-9

# %% [markdown]
# Torch, which knows nothing of us, says the same at every node.

# %%
apart = max(abs(node.gradient - node.torch_gradient) for node in graph.nodes)
print(f"phase 0 and torch: at most {apart:.1e} apart")
assert apart < 1e-6

# %% [markdown]
# ## The shortest gradient there is
#
# Softmax and cross-entropy together give a score the gradient `p - target`: what was said, less
# what is true. The scores of the graph are `z0` and `z1`.

# %%
total = nodes["sum"].value
for k in (0, 1):
    said, truth = nodes[f"e{k}"].value / total, numbers[f"t{k}"]
    print(f"z{k}: said {said:.4f}, true {truth:.0f}, gradient {nodes[f'z{k}'].gradient:+.4f}")
    assert abs(nodes[f"z{k}"].gradient - (said - truth)) < 1e-9

# %% [markdown]
# ## Does the loss do what the gradient says?
#
# Move one weight a little: the loss must change by the gradient times the move.


# %%
def loss_with(name: str, move: float) -> float:
    moved = numbers | {name: numbers[name] + move}
    return backprop_graph(moved, loss="cross_entropy").loss


for name in ("w00", "b1", "v10", "c0"):
    quotient = (loss_with(name, 1e-5) - loss_with(name, -1e-5)) / 2e-5
    print(f"{name}: gradient {nodes[name].gradient:+.6f}, measured {quotient:+.6f}")
    assert abs(quotient - nodes[name].gradient) < 1e-6

# %% [markdown]
# ## Where no word gets through
#
# With relu a unit whose sum is negative passes nothing on: its derivative is 0, and so is whatever
# is multiplied by it. All weights into it keep their values, whatever the loss says.

# %%
dead = numbers | {"b0": -5.0}
silent = {
    node.id: node for node in backprop_graph(dead, activation="relu", loss="cross_entropy").nodes
}
for name in ("h0", "w00", "w01", "b0", "v00"):
    print(f"{name}: value {silent[name].value:+.2f}, gradient {silent[name].gradient:+.4f}")
assert silent["h0"].value == 0
assert silent["h0"].gradient != 0, "word does come to the unit's output"
assert silent["w00"].gradient == silent["w01"].gradient == silent["b0"].gradient == 0

# %% [markdown]
# ## Learning is this, again and again
#
# Thirty steps against the gradient, on one example. `w…`, `b…`, `v…` and `c…` are the weights.

# %%
weights = [name for name in numbers if name[0] in "wbvc"]
losses = []
for _ in range(30):
    graph = backprop_graph(numbers, loss="cross_entropy")
    losses.append(graph.loss)
    slope = {node.id: node.gradient for node in graph.nodes}
    numbers |= {name: numbers[name] - 0.3 * slope[name] for name in weights}
print("loss:", " ".join(f"{loss:.3f}" for loss in losses[::5]))
assert losses[-1] < 0.1 * losses[0]
assert all(later < earlier for earlier, later in pairwise(losses))
