"""How far an answer from a passage is trusted: the reader's mark and the search's, together.

The reader alone takes a passage for answering that merely looks like it, the search alone one that
is only about the same thing. The weights are those of a logistic regression on held-out questions
that were asked of a whole collection; they lie beside the reader's adapter, and
`p3-rag-chatbot evaluate --fit` finds them anew for a person's own questions.
"""

import math

from pydantic import BaseModel, ConfigDict

from p3_rag_chatbot.contracts import Scores

_MOST = 1 - 1e-6


class Trust(BaseModel):
    """Weights of the reader's log-odds, the fused score (0..1) and the cosine; and the constant."""

    model_config = ConfigDict(frozen=True)

    answerable: float = 1.0
    fused: float = 0.0
    dense: float = 0.0
    intercept: float = 0.0

    def of(self, p_answerable: float, scores: Scores) -> float:
        """Return the probability, in 0..1, that the span marked in a passage answers."""
        total = self.intercept + sum(
            weight * value
            for weight, value in zip(
                (self.answerable, self.fused, self.dense), features(p_answerable, scores),
                strict=True,
            )
        )  # fmt: skip
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, total))))


def features(p_answerable: float, scores: Scores) -> tuple[float, float, float]:
    """Return what is weighed; a passage that vectors did not find counts as unlike the question."""
    p = max(1 - _MOST, min(_MOST, p_answerable))
    return math.log(p / (1 - p)), scores.fused, scores.dense or 0.0
