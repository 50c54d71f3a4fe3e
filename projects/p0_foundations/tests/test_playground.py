"""The playground's stream: what it holds, what it refuses, and that it ends with its watcher."""

import base64
import json
import socket
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import anyio
import numpy as np
import pytest
import uvicorn
from common.service.client import ServiceClient, connect_app
from p0_foundations import Adam, GradientDescent, NetworkError, OptimisationError, WeightDecay
from p0_foundations.api import create_app
from p0_foundations.optimisers import Place
from p0_foundations.playground import TASKS, Playground
from p0_foundations.playground_contracts import Begin, End, Passed, Picture, Training
from p0_foundations.playground_routes import Watched, playground_router
from p0_foundations.settings import Settings

pytestmark = pytest.mark.anyio
PATH = "/v1/playground/train"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", max_pictures_per_s=1000, max_trainings_at_once=1)


@pytest.fixture
async def lab(settings: Settings) -> AsyncGenerator[ServiceClient]:
    async with connect_app(create_app(settings)) as client:
        yield client


async def streamed(lab: ServiceClient, **asked: object) -> list[tuple[str, dict]]:
    answer = await lab.http.post(PATH, json=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    parts = [part.split("\n") for part in answer.text.strip().split("\n\n")]
    return [(name[7:], json.loads(data[6:])) for name, data in parts]


def pictures(training: Training) -> list[Picture]:
    return [one for one in Playground(training).events() if isinstance(one, Picture)]


async def test_a_training_streams_its_points_its_pictures_and_its_end(lab: ServiceClient) -> None:
    events = await streamed(lab, max_steps=50, hidden=[4, 3])
    names = [name for name, _ in events]
    assert names == ["begin", *["picture"] * 6, "end"]
    begin, first, end = events[0][1], events[1][1], events[-1][1]
    assert begin["sizes"] == [2, 4, 3, 2]
    assert len(begin["points"]) == 300
    assert len(base64.b64decode(first["surface"])) == begin["grid"] ** 2
    assert [len(layer) for layer in first["anatomy"]["neurons"]] == [4, 3]
    assert (end["reason"], end["step"]) == ("finished", 50)


def test_the_bytes_of_a_surface_are_the_networks_probabilities() -> None:
    training = Training(task="clouds", hidden=(4,), max_steps=200)
    playground = Playground(training)
    *_, last, _ = playground.events()
    assert isinstance(last, Picture)
    surface = np.frombuffer(base64.b64decode(last.surface), dtype=np.uint8).reshape(40, 40)
    assert surface[-1, -1] > 250  # up and right is class 1
    assert surface[0, 0] < 5


def test_a_picture_stays_small_enough_to_send_dozens_a_second() -> None:
    sizes = [len(one.model_dump_json()) for one in pictures(Training(max_steps=400))]
    assert sum(sizes) / len(sizes) < 4_000


def test_two_spirals_are_told_apart_within_two_thousand_steps() -> None:
    last = pictures(Training(task="spirals", max_steps=2_000, steps_per_frame=100))[-1]
    assert last.test_accuracy > 0.9


@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_learned_by_a_small_network(task: str) -> None:
    last = pictures(Training(task=task, max_steps=1_500, steps_per_frame=100))[-1]
    assert last.accuracy > 0.9


def test_without_hidden_layers_the_exclusive_or_stays_chance() -> None:
    assert pictures(Training(task="xor", hidden=(), max_steps=500))[-1].accuracy < 0.75


def test_asked_again_from_a_later_step_a_training_gives_the_same_pictures() -> None:
    whole = pictures(Training(max_steps=120))
    events = list(Playground(Training(max_steps=120, from_step=81)).events())
    assert [type(one) for one in events[:10]] == [Begin, *[Passed] * 9]
    later = [one for one in events if isinstance(one, Picture)]
    assert [one.step for one in later] == [90, 100, 110, 120]
    assert [one.surface for one in later] == [one.surface for one in whole[9:]]


def test_a_training_that_diverges_ends_with_the_reason_and_no_number_is_infinite() -> None:
    training = Training(optimiser="gradient-descent", step_size=10, activation="relu", noise=0.5)
    *_, end = list(Playground(training.model_copy(update={"weight_decay": 1.0})).events())
    assert isinstance(end, End)
    assert end.reason == "diverged"
    assert "smaller steps" in end.message


def test_weight_decay_shrinks_weights_and_refuses_what_is_no_rate() -> None:
    at = Place(np.array([2.0]), np.array([0.0]), lambda: np.zeros((1, 1)))
    point, _ = WeightDecay(GradientDescent(0.1), 0.5).step(at, ())
    assert point == pytest.approx([1.9])
    with pytest.raises(OptimisationError, match="rate=-1"):
        WeightDecay(Adam(0.1), -1)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"hidden": [8, 8, 8, 8]}, "hidden"),
        ({"hidden": [0]}, "hidden.0"),
        ({"task": "moons"}, "task"),
        ({"step_size": 0}, "step_size"),
        ({"max_steps": 10**9}, "max_steps"),
        ({"learning_rate": 1}, "learning_rate"),
    ],
)
async def test_what_cannot_be_trained_is_refused_by_field(
    lab: ServiceClient, asked: dict[str, object], field: str
) -> None:
    answer = await lab.http.post(PATH, json=asked)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].endswith(field)


async def test_beyond_the_limit_the_next_watcher_is_told_to_come_back(lab: ServiceClient) -> None:
    async with lab.http.stream("POST", PATH, json={}) as watched:
        assert watched.status_code == 200
        refused = await lab.http.post(PATH, json={})
        assert refused.status_code == 503
        assert "P0_MAX_TRAININGS_AT_ONCE" in refused.json()["detail"]
    with anyio.fail_after(20):
        while (await lab.http.post(PATH, json={"max_steps": 0})).status_code != 200:
            await anyio.lowlevel.checkpoint()


async def test_a_watcher_that_does_not_read_holds_its_training_back(settings: Settings) -> None:
    watched = Watched(settings)
    asked_for: list[int] = []

    def endless() -> Iterator[End]:
        for k in range(10**6):
            asked_for.append(k)
            yield End(reason="finished", step=k, message="")

    texts = watched.texts(endless())
    for _ in range(3):
        await anext(texts)
    assert len(asked_for) == 3  # nothing is computed ahead
    await texts.aclose()


async def test_a_watcher_that_takes_nothing_for_too_long_loses_its_place(tmp_path: Path) -> None:
    watched = Watched(Settings(data_dir=tmp_path, watcher_patience_s=0.01))
    response = await watched.watch(Training())

    async def receive() -> dict[str, str]:
        await anyio.sleep_forever()
        return {}

    async def send(_: object) -> None:
        await anyio.sleep_forever()

    assert watched.n_running == 1
    with anyio.fail_after(20):
        await response({"type": "http"}, receive, send)
    assert watched.n_running == 0


async def test_a_failure_on_the_way_is_a_last_error_event(settings: Settings) -> None:
    def failing() -> Iterator[End]:
        raise NetworkError("no")
        yield

    texts = [text async for text in Watched(settings).texts(failing())]
    assert len(texts) == 1
    assert texts[0].startswith("event: error\n")


def test_over_a_real_socket_the_training_ends_when_its_watcher_hangs_up(tmp_path: Path) -> None:
    from fastapi import FastAPI

    watched = Watched(Settings(data_dir=tmp_path))
    app = FastAPI()
    app.include_router(playground_router(watched))
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    body = json.dumps({"max_steps": 20_000, "steps_per_frame": 1})
    head = f"POST {PATH} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    with socket.create_connection(listener.getsockname(), timeout=20) as wire:
        wire.sendall(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
        seen = b""
        while b"event: picture" not in seen:
            seen += wire.recv(4096)
        assert watched.n_running == 1
    deadline = time.monotonic() + 20
    while watched.n_running and time.monotonic() < deadline:
        pass
    server.should_exit = True
    thread.join(20)
    listener.close()
    assert watched.n_running == 0
