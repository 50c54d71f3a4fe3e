"""The model that comes along: small, as good as its card says, and there from the first start."""

import json
import os
import sys
from pathlib import Path

import httpx2
import numpy as np
import pytest
import tritonclient.http as triton
from common.models import open_registry
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from p2_nn_service.classifier import LOGITS
from p2_nn_service.contracts import ModelCard
from p2_nn_service.data.datasets import open_dataset
from p2_nn_service.first_model import BUILTIN_DIR, publish_builtin
from p2_nn_service.publishing.export import run_graph
from p2_nn_service.publishing.measuring import as_pixels
from p2_nn_service.settings import Settings

from tests.support.process import RunningService, running_service

DATASETS = Path(os.environ.get("ROADMAP_DATASETS", "/nowhere"))


def card() -> ModelCard:
    return ModelCard.model_validate_json((BUILTIN_DIR / "card.json").read_text())


def test_it_is_smaller_than_a_megabyte_and_its_card_is_true_to_its_files() -> None:
    files = sum(path.stat().st_size for path in BUILTIN_DIR.iterdir())
    assert files < 1_000_000
    variants = {one.variant: one for one in card().variants}
    for one in variants.values():
        assert (BUILTIN_DIR / one.file).stat().st_size == one.n_bytes
    assert variants["fp32"].accuracy.value - variants["int8"].accuracy.value <= 0.003
    assert card().verdict in (BUILTIN_DIR / "MODEL_CARD.md").read_text()
    assert min(card().strangeness.auroc.values()) > 0.8


@pytest.mark.skipif(
    not (DATASETS / "images").is_dir(), reason="ROADMAP_DATASETS names no folder with images/"
)
def test_it_is_as_good_as_it_says() -> None:
    held_out = open_dataset("fashion-mnist", Settings(ROADMAP_DATASETS=DATASETS)).split(0.1)[1]
    sample = held_out.take(slice(0, 2000))
    for one in card().variants:
        said = run_graph(BUILTIN_DIR / one.file, as_pixels(sample))[LOGITS].argmax(axis=1)
        assert np.mean(said == sample.labels) == pytest.approx(one.accuracy.value, abs=0.02)


@pytest.mark.parametrize(
    ("changed", "n_versions"),
    [({}, 1), ({"publish_builtin": False}, 0), ({"model": "other"}, 0)],
)
def test_it_is_published_once_where_it_is_wanted(
    tmp_path: Path, changed: dict[str, object], n_versions: int
) -> None:
    settings = Settings(data_dir=tmp_path, **changed)
    publish_builtin(settings)
    publish_builtin(settings)
    registry = open_registry(settings.registry_location, cache_dir=tmp_path / "cache")
    models = registry.models()
    assert sum(len(registry.versions(one)) for one in models) == n_versions


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory):
    """The first start on a fresh machine."""
    folder = tmp_path_factory.mktemp("p2")
    command = [sys.executable, "-m", "p2_nn_service.cli", "--port", "0"]
    env = {"ROADMAP_DATA_DIR": str(folder / "data")}
    with running_service(command, cwd=folder, env=env) as running:
        yield running


@pytest.mark.slow
def test_the_first_start_serves_at_once(service: RunningService) -> None:
    assert httpx2.get(f"{service.url}/readyz").json() == {"status": "ready"}
    shown = httpx2.get(f"{service.url}/v1/model").json()
    assert shown["model"]["variant"] == "int8"
    mapped = Path(f"/proc/{service.process.pid}/maps").read_text()
    assert "onnxruntime" in mapped
    assert not [name for name in ("torch", "onnx/", "scipy", "sklearn") if f"/{name}/" in mapped]
    mistakes = httpx2.get(f"{service.url}/v1/model/mistakes").json()
    assert len(mistakes) == shown["n_mistakes"] > 10


@pytest.mark.slow
@pytest.mark.parametrize("is_binary", [True, False], ids=["binary", "json"])
def test_tritons_client_gets_the_answer_of_the_friendly_route(
    service: RunningService, *, is_binary: bool
) -> None:
    image = np.zeros((2, 1, 28, 28), np.float32)
    image[0, 0, 4:24, 10:18] = 0.8
    client = triton.InferenceServerClient(service.url.removeprefix("http://"))
    assert client.is_model_ready("fashion-mnist")
    (spec,) = client.get_model_metadata("fashion-mnist")["inputs"]
    given = triton.InferInput(spec["name"], list(image.shape), spec["datatype"])
    given.set_data_from_numpy(image, is_binary)
    wanted = [triton.InferRequestedOutput(n, is_binary) for n in ("logits", "strangeness")]
    answer = client.infer("fashion-mnist", [given], outputs=wanted)
    client.close()
    body = {"pixels": image.tolist()}
    friendly = httpx2.post(f"{service.url}/v1/classify", json=body).json()["classifications"]
    names = card().classes
    assert [names[k] for k in answer.as_numpy("logits").argmax(1)] == [
        one["label"] for one in friendly
    ]
    assert answer.as_numpy("strangeness").tolist() == pytest.approx(
        [one["strangeness"] for one in friendly], abs=1e-4
    )


@pytest.mark.slow
@pytest.mark.anyio
async def test_an_mcp_host_classifies_the_pictures_of_the_mistakes(service: RunningService) -> None:
    first = httpx2.get(f"{service.url}/v1/model/mistakes").json()[0]
    async with Client(streamable_http_client(f"{service.url}/mcp")) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert names == {"classify_image", "list_runs", "compare_models"}
        given = {"image_base64": first["png"], "top": 3}
        answer = (await client.call_tool("classify_image", given)).structured_content
        assert first["said"] in answer["classification"]["probabilities"]
        refused = await client.call_tool("classify_image", {"image_base64": "%%%"})
        assert refused.is_error
        assert "base64" in json.dumps(str(refused.content))
        compared = (await client.call_tool("compare_models", {})).structured_content
        assert {one["variant"] for one in compared["result"]} == {"fp32", "int8"}
