"""Each fault is planted and must be named; clean data of several seeds must be accused of none."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from p1_prediction_api.candidates import Candidate
from p1_prediction_api.contracts import ModelCard
from p1_prediction_api.diagnosis import Diagnosis, diagnose, render_html
from p1_prediction_api.diagnosis.areas import average_precision, roc_area
from p1_prediction_api.diagnosis.label_noise import confident_suspects
from p1_prediction_api.errors import TrainingError
from p1_prediction_api.prepared import prepare
from p1_prediction_api.splits import Split, split_rows
from p1_prediction_api.training import TrainingRun
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

CARD = ModelCard.model_construct()
"""A diagnosis reads no card."""


def clean_table(
    n_rows: int = 600,
    *,
    seed: int = 0,
    n_columns: int = 4,
    strength: float = 1.5,
    is_number: bool = False,
) -> pd.DataFrame:
    """A target that follows three columns as a linear model supposes, and one label."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_rows, n_columns))
    table = pd.DataFrame(X, columns=[f"x{k}" for k in range(n_columns)])
    table["colour"] = rng.choice(["red", "green", "blue"], n_rows)
    score = strength * (X[:, 0] - X[:, 1] + 0.5 * X[:, 2]) + (table["colour"] == "red") - 1 / 3
    if is_number:
        return table.assign(y=score + rng.normal(size=n_rows))
    return table.assign(y=np.where(rng.random(n_rows) < 1 / (1 + np.exp(-score)), "yes", "no"))


def run_of(
    table: pd.DataFrame,
    model: object = None,
    *,
    time_column: str | None = None,
    split: Split | None = None,
) -> TrainingRun:
    """A run as training would leave it, of a model chosen here."""
    data = prepare(table, "y", leave_out=(time_column,) if time_column else ())
    if split is None:
        time = table[time_column] if time_column else None
        split = split_rows(data.y, data.task, seed=0, time=time)
    if model is None:
        model = LogisticRegression() if data.task == "classification" else Ridge()
    filled = Pipeline([("fill", SimpleImputer(strategy="median")), ("scale", StandardScaler())])
    columns = ColumnTransformer(
        [
            ("numbers", filled, list(data.numbers)),
            ("labels", OneHotEncoder(handle_unknown="ignore"), list(data.labels)),
        ],
        sparse_threshold=0,
    )
    pipeline = Pipeline([("prepare", columns), ("model", model)])
    family = "linear" if isinstance(model, LogisticRegression | Ridge) else "tree"
    return TrainingRun(data, split, Candidate("model", family, pipeline), data.signature(), CARD)


def names(found: Diagnosis) -> set[str]:
    return {one.slug for one in found.findings}


@cache
def clean(seed: int, *, is_number: bool = False) -> Diagnosis:
    return diagnose(run_of(clean_table(seed=seed, is_number=is_number)), seed=seed)


@cache
def with_a_weak_slice() -> Diagnosis:
    table = clean_table(1000, strength=4.0)
    weak = (table["colour"] == "blue") & (table["x3"] > 0)
    coins = np.random.default_rng(5).choice(["yes", "no"], len(table))
    return diagnose(run_of(table.assign(y=table["y"].mask(weak, coins))))


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(k, marks=pytest.mark.slow) for k in range(2, 8))]
)
def test_clean_data_is_accused_of_nothing(seed: int) -> None:
    assert names(clean(seed)) == set()
    assert clean(seed).verdict.startswith("No fault found")


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(k, marks=pytest.mark.slow) for k in range(2, 8))]
)
def test_clean_numbers_are_accused_of_nothing(seed: int) -> None:
    assert names(clean(seed, is_number=True)) == set()


@pytest.mark.criterion("p1.explain-failure")
def test_a_column_that_gives_the_target_away_is_named() -> None:
    table = clean_table()
    noise = np.random.default_rng(1).normal(scale=0.1, size=len(table))
    found = diagnose(run_of(table.assign(refund=(table["y"] == "yes") + noise)))
    assert names(found) == {"leak"}
    assert "refund" in found.verdict
    assert found.leakage is not None
    assert found.leakage.score_without == pytest.approx(clean(0).fit.cross_validated, abs=0.02)


@pytest.mark.criterion("p1.explain-failure")
def test_flipped_labels_are_counted_and_found() -> None:
    table = clean_table(800, strength=6.0)
    is_flipped = np.random.default_rng(2).random(len(table)) < 0.12
    flipped = table["y"].map({"yes": "no", "no": "yes"})
    found = diagnose(run_of(table.assign(y=table["y"].mask(is_flipped, flipped))))
    assert names(found) == {"label-noise"}
    noise = found.label_noise
    assert noise is not None
    assert noise.rate == pytest.approx(0.12, abs=0.05)
    assert np.mean([is_flipped[one.row] for one in noise.suspects]) > 0.9


def test_numbers_with_a_slipped_comma_are_found() -> None:
    table = clean_table(is_number=True)
    slipped = np.random.default_rng(3).choice(len(table), 9, replace=False)
    table.loc[slipped, "y"] += 40
    found = diagnose(run_of(table))
    assert found.finding("label-noise") is not None
    assert found.label_noise is not None
    assert {one.row for one in found.label_noise.suspects} <= set(slipped)


@pytest.mark.criterion("p1.explain-failure")
def test_a_column_that_drifts_with_time_is_named() -> None:
    table = clean_table()
    table["when"] = np.arange(len(table))
    table["x3"] += table["when"] / 200
    found = diagnose(run_of(table, time_column="when"))
    assert names(found) == {"shift"}
    assert found.shift is not None
    assert found.shift.columns[0].column == "x3"


def test_a_relation_that_changes_with_time_shows_in_the_held_out_score() -> None:
    table = clean_table()
    table["when"] = np.arange(len(table))
    late = table["when"] > 480
    table["y"] = table["y"].mask(late, np.where(table["x0"] < table["x1"], "yes", "no"))
    assert "held-out-worse" in names(diagnose(run_of(table, time_column="when")))


@pytest.mark.criterion("p1.explain-failure")
def test_a_rare_class_is_named_with_how_many_are_missed() -> None:
    table = clean_table(1200)
    noise = np.random.default_rng(4).normal(size=len(table))
    found = diagnose(run_of(table.assign(y=np.where(table["x0"] + noise > 2.6, "rare", "usual"))))
    assert names(found) == {"imbalance"}
    assert "rare" in found.verdict


def test_too_few_rows_are_named() -> None:
    assert names(diagnose(run_of(clean_table(70, n_columns=12)))) >= {"too-small"}


@pytest.mark.criterion("p1.explain-failure")
def test_a_linear_model_of_an_exclusive_or_is_too_simple() -> None:
    table = clean_table()
    found = diagnose(run_of(table.assign(y=np.where(table["x0"] * table["x1"] > 0, "a", "b"))))
    assert found.findings[0].slug == "too-simple"
    assert found.learning is not None
    assert found.learning.verdict.startswith("Bias")
    assert not names(found) & {"too-flexible", "leak", "label-noise", "shift"}


@pytest.mark.criterion("p1.explain-failure")
@pytest.mark.parametrize("is_number", [False, True])
def test_a_deep_tree_on_noise_is_too_flexible(is_number: bool) -> None:
    rng = np.random.default_rng(6)
    table = clean_table(500)
    table["y"] = rng.normal(size=500) if is_number else rng.choice(["a", "b"], 500)
    kind = DecisionTreeRegressor if is_number else DecisionTreeClassifier
    found = diagnose(run_of(table, kind(random_state=0)))
    assert found.findings[0].slug == "too-flexible"
    assert found.learning is not None
    assert found.learning.verdict.startswith("Variance")
    assert not names(found) & {"too-simple", "leak", "label-noise", "shift"}


def test_rows_of_the_training_part_among_those_held_out_are_counted() -> None:
    table = clean_table()
    again = pd.concat([table, table.sample(200, random_state=0)], ignore_index=True)
    found = diagnose(run_of(again))
    assert found.findings[0].slug == "duplicates"
    assert found.duplicates is not None
    keys = again.drop(columns="y").astype(str).agg("|".join, axis=1)
    split = run_of(again).split
    assert found.duplicates.n_found == keys[split.test].isin(keys[split.train]).sum()


def test_repeats_that_few_levels_explain_are_no_finding() -> None:
    rng = np.random.default_rng(8)
    table = pd.DataFrame(rng.choice(["a", "b", "c"], (600, 4)), columns=list("pqrs"))
    table["y"] = np.where((table["p"] == "a") ^ (rng.random(600) < 0.2), "yes", "no")
    found = diagnose(run_of(table))
    assert found.duplicates is not None
    assert found.duplicates.n_found > 100
    assert "duplicates" not in names(found)


@pytest.mark.criterion("p1.explain-failure")
def test_the_slice_where_answers_are_coin_flips_is_found_with_its_size() -> None:
    found = with_a_weak_slice()
    assert "weak-slice" in names(found)
    assert found.slices is not None
    worst = found.slices.worst[0]
    assert "colour is blue" in worst.where
    assert "x3" in worst.where
    assert worst.error.low > worst.expected
    assert worst.n >= 25


def test_a_diagnosis_goes_to_json_and_back_unchanged() -> None:
    for found in (clean(0), clean(0, is_number=True), with_a_weak_slice()):
        assert Diagnosis.model_validate_json(found.to_json()) == found


def test_a_diagnosis_repeats_with_its_seed() -> None:
    again = diagnose(run_of(clean_table()))
    assert again.model_copy(update={"seconds": 0.0}) == clean(0).model_copy(update={"seconds": 0.0})


def test_the_report_stands_alone_and_says_the_verdict_first() -> None:
    for found in (clean(0, is_number=True), with_a_weak_slice()):
        page = render_html(found)
        assert "<script" not in page
        assert not any(mark in page for mark in ("src=", "<link", "@import", 'href="http'))
        assert page.index("<h1>") < page.index("<h2")
        assert page.count("<svg") == page.count('role="img" aria-label="')
        assert "width=device-width" in page
        assert all(one.next_step.split("“")[0] in page for one in found.findings)


def test_names_from_the_table_cannot_become_markup() -> None:
    table = clean_table(300).rename(columns={"x0": "<script>alert(1)</script>"})
    page = render_html(diagnose(run_of(table), minutes=0.02))
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_what_time_does_not_allow_is_skipped_and_told() -> None:
    told: list[tuple[str, float]] = []
    run = run_of(clean_table(3000))
    found = diagnose(run, minutes=0.0, report=lambda what, share: told.append((what, share)))
    skipped = {one.what for one in found.skipped}
    assert {"learning curve", "leakage", "weak slices"} <= skipped
    assert any("training part" in what for what in skipped), "the sample is told"
    assert found.learning is None
    assert found.verdict.startswith("No fault found so far"), "what was not looked at is not clear"
    assert "as rows are added" not in render_html(found), "no chart of what was not measured"
    assert [share for _, share in told] == sorted(share for _, share in told)
    assert told[-1] == ("done", 1.0)


def test_several_classes_with_gaps_are_diagnosed() -> None:
    table = clean_table(600, strength=1.0)
    noise = np.random.default_rng(9).logistic(size=len(table))
    table["y"] = pd.cut(2 * table["x0"] + noise, [-99, -1.5, 1.5, 99], labels=["a", "b", "c"])
    table["y"] = table["y"].astype(str)
    table.loc[::7, "x3"] = np.nan
    table.loc[::9, "colour"] = None
    found = diagnose(run_of(table))
    assert names(found) == set()
    assert len(found.roc) == 3
    assert "<svg" in render_html(found)


def test_curves_learn_from_no_row_that_is_held_out() -> None:
    """The held-out targets are spoilt: nothing learned inside the training part may change."""
    run = run_of(clean_table())
    y = run.data.y.copy()
    y[run.split.test] = np.random.default_rng(0).permutation(y[run.split.test])
    spoilt = diagnose(replace(run, data=replace(run.data, y=y)))
    assert spoilt.learning == clean(0).learning
    assert spoilt.validation == clean(0).validation
    assert spoilt.fit.held_out != clean(0).fit.held_out


def test_what_is_confused_is_what_the_service_says() -> None:
    run = run_of(clean_table())
    said = run.signature.model_copy(update={"positive": "no", "threshold": 0.2})
    seen = diagnose(replace(run, signature=said), minutes=0)
    test = run.split.test
    pipeline = run.chosen.pipeline.fit(
        run.data.X.iloc[run.split.train], run.data.y[run.split.train]
    )
    is_no = pipeline.predict_proba(run.data.X.iloc[test])[:, 0] >= 0.2
    assert seen.confusion is not None
    n_found = int((is_no & (run.data.y[test] == 0)).sum())
    assert seen.confusion.counts[0][0] == n_found
    assert seen.confusion.counts[1][0] == int(is_no.sum()) - n_found
    assert seen.classes[0].recall.value == pytest.approx(n_found / (run.data.y[test] == 0).sum())


@pytest.mark.slow
def test_a_run_as_training_leaves_it_is_diagnosed(cancer_run: TrainingRun) -> None:
    found = diagnose(cancer_run)
    assert found.model == cancer_run.chosen.name
    assert found.fit.held_out.value == pytest.approx(
        cancer_run.card.metrics["roc_auc"].value, abs=0.01
    )
    assert "leak" not in names(found)


def test_quick_areas_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    is_it, score = rng.integers(0, 2, 300), rng.integers(0, 20, 300).astype(float)
    assert roc_area(is_it, score) == pytest.approx(roc_auc_score(is_it, score))
    assert average_precision(is_it, score) == pytest.approx(average_precision_score(is_it, score))


def test_folds_without_every_class_are_refused_with_a_reason() -> None:
    table = clean_table(200)
    table["when"] = np.arange(200)
    table["y"] = np.where(table["when"] < 140, "early", "late")
    with pytest.raises(TrainingError, match="no fold holds every class"):
        diagnose(run_of(table, time_column="when"))


def test_confident_learning_counts_what_is_off_the_diagonal() -> None:
    """Worked by hand: thresholds are 0.6 and 0.7; the last row reaches class 1's."""
    p = np.array([[0.9, 0.1], [0.8, 0.2], [0.2, 0.8], [0.4, 0.6], [0.1, 0.9]])
    found, likely = confident_suspects(p, np.array([0, 0, 1, 1, 0]))
    assert found.tolist() == [4]
    assert likely[4] == 1
