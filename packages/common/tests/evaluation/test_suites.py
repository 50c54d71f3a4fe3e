"""Suites from TOML and JSON Lines to gates, exit codes and reports."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from common.evaluation import (
    Case,
    EvaluationError,
    Gate,
    Resampling,
    Suite,
    SuiteResult,
    load_suite,
    log_to_mlflow,
    regression_metrics,
    run_suite,
    to_html,
    to_json,
    to_markdown,
    write_report,
)

SUITE = """
name = "churn <model>"
n_resamples = 200
[[cases]]
name = "held-out | customers"
kind = "classification"
data = "held_out.jsonl"
[[cases.gates]]
metric = "accuracy"
at_least = {bound}
on = "{on}"
"""


def write_suite(folder: Path, *, bound: float = 0.7, on: str = "interval") -> Path:
    """A model that is right on 80 of 100 examples."""
    lines = [
        {"truth": "yes" if k % 2 else "no", "probabilities": {"no": 1 - p, "yes": p}}
        for k in range(100)
        for p in [abs(k % 2 - (0.8 if k < 20 else 0.3))]
    ]
    (folder / "held_out.jsonl").write_text("\n".join(map(json.dumps, lines)))
    path = folder / "suite.toml"
    path.write_text(SUITE.format(bound=bound, on=on))
    return path


@pytest.mark.parametrize(
    ("bound", "on", "exit_code"),
    [(0.7, "interval", 0), (0.75, "interval", 1), (0.75, "value", 0), (0.81, "value", 1)],
)
def test_a_gate_is_held_against_the_interval_unless_it_says_the_value(
    tmp_path: Path, bound: float, on: str, exit_code: int
) -> None:
    result = run_suite(load_suite(write_suite(tmp_path, bound=bound, on=on)))
    assert result.cases[0].estimates["accuracy"].value == pytest.approx(0.8)
    assert result.exit_code == exit_code
    assert result.is_passed == (exit_code == 0)


def test_a_bound_from_above_is_held_against_the_upper_end() -> None:
    y = np.random.default_rng(0).normal(size=200)
    found = regression_metrics(y, y + 1, resampling=Resampling(n_resamples=100))
    gate = Gate(metric="mae", at_most=1.0001)
    assert gate.check(found["mae"]).is_passed
    assert not Gate(metric="mae", at_most=0.5).check(found["mae"]).is_passed
    assert str(gate) == "upper bound of mae ≤ 1.0001"


def test_a_case_that_cannot_be_measured_is_told_and_the_others_run(tmp_path: Path) -> None:
    suite = load_suite(write_suite(tmp_path))
    broken = Case(name="broken", kind="regression", data=tmp_path / "none.jsonl")
    result = run_suite(suite.model_copy(update={"cases": (broken, *suite.cases)}))
    assert "none.jsonl cannot be read" in result.cases[0].error
    assert result.cases[1].is_passed
    assert result.exit_code == 2


def test_a_gate_on_a_metric_that_was_not_measured_names_those_that_were(tmp_path: Path) -> None:
    path = write_suite(tmp_path)
    path.write_text(path.read_text().replace('"accuracy"', '"auc"'))
    result = run_suite(load_suite(path))
    assert "'auc' was not measured; measured: accuracy" in result.cases[0].error


def test_a_live_model_is_measured_by_a_function() -> None:
    suite = Suite(name="live", cases=(Case(name="all", kind="regression"),))
    y = np.arange(10.0)
    result = run_suite(suite, lambda case: regression_metrics(y, y + 1))
    assert result.cases[0].estimates["mae"].value == 1
    assert "names no data file" in run_suite(suite).cases[0].error


@pytest.mark.parametrize(
    ("kind", "lines", "metric", "value"),
    [
        ("regression", [{"truth": 1, "predicted": 2.0}, {"truth": 3, "predicted": 3}], "mae", 0.5),
        (
            "retrieval",
            [
                {"query": "a", "relevant": {"d": 1}, "ranking": ["d"]},
                {"query": "b", "relevant": {"d": 1}, "ranking": ["x", "d"]},
            ],
            "mrr",
            0.75,
        ),
        (
            "answers",
            [{"accepted": ["x"], "predicted": "the x"}, {"accepted": [], "predicted": "y"}],
            "exact_match",
            0.5,
        ),
        (
            "classification",
            [
                {"truth": 1, "predicted": 1, "probabilities": 0.9, "group": "g"},
                {"truth": 0, "predicted": 0, "probabilities": 0.2, "group": "h"},
            ],
            "accuracy",
            1.0,
        ),
    ],
)
def test_every_kind_is_read_from_json_lines(
    tmp_path: Path, kind: str, lines: list, metric: str, value: float
) -> None:
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    case = Case(name="c", kind=kind, data=tmp_path / "data.jsonl", metrics=(metric,))
    result = run_suite(Suite(name="s", n_resamples=100, cases=(case,)))
    assert result.cases[0].error == ""
    assert result.cases[0].estimates[metric].value == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("[1]", "line 1 is no JSON object"),
        ('{"truth": 1, "predicted": 2}\n{', "line 2 is no JSON object"),
        ('{"truth": 1}', "line 1: predicted: Field required"),
        ('{"truth": 1, "predicted": "2"}', "line 1: predicted: Input should be a valid number"),
        ('{"truth": 1, "predicted": 2, "wieght": 3}', "wieght: Extra inputs"),
        ('{"truth": 1, "predicted": NaN}\n{"truth": 1, "predicted": 2}', "missing or infinite"),
        ('{"truth": 1, "predicted": 2, "group": "g"}\n{"truth": 2, "predicted": 2}', "no group"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "data.jsonl").write_text(text)
    case = Case(name="c", kind="regression", data=tmp_path / "data.jsonl")
    assert words in run_suite(Suite(name="s", cases=(case,))).cases[0].error


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name =", "is no TOML"),
        ('name = "x"', "cases"),
        (SUITE.format(bound=0.7, on="mean"), "on"),
        (SUITE.format(bound=0.7, on="value").replace("at_least = 0.7", ""), "at_least and at_most"),
        (SUITE.format(bound=0.7, on="value").replace("n_resamples", "resamples"), "resamples"),
    ],
)
def test_a_suite_that_is_wrong_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "suite.toml").write_text(text)
    with pytest.raises(EvaluationError) as refused:
        load_suite(tmp_path / "suite.toml")
    assert words in str(refused.value)


def test_a_suite_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"none\.toml cannot be read"):
        load_suite(tmp_path / "none.toml")


def test_reports_say_what_was_found(tmp_path: Path) -> None:
    result = run_suite(load_suite(write_suite(tmp_path, bound=0.75)))
    markdown, page = to_markdown(result), to_html(result)
    assert "## held-out \\| customers: FAILED" in markdown
    assert "lower bound of accuracy ≥ 0.75: FAILED" in markdown
    assert "churn &lt;model&gt;" in page
    assert "<model>" not in page
    assert "--ground" in page
    assert "http" not in page.replace("http-equiv", ""), "the page needs nothing from elsewhere"
    assert SuiteResult.model_validate_json(to_json(result)) == result


def test_a_report_is_written_in_the_format_of_its_ending(tmp_path: Path) -> None:
    result = run_suite(load_suite(write_suite(tmp_path)))
    for ending in ("md", "html", "json"):
        write_report(result, tmp_path / "out" / f"report.{ending}")
        assert (tmp_path / "out" / f"report.{ending}").stat().st_size > 200
    with pytest.raises(EvaluationError, match=r"accepted: \.md, \.html, \.json"):
        write_report(result, tmp_path / "report.pdf")


@pytest.mark.slow
@pytest.mark.parametrize(("bound", "exit_code"), [(0.7, 0), (0.75, 1), ('"x"', 2)])
def test_the_command_exits_as_ci_needs(tmp_path: Path, bound: object, exit_code: int) -> None:
    path = write_suite(tmp_path)
    path.write_text(path.read_text().replace("0.7", str(bound)))
    done = subprocess.run(
        [sys.executable, "-m", "common.evaluation", path, "--report", tmp_path / "r.html"],
        capture_output=True, text=True, env={**os.environ, "NO_COLOR": "1"},
    )  # fmt: skip
    assert done.returncode == exit_code, done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "r.html").exists() == (exit_code != 2)


@pytest.mark.slow
def test_figures_are_logged_to_mlflow(tmp_path: Path) -> None:
    import warnings

    result = run_suite(load_suite(write_suite(tmp_path)))
    run_id = log_to_mlflow(result, tmp_path)
    assert run_id is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of MLflow's own use of its libraries
        from mlflow.tracking import MlflowClient

        run = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}").get_run(run_id)
    assert run.data.metrics["held-out _ customers/accuracy"] == pytest.approx(0.8)
    assert run.data.tags["is_passed"] == "true"


def test_only_the_metrics_that_a_case_names_are_reported(tmp_path: Path) -> None:
    line = {"accepted": ["x"], "predicted": "x"}
    (tmp_path / "data.jsonl").write_text("\n".join([json.dumps(line)] * 3))
    case = Case(name="c", kind="answers", data=tmp_path / "data.jsonl", metrics=("f1",))
    found = run_suite(Suite(name="s", n_resamples=100, cases=(case,))).cases[0]
    assert list(found.estimates) == ["f1"]
