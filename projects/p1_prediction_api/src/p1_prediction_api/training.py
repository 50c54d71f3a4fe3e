"""`train`: a table in, a proven and explained model out.

Prepare, split, search by cross-validation inside the training part, refit the choice, score it once
on rows it never saw, export it and prove the export equal. Prints nothing: progress goes to a
callback. Read next: `prepared.py`, `candidates.py`, `scoring.py`, `export.py`, `publishing.py`.
"""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from common.models import ModelVersion
from p0_foundations import read_table

from p1_prediction_api.candidates import BASELINE, Candidate, candidates
from p1_prediction_api.contracts import CandidateScore, Estimate, ModelCard, Signature
from p1_prediction_api.errors import TrainingError, UnknownTargetError
from p1_prediction_api.export import export, predict, prove_parity, with_strangers
from p1_prediction_api.prepared import WARNED, Prepared, known_target, prepare
from p1_prediction_api.scoring import estimate, main_metric, score_table
from p1_prediction_api.settings import Settings
from p1_prediction_api.splits import Split, split_rows

Report = Callable[[str, float], None]
"""Called with what is being done and the share done, 0 to 1."""


def _say_nothing(what: str, share: float) -> None:
    """Report to nobody."""
    del what, share


@dataclass(frozen=True)
class TrainingRun:
    """A trained model: what it is, how good it is, and the pipeline itself."""

    data: Prepared
    split: Split
    chosen: Candidate
    signature: Signature
    card: ModelCard

    @property
    def verdict(self) -> str:
        """How good it is, in words."""
        return self.card.verdict

    def publish(
        self,
        *,
        model: str | None = None,
        alias: str | None = "champion",
        settings: Settings | None = None,
    ) -> ModelVersion:
        """Publish to the registry; a running service that serves this alias swaps to it."""
        from p1_prediction_api.publishing import publish  # noqa: PLC0415 - needs the registry

        chosen = settings or Settings()
        return publish(self, model=model or chosen.model, alias=alias, settings=chosen)


@dataclass
class _Search:
    """What the search has found so far; an interrupt keeps it."""

    scores: list[tuple[Candidate, CandidateScore]] = field(default_factory=list)

    def choose(self) -> tuple[Candidate, str]:
        """Take the simplest candidate within one standard error of the best (Breiman, 1984)."""
        best, top = max(self.scores, key=lambda pair: pair[1].score)
        for candidate, score in self.scores:
            if score.score >= top.score - top.standard_error:
                if candidate is best:
                    return candidate, "it has the best cross-validated score"
                return candidate, (
                    f"it is the simplest within one standard error of {best.name}, the best"
                )
        return best, "it has the best cross-validated score"


def train(
    table: pd.DataFrame | str | Path,
    *,
    target: str,
    minutes: float = 10.0,
    time_column: str | None = None,
    group_column: str | None = None,
    seed: int = 0,
    units: dict[str, str] | None = None,
    report: Report = _say_nothing,
) -> TrainingRun:
    """Train on a table to predict one of its columns.

    `minutes` bounds the search, and an interrupt (Ctrl-C) ends it: the best so far is kept once
    there is one beside the baseline. `time_column` holds out the latest rows, `group_column` whole
    groups. Raises `TrainingError` for a table that cannot teach a model.
    """
    report("reading the table", 0.0)
    frame = read_table(Path(table)) if isinstance(table, str | Path) else table
    frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
    leave_out = tuple(name for name in (time_column, group_column) if name)
    for name in leave_out:
        if name not in frame.columns:
            raise UnknownTargetError(name, frame.columns)
    data = prepare(frame, target, leave_out=leave_out)
    kept = frame.loc[_known_rows(frame, data)]
    split = split_rows(
        data.y,
        data.task,
        seed=seed,
        groups=kept[group_column] if group_column else None,
        time=_moments(kept[time_column]) if time_column else None,
    )
    search = _search(data, split, seed=seed, minutes=minutes, report=report)
    chosen, because = search.choose()
    report(f"fitting {chosen.name}", 0.9)
    chosen.pipeline.fit(data.X.iloc[split.train], data.y[split.train])
    report("testing on rows never seen", 0.95)
    card = _card(data, split, search, chosen, because, seed=seed)
    report("done", 1.0)
    return TrainingRun(data, split, chosen, data.signature(units), card)


def _known_rows(frame: pd.DataFrame, data: Prepared) -> pd.Index:
    return frame.index[known_target(frame, data.target, data.profile)]


def _moments(column: pd.Series) -> pd.Series:
    parsed = pd.to_datetime(column, errors="coerce")
    if parsed.isna().any():
        numbers = pd.to_numeric(column, errors="coerce")
        if numbers.isna().any():
            raise TrainingError(f"{column.name} holds values that are neither a time nor a number")
        return numbers
    return parsed


def _search(data: Prepared, split: Split, *, seed: int, minutes: float, report: Report) -> _Search:
    give_up_at = time.monotonic() + minutes * 60
    found = _Search()
    listed = list(candidates(data, seed=seed))
    for k, candidate in enumerate(listed):
        if len(found.scores) > 1 and time.monotonic() > give_up_at:
            break
        report(f"cross-validating {candidate.name}", 0.05 + 0.8 * k / len(listed))
        try:
            found.scores.append((candidate, _cross_validate(candidate, data, split, seed=seed)))
        except KeyboardInterrupt:
            if len(found.scores) < 2:
                raise
            break
    return found


def _cross_validate(
    candidate: Candidate, data: Prepared, split: Split, *, seed: int
) -> CandidateScore:
    score = score_table(data.task, len(data.classes))[main_metric(data.task, len(data.classes))]
    X, y = data.X.iloc[split.train], data.y[split.train]
    scores: list[float] = []
    seconds = 0.0
    for fit_rows, score_rows in split.folds(data.y, data.task, seed):
        if data.task == "classification" and len(np.unique(y[fit_rows])) < len(data.classes):
            continue  # an early slice of time may lack a class
        started = time.perf_counter()
        candidate.pipeline.fit(X.iloc[fit_rows], y[fit_rows])
        seconds += time.perf_counter() - started
        predicted = predict(data, candidate.pipeline, X.iloc[score_rows])
        scores.append(float(score(y[score_rows], predicted)))
    if not scores:
        raise TrainingError("no fold holds every class; the table is too small to learn from")
    error = float(np.std(scores, ddof=1) / np.sqrt(len(scores))) if len(scores) > 1 else 0.0
    return CandidateScore(
        name=candidate.name,
        score=float(np.mean(scores)),
        standard_error=error,
        fit_s=seconds / len(scores),
    )


def _card(
    data: Prepared, split: Split, search: _Search, chosen: Candidate, because: str, *, seed: int
) -> ModelCard:
    X, y = data.X.iloc[split.test], data.y[split.test]
    table = score_table(data.task, len(data.classes))
    predicted = predict(data, chosen.pipeline, X)
    figures = {
        name: estimate(name, score, y, predicted, seed=seed) for name, score in table.items()
    }
    baseline = next(c for c, _ in search.scores if c.name == BASELINE).pipeline
    baseline.fit(data.X.iloc[split.train], data.y[split.train])
    guessed = predict(data, baseline, X)
    base = {name: float(score(y, guessed)) for name, score in table.items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export(data, chosen.pipeline, chosen.family, path)
        difference = prove_parity(data, chosen.pipeline, path, with_strangers(data, X))
    metric = main_metric(data.task, len(data.classes))
    return ModelCard(
        verdict=_verdict(data, chosen, figures[metric], base[metric], metric, len(y)),
        chosen_because=because,
        metric=metric,
        metrics=figures,
        baseline=base,
        candidates=tuple(
            score.model_copy(update={"is_chosen": candidate is chosen})
            for candidate, score in search.scores
        ),
        n_train=len(split.train),
        n_test=len(y),
        split=split.how,
        dropped=data.dropped,
        warnings=data.warnings,
        max_parity_difference=difference,
        trained_at=datetime.now(UTC),
        seed=seed,
    )


METRIC_WORDS = {"roc_auc": "ROC AUC", "balanced_accuracy": "balanced accuracy", "r2": "R²"}


def _verdict(
    data: Prepared, chosen: Candidate, figure: Estimate, base: float, metric: str, n_test: int
) -> str:
    words = METRIC_WORDS[metric]
    name = chosen.name[0].upper() + chosen.name[1:]
    text = (
        f"{name}: {words} {figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f}) on {n_test:,} "
        f"rows it never saw; guessing has {base:.3f}."
    )
    if figure.low <= base:
        text += f" It is not shown to predict {data.target} better than guessing."
    found = (f for f in data.profile.findings if f.code in WARNED and f.severity == "problem")
    if worst := next(found, None):
        text += f" Look at this first: {worst.message}"
    return text
