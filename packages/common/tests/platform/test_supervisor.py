"""The supervisor with real child processes: small programs that serve, crash, hang and refuse."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from common.platform.states import ServiceState, State, read_state
from common.platform.supervisor import Listener, Pace, Program, RestartPolicy, Supervisor
from common.platform.watchdog import watch

pytestmark = pytest.mark.anyio

PATIENCE_S = 60.0
QUICK = RestartPolicy(base_s=0.01, cap_s=0.05, max_crashes=3, window_s=60)
BRISK = Pace(start_poll_s=0.02, watch_poll_s=0.02, slow_start_s=0.2, grace_s=10)

SERVES = """
import http.server, os, signal, subprocess, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        unready = os.path.exists("unready")
        body = b'{"detail": "no model yet"}' if unready else b"{}"
        self.send_response(503 if unready else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if os.path.exists("crash"):
            os.unlink("crash")
            os._exit(3)
    def log_message(self, *args): pass
def leave(*_):
    print("asked to leave", flush=True)
    os._exit(0)
signal.signal(signal.SIGTERM, leave)
server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print(f"toy ready at http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
"""
CRASHES = "import sys; print('boom: out of luck', flush=True); sys.exit(1)"
REFUSES = "import sys; print('P1_PROT is unknown', flush=True); sys.exit(2)"
DEAF = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(f"grandchild {grandchild.pid}", flush=True)
time.sleep(600)
"""
TALKS = r"""
import sys, time
sys.stdout.buffer.write(b"caf\xe9\n10%\r99%\n" + b"x" * 300_000 + b"\nlast words without an end")
"""


class Recorder(Listener):
    """Keeps what it hears and wakes whoever waits for it."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []
        self.states: list[ServiceState] = []
        self.warnings: list[str] = []
        self._news = asyncio.Event()

    def line(self, program: Program, text: str) -> None:
        self.lines.append((program.name, text))
        self._news.set()

    def changed(self, state: ServiceState) -> None:
        self.states.append(state)
        self._news.set()

    def warned(self, text: str) -> None:
        self.warnings.append(text)

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                self._news.clear()
                await self._news.wait()

    async def until_state(self, state: State, name: str = "toy", after: int = 0) -> ServiceState:
        def found() -> list[ServiceState]:
            return [s for s in self.states[after:] if (s.name, s.state) == (name, state)]

        await self.until(lambda: bool(found()))
        return found()[-1]


class Desk:
    """Starts supervisors whose programs work in the test's directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.state_path = directory / "run" / "services.json"
        self.recorder = Recorder()

    def program(self, source: str, name: str = "toy") -> Program:
        script = self.directory / f"{name}.py"
        script.write_text(f"import os\nos.chdir({str(self.directory)!r})\n{source}")
        return Program(name, name.title(), lambda port: [sys.executable, str(script), str(port)])

    @asynccontextmanager
    async def running(self, *programs: Program, pace: Pace = BRISK) -> AsyncGenerator[Supervisor]:
        house = Supervisor(
            programs,
            state_path=self.state_path,
            listener=self.recorder,
            policy=QUICK,
            pace=pace,
        )
        task = asyncio.create_task(house.run())
        try:
            yield house
        finally:
            house.stop()
            await task


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def wait_for_end(pid: int) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    readable, _, _ = select.select([handle], [], [], PATIENCE_S)
    os.close(handle)
    assert readable, f"process {pid} still runs"


async def test_a_program_on_a_free_port_is_found_ready_and_ended_cleanly(desk: Desk) -> None:
    async with desk.running(desk.program(SERVES)) as house:
        ready = await desk.recorder.until_state(State.READY)
        assert ready.url is not None
        written = read_state(desk.state_path)
        assert written is not None
        assert written.services == house.states
        assert written.supervisor_pid == os.getpid()
    assert ("toy", "asked to leave") in desk.recorder.lines
    assert house.states[0].state is State.STOPPED
    wait_for_end(ready.pid or 0)
    assert not desk.state_path.exists()


async def test_a_crashed_program_comes_back_at_the_same_address_and_is_reported(desk: Desk) -> None:
    async with desk.running(desk.program(SERVES)):
        first = await desk.recorder.until_state(State.READY)
        seen = len(desk.recorder.states)
        (desk.directory / "crash").touch()
        restarting = await desk.recorder.until_state(State.RESTARTING, after=seen)
        second = await desk.recorder.until_state(State.READY, after=seen)
    assert restarting.reason == "ended with exit code 3; again in 0.01 s"
    assert (second.url, second.n_restarts) == (first.url, 1)
    assert second.pid != first.pid


async def test_a_program_killed_from_outside_is_restarted_too(desk: Desk) -> None:
    async with desk.running(desk.program(SERVES)):
        first = await desk.recorder.until_state(State.READY)
        seen = len(desk.recorder.states)
        os.kill(first.pid or 0, signal.SIGKILL)
        restarting = await desk.recorder.until_state(State.RESTARTING, after=seen)
        await desk.recorder.until_state(State.READY, after=seen)
    assert "killed by SIGKILL" in (restarting.reason or "")


async def test_too_many_crashes_end_the_attempts_with_the_last_lines(desk: Desk) -> None:
    async with desk.running(desk.program(CRASHES), desk.program(SERVES, "other")):
        failed = await desk.recorder.until_state(State.FAILED)
        other = await desk.recorder.until_state(State.READY, name="other")
    reason = failed.reason or ""
    assert "exit code 1, 3 times in 60 s" in reason
    assert reason.endswith("boom: out of luck")
    assert failed.n_restarts == 2
    assert other.n_restarts == 0  # one service's trouble is its own


async def test_a_program_that_refuses_its_settings_is_not_tried_again(desk: Desk) -> None:
    house = Supervisor([desk.program(REFUSES)], listener=desk.recorder, policy=QUICK, pace=BRISK)
    await house.run()  # returns by itself: nothing is left to keep
    state = house.states[0]
    assert (state.state, state.n_restarts) == (State.FAILED, 0)
    assert state.reason == "refused to start: P1_PROT is unknown"


async def test_a_command_that_does_not_exist_fails_without_stopping_the_others(desk: Desk) -> None:
    ghost = Program("ghost", "Ghost", lambda port: ["/nowhere/at/all"])
    async with desk.running(ghost, desk.program(SERVES)):
        failed = await desk.recorder.until_state(State.FAILED, name="ghost")
        await desk.recorder.until_state(State.READY)
    assert "could not be started" in (failed.reason or "")


async def test_a_program_that_ignores_sigterm_is_killed_with_all_it_started(desk: Desk) -> None:
    async with desk.running(desk.program(DEAF), pace=Pace(grace_s=0.05)):
        await desk.recorder.until(lambda: bool(desk.recorder.lines))
        grandchild = int(desk.recorder.lines[0][1].split()[1])
        child = desk.recorder.states[0].pid or 0
    wait_for_end(child)
    wait_for_end(grandchild)


async def test_a_service_that_is_up_but_unready_says_why(desk: Desk) -> None:
    (desk.directory / "unready").touch()
    async with desk.running(desk.program(SERVES)):
        unready = await desk.recorder.until_state(State.UNREADY)
        (desk.directory / "unready").unlink()
        await desk.recorder.until_state(State.READY)
    assert unready.reason == "no model yet"


async def test_output_of_any_kind_is_passed_on_in_lines(desk: Desk) -> None:
    async with desk.running(desk.program(TALKS)):
        await desk.recorder.until_state(State.RESTARTING)
    lines = [text for _, text in desk.recorder.lines]
    assert lines[0] == "caf\N{REPLACEMENT CHARACTER}"
    assert lines[1] == "99%"
    assert sum(line.count("x") for line in lines) >= 300_000
    assert "last words without an end" in lines


SUPERVISES = """
import asyncio, sys
from common.platform.supervisor import Listener, Program, Supervisor
class Tell(Listener):
    def line(self, program, text):
        print(text, flush=True)
    def changed(self, state):
        print("state", state.state.value, state.pid, flush=True)
program = Program("toy", "Toy", lambda port: [sys.executable, sys.argv[1], str(port)])
asyncio.run(Supervisor([program], listener=Tell()).run())
"""


def test_nothing_outlives_a_supervisor_that_is_killed(desk: Desk) -> None:
    program = desk.program(SERVES)
    command = [sys.executable, "-c", SUPERVISES, program.command(0)[1]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as supervisor:
        assert supervisor.stdout is not None
        ready = next(line for line in supervisor.stdout if line.startswith("state ready"))
        child = int(ready.split()[2])
        supervisor.send_signal(signal.SIGKILL)
        wait_for_end(child)


async def test_a_state_file_that_cannot_be_written_ends_no_service(desk: Desk) -> None:
    desk.state_path.parent.write_text("a file where the directory should be")
    async with desk.running(desk.program(SERVES)):
        await desk.recorder.until_state(State.READY)
    assert len(desk.recorder.warnings) == 1  # once, not at every change
    assert "cannot be written" in desk.recorder.warnings[0]


def test_half_a_line_from_a_dying_supervisor_names_nobody() -> None:
    assert watch([b"+123\n", b"+456\n", b"-123\n", b"+7"]) == {456}
