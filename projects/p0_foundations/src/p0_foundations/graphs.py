"""A computation as data: its operations as nodes, what flowed where as edges.

What a page draws, and what another engine's graph can be laid beside. Knows no picture.
"""

from dataclasses import dataclass

from p0_foundations.autodiff import Floats, Tensor, parents_first


@dataclass(frozen=True)
class Node:
    """One tensor: the operation that made it (or `leaf`, `constant`), and what it holds.

    `grad` is None before `backward`, and always for what needs no gradient.
    """

    op: str
    name: str
    value: Floats
    grad: Floats | None


@dataclass(frozen=True)
class Graph:
    """Nodes with parents before children, the output last; edges as (parent, child) places."""

    nodes: tuple[Node, ...]
    edges: tuple[tuple[int, int], ...]


def graph(output: Tensor) -> Graph:
    """Walk everything that a tensor was made of; an operand used twice has two edges."""
    order = parents_first(output)
    place = {id(node): k for k, node in enumerate(order)}
    nodes = tuple(Node(node.op, node.name, node.value, node.grad) for node in order)
    edges = [(place[id(one)], k) for k, node in enumerate(order) for one in node.parents]
    return Graph(nodes, tuple(edges))
