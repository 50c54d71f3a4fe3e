"""The toy service of `toy_service.py`: in this process, and as a process of its own."""

import importlib.util
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest
import structlog
from starlette.testclient import TestClient

PATIENCE_S = 60.0
TOY = Path(__file__).with_name("toy_service.py")


@pytest.fixture(scope="session")
def toy() -> ModuleType:
    spec = importlib.util.spec_from_file_location("toy_service", TOY)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def start(toy: ModuleType) -> Generator[Callable[..., TestClient]]:
    """Start the toy in this process with these settings.

    Its events are kept, not written: an unconfigured log takes seconds to draw one traceback.
    """
    clients: list[TestClient] = []

    def started(**settings: object) -> TestClient:
        app = toy.create_app(toy.ToySettings(**settings))
        client = TestClient(app, raise_server_exceptions=False)
        client.__enter__()
        clients.append(client)
        return client

    with structlog.testing.capture_logs():
        yield started
        for client in clients:
            client.__exit__(None, None, None)


@dataclass
class Process:
    """The toy as a process that has said it is ready."""

    popen: subprocess.Popen[str]
    ready_line: str
    data_dir: Path
    log: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.ready_line.rsplit(":", 1)[1])

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)

    def ask(self, request: bytes) -> bytes:
        """Send bytes and read until the service closes."""
        with self.connect() as connection:
            connection.sendall(request)
            return read_to_end(connection)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; the exit code and what else was printed on standard output."""
        self.popen.send_signal(number)
        code = self.popen.wait(PATIENCE_S)
        assert self.popen.stdout is not None
        return code, self.popen.stdout.read()


def read_to_end(connection: socket.socket) -> bytes:
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


@pytest.fixture
def launch(tmp_path: Path) -> Generator[Callable[..., Process]]:
    """Launch the toy as a process; environment variables as arguments."""
    running: list[Process] = []

    def launched(**environment: str) -> Process:
        data_dir = tmp_path / "toy-data"
        environment = {"PATH": "", "ROADMAP_DATA_DIR": str(data_dir), **environment}
        popen = subprocess.Popen(
            [sys.executable, str(TOY)],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert popen.stdout is not None
        process = Process(popen, popen.stdout.readline().strip(), data_dir)
        assert popen.stderr is not None
        threading.Thread(target=process.log.extend, args=(popen.stderr,), daemon=True).start()
        running.append(process)
        return process

    yield launched
    for process in running:
        if process.popen.poll() is None:
            process.popen.kill()
        process.popen.communicate()
