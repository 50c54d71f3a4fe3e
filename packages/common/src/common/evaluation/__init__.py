"""Evaluation: metrics with intervals, paired comparisons, suites that gate, reports.

Start with `classification.py` (or the family you need), then `intervals.py`, `comparison.py`,
`suites.py`. Needs the extra `evaluation`; importing this name loads none of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from common.evaluation.answers import answer_metrics
    from common.evaluation.classification import classification_metrics
    from common.evaluation.comparison import (
        Comparison,
        adjusted_p_values,
        compare_correctness,
        compare_metrics,
        compare_scores,
        mcnemar_p,
    )
    from common.evaluation.estimates import Estimate, EvaluationError
    from common.evaluation.intervals import bootstrap_interval, mean_interval, wilson_interval
    from common.evaluation.metrics import Metrics, Resampling
    from common.evaluation.regression import regression_metrics
    from common.evaluation.reports import (
        log_to_mlflow,
        to_html,
        to_json,
        to_markdown,
        write_report,
    )
    from common.evaluation.retrieval import retrieval_metrics
    from common.evaluation.suites import (
        Case,
        Gate,
        Suite,
        SuiteResult,
        load_suite,
        run_suite,
    )

_HOMES = {
    "Case": "suites",
    "Comparison": "comparison",
    "Estimate": "estimates",
    "EvaluationError": "estimates",
    "Gate": "suites",
    "Metrics": "metrics",
    "Resampling": "metrics",
    "Suite": "suites",
    "SuiteResult": "suites",
    "adjusted_p_values": "comparison",
    "answer_metrics": "answers",
    "bootstrap_interval": "intervals",
    "classification_metrics": "classification",
    "compare_correctness": "comparison",
    "compare_metrics": "comparison",
    "compare_scores": "comparison",
    "load_suite": "suites",
    "log_to_mlflow": "reports",
    "mcnemar_p": "comparison",
    "mean_interval": "intervals",
    "regression_metrics": "regression",
    "retrieval_metrics": "retrieval",
    "run_suite": "suites",
    "to_html": "reports",
    "to_json": "reports",
    "to_markdown": "reports",
    "wilson_interval": "intervals",
    "write_report": "reports",
}

__all__ = [
    "Case",
    "Comparison",
    "Estimate",
    "EvaluationError",
    "Gate",
    "Metrics",
    "Resampling",
    "Suite",
    "SuiteResult",
    "adjusted_p_values",
    "answer_metrics",
    "bootstrap_interval",
    "classification_metrics",
    "compare_correctness",
    "compare_metrics",
    "compare_scores",
    "load_suite",
    "log_to_mlflow",
    "mcnemar_p",
    "mean_interval",
    "regression_metrics",
    "retrieval_metrics",
    "run_suite",
    "to_html",
    "to_json",
    "to_markdown",
    "wilson_interval",
    "write_report",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'common.evaluation' has no attribute {name!r}")
    return getattr(import_module(f"common.evaluation.{_HOMES[name]}"), name)
