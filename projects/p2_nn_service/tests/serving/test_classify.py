"""The service in process: real registry folder, real ONNX, no socket."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from io import BytesIO

import numpy as np
import pytest
from common.errors import ProblemError
from common.service.client import ServiceClient, connect_app
from p2_nn_service.api import create_app
from p2_nn_service.contracts import Classifications
from p2_nn_service.settings import Settings
from PIL import Image
from starlette.testclient import TestClient

from .conftest import CORNERS, Publish, bright

pytestmark = pytest.mark.anyio


def png(image: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray((image * 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def http(settings: Settings, publish_corners: Publish):
    publish_corners()
    with TestClient(create_app(settings)) as client:
        yield client


@pytest.fixture
async def client(settings: Settings, publish_corners: Publish) -> AsyncIterator[ServiceClient]:
    publish_corners()
    async with connect_app(create_app(settings)) as client:
        yield client


@pytest.mark.parametrize("corner", CORNERS)
def test_an_image_is_classified_in_whatever_form_it_comes(http: TestClient, corner: str) -> None:
    image = bright(corner)
    forms = [
        {"json": {"pixels": image.tolist()}},
        {"json": {"pixels": [image.tolist()]}},
        {"json": {"pixels": [[image.tolist()]]}},
        {"json": {"pixels": (image * 255).astype(int).tolist()}},
        {"content": png(image), "headers": {"content-type": "image/png"}},
        {"content": png(image), "headers": {"content-type": "application/octet-stream"}},
        {"content": png(image), "headers": {"content-type": "image/png"}, "params": {"top": 4}},
        {"files": {"image": ("a.png", png(image), "image/png")}},
    ]
    answers = [http.post("/v1/classify", **form).raise_for_status().json() for form in forms]
    (first,) = answers[0]["classifications"]
    assert first["label"] == corner
    assert (
        first["probability"]
        == first["probabilities"][corner]
        == max(first["probabilities"].values())
    )
    assert sum(first["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    for answer in answers:
        assert answer["model"] == {
            "name": "corners", "version": 1, "alias": "champion", "variant": "fp32",
        }  # fmt: skip
        (one,) = answer["classifications"]
        assert one["probabilities"] == pytest.approx(first["probabilities"], abs=0.01)
        Classifications.model_validate(answer)
    assert len({answer["id"] for answer in answers}) == len(answers)


def test_many_images_are_answered_in_their_order(http: TestClient) -> None:
    images = [bright(corner) for corner in (*CORNERS, *CORNERS[::-1])]
    wanted = [*CORNERS, *CORNERS[::-1]]
    as_json = http.post("/v1/classify", json={"pixels": [one.tolist() for one in images]})
    files = [("image", (f"{k}.png", png(one), "image/png")) for k, one in enumerate(images)]
    as_files = http.post("/v1/classify", files=files)
    for answer in (as_json, as_files):
        assert [one["label"] for one in answer.json()["classifications"]] == wanted


def test_probabilities_are_the_softmax_at_the_cards_temperature(http: TestClient) -> None:
    answer = http.post("/v1/classify", json={"pixels": bright("top left", by=0.5).tolist()})
    (one,) = answer.json()["classifications"]
    logits = np.array([4.0, 0, 0, 0])
    powers = np.exp(logits / 0.5)
    assert one["probabilities"]["top left"] == pytest.approx(powers[0] / powers.sum(), abs=1e-5)
    assert one["strangeness"] == -4


def test_an_image_unlike_training_is_called_strange(http: TestClient) -> None:
    images = [bright("top left").tolist(), np.zeros((8, 8)).tolist()]
    answer = http.post("/v1/classify", json={"pixels": images})
    assert [one["is_strange"] for one in answer.json()["classifications"]] == [False, True]
    metrics = http.get("/metrics").text
    assert "strange_images_total 1.0" in metrics
    assert 'classifications_total{label="top left",version="1"} 2.0' in metrics


def test_a_photograph_is_told_what_was_done_to_it(http: TestClient) -> None:
    large = np.kron(bright("bottom right"), np.ones((40, 40), np.float32))
    answer = http.post("/v1/classify", content=png(large), headers={"content-type": "image/png"})
    (one,) = answer.json()["classifications"]
    assert one["label"] == "bottom right"
    assert "resized from 320 x 320 to 8 x 8" in one["preparation"]


def test_an_occlusion_of_more_places_than_may_wait_is_answered(
    settings: Settings, publish_corners: Publish
) -> None:
    publish_corners()
    few = settings.model_copy(update={"max_queued_images": 2, "max_batch_images": 2})
    with TestClient(create_app(few)) as http:
        image = {"pixels": bright("top left").tolist()}
        answer = http.post("/v1/classify?saliency=true", json=image)
    assert answer.status_code == 200, answer.text
    lit = np.array(answer.json()["classifications"][0]["saliency"])
    assert lit[:4, :4].mean() > 0.5 > 4 * lit[4:, 4:].mean()


@pytest.mark.parametrize("with_maps", [True, False], ids=["class activation", "occlusion"])
def test_saliency_lies_where_the_evidence_is(
    settings: Settings, publish_corners: Publish, *, with_maps: bool
) -> None:
    publish_corners(with_maps=with_maps)
    with TestClient(create_app(settings)) as http:
        images = [bright("top left").tolist(), np.zeros((8, 8)).tolist()]
        plain = http.post("/v1/classify", json={"pixels": images}).json()
        asked = http.post("/v1/classify?saliency=true", json={"pixels": images}).json()
    lit, dark = (np.array(one["saliency"]) for one in asked["classifications"])
    assert lit.shape == (8, 8)
    assert lit[:4, :4].mean() > 0.5 > 4 * lit[4:, 4:].mean()
    assert (lit.min(), lit.max()) == (0, 1)
    assert not dark.any()
    assert [one["saliency"] for one in plain["classifications"]] == [None, None]
    for one, other in zip(plain["classifications"], asked["classifications"], strict=True):
        assert one["probabilities"] == other["probabilities"]


def test_only_the_likeliest_classes_are_told_when_so_asked(http: TestClient) -> None:
    answer = http.post("/v1/classify?top=2", json={"pixels": bright("top right").tolist()})
    (one,) = answer.json()["classifications"]
    assert next(iter(one["probabilities"])) == "top right"
    assert len(one["probabilities"]) == 2


def test_the_model_says_what_it_is_and_shows_its_mistakes(http: TestClient) -> None:
    shown = http.get("/v1/model").json()
    assert shown["card"]["classes"] == list(CORNERS)
    assert shown["model"]["version"] == 1
    assert (shown["card"]["mistakes"], shown["n_mistakes"]) == ([], 1)
    (mistake,) = http.get("/v1/model/mistakes").json()
    assert mistake["truth"] == "top left"


async def until_version(client: ServiceClient, version: int) -> None:
    async with asyncio.timeout(20):
        while (await client.get("/v1/model"))["model"]["version"] != version:
            await asyncio.sleep(0.005)


async def test_a_swap_and_a_roll_back_under_load_fail_no_request(
    client: ServiceClient, publish_corners: Publish
) -> None:
    body = {"pixels": [bright("top left").tolist()] * 3}
    versions: list[int] = []
    is_over = asyncio.Event()

    async def keep_asking() -> None:
        while not is_over.is_set():
            reply = await client.post("/v1/classify", body)
            versions.append(reply["model"]["version"])
            assert [one["label"] for one in reply["classifications"]] == ["top left"] * 3

    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(keep_asking())
        await asyncio.to_thread(publish_corners, alias=None)
        await client.post("/v1/promote", {"version": 2, "expected": 1})
        await until_version(client, 2)
        await client.post("/v1/roll-back", {})
        await until_version(client, 1)
        is_over.set()
    assert {1, 2} <= set(versions)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"content": b"not a model"}, "not a usable ONNX model"),
        ({"content": b""}, "empty"),
        ({"shape": (3, 8, 8)}, "does not take pixels"),
        ({"classes": ("one", "two", "three")}, "for 3 classes"),
        ({"classes": ("a", "b", "c", "d")}, "does not know 'top left'"),
    ],
    ids=["foreign", "empty", "shape", "classes", "other task"],
)
async def test_a_version_that_cannot_answer_leaves_the_old_one_answering(
    client: ServiceClient, publish_corners: Publish, changed: dict[str, object], words: str
) -> None:
    await asyncio.to_thread(lambda: publish_corners(**changed))
    async with asyncio.timeout(20):
        while not (notes := (await client.get("/readyz")).get("notes")):
            await asyncio.sleep(0.005)
    assert words in notes[0]
    assert "version 1 goes on answering" in notes[0]
    reply = await client.post("/v1/classify", {"pixels": bright("top left").tolist()})
    assert reply["model"]["version"] == 1
    with pytest.raises(ProblemError, match="cannot answer here"):
        await client.post("/v1/promote", {"version": 2})


async def test_without_a_model_it_starts_and_says_what_to_do(settings: Settings) -> None:
    async with connect_app(create_app(settings), retries=0) as client:
        assert await client.get("/healthz") == {"status": "alive"}
        for path in ("/readyz", "/v1/model"):
            with pytest.raises(ProblemError, match="p2-nn-service train"):
                await client.get(path)
        with pytest.raises(ProblemError, match="p2-nn-service train"):
            await client.post("/v1/classify", {"pixels": []})


def test_the_open_inference_protocol_answers_the_same(http: TestClient) -> None:
    image = bright("bottom left")
    tensor = {
        "name": "pixels",
        "shape": [1, 1, 8, 8],
        "datatype": "FP32",
        "data": image.reshape(-1).tolist(),
    }
    as_json = http.post("/v2/models/corners/infer", json={"inputs": [tensor]}).json()
    raw = image.astype("<f4").tobytes()
    del tensor["data"]
    tensor["parameters"] = {"binary_data_size": len(raw)}
    header = json.dumps({"inputs": [tensor]}).encode()
    as_bytes = http.post(
        "/v2/models/corners/infer",
        content=header + raw,
        headers={"Inference-Header-Content-Length": str(len(header))},
    ).json()
    assert as_json["outputs"] == as_bytes["outputs"]
    logits = next(one for one in as_json["outputs"] if one["name"] == "logits")
    assert logits["data"] == [0.0, 0.0, 8.0, 0.0]


async def test_the_tools_classify_and_compare(settings: Settings, publish_corners: Publish) -> None:
    from common.telemetry import Telemetry
    from p2_nn_service.errors import PictureError
    from p2_nn_service.live import LiveClassifier
    from p2_nn_service.mcp_tools import network_tools

    publish_corners()
    async with LiveClassifier(settings, Telemetry("tools")) as live:
        classify_image, list_runs, compare_models = network_tools(live, settings)
        text = base64.b64encode(png(bright("top right"))).decode()
        for given in (text, f"data:image/png;base64,{text}"):
            found = await classify_image(given, top=1)
            assert found.classification.label == "top right"
            assert len(found.classification.probabilities) == 1
        with pytest.raises(PictureError, match="image_base64"):
            await classify_image("not base64 at all!")
        assert list_runs() == []
        (one,) = compare_models()
        assert (one.name, one.accuracy) == ("corners version 1 (corners)", 0.75)
