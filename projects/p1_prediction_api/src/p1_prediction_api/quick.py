"""The quick path of a prediction: JSON bytes to rows to columns to JSON text.

What `quick_rows.py` reads becomes one matrix for many requests, `column_model.py` answers it, and
`quick_answers.py` writes the answers. Rows unlike training are answered with a warning, which
`rows.py` words. Tensors by name (V2) take the same way without the text. Knows no HTTP and no
batcher.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from p1_prediction_api.column_model import ColumnModel
from p1_prediction_api.contracts import ModelCard, Signature
from p1_prediction_api.encoding import Encoder
from p1_prediction_api.monitoring.sightings import Sightings
from p1_prediction_api.quick_answers import QuickWriter
from p1_prediction_api.quick_rows import QuickReader, QuickRows

Tensor = NDArray[Any]


@dataclass(slots=True)  # a frozen one takes four times as long to make
class QuickAnswer:
    """The answer to one request: some rows of a batch."""

    parts: list[str]
    """Of the rows' JSON; none when no text was wanted."""
    rows: slice
    answers: NDArray[Any]
    """Of the whole batch."""
    said: list[int]
    """Position of the class that is said of each row; empty for numbers."""
    strange: list[int]
    """Positions of the rows with a value unlike training: `rows.py` says which."""

    @property
    def json(self) -> str:
        """The rows' answers, comma between."""
        return "".join(self.parts)[:-1]


class QuickModel:
    """A loaded model on the quick path."""

    def __init__(
        self,
        signature: Signature,
        card: ModelCard,
        encoder: Encoder,
        model: ColumnModel,
        *,
        max_rows: int,
    ) -> None:
        self._reader = QuickReader(signature, encoder, max_rows=max_rows)
        self._writer = QuickWriter(signature, card)
        self._model = model
        self._classes = np.array(signature.classes, object)
        self.read = self._reader.read
        self.pack = self._reader.pack
        self.encoder = encoder
        self.sightings = Sightings()

    def with_warnings(self, answer: QuickAnswer, warnings: Sequence[Sequence[str]]) -> str:
        """Write the strange rows of an answer again, each with what is unlike training in it."""
        parts, k, width = list(answer.parts), answer.strange, self._writer.n_parts
        said = [answer.said[one] for one in k] if answer.said else []
        again = self._writer.write(answer.answers[answer.rows][k], said, warnings)
        for place, one in enumerate(k):
            parts[one * width : (one + 1) * width] = again[place * width : (place + 1) * width]
        return "".join(parts)[:-1]

    def outputs(self, answer: QuickAnswer, names: Mapping[str, str]) -> dict[str, Tensor]:
        """Return an answer as the graph's outputs; `names` says what they are called."""
        answers = answer.answers[answer.rows]
        if "prediction" in names:
            return {names["prediction"]: answers}
        return {names["probabilities"]: answers, names["label"]: self._classes[answer.said]}

    def run(self, items: Sequence[QuickRows]) -> list[QuickAnswer]:
        """Answer several requests at once."""
        columns = self._reader.columns(items)
        answers = self._model.answers(columns.matrix, columns.codes)
        self.sightings.saw(columns.matrix, answers, len(items))
        said = self._writer.said(answers)
        wants_text = any(item.wants_text for item in items)
        parts = self._writer.write(answers, said) if wants_text else []
        width, is_strange = self._writer.n_parts, columns.is_strange
        found: list[QuickAnswer] = []
        start = 0
        for item in items:
            rows = slice(start, start + item.n_rows)
            some = parts[start * width : rows.stop * width]
            start = rows.stop
            strange = [] if is_strange is None else np.flatnonzero(is_strange[rows]).tolist()
            found.append(QuickAnswer(some, rows, answers, said[rows], strange))
        return found
