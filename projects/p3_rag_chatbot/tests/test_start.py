"""The command as a person runs it: a ready line, readiness that says when, a chat, a clean end."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from p3_rag_chatbot.generating.generator_weights import generator_weights
from p3_rag_chatbot.settings import Settings

from tests.support.process import running_service

pytestmark = pytest.mark.slow
ENV = {
    "P3_N_THREADS": "1",
    "P3_INDEX_GUIDES": "false",
    "ROADMAP_REQUEST_TIMEOUT_S": "600",
}
PATIENCE_S = 300
"""A busy machine is slow to load, and to let go of, models."""
ASKED = {"model": "smollm2", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(scope="module")
def http() -> Iterator[httpx2.Client]:
    with httpx2.Client(timeout=PATIENCE_S) as client:
        yield client


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("p3")
    generator_weights(Settings(data_dir=folder))
    return folder


def command(data_dir: Path) -> list[str]:
    return [sys.executable, "-m", "p3_rag_chatbot.cli", "--port", "0", "--data-dir", str(data_dir)]


def test_it_listens_at_once_says_when_it_is_ready_answers_and_stops(http, data_dir: Path) -> None:
    with running_service(command(data_dir), env=ENV) as service:
        assert http.get(f"{service.url}/healthz").status_code == 200
        assert "p3-rag-chatbot ask" in http.get(service.url).text
        waiting = http.get(f"{service.url}/readyz")
        if waiting.status_code == 503:
            assert "being loaded" in waiting.json()["detail"]
        answer = http.post(f"{service.url}/v1/chat/completions", json=ASKED)
        assert answer.json()["choices"][0]["message"]["content"]
        while http.get(f"{service.url}/readyz").status_code == 503:
            assert service.process.poll() is None, "it loads the rest, or says why not"
        assert service.stop(PATIENCE_S) == 0


def test_a_stream_under_way_does_not_keep_it_from_stopping(http, data_dir: Path) -> None:
    endless = ASKED | {"stream": True, "max_tokens": 2000, "logit_bias": {"2": -100}}
    env = ENV | {"ROADMAP_SHUTDOWN_GRACE_S": "0.5", "P3_INDEX_GUIDES": "true"}
    with (
        running_service(command(data_dir), env=env) as service,
        http.stream("POST", f"{service.url}/v1/chat/completions", json=endless) as answer,
    ):
        lines = answer.iter_lines()
        first = next(line for line in lines if line)
        assert json.loads(first.removeprefix("data: "))["choices"][0]["delta"]["role"]
        assert service.stop(PATIENCE_S) == 0


def test_weights_that_are_missing_leave_it_listening_and_saying_so(http, tmp_path: Path) -> None:
    missing = tmp_path / "none.gguf"
    env = ENV | {"P3_GENERATOR_WEIGHTS": str(missing)}
    with running_service(command(tmp_path), env=env) as service:
        answer = http.post(f"{service.url}/v1/chat/completions", json=ASKED)
        assert answer.status_code == 503
        assert answer.json()["type"] == "/problems/model-not-loaded"
        assert str(missing) in http.get(f"{service.url}/readyz").json()["detail"]
        assert service.stop(PATIENCE_S) == 0
