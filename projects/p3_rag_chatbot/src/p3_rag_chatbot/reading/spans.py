"""From a reader's logits to the best span, and how probable it is that there is one.

Score of a span: its start logit plus its end logit; of no answer, those of [CLS] (Devlin et al.
2019, section 4.3). `Calibration` turns the difference and the answerable logit into a probability
(Platt 1999), with coefficients that were fitted on held-out questions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Floats = NDArray[np.float32]
MAX_SPAN_TOKENS = 30


class Calibration(BaseModel):
    """Coefficients of a logistic regression; `support` are those of claims, over one logit."""

    model_config = ConfigDict(frozen=True)

    difference: float = 0.5
    answerable: float = 0.5
    intercept: float = 0.0
    support_slope: float = 1.0
    support_intercept: float = 0.0

    def p_answerable(self, difference: float, answerable: float) -> float:
        """Return the probability that the passage holds the answer."""
        return _sigmoid(
            self.difference * difference + self.answerable * answerable + self.intercept
        )

    def p_support(self, answerable: float) -> float:
        """Return the probability that the passage supports the claim."""
        return _sigmoid(self.support_slope * answerable + self.support_intercept)


@dataclass(frozen=True)
class Span:
    """Tokens of the likeliest span, ends included; by how much its logits beat those of none."""

    first: int
    last: int
    difference: float
    log_probability: float


def best_span(
    start: Floats,
    end: Floats,
    max_tokens: int = MAX_SPAN_TOKENS,
    *,
    places: NDArray[np.int64] | None = None,
) -> Span:
    """Return the likeliest span of at most `max_tokens`; token 0 is [CLS] and is in none.

    `start` and `end` are (T,) logits, masked where a token is not of the passage. The log
    probability is among all spans of all starts and ends, [CLS] left out. `places` (T,) is the
    number of each token's place: no span crosses from one to another.
    """
    n = len(start)
    width = min(max_tokens, n - 1)
    padded = np.concatenate([end[1:], np.full(width, -np.inf, dtype=np.float32)])
    ends = np.lib.stride_tricks.sliding_window_view(padded, width)[: n - 1]
    scores = start[1:, None] + ends
    if places is not None:
        filled = np.concatenate([places[1:], np.full(width, -1)])
        of_end = np.lib.stride_tricks.sliding_window_view(filled, width)[: n - 1]
        scores = np.where(of_end == places[1:, None], scores, -np.inf)
    first, length = divmod(int(scores.argmax()), width)
    best = float(scores[first, length])
    total = _log_sum(start[1:]) + _log_sum(end[1:])
    return Span(
        first + 1, first + 1 + length, best - float(start[0] + end[0]), min(0.0, best - total)
    )


def _log_sum(logits: Floats) -> float:
    highest = float(logits.max())
    return highest + float(np.log(np.exp(logits - highest).sum()))


def _sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(x, -50, 50))))
