"""How figures and names are spelled in a diagnosis; knows nothing else."""

from collections.abc import Sequence

from p1_prediction_api.contracts import Estimate

METRIC_WORDS = {"roc_auc": "ROC AUC", "balanced_accuracy": "balanced accuracy", "r2": "R²"}
MAX_NAMED = 3


def words_of(one: Estimate) -> str:
    """Spell a figure with its interval."""
    return f"{one.value:.2f} ({one.low:.2f} to {one.high:.2f})"


def named(names: Sequence[str]) -> str:
    """Name a few columns in a sentence."""
    shown = ", ".join(f"“{name}”" for name in names[:MAX_NAMED])
    return shown if len(names) <= MAX_NAMED else f"{shown} and {len(names) - MAX_NAMED} more"
