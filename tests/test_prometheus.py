"""A real Prometheus server scrapes a service, and its rules and dashboard ask for what is there."""

import json
import re
import shutil
import socket
import subprocess
import time
import urllib.error
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
from p2_nn_service.api import create_app as create_p2
from p2_nn_service.first_model import publish_builtin
from p2_nn_service.settings import Settings as P2Settings

from tests.support.browser import Site, served
from tests.support.p3_service import BROKEN, chat_service

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
def p1(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A prediction API that answered five requests."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("p1"), poll_s=0.1, watch_refresh_s=0.5)
    run = train(example_table(), target=TARGET)
    run.publish(settings=settings)
    row = {feature.name: feature.example for feature in run.signature.features}
    with served(create_app(settings)) as site:
        for n_rows in (1, 1, 1, 1, 200):
            assert post(f"{site.url}/v1/predict", {"rows": [row] * n_rows}) == 200
        yield site


@pytest.fixture(scope="module")
def p2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A classifier that answered three images of nothing it knows, and refused one."""
    settings = P2Settings(data_dir=tmp_path_factory.mktemp("p2"), poll_s=0.1)
    publish_builtin(settings)
    chequered = [[float((x + y) % 2) for x in range(28)] for y in range(28)]
    with served(create_p2(settings)) as site:
        for _ in range(3):
            assert post(f"{site.url}/v1/classify", {"pixels": chequered}) == 200
        assert post(f"{site.url}/v1/classify", {"pixels": [[0.5]]}) == 422
        yield site


@pytest.fixture(scope="module")
def p3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A chatbot that answered in each depth, searched, broke off once, and refused a request."""
    with chat_service(tmp_path_factory.mktemp("p3")) as site:
        chat, house = f"{site.url}/v1/chat/completions", "Where does young wine rest?"
        for asked in (
            chat_of(house),
            chat_of("Who painted the ceiling of Saint Peter's?"),
            chat_of(house, depth="generate"),
            chat_of(house, depth="free"),
            chat_of(f"Say how it {BROKEN}", depth="free", is_streamed=True),
            chat_of("Say hi", model="smollm2", max_tokens=2),
        ):
            assert post(chat, asked) == 200
        too_long = chat_of("hi " * 2_500, model="smollm2")
        assert post(chat, too_long) == 400
        assert post(f"{site.url}/v1/search", {"query": "wine", "collection": "house"}) == 200
        yield site


def chat_of(
    text: str, *, depth: str | None = None, is_streamed: bool = False, **more: object
) -> dict[str, object]:
    rag = {"depth": depth} if depth else None
    turns = [{"role": "user", "content": text}]
    return {"messages": turns, "rag": rag, "stream": is_streamed} | more


def post(url: str, value: object) -> int:
    body = json.dumps(value).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.fixture(scope="module")
def prometheus(
    p1: Site, p2: Site, p3: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A Prometheus that has scraped services which were asked a few things."""
    folder = tmp_path_factory.mktemp("prometheus")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    jobs = [
        {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{site.port}"]}]}
        for name, site in (("p1", p1), ("p2", p2), ("p3", p3))
    ]
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    command = [
        *("prometheus", f"--config.file={folder / 'prometheus.yml'}"),
        *(f"--storage.tsdb.path={folder / 'db'}", f"--web.listen-address=127.0.0.1:{port}"),
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for_samples(url, [job["job_name"] for job in jobs])
            yield url
        finally:
            process.terminate()
            process.wait(20)


def wait_for_samples(url: str, jobs: list[str]) -> None:
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        try:
            seen = [ask(url, f'http_requests_total{{job="{job}"}}[1m]') for job in jobs]
            if all(len(found[0]["values"]) > 3 for found in seen):
                return
        except (OSError, IndexError):
            pass
        time.sleep(0.5)
    pytest.fail("Prometheus has no samples of the services after a minute")


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ('http_requests_total{route="/v1/predict",status="200"}', 5),
        ('http_requests_total{route="/v1/classify",status="422"}', 1),
        ("sum(classifications_total)", 3),
        ("strange_images_total", 3),
        ('sum(chats_total{job="p3",model="rag",ending="stop"})', 4),
        ('chats_total{model="rag",ending="failed"}', 1),
        ('chats_total{model="smollm2",ending="length"}', 1),
        ('chats_total{model="smollm2",ending="refused"}', 1),
        ('chats_total{model="smollm2",ending="busy"}', 0),
        ('answers_total{depth="extract",verdict="answered"}', 1),
        ('answers_total{depth="extract",verdict="not_in_documents"}', 1),
        ('sentences_checked_total{verdict="supported"}', 1),
        ('sentences_checked_total{verdict="unsupported"}', 1),
        ("sum(search_seconds_count)", 4),
        ("chats_waiting", 0),
        ('index_documents_total{outcome="indexed"}', 2),
        ('index_runs_total{ending="finished"}', 1),
        ('model_info{job="p1",model="breast-cancer",version="1"}', 1),
        ('model_info{job="p2",model="fashion-mnist",version="1"}', 1),
    ],
)
def test_what_a_service_did_is_in_prometheus(prometheus: str, query: str, value: int) -> None:
    (found,) = ask(prometheus, query)
    assert float(found["value"][1]) == value


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
