"""A classifier whose answers a person can foretell: it names the bright corner."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
import pytest
from common.models import ModelVersion, open_registry
from onnx import TensorProto, helper, numpy_helper
from p2_nn_service.contracts import Estimate, Measured, Mistake, ModelCard, Strangeness
from p2_nn_service.settings import Settings

CORNERS = ("top left", "top right", "bottom left", "bottom right")
SIDE = 8
Publish = Callable[..., ModelVersion]


@pytest.fixture
def settings() -> Settings:
    """Settings with a data directory of the test's own, that looks for swaps often."""
    return Settings(model="corners", poll_s=0.02, publish_builtin=False)


@pytest.fixture
def publish_corners(settings: Settings, tmp_path: Path) -> Publish:
    """Publish the corner model as the next version; `with_maps` gives it class evidence maps."""

    def publish(
        *,
        alias: str | None = "champion",
        with_maps: bool = False,
        content: bytes | None = None,
        **changed: object,
    ) -> ModelVersion:
        registry = open_registry(settings.registry_location, cache_dir=tmp_path / "cache")
        files = tmp_path / f"files-{datetime.now(UTC).timestamp()}"
        files.mkdir()
        card = corner_card().model_copy(update=changed)
        graph = corner_graph(with_maps=with_maps) if content is None else content
        (files / "model.onnx").write_bytes(graph)
        (files / "card.json").write_text(card.model_dump_json(), encoding="utf-8")
        return registry.publish(
            "corners", files, metrics={"accuracy": 0.75}, description=card.verdict, alias=alias
        )

    return publish


def corner_card() -> ModelCard:
    """What is said of the corner model."""
    measured = Estimate(value=0.75, low=0.7, high=0.8)
    return ModelCard(
        title="Corners",
        dataset="made for the tests",
        classes=CORNERS,
        shape=(1, SIDE, SIDE),
        is_light_on_dark=True,
        preset="corners",
        verdict="It names the bright corner.",
        metrics={"accuracy": measured},
        temperature=0.5,
        strangeness=Strangeness(threshold=-3.0),
        variants=(
            Measured(
                variant="fp32",
                file="model.onnx",
                accuracy=measured,
                n_bytes=1000,
                n_parameters=256,
                n_flops=256,
                latency_ms=0.01,
                train_s=0.0,
            ),
        ),
        confusion=((3, 1, 0, 0), (0, 3, 1, 0), (0, 0, 3, 1), (1, 0, 0, 3)),
        mistakes=(
            Mistake(index=7, truth="top left", said="top right", probability=0.9, png="aGk="),
        ),
    )


def corner_graph(*, with_maps: bool = False) -> bytes:
    """Logits are eight times the mean brightness of each corner; the dark is strange."""
    half = SIDE // 2
    weights = np.zeros((len(CORNERS), SIDE, SIDE), np.float32)
    for k in range(len(CORNERS)):
        row, column = (k // 2) * half, (k % 2) * half
        weights[k, row : row + half, column : column + half] = 8 / half**2
    flat = weights.reshape(len(CORNERS), -1).T.copy()
    nodes = [
        helper.make_node("Flatten", ["pixels"], ["features"]),
        helper.make_node("MatMul", ["features", "head"], ["logits"]),
        helper.make_node("ReduceMax", ["logits", "axis"], ["top"], keepdims=0),
        helper.make_node("Neg", ["top"], ["strangeness"]),
    ]
    outputs = [
        _tensor("logits", ["n", len(CORNERS)]),
        _tensor("features", ["n", SIDE * SIDE]),
        _tensor("strangeness", ["n"]),
    ]
    axis = numpy_helper.from_array(np.array([1]), "axis")
    initializers = [numpy_helper.from_array(flat, "head"), axis]
    if with_maps:  # one channel a class: the pixels that its weights see
        nodes.append(helper.make_node("Mul", ["pixels", "planes"], ["maps"]))
        initializers.append(numpy_helper.from_array(weights[None], "planes"))
        outputs.append(_tensor("maps", ["n", len(CORNERS), SIDE, SIDE]))
    graph = helper.make_graph(
        nodes, "corners", [_tensor("pixels", ["n", 1, SIDE, SIDE])], outputs, initializers
    )
    opset = [helper.make_opsetid("", 18)]
    return onnx.helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()


def _tensor(name: str, shape: list[int | str]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def bright(corner: str, *, by: float = 1.0) -> np.ndarray:
    """Make an image (8, 8) whose one corner is lit."""
    image = np.zeros((SIDE, SIDE), np.float32)
    k, half = CORNERS.index(corner), SIDE // 2
    row, column = (k // 2) * half, (k % 2) * half
    image[row : row + half, column : column + half] = by
    return image
