"""Every registry under one suite: a folder, memory, S3 (moto's server), a real MLflow server."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from common.models import Registry, open_registry

Opener = Callable[[], Registry]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_until_up(url: str, process: subprocess.Popen[bytes], timeout_s: float = 90) -> None:
    give_up_at = time.monotonic() + timeout_s
    while time.monotonic() < give_up_at:
        assert process.poll() is None, f"the server of {url} ended"
        try:
            if httpx2.get(url, timeout=2).status_code < 500:
                return
        except httpx2.HTTPError:
            time.sleep(0.2)
    pytest.fail(f"no answer from {url}")


class MLflowProcess:
    """A real MLflow server with SQLite, on a port that stays its own when it is stopped."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [
            *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"),
            *("--port", str(self.port), "--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"),
            *("--artifacts-destination", str(self.folder / "artifacts")),
        ]  # fmt: skip
        # without its job runners: eight processes more, which nothing here uses
        quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=os.environ | quiet, start_new_session=True
            )
        wait_until_up(f"{self.url}/health", self.process)

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, how)
            self.process.wait(20)
            self.process = None


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MLflowProcess]:
    server = MLflowProcess(tmp_path_factory.mktemp("mlflow"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def mlflow_url(mlflow_server: MLflowProcess) -> str:
    return mlflow_server.url


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """Moto's S3 server with one bucket."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", free_port(), verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    httpx2.put(f"{url}/registry", timeout=10).raise_for_status()
    yield url
    server.stop()


@pytest.fixture(
    params=[
        "folder",
        "memory",
        pytest.param("s3", marks=pytest.mark.slow),
        pytest.param("mlflow", marks=pytest.mark.slow),
    ]
)
def opener(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Opener:
    """Open the same fresh registry anew, as another process would."""
    name = uuid.uuid4().hex[:8]
    locations = {"folder": str(tmp_path / "registry"), "memory": f"memory://{name}"}
    if request.param == "s3":
        monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("s3_url"))
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        locations["s3"] = f"s3://registry/{name}"
    if request.param == "mlflow":
        locations["mlflow"] = f"mlflow+{request.getfixturevalue('mlflow_url')}"

    def open_it() -> Registry:
        cache = tmp_path / "cache" / uuid.uuid4().hex[:6]
        return open_registry(locations[request.param], cache_dir=cache)

    return open_it


@pytest.fixture
def model_name() -> str:
    """A name of its own for each test: the MLflow server is shared."""
    return f"iris-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    (folder / "labels").mkdir(parents=True)
    (folder / "model.onnx").write_bytes(bytes(range(256)) * 100)
    (folder / "labels" / "classes.json").write_text('["a", "b"]')
    return folder
