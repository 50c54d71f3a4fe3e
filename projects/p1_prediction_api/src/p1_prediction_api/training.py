"""`train`: a table in, a proven and explained model out.

Prepare, split, search by cross-validation inside the training part, refit the choice, calibrate it
and say how sure it is from the out-of-fold scores, test it once on rows it never saw, export it and
prove the export equal. Prints nothing: progress goes to a callback. Read next: `prepared.py`,
`candidates.py`, `search.py`, `calibration.py`, `conformal.py`, `export.py`, `publishing.py`.
"""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from common.models import ModelVersion
from numpy.typing import NDArray
from p0_foundations import Holding, Reading, Table, TableSchema, open_table, type_frame
from threadpoolctl import threadpool_limits

from p1_prediction_api.assurance import coverage_warnings, measured_uncertainty
from p1_prediction_api.calibration import (
    calibrate,
    calibration_error,
    cheapest_threshold,
)
from p1_prediction_api.candidates import BASELINE, Candidate
from p1_prediction_api.contracts import Calibration, Estimate, ModelCard, Signature
from p1_prediction_api.errors import TrainingError, UnknownTargetError
from p1_prediction_api.export import Fitted, export, prove_parity, with_strangers
from p1_prediction_api.prepared import WARNED, Prepared, known_target, prepare
from p1_prediction_api.raw_scores import link, raw_scores
from p1_prediction_api.scoring import estimate, main_metric, score_table
from p1_prediction_api.search import Report, Search, refit, search
from p1_prediction_api.settings import Settings
from p1_prediction_api.splits import Indices, Split, split_rows
from p1_prediction_api.trials import Trial

Floats = NDArray[np.float64]
DEFAULT_MINUTES = 1.5
"""Keeps a training of 30,000 rows on two cores, with all that follows the search, below two."""
METRIC_WORDS = {"roc_auc": "ROC AUC", "balanced_accuracy": "balanced accuracy", "r2": "R²"}


@dataclass(frozen=True)
class Costs:
    """What the two mistakes of a yes-or-no model cost, in any unit; only their ratio matters."""

    false_positive: float = 1.0
    false_negative: float = 1.0


def _say_nothing(what: str, share: float) -> None:
    """Report to nobody."""
    del what, share


_NOT_READ = Reading(form="data frame", n_rows=0, n_held=0)
_NOTHING_SAID = TableSchema()


@dataclass(frozen=True)
class TrainingRun:
    """A trained model: what it is, how good it is, and the pipeline itself."""

    data: Prepared
    split: Split
    chosen: Candidate
    signature: Signature
    card: ModelCard
    final: Candidate | None = None
    """The choice fitted once more, on every row; `chosen` when there is none."""
    reading: Reading = _NOT_READ
    schema: TableSchema = _NOTHING_SAID

    @property
    def fitted(self) -> Fitted:
        """What the card measured: it learned from the training part alone."""
        return Fitted(self.data, self.chosen, self.card.calibration, self.signature)

    @property
    def published(self) -> Fitted:
        """What is published: the same, having learned from the held-out rows as well."""
        return self.fitted._replace(candidate=self.final or self.chosen)

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


def train(
    table: pd.DataFrame | str | Path,
    *,
    target: str,
    schema: TableSchema | None = None,
    holding: Holding | None = None,
    minutes: float = DEFAULT_MINUTES,
    time_column: str | None = None,
    group_column: str | None = None,
    positive: str | None = None,
    costs: Costs | None = None,
    seed: int = 0,
    units: dict[str, str] | None = None,
    report: Report = _say_nothing,
) -> TrainingRun:
    """Train on a table to predict one of its columns.

    `minutes` bounds the search and the last fits, and an interrupt (Ctrl-C) ends the search: the
    best so far is kept once there is one beside the baseline. `time_column` holds out the latest
    rows, `group_column` whole groups. Of two classes, `positive` is the one that is looked for (the
    rarer one by default); it is said from the probability on that costs least, given `costs`.
    `schema` says how to read the table where that is known; `holding` how much of it to hold: a
    longer one is sampled. Raises `TrainingError` for a table that cannot teach a model.
    """
    opened = _opened(table, schema, holding, report)
    data, split = _prepared(opened, target, time_column, group_column, seed=seed)
    said = _positive(data, positive)
    found = search(data, split, seed=seed, minutes=minutes, report=report)
    trial, because = found.choose()
    report(f"fitting {trial.candidate.name}", 0.9)
    chosen, final = _fit_both(trial, data, split)
    calibration = _calibration(data, split, trial)
    threshold = cheapest_threshold(costs.false_positive, costs.false_negative) if costs else 0.5
    signature = data.signature(units, positive=said, threshold=threshold)
    fitted = Fitted(data, chosen, calibration, signature)
    report("testing on rows never seen", 0.95)
    card = _card(fitted, split, found, trial, because, seed=seed)
    update = {
        "threshold_because": _threshold_words(costs, fitted, split),
        "reading": (opened.reading.summary, *opened.reading.cautions),
    }
    card = card.model_copy(update=update)
    report("done", 1.0)
    return TrainingRun(
        data,
        split,
        chosen,
        signature,
        card,
        final,
        reading=opened.reading,
        schema=schema or TableSchema(),
    )


def _prepared(
    opened: Table, target: str, time_column: str | None, group_column: str | None, *, seed: int
) -> tuple[Prepared, Split]:
    """Choose what to learn from, and the rows to hold out."""
    frame = opened.frame
    leave_out = tuple(name for name in (time_column, group_column) if name)
    for name in leave_out:
        if name not in frame.columns:
            raise UnknownTargetError(name, frame.columns)
    data = prepare(frame, target, leave_out=leave_out, reading=opened.reading)
    kept = frame.loc[_known_rows(frame, data)]
    groups = kept[group_column] if group_column else None
    time = _moments(kept[time_column]) if time_column else None
    if time is not None:
        data = data.by_time(time)
    return data, split_rows(data.y, data.task, seed=seed, groups=groups, time=time)


def _opened(
    table: pd.DataFrame | str | Path,
    schema: TableSchema | None,
    holding: Holding | None,
    report: Report,
) -> Table:
    """Read the table, a sample of it when it is larger than may be held."""
    report("reading the table", 0.0)
    if isinstance(table, pd.DataFrame):
        return type_frame(table, schema)

    def progress(share: float) -> None:
        report(f"reading the table, {share:.0%}", 0.0)

    return open_table(Path(table), schema=schema, holding=holding, progress=progress)


def _fit_both(trial: Trial, data: Prepared, split: Split) -> tuple[Candidate, Candidate]:
    """Fit on the training part, to be tested, and on every row, to be published."""

    def fit(rows: Indices) -> Candidate:
        with threadpool_limits(1):
            return refit(trial, data, rows)

    with ThreadPoolExecutor(2) as pool:
        chosen, final = pool.map(fit, [split.train, np.arange(len(data.y), dtype=np.int64)])
    return chosen, final


def _positive(data: Prepared, wanted: str | None) -> str:
    if len(data.classes) != 2:
        if wanted:
            raise TrainingError(f"a positive class needs two classes; {data.target} has others")
        return ""
    if wanted is not None and wanted not in data.classes:
        raise TrainingError(
            f"{wanted!r} is no class of {data.target}; accepted: {', '.join(data.classes)}"
        )
    return wanted or data.classes[int(np.argmin(np.bincount(data.y)))]


def _threshold_words(costs: Costs | None, fitted: Fitted, split: Split) -> str:
    positive, threshold = fitted.signature.positive, fitted.signature.threshold
    if not positive:
        return ""
    if costs is None:
        return f"{positive} is said from a probability of 0.5 on: no costs were stated"
    index = fitted.data.classes.index(positive)
    p = fitted.predict(fitted.data.X.iloc[split.test])[:, index]
    is_it = fitted.data.y[split.test] == index

    def cost(least: float) -> float:
        missed, alarmed = is_it & (p < least), ~is_it & (p >= least)
        return float(costs.false_negative * missed.mean() + costs.false_positive * alarmed.mean())

    return (
        f"{positive} is said from a probability of {threshold:.3g} on: missing one costs "
        f"{costs.false_negative:g}, a false alarm {costs.false_positive:g}; on rows never seen "
        f"that costs {cost(threshold):.3g} a row, where 0.5 would cost {cost(0.5):.3g}"
    )


def _calibration(data: Prepared, split: Split, trial: Trial) -> Calibration:
    if data.task == "regression" or trial.candidate.family == "dummy":
        return Calibration(intercepts=(0.0,) * trial.raw.shape[1])
    return calibrate(trial.raw, data.y[split.train][trial.rows])


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


def _card(
    fitted: Fitted, split: Split, found: Search, trial: Trial, because: str, *, seed: int
) -> ModelCard:
    data = fitted.data
    X, y = data.X.iloc[split.test], data.y[split.test]
    threshold = fitted.signature.threshold
    table = score_table(data.task, len(data.classes), threshold=threshold)
    predicted = fitted.predict(X)
    truth, p = _for_positive(fitted, y, predicted)
    figures = {
        name: estimate(name, score, truth, p, seed=seed, threshold=threshold)
        for name, score in table.items()
    }
    base = _baseline(fitted, split, found)
    metric = main_metric(data.task, len(data.classes))
    uncertainty = measured_uncertainty(fitted, split, trial, predicted)
    return ModelCard(
        verdict=_verdict(data, fitted.candidate, figures[metric], base[metric], metric, len(y)),
        chosen_because=because,
        metric=metric,
        metrics=figures,
        decided_at=threshold if fitted.signature.positive else None,
        baseline=base,
        candidates=tuple(
            one.score.model_copy(update={"is_chosen": one is trial}) for one in found.trials
        ),
        n_train=len(split.train),
        n_test=len(y),
        split=split.how,
        dropped=data.dropped,
        warnings=(*data.warnings, *coverage_warnings(uncertainty, split)),
        calibration=_measured(fitted, split, predicted, seed=seed),
        uncertainty=uncertainty,
        max_parity_difference=_proved(fitted, X),
        trained_at=datetime.now(UTC),
        seed=seed,
    )


def _for_positive(
    fitted: Fitted, y: NDArray[Any], predicted: Floats
) -> tuple[NDArray[Any], Floats]:
    """Return truth and answers with the positive class second: the figures are of saying it."""
    signature = fitted.signature
    if signature.positive and signature.positive == signature.classes[0]:
        return 1 - y, predicted[:, ::-1]
    return y, predicted


def _baseline(fitted: Fitted, split: Split, found: Search) -> dict[str, float]:
    data = fitted.data
    guess = next(t.candidate for t in found.trials if t.candidate.name == BASELINE)
    guess.pipeline.fit(data.X.iloc[split.train], data.y[split.train])
    rows, y = data.X.iloc[split.test], data.y[split.test]
    y, guessed = _for_positive(fitted, y, link(data, guess, raw_scores(data, guess, rows)))
    table = score_table(data.task, len(data.classes), threshold=fitted.signature.threshold)
    return {name: float(score(y, guessed)) for name, score in table.items()}


def _measured(fitted: Fitted, split: Split, predicted: Floats, *, seed: int) -> Calibration:
    """Add to the calibration how well it holds on rows never seen."""
    data = fitted.data
    if data.task == "regression":
        return fitted.calibration
    rows, y = data.X.iloc[split.test], data.y[split.test]
    raw = link(data, fitted.candidate, raw_scores(data, fitted.candidate, rows))
    error = estimate("calibration_error", calibration_error, y, predicted, seed=seed)
    update = {"error": error, "raw_error": calibration_error(y, raw)}
    return fitted.calibration.model_copy(update=update)


def _proved(fitted: Fitted, rows: pd.DataFrame) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        export(fitted, path)
        return prove_parity(fitted, path, with_strangers(fitted.data, rows))


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
