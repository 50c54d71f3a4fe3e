"""What the network said, as JSON text: probabilities, how strange the image is, the label.

Answers of a whole batch are put together at once, from parts that were encoded when the model was
loaded; `contracts.Classification` reads what is written here. Knows no network and no HTTP.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic_core import to_json

from p2_nn_service.contracts import ModelCard

Floats = NDArray[np.float32]
FIVE_DIGITS = np.float64(1e5)
NO_PREPARATION = "[]"
NO_SALIENCY = "null"


def probabilities(logits: NDArray[Any], temperature: float) -> NDArray[np.float64]:
    """Return the softmax of `logits / temperature`, row by row (n, classes)."""
    wide = logits.astype(np.float64) / temperature
    powers = np.exp(wide - wide.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@dataclass(frozen=True, slots=True)
class Extras:
    """What is told of an image beside the network's answer, as JSON text."""

    preparation: str = NO_PREPARATION
    saliency: str = NO_SALIENCY


class Written(NamedTuple):
    """What was said of each row."""

    texts: list[str]
    """Each row's JSON object, open at its preparation; `close` ends it."""
    labels: list[int]
    is_strange: list[bool]


class AnswerWriter:
    """Writes classifications for one model."""

    def __init__(self, card: ModelCard) -> None:
        self._temperature = card.temperature
        self._threshold = card.strangeness.threshold
        self._names = [json.dumps(name, ensure_ascii=False) for name in card.classes]
        shares = ",".join(f"{name.replace('%', '%%')}:%s" for name in self._names)
        self._row = (
            f'{{"label":%s,"probability":%s,"probabilities":{{{shares}}},"strangeness":%s,'
            '"is_strange":%s,"preparation":'
        )

    def write(self, logits: NDArray[Any], strangeness: NDArray[Any]) -> Written:
        """Say what rows of logits (n, classes), with the strangeness of each (n,), mean."""
        p, scores = probabilities(logits, self._temperature), strangeness.astype(np.float64)
        said = p.argmax(axis=1)
        told = np.empty((len(p), p.shape[1] + 1))
        told[:, 0], told[:, 1:] = scores, p
        told = np.rint(told * FIVE_DIGITS) / FIVE_DIGITS
        # One call spells the numbers of all rows: 0.04 µs each, where `repr` takes 0.25.
        spelled = to_json(told.reshape(-1).tolist()).decode()[1:-1].split(",")
        rows = zip(*[iter(spelled)] * told.shape[1], strict=True)
        is_strange = (scores > self._threshold).tolist()
        labels: list[int] = said.tolist()
        texts = [
            self._row
            % (self._names[k], row[1 + k], *row[1:], row[0], "true" if strange else "false")
            for k, row, strange in zip(labels, rows, is_strange, strict=True)
        ]
        return Written(texts, labels, is_strange)

    @staticmethod
    def close(opened: Sequence[str], extras: Sequence[Extras] | None) -> str:
        """Return the objects, comma between, each ended with what else is told of its image."""
        if extras is None:
            return ",".join([f'{one}{NO_PREPARATION},"saliency":{NO_SALIENCY}}}' for one in opened])
        return ",".join(
            f'{one}{extra.preparation},"saliency":{extra.saliency}}}'
            for one, extra in zip(opened, extras, strict=True)
        )
