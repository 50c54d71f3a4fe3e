"""Phase 1: train on any table, serve the predictions, watch them.

The public names, loaded when first asked for: importing this package loads no scikit-learn.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from p1_prediction_api.contracts import Signature
    from p1_prediction_api.errors import PredictionError, TrainingError
    from p1_prediction_api.training import TrainingRun, train

_HOMES = {
    "PredictionError": "p1_prediction_api.errors",
    "Signature": "p1_prediction_api.contracts",
    "TrainingError": "p1_prediction_api.errors",
    "TrainingRun": "p1_prediction_api.training",
    "train": "p1_prediction_api.training",
}

__all__ = ["PredictionError", "Signature", "TrainingError", "TrainingRun", "train"]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'p1_prediction_api' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
