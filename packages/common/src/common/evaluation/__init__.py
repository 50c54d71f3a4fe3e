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
    from common.evaluation.retrieval import retrieval_metrics

_HOMES = {
    "Comparison": "comparison",
    "Estimate": "estimates",
    "EvaluationError": "estimates",
    "Metrics": "metrics",
    "Resampling": "metrics",
    "adjusted_p_values": "comparison",
    "answer_metrics": "answers",
    "bootstrap_interval": "intervals",
    "classification_metrics": "classification",
    "compare_correctness": "comparison",
    "compare_metrics": "comparison",
    "compare_scores": "comparison",
    "mcnemar_p": "comparison",
    "mean_interval": "intervals",
    "regression_metrics": "regression",
    "retrieval_metrics": "retrieval",
    "wilson_interval": "intervals",
}

__all__ = [
    "Comparison",
    "Estimate",
    "EvaluationError",
    "Metrics",
    "Resampling",
    "adjusted_p_values",
    "answer_metrics",
    "bootstrap_interval",
    "classification_metrics",
    "compare_correctness",
    "compare_metrics",
    "compare_scores",
    "mcnemar_p",
    "mean_interval",
    "regression_metrics",
    "retrieval_metrics",
    "wilson_interval",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'common.evaluation' has no attribute {name!r}")
    return getattr(import_module(f"common.evaluation.{_HOMES[name]}"), name)
