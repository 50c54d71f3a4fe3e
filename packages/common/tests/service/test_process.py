"""The service as a process: ready line, hostile connections, signals, refusals to start."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

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
        problem_in(refused, 503)
        for path in (b"/healthz", b"/metrics"):
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
