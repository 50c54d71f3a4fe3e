"""A real Prometheus server scrapes a service, and its rules and dashboard ask for what is there."""

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from p1_prediction_api.api import create_app
from p1_prediction_api.example_data import TARGET, example_table
from p1_prediction_api.settings import Settings
from p1_prediction_api.training import train

from tests.support.browser import served

ROOT = Path(__file__).parent.parent
DASHBOARDS = sorted((ROOT / "docker/grafana/dashboards").glob("*.json"))
RULES = ROOT / "docker/prometheus/rules.yml"
HOW_TO_GET_ONE = "no Prometheus: `apt-get install --no-install-recommends prometheus`"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason=HOW_TO_GET_ONE),
]


def ask(url: str, query: str) -> list[dict]:
    address = f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    with urllib.request.urlopen(address, timeout=10) as answer:
        found = json.load(answer)
    assert found["status"] == "success", query
    return found["data"]["result"]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that has scraped a P1 service which was asked a few things."""
    folder = tmp_path_factory.mktemp("prometheus")
    settings = Settings(data_dir=folder / "data", poll_s=0.1, watch_refresh_s=0.5)
    run = train(example_table(), target=TARGET)
    run.publish(settings=settings)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with served(create_app(settings)) as site:
        row = {feature.name: feature.example for feature in run.signature.features}
        body = json.dumps({"rows": [row]}).encode()
        bodies = [body] * 4 + [json.dumps({"rows": [row] * 200}).encode()]
        for body in bodies:
            request = urllib.request.Request(
                f"{site.url}/v1/predict", body, {"Content-Type": "application/json"}
            )
            urllib.request.urlopen(request, timeout=10).close()
        job = {"job_name": "p1", "static_configs": [{"targets": [f"127.0.0.1:{site.port}"]}]}
        config = {"global": {"scrape_interval": "1s"}, "scrape_configs": [job]}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        command = [
            *("prometheus", f"--config.file={folder / 'prometheus.yml'}"),
            *(f"--storage.tsdb.path={folder / 'db'}", f"--web.listen-address=127.0.0.1:{port}"),
        ]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
            try:
                url = f"http://127.0.0.1:{port}"
                wait_for_samples(url)
                yield url
            finally:
                process.terminate()
                process.wait(20)


def wait_for_samples(url: str) -> None:
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        try:
            if len(ask(url, "http_requests_total[1m]")[0]["values"]) > 3:
                return
        except (OSError, IndexError):
            pass
        time.sleep(0.5)
    pytest.fail("Prometheus has no samples of the service after a minute")


def test_what_a_service_did_is_in_prometheus(prometheus: str) -> None:
    (found,) = ask(prometheus, 'http_requests_total{route="/v1/predict",status="200"}')
    assert float(found["value"][1]) == 5
    (model,) = ask(prometheus, "model_info")
    assert (model["metric"]["model"], model["metric"]["version"]) == ("breast-cancer", "1")


def dashboard_queries() -> list[str]:
    panels = [panel for path in DASHBOARDS for panel in json.loads(path.read_text())["panels"]]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


@pytest.mark.parametrize("query", dashboard_queries())
def test_every_query_of_the_dashboard_finds_something(prometheus: str, query: str) -> None:
    plain = query.replace("$__rate_interval", "1m").replace("$job", ".*")
    assert ask(prometheus, plain), query


def test_the_rules_hold_and_speak_of_metrics_that_exist(prometheus: str) -> None:
    done = subprocess.run(
        ["promtool", "check", "rules", str(RULES)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with urllib.request.urlopen(f"{prometheus}/api/v1/label/__name__/values", timeout=10) as answer:
        known = set(json.load(answer)["data"]) | {"up"}
    text = " ".join(rule["expr"] for group in yaml.safe_load(RULES.read_text())["groups"]
                    for rule in group["rules"])  # fmt: skip
    endings = "total|bucket|count|seconds|info|flight|movement|alerts"
    used = set(re.findall(rf"\b[a-z_]+_(?:{endings})\b|\bup\b", text))
    assert used
    assert used <= known


def test_the_alerts_fire_when_they_should_and_not_before() -> None:
    done = subprocess.run(
        ["promtool", "test", "rules", "rules_test.yml"],
        capture_output=True,
        text=True,
        cwd=RULES.parent,
    )
    assert done.returncode == 0, done.stdout + done.stderr
