"""What a watcher of a served model is told: how its inputs, answers and hits compare with training.

Shares are 0 to 1, moments UTC. What is an estimate carries its 95 % interval.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from p1_prediction_api.contracts import Estimate, ServedModel, Task

Severity = Literal["problem", "warning", "note"]
Movement = Literal["too few", "none", "slight", "moderate", "strong"]
"""How far a distribution moved; `too few` rows were seen to tell."""


class Alert(BaseModel):
    """Something a person should look at now."""

    severity: Severity
    code: str = Field(description="Such as drift, missing, unseen-labels, out-of-distribution.")
    subject: str = Field(description="The feature, the target, or the service.")
    message: str = Field(description="What was seen, with its figures.")
    next_step: str = Field(description="What to do about it.")


class Bin(BaseModel):
    """One part of a distribution: its share in training and now."""

    label: str = Field(description="Such as '12 to 18', 'red', 'missing' or 'anything else'.")
    expected: float
    seen: float


class FeatureWatch(BaseModel):
    """One input, now against training."""

    feature: str
    kind: Literal["number", "category", "date"]
    movement: Movement
    message: str
    psi: float | None = Field(description="Population stability index less what chance gives.")
    p_adjusted: float | None = Field(
        description="Chi-squared, Benjamini-Hochberg over every feature and the prediction."
    )
    missing_expected: float
    missing: float
    unseen: float = Field(description="Share outside training's range, or of labels it never saw.")
    bins: list[Bin]


class PredictionWatch(BaseModel):
    """The answers, now against those on rows the model never learned from."""

    of: str = Field(description="The class whose probability is watched, or the target.")
    movement: Movement
    message: str
    psi: float | None
    p_adjusted: float | None
    bins: list[Bin]
    classes: list[Bin] = Field(description="Share of each class said; empty for numbers.")


class Share(BaseModel):
    """A share beside the one to be expected."""

    expected: float
    seen: Estimate


class Moment(BaseModel):
    """A stretch of time on the timeline; empty ones are there, with no rows."""

    started_at: datetime
    n_rows: int
    n_refused: int = Field(description="Requests whose rows did not fit the model.")
    strange: float | None = Field(description="Share out of distribution; null without rows.")
    missing: float | None = Field(description="Share of cells that are missing.")
    prediction: float | None = Field(description="Mean probability of `of`, or mean prediction.")
    largest_psi: float | None = Field(description="Of the feature that moved most in it.")


class LiveScores(BaseModel):
    """What the truths told so far say of the answers; `metrics` only where enough are known."""

    n_truths: int
    n_pending: int = Field(description="Truths of predictions that are not in the log.")
    task: Task
    metric: str = Field(description="The one the model was chosen by.")
    metrics: dict[str, Estimate]
    expected: dict[str, Estimate] = Field(description="The same on rows held out in training.")
    coverage: Estimate | None = Field(
        description="Share of truths inside the answer's set or interval."
    )
    level: float | None = Field(description="The rate that sets and intervals were made for.")
    is_worse: bool = Field(
        default=False,
        description="Whether the metric is worse than in training, or truths are held less often "
        "than was promised, beyond chance.",
    )
    verdict: str


class ShadowComparison(BaseModel):
    """A candidate that answers the same requests unseen, beside the champion."""

    candidate: ServedModel
    n_rows: int
    n_skipped: int = Field(description="Requests it was not asked: it was busy.")
    n_failed: int = Field(description="Requests it could not answer; the champion did.")
    agreement: Estimate | None = Field(description="Share of rows with the same class.")
    mean_difference: Estimate | None = Field(
        description="Candidate less champion: probability of `of`, or number."
    )
    n_truths: int
    metric: str
    champion_score: Estimate | None
    candidate_score: Estimate | None
    difference: Estimate | None = Field(description="Candidate less champion, on the same rows.")
    verdict: str


class LogState(BaseModel):
    """Whether predictions are being stored."""

    is_on: bool
    n_stored: int
    n_waiting: int
    n_lost: int
    trouble: str = ""


class Monitoring(BaseModel):
    """How the served version does, over the last hours, as every replica saw it."""

    model: ServedModel
    verdict: str
    since: datetime
    until: datetime
    n_rows: int
    alerts: list[Alert] = Field(description="Most severe first.")
    features: list[FeatureWatch] = Field(description="Most moved first.")
    prediction: PredictionWatch | None
    out_of_distribution: Share | None
    refused: int = Field(description="Requests whose rows did not fit the model.")
    timeline: list[Moment] = Field(description="Equal stretches, oldest first.")
    truth: LiveScores | None = Field(description="Null until a truth is told.")
    shadow: ShadowComparison | None = Field(description="Null while no candidate shadows.")
    log: LogState
