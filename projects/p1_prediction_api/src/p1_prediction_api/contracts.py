"""What travels: a model's signature and card (in the registry), and the answers (HTTP, MCP)."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

Task = Literal["classification", "regression"]
MISSING = "(missing)"
"""How a missing category is spelled inside the model."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Feature(_Value):
    """One input of the model."""

    name: str
    kind: Literal["number", "category"]
    unit: str = ""
    may_be_missing: bool = False
    low: float | None = Field(default=None, description="Smallest value seen in training.")
    high: float | None = Field(default=None, description="Largest value seen in training.")
    categories: tuple[str, ...] = Field(default=(), description="Values seen in training.")
    example: float | str = Field(description="A typical value.")


class Signature(_Value):
    """What goes in and what comes out."""

    task: Task
    target: str
    unit: str = Field(default="", description="Unit of the target, for regression.")
    features: tuple[Feature, ...]
    classes: tuple[str, ...] = ()


class Estimate(_Value):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


class CandidateScore(_Value):
    """One candidate of the search: cross-validated on the training part."""

    name: str
    score: float
    standard_error: float
    fit_s: float
    is_chosen: bool = False


class ModelCard(_Value):
    """How a model came about and how good it is on rows it never saw."""

    verdict: str
    chosen_because: str
    metric: str
    metrics: dict[str, Estimate]
    baseline: dict[str, float]
    candidates: tuple[CandidateScore, ...]
    n_train: int
    n_test: int
    split: str
    dropped: dict[str, str] = Field(
        default_factory=dict, description="Columns left out, each with the reason."
    )
    warnings: tuple[str, ...] = ()
    max_parity_difference: float
    trained_at: datetime
    seed: int


class ServedModel(BaseModel):
    """Which model answered."""

    name: str
    version: int
    alias: str


class Prediction(BaseModel):
    """The answer for one row."""

    prediction: str | float
    probabilities: dict[str, float] | None = None
    warnings: list[str] = Field(
        default_factory=list, description="What is unlike anything seen in training."
    )


class Predictions(BaseModel):
    """The answers, in the order of the rows."""

    model: ServedModel
    predictions: list[Prediction]


class ModelDescription(BaseModel):
    """The model that answers now."""

    model: ServedModel
    created_at: datetime
    signature: Signature
    card: ModelCard
    data_fingerprint: str
    code_revision: str
    trouble: str = Field(description="Why the alias's newest version does not answer, if so.")
    row_schema: dict[str, JsonValue] = Field(description="JSON schema of one row.")
