"""Regression figures against scikit-learn, and what is refused."""

import numpy as np
import pytest
from common.evaluation import EvaluationError, Resampling, regression_metrics
from sklearn import metrics as sk

QUICK = Resampling(n_resamples=200)


def examples(n: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.uniform(5, 10, n)
    return y, y + rng.normal(size=n)


@pytest.mark.parametrize("n", [50, 51])
def test_figures_agree_with_scikit_learn(n: int) -> None:
    y, p = examples(n)
    assert regression_metrics(y, p, resampling=QUICK).values() == pytest.approx(
        {
            "mae": sk.mean_absolute_error(y, p),
            "rmse": sk.root_mean_squared_error(y, p),
            "r2": sk.r2_score(y, p),
            "median_absolute_error": sk.median_absolute_error(y, p),
            "mape": sk.mean_absolute_percentage_error(y, p),
        }
    )


@pytest.mark.parametrize("n", [50, 51])
def test_figures_over_resamples_are_those_of_the_drawn_rows(n: int) -> None:
    y, p = examples(n)
    rows = np.random.default_rng(1).integers(0, n, n)
    counts = np.bincount(rows, minlength=n)[None, :].astype(float)
    whole = regression_metrics(y, p, resampling=QUICK)
    drawn = regression_metrics(y[rows], p[rows], resampling=QUICK)
    for name in whole:
        assert whole.statistics[name](counts)[0] == pytest.approx(drawn[name].value), name


def test_percentages_are_left_out_where_they_mean_nothing() -> None:
    y, p = examples(50)
    assert "mape" not in list(regression_metrics(y - 7, p, resampling=QUICK))
    with pytest.raises(EvaluationError, match="divides by the truth, which is 0 in 1 example"):
        regression_metrics(np.r_[0.0, y], np.r_[1.0, p], metrics=["mape"])


@pytest.mark.parametrize(
    ("truth", "predicted", "words"),
    [
        ([1.0, 2.0], [1.0], "predicted has 1 examples; accepted: 2"),
        ([1.0, np.nan], [1.0, 2.0], "truth holds 1 missing"),
        ([1.0, 2.0], [1.0, np.inf], "predicted holds 1 missing or infinite"),
        (["a", "b"], [1.0, 2.0], "must be numbers"),
        ([3.0, 3.0], [1.0, 2.0], "r2 needs a truth that varies"),
        ([[1.0], [2.0]], [1.0, 2.0], "2 dimensions"),
    ],
)
def test_what_cannot_be_measured_is_named(truth: list, predicted: list, words: str) -> None:
    with pytest.raises(EvaluationError) as refused:
        regression_metrics(truth, predicted, resampling=QUICK)
    assert words in str(refused.value)
