"""Kills what `roadmap up` started when `roadmap up` itself is gone, even by SIGKILL.

A process of its own, in a session of its own, holding the reading end of a pipe: lines `+PID` and
`-PID` name the process groups that run, and the end of the pipe means that nobody supervises them
any more. Standard library alone; it knows no service. Read next: `processes.py`, which feeds it.
"""

import os
import signal
import sys
import time
from collections.abc import Iterable

GRACE_S = 5.0
POLL_S = 0.05


def watch(lines: Iterable[bytes]) -> set[int]:
    """Follow the pipe to its end; returns the groups that still run then."""
    groups: set[int] = set()
    for line in lines:
        if not line.endswith(b"\n"):
            break  # cut off as the supervisor died: half a number is another process
        pid = int(line[1:])
        (groups.add if line.startswith(b"+") else groups.discard)(pid)
    return groups


def end_groups(groups: set[int], grace_s: float) -> None:
    """Ask every group to end; kill what is left after the grace."""
    running = {group for group in groups if _send(group, signal.SIGTERM)}
    deadline = time.monotonic() + grace_s
    while running and time.monotonic() < deadline:
        time.sleep(POLL_S)
        running = {group for group in running if _send(group, 0)}
    for group in running:
        _send(group, signal.SIGKILL)


def _send(group: int, number: int) -> bool:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    end_groups(watch(sys.stdin.buffer), GRACE_S)
