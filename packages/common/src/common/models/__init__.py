"""The model registry: immutable versions, aliases that move atomically, over a folder or MLflow.

Start with `registry.py` (the types and the port), then `stored.py` (folder and object store) and
`mlflow_rest.py` (a real MLflow server). `open_registry` chooses by location. `tracking.py` records
a training run in MLflow.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from common.models.opening import open_registry
    from common.models.registry import AliasMove, ModelFile, ModelVersion, Registry

_HOMES = {
    "AliasMove": "common.models.registry",
    "ModelFile": "common.models.registry",
    "ModelVersion": "common.models.registry",
    "Registry": "common.models.registry",
    "open_registry": "common.models.opening",
}

__all__ = ["AliasMove", "ModelFile", "ModelVersion", "Registry", "open_registry"]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'common.models' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
