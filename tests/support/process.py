"""Start a service as its user would, wait for its ready line, stop it as its host would."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

READY = re.compile(r"ready at (http://\S+)")


@dataclass
class RunningService:
    """A service process that has said it is ready; `lines` grows with what it prints."""

    url: str
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def stop(self, grace_s: float = 20) -> int:
        """Ask it to stop, wait, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(grace_s)


class ServiceDidNotStartError(Exception):
    """The process ended before it was ready; the message holds what it printed."""


@contextmanager
def running_service(
    command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Iterator[RunningService]:
    """Run `command`, yield once it prints its address, terminate it (then kill) at the end."""
    process = subprocess.Popen(
        list(command),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=cwd,
        env={**os.environ, **(env or {})},
    )
    service = RunningService("", process)
    try:
        service.url = _wait_until_ready(service)
        reader = Thread(target=lambda: service.lines.extend(process.stdout or ()), daemon=True)
        reader.start()
        yield service
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout and "reader" in locals():
            reader.join(5)
        if process.stdout:
            process.stdout.close()


def _wait_until_ready(service: RunningService) -> str:
    for line in service.process.stdout or ():
        service.lines.append(line)
        if found := READY.search(line):
            return found.group(1)
    raise ServiceDidNotStartError("".join(service.lines))
