"""`roadmap up` and `roadmap status` as a person runs them: real processes, ports and signals."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PATIENCE_S = 120
SERVICES = {"p3": "p3_rag_chatbot", "p4": "p4_prod_service"}
SERVICE = """
from common.service import create_service, run_command, service_command
from common.settings import Settings, settings_config

class Toy(Settings):
    model_config = settings_config("{prefix}_")

def create_app(settings):
    service = create_service("{script}", settings, title="T", summary="S", version="0.0.7")
    service.telemetry.model_info("toy", "3")
    return service.app

if __name__ == "__main__":
    run_command(service_command("{script}", Toy, create_app))
"""


class House:
    """A data directory, two toy services installed beside the real ones, and the command."""

    def __init__(self, directory: Path) -> None:
        self.data_dir = directory / "data"
        site = directory / "site"
        for name, package in SERVICES.items():
            (site / package).mkdir(parents=True)
            (site / package / "__init__.py").touch()
            script = package.replace("_", "-")
            (site / package / "cli.py").write_text(
                SERVICE.format(script=script, prefix=name.upper())
            )
        points = [f"{name} = {package}.cli:create_app" for name, package in SERVICES.items()]
        metadata = site / "toys-1.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1\n")
        (metadata / "entry_points.txt").write_text("\n".join(["[ai_roadmap.services]", *points]))
        self.environment = os.environ | {"PYTHONPATH": str(site)}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "common.cli", *arguments, "--data-dir", str(self.data_dir)]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command("up", *arguments),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    def status(self) -> dict[str, dict[str, object]]:
        report = json.loads(self.run("status", "--json").stdout)
        return {one["name"]: one for one in report["services"]}


def read_until(process: subprocess.Popen[str], *wanted: str) -> list[str]:
    """Read lines until each of the wanted texts has appeared."""
    assert process.stdout is not None
    missing, lines = set(wanted), []
    for line in process.stdout:
        lines.append(line.rstrip())
        missing -= {text for text in missing if text in line}
        if not missing:
            return lines
    raise AssertionError(f"ended without {missing}: {lines}")


def wait_for_end(pid: int) -> None:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    readable, _, _ = select.select([handle], [], [], PATIENCE_S)
    os.close(handle)
    assert readable, f"process {pid} still runs"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def up(house: House) -> Generator[subprocess.Popen[str]]:
    with house.start("p3", "p4", "--free-ports") as process:
        read_until(process, "p4    Production gateway       ready  http://127.0.0.1:")
        yield process
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE_S)


def test_the_house_comes_up_is_seen_by_status_and_goes_down_whole(
    house: House, up: subprocess.Popen[str]
) -> None:
    seen = house.status()
    assert {name for name, one in seen.items() if one["is_ready"]} == {"home", "p3", "p4"}
    assert (seen["p3"]["version"], seen["p3"]["model"]) == ("0.0.7", "toy 3")
    pids = [int(str(seen[name]["pid"])) for name in ("home", "p3", "p4")]
    assert str(seen["p3"]["url"]) in house.run("status").stdout  # whole, also on 80 columns
    up.send_signal(signal.SIGINT)
    output, _ = up.communicate(timeout=PATIENCE_S)
    assert up.returncode == 0, output
    assert "not ready" not in output
    for pid in pids:
        wait_for_end(pid)
    assert not (house.data_dir / "run" / "services.json").exists()
    assert house.run("status").returncode == 0  # nothing should run, nothing does


def test_a_killed_service_comes_back_and_is_reported(
    house: House, up: subprocess.Popen[str]
) -> None:
    before = house.status()["p3"]
    os.kill(int(str(before["pid"])), signal.SIGKILL)
    lines = read_until(up, "restarting: killed by SIGKILL", "p3-rag-chatbot ready at")
    assert any(line.startswith("p3") for line in lines)
    up.send_signal(signal.SIGTERM)
    output, _ = up.communicate(timeout=PATIENCE_S)
    assert up.returncode == 0, output


def test_a_killed_supervisor_leaves_no_orphan_and_status_says_so(
    house: House, up: subprocess.Popen[str]
) -> None:
    pids = [int(str(house.status()[name]["pid"])) for name in ("home", "p3", "p4")]
    up.kill()
    for pid in pids:
        wait_for_end(pid)
    status = house.run("status", "--json")
    assert status.returncode == 1
    reasons = {one["reason"] for one in json.loads(status.stdout)["services"] if one["is_expected"]}
    assert reasons == {"its `roadmap up` is gone"}


def test_a_second_house_in_the_same_directory_is_refused(
    house: House, up: subprocess.Popen[str]
) -> None:
    second = house.run("up", "p3", "--free-ports")
    assert second.returncode == 2
    assert second.stderr.startswith("roadmap: another `roadmap up` already runs with")
    assert second.stderr.count("\n") == 1


def test_a_reader_that_goes_away_ends_the_house(house: House, up: subprocess.Popen[str]) -> None:
    pids = [int(str(house.status()[name]["pid"])) for name in ("p3", "p4")]
    assert up.stdout is not None
    up.stdout.close()
    os.kill(pids[0], signal.SIGKILL)  # makes it write, to nobody
    assert up.wait(timeout=PATIENCE_S) == 0
    for pid in pids:
        wait_for_end(pid)


def test_a_port_in_use_is_one_line_with_service_and_port(house: House) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = house.run("up", "p3", "--free-ports", "--port", str(port))
    assert done.returncode == 2
    reason = f"home: port {port} on 127.0.0.1 is in use"
    assert done.stderr == f"roadmap: {reason}; stop what uses it, or add --free-ports\n"


def test_a_service_takes_the_port_that_stands_behind_its_name(house: House) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with house.start(f"p3:{port}", "--free-ports") as process:
        lines = read_until(process, "p3    RAG chatbot              ready")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
    assert lines[-1].endswith(f"ready  http://127.0.0.1:{port}")


def test_a_service_that_refuses_its_settings_is_reported_while_the_others_run(house: House) -> None:
    house.environment |= {"P3_NOTHING": "1"}
    with house.start("p3", "p4", "--free-ports") as process:
        lines = read_until(process, "p3    RAG chatbot", "p4    Production gateway")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
    summary = [line for line in lines if line.startswith("roadmap |")]
    assert "failed: refused to start: error: unknown setting P3_NOTHING" in summary[1]
    assert "ready  http://127.0.0.1:" in summary[2]
    assert process.returncode == 1


def test_a_shared_setting_that_is_unknown_stops_everything_with_one_line(house: House) -> None:
    house.environment |= {"ROADMAP_MAX_IN_FLIGT": "7"}
    done = house.run("up", "p3")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "ROADMAP_MAX_IN_FLIGHT" in done.stderr


@pytest.mark.parametrize("name", ["p9", "p5"])
def test_an_unknown_or_missing_service_is_one_line(house: House, name: str) -> None:
    done = house.run("up", name)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert name in done.stderr
