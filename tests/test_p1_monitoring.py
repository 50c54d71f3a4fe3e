"""Monitoring as an operator relies on it: kill -9 and replicas, over SQLite and PostgreSQL."""

import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.support.postgres import fresh_database, running_postgres
from tests.support.process import RunningService, running_service

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "p1_prediction_api.cli", "--port", "0"]


@pytest.fixture(params=["sqlite", "postgresql"])
def env(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    common = {"ROADMAP_DATA_DIR": str(tmp_path / "data"), "P1_WATCH_WINDOW_S": "0.2"}
    if request.param == "sqlite":
        yield common
        return
    with running_postgres() as server:
        yield {**common, "ROADMAP_DATABASE_URL": fresh_database(server)}


def ask(service: RunningService, n_requests: int) -> None:
    with httpx2.Client(base_url=service.url) as client:
        features = client.get("/v1/model").json()["signature"]["features"]
        body = {"rows": [{f["name"]: f["example"] for f in features}]}
        for _ in range(n_requests):
            client.post("/v1/predict", json=body).raise_for_status()


def n_rows(service: RunningService) -> int:
    found = httpx2.get(f"{service.url}/v1/monitoring", params={"hours": 1})
    return int(found.raise_for_status().json()["n_rows"])


def wait_until_rows(service: RunningService, n: int) -> None:
    give_up_at = time.monotonic() + 30
    while n_rows(service) < n and time.monotonic() < give_up_at:
        time.sleep(0.05)
    assert n_rows(service) == n


def test_stored_counts_survive_kill_9_and_replicas_add_up(
    tmp_path: Path, env: dict[str, str]
) -> None:
    with (
        running_service(COMMAND, cwd=tmp_path, env=env) as first,
        running_service(COMMAND, cwd=tmp_path, env=env) as second,
    ):
        ask(first, 30)
        ask(second, 50)
        wait_until_rows(second, 80)  # what the first one stored is seen by the second
        wait_until_rows(first, 80)
        first.process.send_signal(signal.SIGKILL)
        first.process.wait(20)
        assert n_rows(second) == 80
        ask(second, 5)
    with running_service(COMMAND, cwd=tmp_path, env=env) as again:
        assert n_rows(again) == 85
