"""An MLflow server that is away, broken, silent, no MLflow at all, or stopped during a publish."""

import asyncio
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Protocol

import httpx2
import pytest
from common.models.mlflow_rest import MLflowRegistry
from common.models.registry import (
    ModelNotFoundError,
    RegistryUnavailableError,
    VersionNotFoundError,
    watch,
)

Answer = tuple[int, str, bytes]
Answering = Callable[[str, str, bytes, str], Answer]
"""From method, path with query, body and content type to status, content type and body."""


class Restartable(Protocol):
    """The real server of `conftest.py`."""

    url: str

    def start(self) -> None: ...

    def stop(self, how: int = ...) -> None: ...


@contextmanager
def serving(answer: Answering) -> Iterator[str]:
    """Serve whatever `answer` returns, on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kind = self.headers.get("Content-Type", "")
            status, kind, content = answer(self.command, self.path, body, kind)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = handle_any  # noqa: N815 - names of http.server

        def log_message(self, *said: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def every_use(registry: MLflowRegistry, files: Path) -> list[Callable[[], object]]:
    return [
        lambda: registry.publish("iris", files, alias="champion"),
        lambda: registry.resolve("iris", "champion"),
        lambda: registry.resolve("iris", 1),
        lambda: registry.versions("iris"),
        lambda: registry.promote("iris", "champion", 1),
        lambda: registry.roll_back("iris", "champion"),
        lambda: registry.prune("iris", 1),
        registry.models,
    ]


HTML = "text/html; charset=utf-8"
JSON = "application/json"
LOG, ADDRESS = "server's log", "is this the address of an MLflow server"


@pytest.mark.parametrize(
    ("status", "kind", "body", "todo"),
    [
        (500, JSON, b'{"error_code": "INTERNAL_ERROR", "message": "disk"}', f"500.*disk; .*{LOG}"),
        (500, HTML, b"<h1>Internal Server Error</h1>", f"500.*{LOG}"),
        (503, "text/plain", b"no upstream", f"503.*no upstream; .*{LOG}"),
        (200, HTML, b"<!doctype html><title>Welcome</title>", f"text/html.*{ADDRESS}"),
        (404, HTML, b"<h1>Not Found</h1>", f"404.*{ADDRESS}"),
        (302, HTML, b"", f"302.*{ADDRESS}"),
        (200, JSON, b"[1, 2]", ADDRESS),
        (401, JSON, b"{}", "MLFLOW_TRACKING_TOKEN"),
    ],
)
def test_a_server_that_does_not_answer_as_mlflow_is_one_clear_error(
    tmp_path: Path, files: Path, status: int, kind: str, body: bytes, todo: str
) -> None:
    with serving(lambda *_: (status, kind, body)) as url:
        for use in every_use(MLflowRegistry(url, cache_dir=tmp_path), files):
            with pytest.raises(RegistryUnavailableError, match=todo) as caught:
                use()
            assert url in str(caught.value)
            assert "<" not in str(caught.value), "no page in a message"


def test_nobody_listening_is_one_clear_error(tmp_path: Path, files: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused, and nobody else's
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        for use in every_use(MLflowRegistry(url, cache_dir=tmp_path), files):
            with pytest.raises(RegistryUnavailableError, match="start the server") as caught:
                use()
            assert f"MLflow at {url} cannot be reached" in str(caught.value)
            assert caught.value.__suppress_context__, "no traceback of the HTTP client"


def test_a_silent_server_is_given_up_at_the_time_limit(tmp_path: Path, files: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        registry = MLflowRegistry(url, cache_dir=tmp_path, timeout_s=0.2)
        started = time.monotonic()
        with pytest.raises(RegistryUnavailableError, match=r"no answer to .* within 0\.2 s"):
            registry.publish("iris", files)
        assert time.monotonic() - started < 5


@contextmanager
def proxy(to: str, instead: Callable[[str], Answer | None]) -> Iterator[str]:
    """Pass each call on to a real server, unless `instead` has another answer for its path."""

    def answer(method: str, path: str, body: bytes, kind: str) -> Answer:
        if other := instead(path):
            return other
        headers = {"Content-Type": kind} if kind else {}
        try:
            response = httpx2.request(method, to + path, content=body, headers=headers, timeout=30)
        except httpx2.HTTPError:
            return 502, HTML, b"<h1>Bad Gateway</h1>"
        return response.status_code, response.headers.get("content-type", ""), response.content

    with serving(answer) as url:
        yield url


@pytest.mark.slow
def test_a_publish_that_fails_midway_leaves_no_version_and_no_moved_alias(
    mlflow_url: str, tmp_path: Path, files: Path, model_name: str
) -> None:
    direct = MLflowRegistry(mlflow_url, cache_dir=tmp_path)
    direct.publish(model_name, files, alias="champion")
    for fails_at in ("files/model.onnx", "log-batch", "versions/create", "set-tag", "models/alias"):

        def instead(path: str, fails_at: str = fails_at) -> Answer | None:
            return (500, JSON, b'{"message": "disk full"}') if fails_at in path else None

        with proxy(mlflow_url, instead) as url:
            broken = MLflowRegistry(url, cache_dir=tmp_path)
            with pytest.raises(RegistryUnavailableError, match=f"{url}.*{fails_at}.*disk full"):
                broken.publish(model_name, files, alias="champion")
    assert [found.version for found in direct.versions(model_name)] == [1]
    assert direct.aliases(model_name) == {"champion": 1}
    assert [move.version for move in direct.history(model_name, "champion")] == [1]


@pytest.mark.slow
def test_a_publish_whose_last_answer_is_lost_stands(
    mlflow_url: str, tmp_path: Path, files: Path, model_name: str
) -> None:
    def instead(path: str) -> Answer | None:
        if not path.endswith("registered-models/alias"):
            return None
        body = {"name": model_name, "alias": "champion", "version": "1"}
        httpx2.post(mlflow_url + path, json=body, timeout=30).raise_for_status()
        return 502, HTML, b""

    with proxy(mlflow_url, instead) as url:
        MLflowRegistry(url, cache_dir=tmp_path).publish(model_name, files, alias="champion")
    direct = MLflowRegistry(mlflow_url, cache_dir=tmp_path)
    assert direct.resolve(model_name, "champion").version == 1


@pytest.mark.slow
def test_a_version_pruned_by_another_process_cannot_be_promoted(
    mlflow_url: str, tmp_path: Path, files: Path, model_name: str
) -> None:
    registry = MLflowRegistry(mlflow_url, cache_dir=tmp_path)
    registry.publish(model_name, files)
    registry.publish(model_name, files, alias="champion")
    registry.resolve(model_name, 1)  # remembered now
    assert MLflowRegistry(mlflow_url, cache_dir=tmp_path).prune(model_name, 1) == [1]
    with pytest.raises(VersionNotFoundError, match="has no version 1; it has 2"):
        registry.promote(model_name, "champion", 1)
    assert [move.version for move in registry.history(model_name, "champion")] == [2]


@pytest.mark.slow
@pytest.mark.anyio
async def test_a_server_killed_during_a_publish_and_started_again_has_lost_nothing(
    mlflow_server: Restartable, tmp_path: Path, files: Path, model_name: str
) -> None:
    def kill_at_the_manifest(path: str) -> Answer | None:
        if path.endswith("manifest.json"):
            mlflow_server.stop(signal.SIGKILL)
        return None

    direct = MLflowRegistry(mlflow_server.url, cache_dir=tmp_path)
    direct.publish(model_name, files, alias="champion")
    watching = watch(direct, model_name, "champion", poll_s=0.05)
    assert (await anext(watching)).version == 1
    coming = asyncio.ensure_future(anext(watching))
    try:
        with proxy(mlflow_server.url, kill_at_the_manifest) as url:
            registry = MLflowRegistry(url, cache_dir=tmp_path)
            with pytest.raises(RegistryUnavailableError, match="502"):
                await asyncio.to_thread(registry.publish, model_name, files, alias="champion")
        with pytest.raises(RegistryUnavailableError, match="cannot be reached"):
            direct.models()
    finally:
        mlflow_server.stop()
        await asyncio.to_thread(mlflow_server.start)
    assert [found.version for found in direct.versions(model_name)] == [1]
    assert not coming.done(), "the watcher went on, and saw nothing new"
    made = await asyncio.to_thread(direct.publish, model_name, files, alias="champion")
    assert (await asyncio.wait_for(coming, 20)).version == made.version == 2
    await watching.aclose()
    with pytest.raises(ModelNotFoundError):
        direct.resolve("never-published", 1)
