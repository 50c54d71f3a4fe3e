"""Decision trees as arrays: what an export writes, what a server explains; NumPy alone.

One `TreeEnsemble` holds a single tree, a forest or boosted trees alike: the raw scores of a row are
`base` plus the values of the leaves it falls into. Attributions are exact Shapley values of that
sum, path-dependent as in TreeSHAP (Lundberg et al., Nature Machine Intelligence 2, 2020). Read
next: `fitted_trees.py`, which makes one from scikit-learn's models.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int32]
LEAF = -1


class Tree(NamedTuple):
    """One tree; arrays of length n_nodes, node 0 is the root."""

    feature: Indices
    """Column that is compared; `LEAF` at a leaf."""
    threshold: NDArray[np.float32]
    """A value at most this goes left; float32, as the values are."""
    left: Indices
    right: Indices
    goes_left_missing: NDArray[np.bool_]
    cover: Floats
    """Weight of the training rows that reached the node; above 0."""
    value: Floats
    """Shape (n_nodes, n_values): what a leaf adds to the scores from `score` on."""
    score: int


@dataclass(frozen=True)
class _Leaves:
    """Every leaf of an ensemble with its way down; a way is one interval a column.

    `low < x <= high`, or missing where `admits_missing`. Shapes (n_leaves, depth); the columns of a
    shorter way are padded with column 0 and a share of 1, which changes nothing.
    """

    column: Indices
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    admits_missing: NDArray[np.bool_]
    share: Floats
    """Of the training rows that came to this column's splits on the way, how many went on."""
    value: Floats
    is_padding: NDArray[np.bool_]

    def follows(self, row: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Say of each leaf and column whether the row goes that way."""
        x = row[self.column]
        with np.errstate(invalid="ignore"):
            inside = (self.low < x) & (x <= self.high)
        return np.where(np.isnan(x), self.admits_missing, inside) | self.is_padding


class Attribution(NamedTuple):
    """Scores taken apart: `base` (n_scores,) plus the sum of `columns` (n_columns, n_scores)."""

    base: Floats
    columns: Floats


@dataclass(frozen=True)
class TreeEnsemble:
    """One tree or more, whose leaf values add up to a row's raw scores.

    A row is `n_columns` float32 numbers; NaN is a missing one.
    """

    trees: tuple[Tree, ...]
    base: Floats
    n_columns: int

    @property
    def n_scores(self) -> int:
        """How many raw scores a row has."""
        return len(self.base)

    def scores(self, rows: NDArray[np.float32]) -> Floats:
        """Return the raw scores, shape (n, n_scores), of rows of shape (n, n_columns)."""
        found = np.tile(self.base, (len(rows), 1))
        for tree in self.trees:
            node = np.zeros(len(rows), dtype=np.int32)
            while (inner := tree.feature[node] != LEAF).any():
                at = node[inner]
                x = rows[inner, tree.feature[at]]
                goes_left = np.where(
                    np.isnan(x), tree.goes_left_missing[at], x <= tree.threshold[at]
                )
                node[inner] = np.where(goes_left, tree.left[at], tree.right[at])
            width = tree.value.shape[1]
            found[:, tree.score : tree.score + width] += tree.value[node]
        return found

    def attribute(self, row: NDArray[np.float32]) -> Attribution:
        r"""Take the scores of one row apart by column.

        With $F$ the columns on a leaf's way, $o_j$ whether the row follows it at $j$ and $z_j$ the
        share of training rows that do, the leaf's value $v$ gives column $i$
        $v (o_i - z_i) \int_0^1 \prod_{j \in F, j \neq i} (z_j (1-t) + o_j t) \, dt$: the Shapley
        weights are the moments of a uniform $t$ (Owen, 1972). The integrand is a polynomial, so
        Gauss-Legendre quadrature of enough points is exact.
        """
        leaves = self._leaves
        follows = leaves.follows(row).astype(np.float64)
        points, weights = np.polynomial.legendre.leggauss(leaves.share.shape[1] // 2 + 1)
        points, weights = (points + 1) / 2, weights / 2
        total = np.zeros_like(follows)
        for t, weight in zip(points, weights, strict=True):
            each = leaves.share * (1 - t) + follows * t  # above 0: shares are, and t is below 1
            total += weight * each.prod(axis=1, keepdims=True) / each
        parts = (follows - leaves.share) * total
        by_column = np.stack(
            [
                np.bincount(
                    leaves.column.ravel(),
                    weights=(parts * leaves.value[:, k : k + 1]).ravel(),
                    minlength=self.n_columns,
                )
                for k in range(self.n_scores)
            ],
            axis=1,
        )
        return Attribution(self._expected, by_column.astype(np.float64, copy=False))

    @cached_property
    def _expected(self) -> Floats:
        leaves = self._leaves
        return self.base + (leaves.share.prod(axis=1, keepdims=True) * leaves.value).sum(axis=0)

    @cached_property
    def _leaves(self) -> _Leaves:
        ways = [way for tree in self.trees for way in _ways(tree, self.n_scores)]
        depth = max(1, *(len(way.columns) for way in ways))
        shape = (len(ways), depth)
        leaves = _Leaves(
            column=np.zeros(shape, np.int32),
            low=np.full(shape, -np.inf, np.float32),
            high=np.full(shape, np.inf, np.float32),
            admits_missing=np.ones(shape, np.bool_),
            share=np.ones(shape),
            value=np.stack([way.value for way in ways]),
            is_padding=np.ones(shape, np.bool_),
        )
        for k, way in enumerate(ways):
            for j, (column, step) in enumerate(way.columns.items()):
                leaves.column[k, j] = column
                leaves.low[k, j], leaves.high[k, j] = step.low, step.high
                leaves.admits_missing[k, j] = step.admits_missing
                leaves.share[k, j] = step.share
                leaves.is_padding[k, j] = False
        return leaves

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return plain arrays for an `.npz` file; `from_arrays` takes them back."""
        joined = {
            name: np.concatenate([getattr(tree, name) for tree in self.trees])
            for name in Tree._fields
            if name not in {"value", "score"}
        }
        return {
            **joined,
            "value": np.concatenate([tree.value for tree in self.trees]),
            "score": np.array([tree.score for tree in self.trees], np.int32),
            "n_nodes": np.array([len(tree.feature) for tree in self.trees], np.int32),
            "base": self.base,
            "n_columns": np.array(self.n_columns),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "TreeEnsemble":
        """Read what `to_arrays` made."""
        ends = np.cumsum(arrays["n_nodes"])[:-1]
        names = [name for name in Tree._fields if name != "score"]
        parts: Iterable[tuple[NDArray[Any], ...]] = zip(
            *(np.split(arrays[name], ends) for name in names), strict=True
        )
        trees = tuple(
            Tree(*part, score=int(score))
            for part, score in zip(parts, arrays["score"], strict=True)
        )
        return cls(trees, arrays["base"], int(arrays["n_columns"]))


class _Step(NamedTuple):
    low: float = -np.inf
    high: float = np.inf
    admits_missing: bool = True
    share: float = 1.0


class _Way(NamedTuple):
    columns: dict[int, _Step]
    value: Floats


def _ways(tree: Tree, n_scores: int) -> Iterable[_Way]:
    """Walk to every leaf; several splits of one column are one step."""
    waiting: list[tuple[int, dict[int, _Step]]] = [(0, {})]
    while waiting:
        node, steps = waiting.pop()
        column = int(tree.feature[node])
        if column == LEAF:
            value = np.zeros(n_scores)
            value[tree.score : tree.score + tree.value.shape[1]] = tree.value[node]
            yield _Way(steps, value)
            continue
        threshold, known = float(tree.threshold[node]), steps.get(column, _Step())
        sides = (
            (int(tree.left[node]), known.low, min(known.high, threshold), True),
            (int(tree.right[node]), max(known.low, threshold), known.high, False),
        )
        for child, low, high, is_left in sides:
            step = _Step(
                low,
                high,
                known.admits_missing and bool(tree.goes_left_missing[node]) == is_left,
                known.share * float(tree.cover[child] / tree.cover[node]),
            )
            waiting.append((child, {**steps, column: step}))
