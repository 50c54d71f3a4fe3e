"""The service as a process: ready line, hostile connections, signals, refusals to start."""

import contextlib
import hashlib
import json
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import quote

import pytest

TOY = Path(__file__).with_name("toy_service.py")
PATIENCE_S = 60.0
MEBIBYTE = 1024 * 1024
Launch = Callable[..., "object"]

pytestmark = pytest.mark.slow


def read_to_end(connection: socket.socket) -> bytes:
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


def problem_in(answer: bytes, status: int) -> dict[str, object]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer[:300]
    assert b"application/problem+json" in head
    problem = json.loads(body)
    assert problem["status"] == status
    return problem


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.01)


def run_toy(tmp_path: Path, *arguments: str, **environment: str) -> tuple[int, str, str]:
    environment = {"PATH": "", "ROADMAP_DATA_DIR": str(tmp_path / "data"), **environment}
    command = [sys.executable, str(TOY), *arguments]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S
    )
    return done.returncode, done.stdout, done.stderr


def refusal_of(tmp_path: Path, *arguments: str, **environment: str) -> str:
    code, out, error = run_toy(tmp_path, *arguments, **environment)
    assert (code, out) == (2, "")
    assert error.count("\n") == 1, error
    assert error.startswith("error: ")
    return error


def test_one_ready_line_with_the_address_then_a_clean_stop(launch: Launch) -> None:
    service = launch()
    assert service.ready_line.startswith("toy ready at http://127.0.0.1:")
    request = b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert b'{"greeting":"hello"}' in service.ask(request)
    assert service.stop() == (0, "")


def test_a_request_in_flight_is_finished_and_a_new_one_refused_at_shutdown(
    launch: Launch,
) -> None:
    service = launch()
    with service.connect() as connection:
        connection.sendall(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for(service.data_dir / "held")
        service.popen.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_S
        while True:  # until the listening has stopped
            try:
                service.connect().close()
            except ConnectionRefusedError:
                break
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert service.popen.poll() is None
        (service.data_dir / "release").touch()
        assert b"finished" in read_to_end(connection)
    assert service.popen.wait(PATIENCE_S) == 0


def test_a_request_that_outlasts_the_grace_does_not_hold_the_process(launch: Launch) -> None:
    service = launch(ROADMAP_SHUTDOWN_GRACE_S="1")
    with service.connect() as connection:
        connection.sendall(b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for(service.data_dir / "held")
        assert service.stop()[0] == 0


def test_headers_that_trickle_in_are_given_up(launch: Launch) -> None:
    service = launch(ROADMAP_HEADER_TIMEOUT_S="0.3")
    problem = problem_in(service.ask(b"GET /hello HTTP/1.1\r\nHost: x\r\nX-Slow: "), 408)
    assert "HEADER_TIMEOUT_S" in str(problem["detail"])


def test_a_connection_that_asks_nothing_or_only_empty_lines_is_closed(launch: Launch) -> None:
    service = launch(ROADMAP_HEADER_TIMEOUT_S="0.3")
    assert service.ask(b"") == b""
    with service.connect() as connection:
        connection.sendall(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200 OK" in connection.recv(65536)
        connection.sendall(b"\r\n")
        read_to_end(connection)  # ends: an empty line keeps no connection open


def test_endless_headers_are_refused_before_they_fill_the_memory(launch: Launch) -> None:
    service = launch()
    start = b"GET /hello HTTP/1.1\r\nHost: x\r\n"
    problem_in(service.ask(start + b"X-Padding: abcdefgh\r\n" * 4_000), 431)


@dataclass
class SlowCallers:
    """Connections that each send one more byte of what they ask every few milliseconds."""

    connections: list[socket.socket]
    is_over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._trickle)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self._thread.join()
        for connection in self.connections:
            connection.close()

    def _trickle(self) -> None:
        while not self.is_over.wait(0.02):
            for connection in self.connections:
                with contextlib.suppress(OSError):  # given up by the service
                    connection.sendall(b"x")

    def n_held(self) -> int:
        """Count the connections that the service has neither answered nor closed."""
        return len(self.connections) - len(select.select(self.connections, [], [], 0)[0])


SLOW_HEAD = b"GET /hello HTTP/1.1\r\nHost: x\r\nX-Slow: "
SLOW_BODY = b"POST /rows/t HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n[{"


class Connectable(Protocol):
    """The part of conftest's `Process` that this needs."""

    def connect(self) -> socket.socket: ...
    def ask(self, request: bytes) -> bytes: ...


def slow_callers(service: Connectable, n_heads: int, n_bodies: int) -> SlowCallers:
    connections = []
    for beginning in [SLOW_HEAD] * n_heads + [SLOW_BODY] * n_bodies:
        connections.append(service.connect())
        connections[-1].sendall(beginning)
    return SlowCallers(connections)


def in_flight(service: Connectable) -> float:
    text = service.ask(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").decode()
    found = re.search(r"^http_requests_in_flight (\S+)", text, re.MULTILINE)
    assert found is not None
    return float(found.group(1))


@pytest.mark.parametrize(("n_heads", "n_bodies"), [(1, 0), (0, 1), (24, 24)])
def test_others_are_answered_as_ever_while_slow_callers_hold_their_connections(
    launch: Launch, n_heads: int, n_bodies: int
) -> None:
    # Who has not sent its headers takes no place; who sends its body takes one of these.
    service = launch(ROADMAP_MAX_IN_FLIGHT=str(n_bodies + 1))
    row = b'[{"age": 1}]'
    requests = (
        b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"POST /rows/t HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(row), row),
    )
    with slow_callers(service, n_heads, n_bodies) as slow:
        deadline = time.monotonic() + PATIENCE_S
        while in_flight(service) != n_bodies + 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        longest_s = 0.0
        for request in requests * 20:
            started = time.monotonic()
            assert service.ask(request).startswith(b"HTTP/1.1 200 ")
            longest_s = max(longest_s, time.monotonic() - started)
        assert slow.n_held() == n_heads + n_bodies
    assert longest_s < 2.0  # milliseconds when it is alone; their limits are 10 and 30 s
    assert service.stop()[0] == 0
    assert not [line for line in service.log if "Traceback" in line]


def test_a_byte_now_and_then_buys_a_slow_caller_no_time(launch: Launch) -> None:
    service = launch(ROADMAP_HEADER_TIMEOUT_S="0.3", ROADMAP_BODY_TIMEOUT_S="0.3")
    started = time.monotonic()
    with slow_callers(service, 8, 8) as slow:
        while slow.n_held():
            assert time.monotonic() - started < PATIENCE_S
            time.sleep(0.01)
        for connection in slow.connections:
            assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - started < 10.0


def test_the_type_of_each_refusal_of_the_connection_itself_leads_to_its_page(
    launch: Launch,
) -> None:
    """The others, which need no real connection, are in `test_problem_pages.py`."""
    service = launch(ROADMAP_HEADER_TIMEOUT_S="0.3", ROADMAP_BODY_TIMEOUT_S="0.3")
    for request, status, slug in (
        (SLOW_HEAD, 408, "body-timeout"),
        (SLOW_BODY, 408, "body-timeout"),
        (SLOW_HEAD + b"x" * 80_000, 431, "headers-too-large"),
        (b"hello\r\n\r\n", 400, "malformed-body"),
    ):
        problem = problem_in(service.ask(request), status)
        assert problem["type"] == f"/problems/{slug}"
        page = service.ask(
            b"GET /problems/%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % slug.encode()
        )
        assert page.startswith(b"HTTP/1.1 200 ")
        assert str(problem["title"]).encode() in page


def test_keys_right_or_wrong_are_never_in_the_log(launch: Launch) -> None:
    known, wrong = "plum-and-cinder", "pear-and-ember"  # nothing a redaction would find
    digest = hashlib.sha256(known.encode()).hexdigest()
    service = launch(ROADMAP_API_KEYS=digest, ROADMAP_LOG_LEVEL="debug")
    for key, path, status in (
        (known, "/hello", 200),
        (known, "/crash", 500),
        (wrong, "/hello", 401),
        ("schlüssel", "/hello", 401),
    ):
        for header in (f"Authorization: Bearer {key}", f"X-API-Key: {key}"):
            head = f"GET {path}?api_key={quote(key)} HTTP/1.1\r\nHost: x\r\n{header}\r\n"
            answer = service.ask(head.encode("latin-1") + b"Connection: close\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 %d " % status)
    service.stop()
    deadline = time.monotonic() + PATIENCE_S
    while sum('"event": "request"' in line for line in service.log) < 8:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    log = "".join(service.log)
    for secret in (known, wrong, "schl", digest):
        assert secret not in log


def test_what_is_not_http_is_a_problem_too(launch: Launch) -> None:
    problem_in(launch().ask(b"\x16\x03\x01 hello\r\n\r\n"), 400)


def test_a_body_that_trickles_in_is_given_up(launch: Launch) -> None:
    service = launch(ROADMAP_BODY_TIMEOUT_S="0.3", ROADMAP_REQUEST_TIMEOUT_S="0.3")
    head = b"POST /rows/t HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    problem = problem_in(service.ask(head + b"Content-Length: 100\r\n\r\n[{"), 408)
    assert "2 bytes arrived" in str(problem["detail"])


def test_a_gigabyte_is_refused_at_once_and_never_held(launch: Launch) -> None:
    service = launch(ROADMAP_MAX_BODY_BYTES=str(MEBIBYTE))
    before = peak_kib(service.popen.pid)
    chunk = b"%x\r\n" % MEBIBYTE + b"x" * MEBIBYTE + b"\r\n"

    def body() -> Iterator[bytes]:
        for _ in range(1024):
            yield chunk

    for head in (b"Content-Length: 1073741824\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"):
        with service.connect() as connection:
            connection.sendall(b"POST /count HTTP/1.1\r\nHost: x\r\n" + head)
            try:
                for part in body():
                    connection.sendall(part)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the service has answered and hung up, as a client library would see
            else:
                pytest.fail("a whole gigabyte was taken")
    assert peak_kib(service.popen.pid) - before < 64 * 1024


def test_a_large_upload_still_reads_its_refusal(launch: Launch) -> None:
    service = launch(ROADMAP_MAX_BODY_BYTES=str(MEBIBYTE))
    n_bytes = 8 * MEBIBYTE
    head = b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % n_bytes
    problem_in(service.ask(head + b"x" * n_bytes), 413)


def peak_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def test_callers_that_leave_abruptly_leave_nothing_behind(launch: Launch) -> None:
    service = launch()
    for request in (
        b"GET /hello HTTP/1.1\r\nHo",
        b"POST /count HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf",
        b"GET /stream?n_seconds=0.2 HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        for _ in range(5):
            connection = service.connect()
            connection.sendall(request)
            # SO_LINGER of zero: a reset instead of a farewell
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()
    ask = b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    deadline = time.monotonic() + PATIENCE_S
    while b"http_requests_in_flight 1.0" not in service.ask(ask):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert service.stop()[0] == 0
    assert not [line for line in service.log if "Traceback" in line]


def test_over_the_limit_of_requests_in_flight_the_next_waits_and_probes_do_not(
    launch: Launch,
) -> None:
    service = launch(ROADMAP_MAX_IN_FLIGHT="1")
    with service.connect() as connection:
        connection.sendall(b"GET /hold HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        wait_for(service.data_dir / "held")
        refused = service.ask(b"GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert b"retry-after: 1" in refused.lower()
        assert problem_in(refused, 503)["type"] == "/problems/busy"
        for path in (b"/healthz", b"/metrics", b"/problems/busy"):
            request = b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path
            assert service.ask(request).startswith(b"HTTP/1.1 200")
        (service.data_dir / "release").touch()
        assert b"finished" in read_to_end(connection)


def test_logs_elsewhere_than_a_terminal_are_json_with_the_ids_and_no_local_variables(
    launch: Launch,
) -> None:
    service = launch()
    service.ask(b"GET /crash HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    service.stop()
    deadline = time.monotonic() + PATIENCE_S
    while not any('"event": "request"' in line for line in service.log):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    events = [json.loads(line) for line in service.log]
    crash = next(event for event in events if event["event"] == "unhandled_error")
    access = next(event for event in events if event["event"] == "request")
    for name in ("service", "request_id", "trace_id", "span_id", "timestamp"):
        assert crash[name] == access[name] or name == "timestamp"
    assert crash["exception"][0]["exc_type"] == "RuntimeError"
    assert "DE02120300000000202051" not in "".join(service.log)


def test_a_port_in_use_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        error = refusal_of(tmp_path, "--port", port)
    assert f"127.0.0.1:{port}" in error
    assert "--port" in error


def test_a_data_directory_that_cannot_be_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    error = refusal_of(tmp_path, "--data-dir", str(tmp_path / "file" / "inside"))
    assert "data directory" in error


def test_an_unknown_variable_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    assert "P9_GREETING" in refusal_of(tmp_path, P9_GREETNG="x")
    (tmp_path / ".env").write_text("ROADMAP_LOG_LEVL=debug\n")
    error = refusal_of(tmp_path)
    assert "ROADMAP_LOG_LEVEL" in error
    assert ".env" in error


def test_a_bad_value_is_one_line_that_names_the_variable(tmp_path: Path) -> None:
    error = refusal_of(tmp_path, ROADMAP_PORT="many")
    assert "ROADMAP_PORT=many" in error


def test_settings_are_shown_with_secrets_masked(tmp_path: Path) -> None:
    code, out, _ = run_toy(
        tmp_path,
        "--show-settings",
        ROADMAP_DATABASE_URL="postgresql://me:hunter2@db/x",
        P9_GREETING="[bold]hi[/bold]",
        COLUMNS="200",
    )
    assert code == 0
    assert "hunter2" not in out
    assert "********" in out
    assert "[bold]hi[/bold]" in out


def test_interrupting_from_the_keyboard_stops_cleanly(launch: Launch) -> None:
    assert launch().stop(signal.SIGINT)[0] == 0
