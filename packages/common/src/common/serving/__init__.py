"""Serving models: batching, ONNX sessions, the Open Inference Protocol.

Start with `inference.py` (what a served model is), then `onnx.py`, `batcher.py` and
`openinference.py`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from common.serving.batcher import MicroBatcher
    from common.serving.inference import InferenceModel, ModelMetadata, TensorSpec
    from common.serving.onnx import OnnxModel
    from common.serving.openinference import openinference_router

_HOMES = {
    "InferenceModel": "common.serving.inference",
    "MicroBatcher": "common.serving.batcher",
    "ModelMetadata": "common.serving.inference",
    "OnnxModel": "common.serving.onnx",
    "TensorSpec": "common.serving.inference",
    "openinference_router": "common.serving.openinference",
}

__all__ = [
    "InferenceModel",
    "MicroBatcher",
    "ModelMetadata",
    "OnnxModel",
    "TensorSpec",
    "openinference_router",
]


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'common.serving' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
