"""The card of an adapter: what it was trained from, on what, how, how good it is, what it cannot.

No torch: what serves shows the card.
"""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Source(_Value):
    """A data set that it learned from."""

    name: str
    n_examples: int
    licence: str
    reference: str = ""


class Card(_Value):
    """`card.json` beside an adapter."""

    name: str
    purpose: str
    base: str
    base_sha256: str
    rank: int
    n_parameters: int
    recipe: dict[str, str] = Field(description="The training recipe's fields, as text.")
    data: tuple[Source, ...]
    held_out: str = Field(description="What it is measured on, and that it was never trained on.")
    metrics: dict[str, float]
    limits: tuple[str, ...]
    trained_at: datetime
    command: str = Field(description="What trains it again.")
