"""Phase 2: neural networks, trained, debugged, tracked, compared and served.

The public names, loaded when first asked for: importing this package loads no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from p2_nn_service.contracts import RunRecord
    from p2_nn_service.data.datasets import Dataset, open_dataset
    from p2_nn_service.debugging.examining import examine
    from p2_nn_service.debugging.subject import Subject
    from p2_nn_service.errors import NetworkError, TrainingError
    from p2_nn_service.models.building import build
    from p2_nn_service.runs import RunFolder, find_run
    from p2_nn_service.training.loop import Batches, Fitted, Keeping, fit
    from p2_nn_service.training.recipe import Recipe
    from p2_nn_service.training.watching import Watcher

_HOMES = {
    "Batches": "p2_nn_service.training.loop",
    "Dataset": "p2_nn_service.data.datasets",
    "Fitted": "p2_nn_service.training.loop",
    "Keeping": "p2_nn_service.training.loop",
    "NetworkError": "p2_nn_service.errors",
    "Recipe": "p2_nn_service.training.recipe",
    "RunFolder": "p2_nn_service.runs",
    "RunRecord": "p2_nn_service.contracts",
    "Subject": "p2_nn_service.debugging.subject",
    "TrainingError": "p2_nn_service.errors",
    "Watcher": "p2_nn_service.training.watching",
    "build": "p2_nn_service.models.building",
    "examine": "p2_nn_service.debugging.examining",
    "find_run": "p2_nn_service.runs",
    "fit": "p2_nn_service.training.loop",
    "open_dataset": "p2_nn_service.data.datasets",
}

__all__ = [
    "Batches",
    "Dataset",
    "Fitted",
    "Keeping",
    "NetworkError",
    "Recipe",
    "RunFolder",
    "RunRecord",
    "Subject",
    "TrainingError",
    "Watcher",
    "build",
    "examine",
    "find_run",
    "fit",
    "open_dataset",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'p2_nn_service' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
