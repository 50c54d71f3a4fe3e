"""Cases from files: predictions beside the truth in JSON Lines, one example a line.

    classification  {"truth": "yes", "predicted": "yes", "probabilities": 0.9}
                    (probabilities: the positive class's, or {"yes": 0.9, "no": 0.1})
    regression      {"truth": 3.1, "predicted": 2.9}
    retrieval       {"query": "q1", "relevant": {"d1": 2, "d7": 1}, "ranking": ["d7", "d3"]}
    answers         {"accepted": ["Paris"], "predicted": "in Paris"}

Every line may name a "group"; then groups are resampled, not examples.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from common.evaluation.answers import answer_metrics
from common.evaluation.classification import classification_metrics
from common.evaluation.estimates import EvaluationError
from common.evaluation.metrics import Metrics, Resampling
from common.evaluation.regression import regression_metrics
from common.evaluation.retrieval import retrieval_metrics

CaseKind: TypeAlias = Literal["classification", "regression", "retrieval", "answers"]
Label: TypeAlias = str | int | bool


class _Example(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)
    group: str | int | None = None


class _Classified(_Example):
    kind: Literal["classification"]
    truth: Label
    predicted: Label | None = None
    probabilities: float | dict[str, float] | None = None


class _Estimated(_Example):
    kind: Literal["regression"]
    truth: float
    predicted: float


class _Ranked(_Example):
    kind: Literal["retrieval"]
    query: str
    relevant: dict[str, float]
    ranking: list[str]


class _Answered(_Example):
    kind: Literal["answers"]
    accepted: list[str]
    predicted: str


_LINE: TypeAdapter[_Classified | _Estimated | _Ranked | _Answered] = TypeAdapter(
    Annotated[_Classified | _Estimated | _Ranked | _Answered, Field(discriminator="kind")]
)


def measure_file(
    kind: CaseKind,
    path: Path,
    *,
    metrics: Sequence[str] | None = None,
    ks: Sequence[int] = (1, 5, 10),
    resampling: Resampling = Resampling(),  # noqa: B008 - frozen
) -> Metrics:
    """Measure the examples of a file; an error names the line."""
    lines = _lines(kind, path)
    groups = _groups(lines, path)
    classified = [one for one in lines if isinstance(one, _Classified)]
    estimated = [one for one in lines if isinstance(one, _Estimated)]
    ranked = [one for one in lines if isinstance(one, _Ranked)]
    answered = [one for one in lines if isinstance(one, _Answered)]
    if classified:
        return _measure_classified(classified, metrics, groups, resampling)
    if estimated:
        return regression_metrics(
            [one.truth for one in estimated], [one.predicted for one in estimated],
            metrics=metrics, groups=groups, resampling=resampling,
        )  # fmt: skip
    if ranked:
        judged = {one.query: one.relevant for one in ranked}
        if len(judged) < len(ranked):
            raise EvaluationError(f"{path}: a query is there twice")
        rankings = {one.query: one.ranking for one in ranked}
        found = retrieval_metrics(judged, rankings, ks=ks, groups=groups, resampling=resampling)
        return found.only(metrics)
    return answer_metrics(
        [one.predicted for one in answered], [one.accepted for one in answered],
        groups=groups, resampling=resampling,
    ).only(metrics)  # fmt: skip


def _measure_classified(
    lines: Sequence[_Classified],
    metrics: Sequence[str] | None,
    groups: list[str] | None,
    resampling: Resampling,
) -> Metrics:
    truth = [one.truth for one in lines]
    predicted = [one.predicted for one in lines if one.predicted is not None] or None
    given = [one.probabilities for one in lines if one.probabilities is not None]
    if given and len(given) < len(lines):
        raise EvaluationError(f"{len(lines) - len(given)} line(s) have no probabilities")
    tables = [one for one in given if isinstance(one, dict)]
    if not tables:
        columns = [one for one in given if not isinstance(one, dict)]
        return classification_metrics(
            truth, predicted, probabilities=columns or None, metrics=metrics, groups=groups,
            resampling=resampling,
        )  # fmt: skip
    labels = sorted(tables[0])
    if len(tables) < len(given) or any(sorted(one) != labels for one in tables):
        raise EvaluationError(f"probabilities: accepted: every line names the labels {labels}")
    named = [str(one) for one in truth]
    return classification_metrics(
        named, None if predicted is None else [str(one) for one in predicted],
        probabilities=[[one[label] for label in labels] for one in tables], labels=labels,
        metrics=metrics, groups=groups, resampling=resampling,
    )  # fmt: skip


def _lines(kind: CaseKind, path: Path) -> list[_Classified | _Estimated | _Ranked | _Answered]:
    found = []
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"the data file {path} cannot be read: {error}") from error
    for number, text in enumerate(texts, start=1):
        if not text.strip():
            continue
        try:
            fields = json.loads(text)
            found.append(_LINE.validate_python({**fields, "kind": kind}))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"][1:])
            raise EvaluationError(f"{path}, line {number}: {where}: {first['msg']}") from error
        except (ValueError, TypeError) as error:
            raise EvaluationError(f"{path}, line {number} is no JSON object: {error}") from error
    if not found:
        raise EvaluationError(f"the data file {path} is empty; accepted: one JSON object a line")
    return found


def _groups(lines: Sequence[_Example], path: Path) -> list[str] | None:
    named = [str(one.group) for one in lines if one.group is not None]
    if named and len(named) < len(lines):
        raise EvaluationError(f"{path}: {len(lines) - len(named)} line(s) name no group")
    return named or None
