"""The prediction log as an operator relies on it: kill -9, over SQLite and PostgreSQL."""

import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import sqlalchemy as sa
from common.store import open_store
from p1_prediction_api.database import MIGRATIONS, PREDICTIONS, TRUTHS

from tests.support.postgres import fresh_database, running_postgres
from tests.support.process import RunningService, running_service

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "p1_prediction_api.cli", "--port", "0"]
N_REQUESTS = 200
STORED = re.compile(r'^store_rows_stored_total\{table="predictions"\} (\S+)$', re.MULTILINE)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield str(tmp_path / "data" / "p1-prediction-api.db")
        return
    with running_postgres() as server:
        yield fresh_database(server)


def n_stored(service: RunningService) -> int:
    """Ask how many predictions the service says it has committed."""
    found = STORED.search(httpx2.get(f"{service.url}/metrics").text)
    return int(float(found[1])) if found else 0


def test_what_was_said_to_be_stored_survives_kill_9(tmp_path: Path, url: str) -> None:
    env = {"ROADMAP_DATA_DIR": str(tmp_path / "data")}
    if "://" in url:
        env["ROADMAP_DATABASE_URL"] = url
    answered = set()
    with running_service(COMMAND, cwd=tmp_path, env=env) as service, httpx2.Client() as client:
        features = client.get(f"{service.url}/v1/model").json()["signature"]["features"]
        body = {"rows": [{f["name"]: f["example"] for f in features}]}
        for _ in range(N_REQUESTS):
            answered.add(client.post(f"{service.url}/v1/predict", json=body).json()["id"])
        deadline = time.monotonic() + 20
        while not (n_acknowledged := n_stored(service)) and time.monotonic() < deadline:
            time.sleep(0.02)
        service.process.send_signal(signal.SIGKILL)
        service.process.wait(20)
    with open_store(url, migrations=MIGRATIONS) as store, store.read() as connection:
        kept = set(connection.scalars(sa.select(PREDICTIONS.c.id)))
    assert 0 < n_acknowledged <= len(kept)
    assert kept <= answered


def test_a_truth_that_was_acknowledged_survives_kill_9(tmp_path: Path, url: str) -> None:
    env = {"ROADMAP_DATA_DIR": str(tmp_path / "data")}
    if "://" in url:
        env["ROADMAP_DATABASE_URL"] = url
    told = {}
    with running_service(COMMAND, cwd=tmp_path, env=env) as service, httpx2.Client() as client:
        features = client.get(f"{service.url}/v1/model").json()["signature"]["features"]
        body = {"rows": [{f["name"]: f["example"] for f in features}]}
        for k in range(50):
            made = client.post(f"{service.url}/v1/predict", json=body).json()["id"]
            truth = ("benign", "malignant")[k % 2]
            truths = {"truths": [{"id": made, "truth": truth}]}
            answer = client.post(f"{service.url}/v1/feedback", json=truths)
            assert answer.json() == {"n_stored": 1, "n_pending": 0}
            told[made] = f'"{truth}"'
        service.process.send_signal(signal.SIGKILL)  # right after the last acknowledgement
        service.process.wait(20)
    with open_store(url, migrations=MIGRATIONS) as store, store.read() as connection:
        rows = connection.execute(sa.select(TRUTHS.c.prediction_id, TRUTHS.c.truth))
        kept = dict(rows.all())
    assert kept == told
