"""Why a trained model fails: looked for in the data, the model and its errors, told verdict first.

`diagnose` looks, `render_html` shows; `Diagnosis` is what was seen, as JSON too. Read next:
`diagnosing.py` (the order of the work), `verdicts.py` (from figures to words).
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from p1_prediction_api.diagnosis.contracts import Diagnosis, Finding
    from p1_prediction_api.diagnosis.diagnosing import diagnose
    from p1_prediction_api.diagnosis.report import render_html

_HOMES = {
    "Diagnosis": "contracts",
    "Finding": "contracts",
    "diagnose": "diagnosing",
    "render_html": "report",
}

__all__ = ["Diagnosis", "Finding", "diagnose", "render_html"]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'p1_prediction_api.diagnosis' has no attribute {name!r}")
    return getattr(import_module(f"p1_prediction_api.diagnosis.{_HOMES[name]}"), name)
