"""Keeps services alive: starts them, waits until they are ready, restarts what crashes, ends all.

A crash is answered with exponential back-off; too many in a window, or a refusal to start (exit
code 2: bad settings, port in use), end the attempts. It knows commands and addresses, not what the
services do. Read next: `processes.py` below it, `up.py` above it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from common.platform.processes import (
    Child,
    NotStartedError,
    Watchdog,
    signal_group,
    start_child,
)
from common.platform.readiness import ask_readiness, find_url, probe_client
from common.platform.states import HouseState, ServiceState, State, remove_state, write_state

REFUSED_TO_START = 2
N_LAST_LINES = 10
ANY_HOST = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - what to call instead of what is bound


@dataclass(frozen=True)
class Program:
    """A service to keep alive; `command` is given the port, 0 for any free one."""

    name: str
    title: str
    command: Callable[[int], Sequence[str]]
    phase: int | None = None
    host: str = "127.0.0.1"
    port: int = 0
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


@dataclass(frozen=True)
class RestartPolicy:
    """How patiently a crashing service is started again."""

    base_s: float = 0.5
    cap_s: float = 30.0
    max_crashes: int = 5
    window_s: float = 120.0

    def delay_s(self, n_crashes: int) -> float:
        """Choose the wait after so many crashes in the window."""
        return min(self.cap_s, self.base_s * 2.0 ** (n_crashes - 1))


@dataclass(frozen=True)
class Pace:
    """How often the supervisor looks, and how long it lets a service take."""

    start_poll_s: float = 0.1
    watch_poll_s: float = 2.0
    slow_start_s: float = 60.0
    grace_s: float = 10.0


class Listener:
    """Who is told what happens; override what you want to hear."""

    def line(self, program: Program, text: str) -> None:
        """Hear one line of a service's output."""

    def changed(self, state: ServiceState) -> None:
        """Hear of a service's new state."""

    def warned(self, text: str) -> None:
        """Hear of trouble that is the supervisor's own."""


class Supervisor:
    """Runs programs until told to stop; `run` returns when all have ended or failed for good."""

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        state_path: Path | None = None,
        listener: Listener | None = None,
        policy: RestartPolicy | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.listener = listener or Listener()
        self.policy = policy or RestartPolicy()
        self.pace = pace or Pace()
        self.stopping = asyncio.Event()
        self._state_path = state_path
        self._is_unwritten = False
        self._started_at = datetime.now(UTC)
        self._keepers = [_Keeper(program, self) for program in programs]

    @property
    def states(self) -> tuple[ServiceState, ...]:
        """The state of every program, in the order given."""
        return tuple(keeper.state for keeper in self._keepers)

    async def run(self) -> None:
        """Start all programs and keep them until `stop`, or until none is left to keep."""
        watchdog = Watchdog()
        try:
            async with asyncio.TaskGroup() as group:
                for keeper in self._keepers:
                    group.create_task(keeper.keep(watchdog))
        finally:
            await asyncio.to_thread(watchdog.close)
            if self._state_path is not None:
                with suppress(OSError):  # one that stays is seen to be stale by its lock
                    remove_state(self._state_path)

    def stop(self) -> None:
        """Ask every program to end; past the grace they are killed."""
        self.stopping.set()

    def kill(self) -> None:
        """End every program at once, whatever it is doing."""
        self.stop()
        for state in self.states:
            if state.pid is not None:
                signal_group(state.pid, signal.SIGKILL)

    def publish(self, state: ServiceState) -> None:
        """Tell the listener and the state file that a program's state is new."""
        if self._state_path is not None:
            house = HouseState(
                supervisor_pid=os.getpid(), started_at=self._started_at, services=self.states
            )
            self._write(self._state_path, house)
        self.listener.changed(state)

    def _write(self, path: Path, house: HouseState) -> None:
        try:
            write_state(path, house)
        except OSError as error:  # a full disk must not end services that run
            if not self._is_unwritten:
                self.listener.warned(f"{path} cannot be written: {error.strerror}")
            self._is_unwritten = True
        else:
            self._is_unwritten = False


class _Keeper:
    """Keeps one program alive, one child after another."""

    def __init__(self, program: Program, house: Supervisor) -> None:
        self._program = program
        self._house = house
        self._port = program.port
        self._url_known = asyncio.Event()
        self._crashes: deque[float] = deque()
        self._last_lines: deque[str] = deque(maxlen=N_LAST_LINES)
        self.state = ServiceState(
            name=program.name, title=program.title, phase=program.phase, since=datetime.now(UTC)
        )
        if program.port:
            self._know_url(f"http://{_bracketed(program.host)}:{program.port}")

    async def keep(self, watchdog: Watchdog) -> None:
        while True:
            try:
                code = await self._live(watchdog)
            except NotStartedError as error:
                self._become(State.FAILED, str(error), pid=None)
                return
            if self._house.stopping.is_set():
                self._become(State.STOPPED, pid=None)
                return
            delay_s = self._delay_before_restart(code)
            if delay_s is None:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(delay_s):
                    await self._house.stopping.wait()
            self._update(n_restarts=self.state.n_restarts + 1)

    async def _live(self, watchdog: Watchdog) -> int:
        """Run one child from start to end; returns its exit code."""
        if self._house.stopping.is_set():
            return 0
        self._last_lines.clear()
        command = self._program.command(self._port)
        child = await start_child(command, self._program.environment, self._hear)
        watchdog.guard(child.pid)
        self._become(State.STARTING, pid=child.pid)
        watching = asyncio.create_task(self._watch())
        try:
            return await self._until_end_or_stop(child)
        finally:
            watching.cancel()
            await child.end(self._house.pace.grace_s)
            watchdog.release(child.pid)

    async def _until_end_or_stop(self, child: Child) -> int:
        ended = asyncio.create_task(child.wait())
        stopped = asyncio.create_task(self._house.stopping.wait())
        await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not ended.done():
            await child.end(self._house.pace.grace_s)
        return await ended

    def _delay_before_restart(self, code: int) -> float | None:
        """Decide what a child's unwanted end means: seconds to wait, or None to give up."""
        policy, now = self._house.policy, asyncio.get_running_loop().time()
        said = [line for line in self._last_lines if line.strip()] or ["(it said nothing)"]
        if code == REFUSED_TO_START:
            self._become(State.FAILED, f"refused to start: {said[-1]}", pid=None)
            return None
        self._crashes.append(now)
        while self._crashes[0] < now - policy.window_s:
            self._crashes.popleft()
        if len(self._crashes) >= policy.max_crashes:
            times = f"{len(self._crashes)} times in {policy.window_s:g} s"
            reason = "\n  ".join([f"{_ending(code)}, {times}; its last lines:", *said])
            self._become(State.FAILED, reason, pid=None)
            return None
        delay_s = policy.delay_s(len(self._crashes))
        self._become(State.RESTARTING, f"{_ending(code)}; again in {delay_s:g} s", pid=None)
        return delay_s

    async def _watch(self) -> None:
        """Follow the service's readiness for as long as its child lives."""
        pace, loop = self._house.pace, asyncio.get_running_loop()
        slow_at = loop.time() + pace.slow_start_s
        await self._url_known.wait()
        async with probe_client() as client:
            while True:
                answer = await ask_readiness(client, self.state.url or "")
                if self._house.stopping.is_set():
                    return  # that it goes away now is no news
                if answer.is_ready:
                    self._become(State.READY)
                elif self.state.state is not State.STARTING or loop.time() > slow_at:
                    self._become(State.UNREADY, answer.reason)
                is_starting = self.state.state is State.STARTING
                await asyncio.sleep(pace.start_poll_s if is_starting else pace.watch_poll_s)

    def _hear(self, line: str) -> None:
        self._last_lines.append(line)
        if not self._url_known.is_set() and (url := find_url(line)):
            self._know_url(url)
            self._port = urlsplit(url).port or 0  # a restart comes back at the same address
        self._house.listener.line(self._program, line)

    def _know_url(self, url: str) -> None:
        for bound, called in ANY_HOST.items():
            url = url.replace(f"//{_bracketed(bound)}:", f"//{called}:")
        self._update(url=url)
        self._url_known.set()

    def _become(self, state: State, reason: str | None = None, **fields: int | None) -> None:
        before = self.state
        self._update(state=state, reason=reason, **fields)
        if self.state != before:
            self._update(since=datetime.now(UTC))
            self._house.publish(self.state)

    def _update(self, **fields: object) -> None:
        self.state = self.state.model_copy(update=fields)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _ending(code: int) -> str:
    if code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
