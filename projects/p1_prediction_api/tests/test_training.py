import numpy as np
import pandas as pd
import pytest
from p1_prediction_api.contracts import MISSING
from p1_prediction_api.errors import UnknownTargetError, UntrainableError
from p1_prediction_api.export import predict, tensors
from p1_prediction_api.training import TrainingRun, train


def mixed_table(n_rows: int = 400, *, seed: int = 0) -> pd.DataFrame:
    """Numbers with gaps, labels with gaps, an id, a constant; y follows x and the label."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n_rows)
    label = rng.choice(["red", "green", "blue"], n_rows)
    y = x + 2 * (label == "red") + rng.normal(scale=0.3, size=n_rows)
    table = pd.DataFrame({"key": [f"row-{k:05d}" for k in range(n_rows)], "always": "same"})
    table["x"] = np.where(rng.random(n_rows) < 0.1, np.nan, x)
    table["colour"] = np.where(rng.random(n_rows) < 0.1, "?", label)
    table["amount"] = y
    table["sold"] = np.where(y > 1, "yes", "no")
    return table


@pytest.mark.criterion("p1.evaluate")
def test_the_model_is_scored_on_rows_it_never_saw_with_an_interval(cancer_run: TrainingRun) -> None:
    assert not set(cancer_run.split.train) & set(cancer_run.split.test)
    auc = cancer_run.card.metrics["roc_auc"]
    assert auc.low <= auc.value <= auc.high
    assert auc.value > 0.95, "a useful model of this data has at least that"
    assert auc.low > cancer_run.card.baseline["roc_auc"]
    assert "rows it never saw" in cancer_run.verdict


def test_a_simpler_candidate_within_one_standard_error_is_preferred(
    cancer_run: TrainingRun,
) -> None:
    best = max(cancer_run.card.candidates, key=lambda one: one.score)
    chosen = next(one for one in cancer_run.card.candidates if one.is_chosen)
    assert chosen.score >= best.score - best.standard_error


@pytest.mark.parametrize("target", ["sold", "amount"])
def test_gaps_labels_and_useless_columns_are_handled_and_told(target: str) -> None:
    other = "amount" if target == "sold" else "sold"
    run = train(mixed_table().drop(columns=other), target=target, minutes=1)
    assert set(run.card.dropped) == {"key", "always"}
    colour = next(f for f in run.signature.features if f.name == "colour")
    assert colour.may_be_missing
    assert set(colour.categories) == {"red", "green", "blue"}
    metric = run.card.metrics[run.card.metric]
    assert metric.value > 0.8


@pytest.mark.criterion("p1.explain-failure")
def test_a_column_that_gives_the_target_away_is_named_in_the_verdict() -> None:
    table = mixed_table().drop(columns="amount")
    table["refund_code"] = np.where(table["sold"] == "yes", "A", "B")
    run = train(table, target="sold", minutes=1)
    assert any("refund_code" in warning for warning in run.card.warnings)
    assert "refund_code" in run.verdict


def test_a_column_that_is_mostly_zero_is_learned_from() -> None:
    table = mixed_table().drop(columns="amount")
    rng = np.random.default_rng(2)
    table["gain"] = np.where(rng.random(len(table)) < 0.9, 0.0, rng.lognormal(8, 1, len(table)))
    run = train(table, target="sold", minutes=0)
    assert "gain" in run.data.numbers


def test_noise_is_said_not_to_be_predictable() -> None:
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"a": rng.normal(size=300), "b": rng.normal(size=300)})
    table["coin"] = rng.choice(["heads", "tails"], 300)
    run = train(table, target="coin", minutes=1)
    assert "not shown to predict coin better than guessing" in run.verdict


def test_the_latest_rows_are_held_out_when_a_time_column_is_named() -> None:
    table = mixed_table().drop(columns="sold")
    table["day"] = pd.date_range("2025-01-01", periods=len(table)).astype(str)
    table = table.sample(frac=1, random_state=3)
    run = train(table, target="amount", time_column="day", minutes=1)
    days = table["day"].to_numpy()
    assert days[run.split.train].max() < days[run.split.test].min()
    assert "day" not in run.data.X.columns


def test_a_group_stays_on_one_side() -> None:
    table = mixed_table().drop(columns="amount")
    table["shop"] = np.arange(len(table)) % 20
    run = train(table, target="sold", group_column="shop", minutes=1)
    shops = table["shop"].to_numpy()
    assert not set(shops[run.split.train]) & set(shops[run.split.test])


def test_shuffled_rows_and_renamed_columns_change_no_prediction(cancer_run: TrainingRun) -> None:
    """Invariance: a row's answer does not depend on its neighbours."""
    data, pipeline = cancer_run.data, cancer_run.chosen.pipeline
    rows = data.X.iloc[:50]
    shuffled = rows.sample(frac=1, random_state=0)
    a = predict(data, pipeline, rows)
    b = predict(data, pipeline, shuffled)
    order = [rows.index.get_loc(index) for index in shuffled.index]
    assert np.allclose(a[order], b)


@pytest.mark.parametrize(
    ("table", "target", "words"),
    [
        (mixed_table(), "solt", "did you mean 'sold'"),
        (mixed_table(30), "sold", "at least 50 are needed"),
        (mixed_table().assign(sold="yes"), "sold", "one value only"),
        (mixed_table(), "key", "distinct labels"),
        (pd.DataFrame({"sold": ["a", "b"] * 100}), "sold", "no column is left"),
    ],
)
def test_what_cannot_teach_a_model_is_refused_in_words(
    table: pd.DataFrame, target: str, words: str
) -> None:
    with pytest.raises((UnknownTargetError, UntrainableError), match=words):
        train(table, target=target)


def test_the_same_seed_gives_the_same_card() -> None:
    table = mixed_table().drop(columns="amount")
    one, two = (train(table, target="sold", seed=5, minutes=1).card for _ in range(2))
    assert one.metrics == two.metrics


def test_missing_labels_are_spelled_one_way_inside_the_model() -> None:
    run = train(mixed_table().drop(columns="amount"), target="sold", minutes=1)
    fed = tensors(run.data, run.data.X)
    assert MISSING in set(fed["colour"].reshape(-1))
    assert "?" not in set(fed["colour"].reshape(-1))
