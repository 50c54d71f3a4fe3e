"""What travels: a model's signature and card (in the registry), and the answers (HTTP, MCP)."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AllowInfNan, BaseModel, ConfigDict, Field, JsonValue, Strict

Task = Literal["classification", "regression"]
MISSING = "(missing)"
"""How a missing category is spelled inside the model."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Feature(_Value):
    """One input of the model."""

    name: str
    kind: Literal["number", "category", "date"]
    unit: str = ""
    may_be_missing: bool = False
    missing_spellings: tuple[str, ...] = Field(
        default=(),
        description='Values that mean missing here, beside null: of a category such as "?", of a '
        "number such as -999.",
    )
    low: float | None = Field(
        default=None, description="Smallest value seen in training; of a date, days since 1970."
    )
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
    positive: str = Field(default="", description="Of two classes, the one that is looked for.")
    threshold: float = Field(
        default=0.5, description="Of two classes: probability of `positive` from which it is said."
    )


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
    fit_s: float = Field(description="Seconds of one core to fit on the rows of a fold.")
    predict_us: float = Field(default=0.0, description="Microseconds a row, in batches.")
    is_chosen: bool = False
    note: str = Field(default="", description="Why it was not tried on every fold, if so.")


class Calibration(_Value):
    """Raw scores become log-odds: `slope` times the score plus its class's `intercept`."""

    slope: float = 1.0
    intercepts: tuple[float, ...] = (0.0,)
    error: Estimate | None = Field(
        default=None, description="Expected calibration error on rows never seen."
    )
    raw_error: float | None = Field(default=None, description="The same, uncalibrated.")


class IntervalBin(_Value):
    """How far the truth lies from predictions up to `below`, at the level of the intervals."""

    below: float | None = Field(description="Upper edge of the prediction; null is the rest.")
    low: float
    high: float


class Uncertainty(_Value):
    """Conformal prediction: sets of classes, or intervals, that hold the truth at a known rate."""

    level: float = 0.9
    set_threshold: float | None = Field(
        default=None, description="A class at least this probable is in the set."
    )
    bins: tuple[IntervalBin, ...] = ()
    coverage: Estimate = Field(description="Share of rows never seen whose truth was held.")
    coverage_by_class: dict[str, Estimate] = Field(
        default_factory=dict, description="The same of the rows of each class."
    )
    mean_size: float = Field(description="Classes in a set, or width of an interval, on average.")


class ModelCard(_Value):
    """How a model came about and how good it is on rows it never saw."""

    verdict: str
    chosen_because: str
    metric: str
    metrics: dict[str, Estimate]
    decided_at: float | None = Field(
        default=None,
        description="Of two classes: the threshold of the positive one at which accuracy, "
        "precision and recall were measured; null on cards of before, which took the likeliest.",
    )
    baseline: dict[str, float]
    candidates: tuple[CandidateScore, ...]
    n_train: int
    n_test: int
    split: str
    dropped: dict[str, str] = Field(
        default_factory=dict, description="Columns left out, each with the reason."
    )
    warnings: tuple[str, ...] = ()
    reading: tuple[str, ...] = Field(
        default=(), description="How the table was read: the file, samples, doubts, rows set aside."
    )
    calibration: Calibration = Calibration()
    uncertainty: Uncertainty | None = None
    threshold_because: str = ""
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
    prediction_set: list[str] | None = Field(
        default=None, description="The classes that hold the truth at the model's stated rate."
    )
    interval: tuple[float, float] | None = Field(
        default=None, description="Holds the truth at the model's stated rate."
    )
    warnings: list[str] = Field(
        default_factory=list, description="What is unlike anything seen in training."
    )


class Predictions(BaseModel):
    """The answers, in the order of the rows."""

    id: str = Field(description="Names these predictions in the prediction log.")
    model: ServedModel
    predictions: list[Prediction]


class FeatureAttribution(BaseModel):
    """What one feature's value adds to the score."""

    feature: str
    value: float | str | None
    attribution: float


class Explanation(BaseModel):
    """An answer taken apart: `base` plus every attribution is `score`, exactly."""

    prediction: Prediction
    of: str = Field(description="The class whose score is explained, or the target.")
    scale: Literal["log-odds", "target"] = Field(
        description="What the score is: log-odds of the class, or the predicted number."
    )
    base: float = Field(description="The score of the average training row.")
    score: float
    attributions: list[FeatureAttribution] = Field(description="The largest first.")


class Explanations(BaseModel):
    """The answers taken apart, in the order of the rows."""

    model: ServedModel
    explanations: list[Explanation]


class ModelDescription(BaseModel):
    """The model that answers now."""

    model: ServedModel
    created_at: datetime
    signature: Signature
    card: ModelCard
    data_fingerprint: str
    code_revision: str
    has_report: bool = Field(description="Whether `GET /v1/report` shows a diagnosis.")
    trouble: str = Field(description="Why the alias's newest version does not answer, if so.")
    row_schema: dict[str, JsonValue] = Field(description="JSON schema of one row.")


class Truth(BaseModel):
    """What a predicted row turned out to be."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(
        max_length=64, pattern=r"^[0-9A-Za-z_.:-]+$", description="The `id` of its predictions."
    )
    row: Annotated[int, Strict()] = Field(
        default=0, ge=0, lt=2**31, description="Which row of them, from 0."
    )
    truth: Annotated[str, Strict()] | Annotated[float, Strict(), AllowInfNan(False)] = Field(
        description="The class, or the number."
    )


class TruthsTold(BaseModel):
    """What a caller tells at once."""

    model_config = ConfigDict(extra="forbid")

    truths: list[Truth] = Field(min_length=1, max_length=10_000)


class TruthsStored(BaseModel):
    """What was committed: it survives a crash of this process."""

    n_stored: int
    n_pending: int = Field(
        description="Of these, truths whose prediction is not in the log (yet, or any more)."
    )
