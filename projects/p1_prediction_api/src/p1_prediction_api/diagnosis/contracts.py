"""What a diagnosis says: findings in words, and the figures and curves they rest on.

Plain frozen values that go to JSON and back unchanged; knows no NumPy and no model. A part is null
when it does not apply or was skipped (`skipped` says why). Rows are numbered from 0 among the rows
whose target is known.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from p1_prediction_api.contracts import Estimate, Task

SCHEMA_VERSION = 1
Severity = Literal["problem", "warning", "note"]
Slug = Literal[
    "leak",
    "duplicates",
    "no-signal",
    "shift",
    "held-out-worse",
    "too-flexible",
    "too-simple",
    "label-noise",
    "too-small",
    "imbalance",
    "weak-slice",
    "miscalibrated",
    "uneven-errors",
]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Finding(_Value):
    """One thing that is wrong, what shows it, and what to do next."""

    slug: Slug
    severity: Severity
    headline: str
    evidence: tuple[str, ...]
    next_step: str


class Rival(_Value):
    """Another model on the same folds: simpler or more flexible than the chosen one."""

    name: str
    is_simpler: bool
    score: float
    lead: float = Field(description="Its score less the chosen model's, mean over folds.")
    lead_error: float = Field(description="Standard error of the lead, paired by fold.")


class Fit(_Value):
    """How well the model does on rows it learned from, on other folds, and on rows held out."""

    metric: str
    no_skill: float = Field(description="What guessing scores.")
    train: float
    cross_validated: float
    standard_error: float
    held_out: Estimate
    n_folds: int
    rivals: tuple[Rival, ...] = ()


class CurvePoint(_Value):
    """Scores at one size of the training part, or at one setting; means over folds."""

    label: str
    x: float
    train: float
    validation: float
    standard_error: float


class LearningCurve(_Value):
    """Scores as rows are added; `gain` is what the last doubling brought on rows not learned."""

    points: tuple[CurvePoint, ...]
    gain: float
    gain_error: float
    verdict: str


class ValidationCurve(_Value):
    """Scores as one setting goes from simple to flexible."""

    parameter: str
    points: tuple[CurvePoint, ...]
    chosen: str = Field(description="Label of the point that is the chosen model's, or empty.")
    best: str
    simpler_lead: float = Field(description="Lead of the best simpler setting over the chosen.")
    simpler_lead_error: float
    verdict: str


class Confusion(_Value):
    """Rows held out: counts by true class (rows) and said class (columns)."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class RateCurve(_Value):
    """A ROC or precision-recall curve of one class; `guess` is its height for guessing."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    area: Estimate
    guess: float


class CalibrationBin(_Value):
    """Rows of about the same probability: what was said, and how often it was so."""

    said: float
    seen: Estimate
    n: int


class CalibrationView(_Value):
    """Whether probabilities mean what they say; `label` is the class they are of."""

    label: str
    bins: tuple[CalibrationBin, ...]
    error: float = Field(description="Expected calibration error.")
    z: float = Field(description="Spiegelhalter's statistic; beyond ±2 is unlikely if calibrated.")


class ResidualBin(_Value):
    """Rows of about the same prediction: the mean of truth less prediction."""

    predicted: float
    mean: Estimate
    n: int


class Residuals(_Value):
    """Truth less prediction on rows held out."""

    predicted: tuple[float, ...]
    residual: tuple[float, ...]
    bins: tuple[ResidualBin, ...]
    spread_correlation: float = Field(description="Spearman: size of the error with prediction.")
    spread_p: float


class Slice(_Value):
    """A part of the data and how the model errs there."""

    where: str
    n: int
    error: Estimate = Field(description="Interval corrected for all slices looked at.")
    expected: float = Field(description="Error the model's own certainty leads to expect here.")
    p_adjusted: float
    is_found: bool


class Slices(_Value):
    """The worst slices among those looked at; none `is_found` where chance would do as much."""

    measure: str
    overall: float
    n_rows: int
    n_looked_at: int
    worst: tuple[Slice, ...]


class Importance(_Value):
    """How much the score falls when a column is shuffled."""

    column: str
    drop: float
    spread: float


class PartialDependence(_Value):
    """The mean prediction as one column is set to each value; the band holds 80 % of the rows."""

    column: str
    of: str
    labels: tuple[str, ...] = Field(description="Levels of a category; empty for a number.")
    x: tuple[float, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


class ColumnPower(_Value):
    """How well one column alone predicts the target, out of fold: 0 as guessing, 1 perfectly."""

    column: str
    power: float


class Leakage(_Value):
    """What single columns tell, and what is left without the suspects."""

    measure: str
    columns: tuple[ColumnPower, ...]
    suspects: tuple[str, ...]
    is_certain: bool = Field(description="A suspect alone is as good as the target itself.")
    score_without: float | None = None


class Duplicates(_Value):
    """Rows held out whose every input stands in the training part too."""

    n_test: int
    n_found: int
    n_same_target: int
    expected_share: float = Field(description="Share that independent columns would repeat.")
    score_without: float | None = Field(description="Held-out score on the other rows.")


class ColumnShift(_Value):
    """How far one column differs between the training part and the rows held out, 0 to 1."""

    column: str
    distance: float
    p_adjusted: float
    words: str


class Shift(_Value):
    """Whether a model can tell rows held out from rows trained on; 0.5 is not at all."""

    told_apart: Estimate
    z: float
    columns: tuple[ColumnShift, ...]


class ClassShare(_Value):
    """A class: its rows in training, and how many of those held out were found."""

    label: str
    n_train: int
    share: float
    n_test: int
    recall: Estimate


class Suspect(_Value):
    """A row whose target is unlike what similar rows have."""

    row: int
    given: str
    likely: str
    confidence: float = Field(description="Probability of `likely`; or typical errors away.")


class LabelNoise(_Value):
    """How many targets seem wrong, and which first to check."""

    rate: float = Field(description="Share of targets estimated to be wrong.")
    p: float = Field(description="Chance of such a rate where labels are right.")
    n_rows: int
    n_suspects: int
    suspects: tuple[Suspect, ...]


class Segment(_Value):
    """A group that k-means found, with what is unlike the rest and how the model errs in it."""

    name: str
    n: int
    traits: str
    error: float


class Point(_Value):
    """A row on the first two principal components."""

    x: float
    y: float
    segment: int
    is_outlier: bool


class Outlier(_Value):
    """A row that lies alone."""

    row: int
    score: float
    why: str


class Unsupervised(_Value):
    """The inputs without the target: directions, groups and rows that lie alone."""

    explained: tuple[float, ...]
    axes: tuple[str, str]
    silhouettes: dict[int, float]
    silhouette: float
    segments: tuple[Segment, ...]
    points: tuple[Point, ...]
    outliers: tuple[Outlier, ...]
    verdict: str


class Skipped(_Value):
    """What was not done, or not on every row, and why."""

    what: str
    why: str


class Diagnosis(_Value):
    """Why a model fails, or that nothing was found; most serious first."""

    schema_version: Literal[1] = SCHEMA_VERSION
    verdict: str
    findings: tuple[Finding, ...]
    model: str
    target: str
    unit: str = ""
    task: Task
    n_train: int
    n_test: int
    split: str
    seed: int
    seconds: float
    fit: Fit
    learning: LearningCurve | None = None
    validation: ValidationCurve | None = None
    confusion: Confusion | None = None
    classes: tuple[ClassShare, ...] = ()
    roc: tuple[RateCurve, ...] = ()
    precision_recall: tuple[RateCurve, ...] = ()
    calibration: CalibrationView | None = None
    residuals: Residuals | None = None
    slices: Slices | None = None
    importance: tuple[Importance, ...] = ()
    partial_dependence: tuple[PartialDependence, ...] = ()
    leakage: Leakage | None = None
    duplicates: Duplicates | None = None
    shift: Shift | None = None
    label_noise: LabelNoise | None = None
    unsupervised: Unsupervised | None = None
    skipped: tuple[Skipped, ...] = ()

    def to_json(self) -> str:
        """Write everything; `Diagnosis.model_validate_json` reads it back."""
        return self.model_dump_json(indent=2)

    def finding(self, slug: Slug) -> Finding | None:
        """Return the finding of that name, if there is one."""
        return next((one for one in self.findings if one.slug == slug), None)
