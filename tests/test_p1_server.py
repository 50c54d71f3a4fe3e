"""P1 as its user starts it: one command, a model by itself, and clients that others wrote."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import httpx2
import numpy as np
import pytest
import tritonclient.http as triton
from common.models import open_registry
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.support.process import RunningService, running_service

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "p1_prediction_api.cli", "--port", "0"]
TRAINING_LIBRARIES = ("sklearn", "pandas", "scipy", "mlflow", "torch", "matplotlib", "skl2onnx")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningService]:
    """The first start on a fresh machine: nothing is trained, nothing is published."""
    folder = tmp_path_factory.mktemp("p1")
    with running_service(
        COMMAND, cwd=folder, env={"ROADMAP_DATA_DIR": str(folder / "data")}
    ) as running:
        yield running


@pytest.fixture(scope="module")
def row(service: RunningService) -> dict[str, float]:
    model = httpx2.get(f"{service.url}/v1/model").json()
    return {f["name"]: f["example"] for f in model["signature"]["features"]}


def predict(service: RunningService, rows: list[dict[str, float]]) -> dict[str, object]:
    answer = httpx2.post(f"{service.url}/v1/predict", json={"rows": rows})
    assert answer.status_code == 200, answer.text
    (one,) = answer.json()["predictions"]
    return one


@pytest.mark.criterion("p1.deploy")
def test_the_first_start_trains_publishes_and_serves(
    service: RunningService, row: dict[str, float]
) -> None:
    assert httpx2.get(f"{service.url}/readyz").json() == {"status": "ready"}
    assert predict(service, [row])["prediction"] == "benign"
    metrics = httpx2.get(f"{service.url}/metrics").text
    assert 'predictions_total{label="benign",version="1"}' in metrics


@pytest.mark.skipif(sys.platform != "linux", reason="reads what a process maps from /proc")
def test_the_serving_process_holds_no_training_library(service: RunningService) -> None:
    mapped = Path(f"/proc/{service.process.pid}/maps").read_text()
    assert "onnxruntime" in mapped
    held = [name for name in TRAINING_LIBRARIES if f"site-packages/{name}/" in mapped]
    assert not held


@pytest.mark.parametrize("is_binary", [True, False], ids=["binary", "json"])
def test_tritons_client_gets_the_answer_of_the_friendly_route(
    service: RunningService, row: dict[str, float], *, is_binary: bool
) -> None:
    client = triton.InferenceServerClient(service.url.removeprefix("http://"))
    assert client.is_model_ready("breast-cancer")
    described = client.get_model_metadata("breast-cancer")
    inputs = []
    for spec in described["inputs"]:
        one = triton.InferInput(spec["name"], [1, 1], spec["datatype"])
        one.set_data_from_numpy(np.array([[row[spec["name"]]]], np.float32), is_binary)
        inputs.append(one)
    wanted = [triton.InferRequestedOutput(n, is_binary) for n in ("label", "probabilities")]
    answer = client.infer("breast-cancer", inputs, outputs=wanted)
    client.close()
    friendly = predict(service, [row])
    label = answer.as_numpy("label").reshape(-1)[0]
    assert (label.decode() if isinstance(label, bytes) else label) == friendly["prediction"]
    expected = list(friendly["probabilities"].values())
    assert answer.as_numpy("probabilities")[0].tolist() == pytest.approx(expected, abs=1e-6)


@pytest.mark.anyio
async def test_an_mcp_host_describes_the_model_and_predicts(
    service: RunningService, row: dict[str, float]
) -> None:
    async with Client(streamable_http_client(f"{service.url}/mcp")) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert names == {"describe_model", "predict", "explain"}  # training only when allowed
        described = (await client.call_tool("describe_model", {})).structured_content
        assert described["target"] == "diagnosis"
        answer = (await client.call_tool("predict", {"rows": [row]})).structured_content
        assert answer["predictions"][0] == predict(service, [row])
        refused = await client.call_tool("predict", {"rows": [{"mean radius": "wide"}]})
        assert refused.is_error
        assert "mean radius" in str(refused.content)


@pytest.mark.parametrize("n_rows", [20_000, 1_000_000])
def test_far_too_many_rows_are_refused_and_others_go_on_being_answered(
    service: RunningService, row: dict[str, float], n_rows: int
) -> None:
    body = b'{"rows":[' + b",".join([b"{}"] * n_rows) + b"]}"
    answer = httpx2.post(f"{service.url}/v1/predict", content=body, timeout=60)
    assert answer.status_code == 413
    assert answer.json()["type"] in {"/problems/too-many-rows", "/problems/body-too-large"}
    assert predict(service, [row])


def test_it_stops_when_asked_and_serves_the_same_model_at_the_next_start(tmp_path: Path) -> None:
    env = {"ROADMAP_DATA_DIR": str(tmp_path / "data")}
    with running_service(COMMAND, cwd=tmp_path, env=env) as first:
        model = httpx2.get(f"{first.url}/v1/model").json()
        assert first.stop() == 0
    with running_service(COMMAND, cwd=tmp_path, env=env) as second:
        again = httpx2.get(f"{second.url}/v1/model").json()
    assert again == model
    assert not any("cross-validating" in line for line in second.lines)


class Callers:
    """Threads that ask until they are stopped; each keeps the versions that answered, in order."""

    def __init__(self, url: str, body: dict[str, object], n: int) -> None:
        self._is_over = Event()
        self._url, self._body = url, body
        self.versions: list[list[int]] = [[] for _ in range(n)]
        self.failures: list[str] = []
        self._threads = [Thread(target=self._ask, args=(seen,)) for seen in self.versions]

    def __enter__(self) -> "Callers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join(30)

    def _ask(self, seen: list[int]) -> None:
        with httpx2.Client(timeout=30) as client:
            while not self._is_over.is_set():
                try:
                    answer = client.post(f"{self._url}/v1/predict", json=self._body)
                    seen.append(answer.raise_for_status().json()["model"]["version"])
                except httpx2.HTTPError as error:
                    self.failures.append(repr(error))


def follows(seen: list[int], served: list[int]) -> bool:
    """Whether versions came in the order in which they were served; some may be missed."""
    changes = [one for k, one in enumerate(seen) if k == 0 or one != seen[k - 1]]
    left = iter(served)
    return all(one in left for one in changes)


@pytest.mark.criterion("p1.deploy")
def test_promotions_and_roll_backs_under_load_fail_no_request(tmp_path: Path) -> None:
    env = {"ROADMAP_DATA_DIR": str(tmp_path / "data"), "P1_POLL_S": "0.05"}
    with running_service(COMMAND, cwd=tmp_path, env=env) as service, httpx2.Client() as operator:
        registry = open_registry(str(tmp_path / "data/models"), cache_dir=tmp_path / "cache")
        first = registry.resolve("breast-cancer", "champion")
        for _ in range(2):
            registry.publish("breast-cancer", registry.fetch(first), signature=first.signature)
        features = operator.get(f"{service.url}/v1/model").json()["signature"]["features"]
        question = {"rows": [{f["name"]: f["example"] for f in features}] * 3}
        served = [1]

        def move(path: str, body: dict[str, int]) -> None:
            answer = operator.post(f"{service.url}/v1/{path}", json=body, timeout=60)
            served.append(answer.raise_for_status().json()["version"])
            after = operator.post(f"{service.url}/v1/predict", json=question).json()
            assert after["model"]["version"] == served[-1]  # the answer came when it answers

        with Callers(service.url, question, n=8) as callers:
            for _ in range(4):
                move("promote", {"version": 2, "expected": 1})
                move("promote", {"version": 3, "expected": 2})
                move("roll-back", {})
                move("roll-back", {})
        history = operator.get(f"{service.url}/v1/history").json()
    assert callers.failures == []
    assert served == [1, *[2, 3, 2, 1] * 4]
    assert [one["version"] for one in history["moves"]] == served[::-1]
    assert sum(len(seen) for seen in callers.versions) > 200
    assert all(follows(seen, served) for seen in callers.versions)
    assert {1, 2, 3} == {version for seen in callers.versions for version in seen}


def test_without_training_installed_it_starts_and_says_what_is_missing(tmp_path: Path) -> None:
    hidden = (
        "import sys; [sys.modules.update({name: None}) for name in ('sklearn', 'onnx', 'pandas')];"
        "import importlib.util as u; find = u.find_spec;"
        "u.find_spec = lambda name, *a: None if sys.modules.get(name, 0) is None else find(name);"
        "import p1_prediction_api.cli as cli; sys.argv[1:] = ['--port', '0']; cli.main()"
    )
    env = {"ROADMAP_DATA_DIR": str(tmp_path / "data")}
    with running_service([sys.executable, "-c", hidden], cwd=tmp_path, env=env) as bare:
        answer = httpx2.get(f"{bare.url}/readyz")
    assert answer.status_code == 503
    assert "[train]" in json.dumps(answer.json())
