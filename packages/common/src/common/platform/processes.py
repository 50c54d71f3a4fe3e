"""One child process at a time: started in a group of its own, read line by line, ended for sure.

It knows neither services nor restarts. Read next: `supervisor.py`, which keeps several alive.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from common.errors import DomainError
from common.platform import watchdog

MAX_LINE_BYTES = 64 * 1024
READ_BYTES = 64 * 1024


class NotStartedError(DomainError):
    """The operating system would not start a command."""

    def __init__(self, program: str, error: OSError) -> None:
        super().__init__(f"could not be started: {program}: {error.strerror}")


class Child:
    """A running child: its lines go to `on_line`, whatever it starts shares its process group."""

    def __init__(self, process: asyncio.subprocess.Process, on_line: Callable[[str], None]) -> None:
        self._process = process
        self._on_line = on_line
        self._reading = asyncio.create_task(self._read())

    @property
    def pid(self) -> int:
        """The child's process id, which is its group's too."""
        return self._process.pid

    async def wait(self) -> int:
        """Wait for the child's end and its last line; returns its exit code."""
        code = await self._process.wait()
        # A grandchild may hold the pipe open: what it still says is not waited for.
        await asyncio.wait([self._reading], timeout=1.0)
        self._reading.cancel()
        return code

    async def end(self, grace_s: float) -> int:
        """Ask the group to end, kill what is left of it after the grace."""
        waiting = asyncio.create_task(self.wait())
        if self._process.returncode is None:
            signal_group(self.pid, signal.SIGTERM)
        await asyncio.wait([waiting], timeout=grace_s)
        signal_group(self.pid, signal.SIGKILL)
        return await waiting

    async def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - start_child asked for the pipe
        rest = b""
        while part := await self._process.stdout.read(READ_BYTES):
            *lines, rest = (rest + part).split(b"\n")
            for line in lines:
                self._on_line(_text(line))
            if len(rest) > MAX_LINE_BYTES:
                self._on_line(_text(rest))
                rest = b""
        if rest:
            self._on_line(_text(rest))


async def start_child(
    command: Sequence[str], environment: Mapping[str, str], on_line: Callable[[str], None]
) -> Child:
    """Start a command in a session of its own, so that Ctrl-C reaches the supervisor alone."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(environment),
            start_new_session=True,
        )
    except OSError as error:
        raise NotStartedError(command[0], error) from error
    return Child(process, on_line)


def signal_group(group: int, number: signal.Signals) -> None:
    """Signal every process of a group that may be gone already."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        pass  # ended by itself in between
    except PermissionError:
        os.kill(group, number)  # macOS: a group whose leader is a zombie


def _text(line: bytes) -> str:
    """Decode a line as a terminal would leave it: a progress bar's last state."""
    return line.rstrip(b"\r").rpartition(b"\r")[2].decode("utf-8", "replace")


class Watchdog:
    """The supervisor's end of the pipe to `watchdog.py`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module, our own interpreter
            [sys.executable, "-I", "-S", str(Path(watchdog.__file__))],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def guard(self, pid: int) -> None:
        """End this group should the supervisor vanish."""
        self._tell(f"+{pid}\n")

    def release(self, pid: int) -> None:
        """Forget a group that has ended."""
        self._tell(f"-{pid}\n")

    def close(self) -> None:
        """Let the watchdog go; what it still guards is ended by it."""
        assert self._process.stdin is not None  # noqa: S101 - opened as a pipe above
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101 - opened as a pipe above
        # A watchdog that somebody killed is only the last safety net: supervision goes on.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()
