"""What a measurement says: a figure with its interval, and the error when it cannot be made.

Plain values that go into reports and over the wire; knows no numpy. Read next: `intervals.py`,
which makes them.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import override

from common.errors import DomainError

Direction = Literal["higher", "lower"]


class EvaluationError(DomainError):
    """The input cannot be measured; the message names what is wrong and what is accepted."""


class Estimate(BaseModel):
    """A figure measured on a sample, with the interval that says how far it may be off."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    value: float
    low: float
    high: float
    n: int = Field(description="Examples (or queries) measured.")
    method: str = Field(description="How the interval was made.")
    level: float = Field(0.95, description="Share of such intervals that hold the true figure.")
    n_groups: int | None = Field(None, description="Clusters that were resampled, if not examples.")

    @override
    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f} to {self.high:.3f})"
