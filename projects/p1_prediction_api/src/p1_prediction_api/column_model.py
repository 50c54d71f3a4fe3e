"""Encoded rows in, answers out: a few rows in ONNX Runtime, many through the trees' bits.

Both give the same answers; what is published beside the graph of encoded rows (`columns.onnx`) is
the part of it after the trees, where the bits are worth it. Read next: `bit_trees.py`.
"""

from pathlib import Path
from typing import Any

from common.serving import OnnxModel
from numpy.typing import NDArray

from p1_prediction_api.bit_trees import BitTrees, Codes, Matrix
from p1_prediction_api.encoding import COLUMNS, TREE_SCORES
from p1_prediction_api.explaining import Explainer, MixedScores, ScoreModel
from p1_prediction_api.trees import TreeEnsemble

COLUMNS_FILE = "columns.onnx"
AFTER_TREES_FILE = "after_trees.onnx"
EXPLAINER_FILE = "explainer.npz"
MANY_ROWS = 64
"""From so many rows on the bits are faster than the walk."""


class ByBits:
    """The trees as bits, and the graph of what follows them."""

    def __init__(self, trees: BitTrees, after: OnnxModel) -> None:
        self._trees, self._after = trees, after
        self._takes_columns = COLUMNS in {one.name for one in after.inputs}

    @classmethod
    def load(cls, folder: Path) -> "ByBits | None":
        """Load a version's; None when it was published without, or its trees are too large."""
        if not (folder / AFTER_TREES_FILE).is_file():
            return None
        explainer = Explainer.load(folder / EXPLAINER_FILE)
        trees = bit_trees(explainer)
        return None if trees is None else cls(trees, OnnxModel.load(folder / AFTER_TREES_FILE))

    def answers(self, columns: Matrix, codes: Codes) -> NDArray[Any]:
        """Return probabilities (n, classes) or numbers (n,) of encoded rows."""
        given = {TREE_SCORES: self._trees.scores(columns, codes)}
        if self._takes_columns:
            given[COLUMNS] = columns
        (answers,) = self._after.run_unchecked(given).values()
        return answers


def bit_trees(explainer: Explainer) -> BitTrees | None:
    """Return the trees of a model as bits; None when it has none, or too large ones."""
    ensemble = trees_of(explainer.model)
    return None if ensemble is None else BitTrees.of(ensemble, explainer.encoder)


def trees_of(model: ScoreModel) -> TreeEnsemble | None:
    """Return a model's trees; None for a linear one."""
    if isinstance(model, MixedScores):
        return model.trees
    return model if isinstance(model, TreeEnsemble) else None


class ColumnModel:
    """A version's model after its encoding."""

    def __init__(self, session: OnnxModel, by_bits: ByBits | None = None) -> None:
        self._session, self._by_bits = session, by_bits

    @classmethod
    def load(cls, folder: Path) -> "ColumnModel":
        """Load it from a version's folder."""
        return cls(OnnxModel.load(folder / COLUMNS_FILE), ByBits.load(folder))

    def answers(self, columns: Matrix, codes: Codes) -> NDArray[Any]:
        """Return probabilities (n, classes) or numbers (n,) of encoded rows.

        `codes` says which column of each label's is 1, shape (n_labels, n); none for -1.
        """
        if self._by_bits is not None and len(columns) >= MANY_ROWS:
            return self._by_bits.answers(columns, codes)
        (answers,) = self._session.run_unchecked({COLUMNS: columns}).values()
        return answers
