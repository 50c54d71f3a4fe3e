"""Why a row got its answer: additive attributions that sum to the model's score, exactly.

The score is the predicted number, or the log-odds that become probabilities (of classes: one a
class). A linear model's attribution is weight times distance from the average training row (the
Shapley value when columns are independent); a tree model's is the path-dependent Shapley value of
`trees.py`; a blend's is the sum of both. The columns of one feature are added up. NumPy alone, no
training library.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from p1_prediction_api.encoding import Encoder, Tensor
from p1_prediction_api.errors import ModelContentError
from p1_prediction_api.trees import Attribution, TreeEnsemble

Floats = NDArray[np.float64]
LINEAR = "linear_"
"""Before the names of a linear part's arrays, beside those of trees."""


@dataclass(frozen=True)
class LinearScores:
    """Weights of shape (n_scores, n_columns) over columns whose gaps are filled with `fill`."""

    weights: Floats
    bias: Floats
    fill: Floats
    average: Floats

    def attribute(self, row: NDArray[np.float32]) -> Attribution:
        """Take the raw scores of one row apart."""
        filled = np.where(np.isnan(row), self.fill, row)
        parts = self.weights * (filled - self.average)
        return Attribution(self.bias + self.weights @ self.average, parts.T)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return plain arrays for an `.npz` file."""
        return {
            "weights": self.weights,
            "bias": self.bias,
            "fill": self.fill,
            "average": self.average,
        }


@dataclass(frozen=True)
class MixedScores:
    """The sum of a linear model's scores and trees'; attributions add up as the scores do."""

    linear: LinearScores
    trees: TreeEnsemble

    def attribute(self, row: NDArray[np.float32]) -> Attribution:
        """Take the raw scores of one row apart."""
        parts = self.linear.attribute(row), self.trees.attribute(row)
        return Attribution(*(np.add(one, other) for one, other in zip(*parts, strict=True)))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return plain arrays for an `.npz` file."""
        linear = {f"{LINEAR}{name}": values for name, values in self.linear.to_arrays().items()}
        return {**linear, **self.trees.to_arrays()}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> "MixedScores":
        """Read what `to_arrays` made."""
        linear = {
            name.removeprefix(LINEAR): values
            for name, values in arrays.items()
            if name.startswith(LINEAR)
        }
        return cls(LinearScores(**linear), TreeEnsemble.from_arrays(arrays))


ScoreModel = LinearScores | TreeEnsemble | MixedScores


@dataclass(frozen=True)
class Explainer:
    """Explains one published version; `save` writes it beside the model."""

    encoder: Encoder
    model: ScoreModel
    slope: float = 1.0
    intercepts: tuple[float, ...] = (0.0,)

    def explain(self, tensors: dict[str, Tensor]) -> list[Attribution]:
        """Return one attribution a row, with one line of `columns` for each of `features`."""
        owners = self.encoder.owners()
        n_features = len(self.encoder.features)
        found = []
        for row in self.encoder.encode(tensors):
            base, columns = self.model.attribute(row)
            by_feature = np.zeros((n_features, len(base)))
            np.add.at(by_feature, owners, columns)
            found.append(
                Attribution(
                    base * self.slope + np.asarray(self.intercepts), by_feature * self.slope
                )
            )
        return found

    def save(self, path: Path) -> None:
        """Write one file without code in it (`.npz`, no pickles)."""
        head = {
            "kind": _KINDS[type(self.model)],
            "encoder": self.encoder.to_dict(),
            "slope": self.slope,
            "intercepts": list(self.intercepts),
        }
        arrays = {**self.model.to_arrays(), "head": np.array(json.dumps(head))}
        np.savez_compressed(path, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Explainer":
        """Read what `save` wrote; `ModelContentError` when it is something else."""
        head, arrays = _stored(path)
        try:
            model = _READERS[head["kind"]](arrays)
            encoder = Encoder.from_dict(head["encoder"])
            return cls(encoder, model, float(head["slope"]), tuple(head["intercepts"]))
        except (ValueError, KeyError, TypeError) as error:
            raise ModelContentError(f"{path.name} explains no model: {error}") from error


_KINDS: dict[type[ScoreModel], str] = {
    LinearScores: "linear",
    TreeEnsemble: "trees",
    MixedScores: "mixed",
}
_READERS: dict[str, Callable[[dict[str, NDArray[Any]]], ScoreModel]] = {
    "linear": lambda arrays: LinearScores(**arrays),
    "trees": TreeEnsemble.from_arrays,
    "mixed": MixedScores.from_arrays,
}


def load_encoder(path: Path) -> Encoder:
    """Read the encoding alone: the trees of a forest take longer to read."""
    head, _ = _stored(path, with_arrays=False)
    try:
        return Encoder.from_dict(head["encoder"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelContentError(f"{path.name} explains no model: {error}") from error


def _stored(
    path: Path, *, with_arrays: bool = True
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            head: dict[str, Any] = json.loads(str(stored["head"]))
            names = [name for name in stored.files if name != "head"] if with_arrays else []
            return head, {name: stored[name] for name in names}
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise ModelContentError(f"{path.name} explains no model: {error}") from error
