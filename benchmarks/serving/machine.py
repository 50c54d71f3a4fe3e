"""One server at a time on one core, and the load on another: start, ask, measure, stop."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple

SERVER_CORE, CLIENT_CORE = "0", "1"
START_LIMIT_S = 120.0
WRK_SCRIPT = """
local asked, k = {}, 0
function init(_)
  for n = 0, tonumber(os.getenv("N_ASKED")) - 1 do
    local file = io.open(os.getenv("ASKED") .. "/" .. n, "rb")
    asked[#asked + 1] = file:read("*a")
    file:close()
  end
end
function request()
  k = k % #asked + 1
  return asked[k]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\\nWRK {"rate":%.1f,"p50_ms":%.4f,"p90_ms":%.4f,"p99_ms":%.4f,' ..
    '"n":%d,"errors":%d}\\n', summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1e3, latency:percentile(90) / 1e3, latency:percentile(99) / 1e3,
    summary.requests, e.status + e.connect + e.read + e.write + e.timeout))
end
"""


class Asked(NamedTuple):
    """Request bodies of one kind and size, and the labels that they are to be given."""

    bodies: list[bytes]
    labels: list[list[str]]
    header_bytes: list[int]
    """Of V2 with binary tensors, the length of each body's JSON part; else 0."""
    content_type: str = "application/json"


Figures = dict[str, float]
Labels = Callable[[Any], list[object]]


class Peer(NamedTuple):
    """A server: how it is started, where it predicts, what it reads and where its labels are."""

    name: str
    command: Callable[[int], list[str]]
    """The command line for a port."""
    path: str
    kind: str
    labels: Labels | None
    """Takes the labels out of a JSON answer; None for an echo."""
    env: dict[str, str] = {}  # noqa: RUF012 - never changed
    also: tuple["Peer", ...] = ()
    """Other ways to ask the same running server."""


def free_port() -> int:
    """Return a port that nobody listens on, nor on the two after it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def first_in_line(*, is_boosted: bool) -> list[str]:
    """Return what starts a command before others on a busy machine, as far as root may say so.

    A group's own weight counts more than a process's where the kernel groups by session.
    """
    if not is_boosted:
        return []
    return ["sh", "-c", 'echo -20 > /proc/self/autogroup; exec nice -n -20 "$@"', "boost"]


class Running:
    """A started server."""

    def __init__(self, peer: Peer, port: int, process: subprocess.Popen[bytes]) -> None:
        self.peer, self.port, self._process = peer, port, process

    def ask(self, asked: Asked, k: int, peer: Peer | None = None) -> tuple[int, bytes]:
        """Send one body; return status and answer."""
        peer = peer or self.peer
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", peer.path, asked.bodies[k], _headers(asked, k))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def wait(self, asked: Asked) -> None:
        """Return at its first good answer."""
        give_up_at = time.monotonic() + START_LIMIT_S
        while time.monotonic() < give_up_at:
            if self._process.poll() is not None:
                raise RuntimeError(f"{self.peer.name} ended with {self._process.returncode}")
            try:
                if self.ask(asked, 0)[0] == 200:
                    return
            except (OSError, HTTPException):
                pass
            time.sleep(0.01)
        raise RuntimeError(f"{self.peer.name} did not answer within {START_LIMIT_S:g} s")

    def check(self, asked: Asked, peer: Peer) -> None:
        """Raise unless its labels are the pipeline's."""
        if peer.labels is None:
            return
        for k in range(4):
            status, answer = self.ask(asked, k, peer)
            said = [str(one) for one in peer.labels(json.loads(answer))] if status == 200 else []
            if said != asked.labels[k]:
                raise RuntimeError(f"{peer.name} answered {status}, other labels: {answer[:200]!r}")

    def members(self) -> list[int]:
        """Return every process of the server: itself, its session, and whom they started."""
        parents: dict[int, int] = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z":
                is_ours = int(fields[3]) == self._process.pid
                parents[int(entry.name)] = self._process.pid if is_ours else int(fields[1])
        found, n_before = {self._process.pid}, 0
        while len(found) > n_before:
            n_before = len(found)
            found |= {pid for pid, parent in parents.items() if parent in found}
        return [pid for pid in found if pid in parents]

    def put_first(self) -> None:
        """Put every process before other work; some servers start theirs in new sessions."""
        for pid in self.members():
            try:
                Path(f"/proc/{pid}/autogroup").write_text("-20")
                os.setpriority(os.PRIO_PROCESS, pid, -20)
            except OSError:
                continue

    def memory_mib(self) -> Figures:
        """Return resident memory, summed, and with shared pages counted once."""
        kib = {"Rss:": 0, "Pss:": 0}
        for pid in self.members():
            try:
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            for line in text.splitlines():
                word = line.split()
                if word[0] in kib:
                    kib[word[0]] += int(word[1])
        return {"rss_mib": kib["Rss:"] / 1024, "pss_mib": kib["Pss:"] / 1024}

    def cpu_s(self) -> float:
        """Return the processor time of every thread so far: other work on the core is not in it."""
        total = 0
        for pid in self.members():
            for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                try:
                    total += int(thread.read_text().split()[0])
                except OSError:
                    continue
        return total / 1e9

    def load(
        self, asked: Asked, connections: int, seconds: float, peer: Peer, folder: Path,
        prefix: list[str],
    ) -> Figures:  # fmt: skip
        """Load it for some seconds; the figures of wrk, and processor time a request."""
        for k, request in enumerate(_requests(asked, peer.path, self.port)):
            (folder / str(k)).write_bytes(request)
        (folder / "ask.lua").write_text(WRK_SCRIPT)
        env = {**os.environ, "ASKED": str(folder), "N_ASKED": str(len(asked.bodies))}
        before = self.cpu_s()
        done = subprocess.run(
            [*prefix, "taskset", "-c", CLIENT_CORE, "wrk", "-t1", f"-c{connections}",
             f"-d{max(1, round(seconds))}s", "--timeout", "30s", "--latency",
             "-s", str(folder / "ask.lua"), f"http://127.0.0.1:{self.port}{peer.path}"],
            env=env, capture_output=True, text=True, check=True, start_new_session=True,
        )  # fmt: skip
        line = next(one for one in done.stdout.splitlines() if one.startswith("WRK "))
        figures: Figures = json.loads(line[4:])
        figures["cpu_us"] = (self.cpu_s() - before) * 1e6 / max(1.0, figures.pop("n"))
        return figures


def _headers(asked: Asked, k: int) -> dict[str, str]:
    if not asked.header_bytes[k]:
        return {"Content-Type": asked.content_type}
    return {
        "Content-Type": "application/octet-stream",
        "Inference-Header-Content-Length": str(asked.header_bytes[k]),
    }


def _requests(asked: Asked, path: str, port: int) -> Iterator[bytes]:
    for k, body in enumerate(asked.bodies):
        headers = {"Host": f"127.0.0.1:{port}", **_headers(asked, k), "Content-Length": len(body)}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        yield f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


@contextmanager
def started(peer: Peer, log: Path, prefix: list[str]) -> Iterator[Running]:
    """Start a server alone on its core, in a session of its own; end the whole session after."""
    port = free_port()
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    env |= {"OMP_NUM_THREADS": "1", **peer.env}
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*prefix, "taskset", "-c", SERVER_CORE, *peer.command(port)],
            env=env, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    running = Running(peer, port, process)
    try:
        yield running
    finally:
        _end(running, process)


def _end(running: Running, process: subprocess.Popen[bytes]) -> None:
    for number, patience_s in ((signal.SIGTERM, 8.0), (signal.SIGKILL, 4.0)):
        for pid in running.members():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        give_up_at = time.monotonic() + patience_s
        while time.monotonic() < give_up_at:
            process.poll()
            if not running.members():
                return
            time.sleep(0.05)
    sys.stderr.write(f"{running.peer.name} did not end\n")
