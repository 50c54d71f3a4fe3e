"""`/metrics` as Prometheus reads it: it parses, is named by the conventions, and counts right."""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

Start = Callable[..., TestClient]
SENT = (
    ("GET", "/hello", 200, "/hello", 3),
    ("POST", "/rows/some-table", 422, "/rows/{table}", 2),
    ("POST", "/count", 200, "/count", 2),
    ("GET", "/count", 405, "/count", 1),
    ("GET", "/nowhere", 404, "(unmatched)", 2),
    ("GET", "/no-room", 409, "/no-room", 1),
    ("GET", "/crash", 500, "/crash", 1),
    ("GET", "/healthz", 200, "/healthz", 4),
)


@pytest.fixture
def asked(start: Start) -> TestClient:
    """A toy that has answered SENT and names its model with every odd character."""
    client = start()
    client.app.state.service.telemetry.model_info('a "model"\\of\nours', "ü{1},=")
    for method, path, status, _, n_times in SENT:
        for _ in range(n_times):
            assert client.request(method, path).status_code == status
    return client


def families(client: TestClient) -> dict[str, Metric]:
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = list(text_string_to_metric_families(answer.text))
    named = {family.name: family for family in found}
    assert len(named) == len(found), "a family stands twice"
    return named


def test_each_request_is_counted_once_under_its_method_route_and_status(
    asked: TestClient,
) -> None:
    counted = {
        tuple(sample.labels[label] for label in ("method", "route", "status")): sample.value
        for sample in families(asked)["http_requests"].samples
    }
    assert counted == {
        (method, route, str(status)): n_times for method, _, status, route, n_times in SENT
    }


def test_each_request_is_timed_once_and_the_buckets_add_up(asked: TestClient) -> None:
    family = families(asked)["http_request_duration_seconds"]
    expected: Counter[tuple[str, str, str]] = Counter()
    for method, _, status, route, n_times in SENT:
        expected[method, route, f"{status // 100}xx"] += n_times
    by_name: dict[str, dict[tuple[str, str, str], list[float]]] = {}
    for sample in family.samples:
        key = tuple(sample.labels[label] for label in ("method", "route", "status_class"))
        by_name.setdefault(sample.name, {}).setdefault(key, []).append(sample.value)
    counts = {key: value for key, (value,) in by_name[f"{family.name}_count"].items()}
    assert counts == expected
    for key, buckets in by_name[f"{family.name}_bucket"].items():
        assert buckets == sorted(buckets)
        assert buckets[-1] == counts[key]
    assert all(0 < value < 60 for (value,) in by_name[f"{family.name}_sum"].values())


def test_asking_for_the_metrics_is_itself_in_flight_and_counted_the_next_time(
    start: Start,
) -> None:
    client = start()
    for n_before in range(3):
        found = families(client)
        assert [s.value for s in found["http_requests_in_flight"].samples] == [1]
        assert [s.value for s in found["http_requests"].samples] == [n_before][:n_before]


def test_a_label_of_any_characters_reads_back_as_it_was(asked: TestClient) -> None:
    (sample,) = families(asked)["model_info"].samples
    assert sample.labels == {"model": 'a "model"\\of\nours', "version": "ü{1},="}


def bad_names(found: Iterable[Metric]) -> list[str]:
    """Name what breaks https://prometheus.io/docs/practices/naming/."""
    bad = [f"{family.name}: no help" for family in found if not family.documentation]
    for family in found:
        if not re.fullmatch("[a-z][a-z0-9_]*[a-z0-9]", family.name) or "__" in family.name:
            bad.append(f"{family.name}: not snake case")
        if family.name.endswith(("_ms", "_milliseconds", "_total", "_count", "_sum", "_kib")):
            bad.append(f"{family.name}: not a base unit, or a suffix with a meaning of its own")
        for sample in family.samples:
            if family.type == "counter" and not sample.name.endswith("_total"):
                bad.append(f"{sample.name}: a counter without _total")
            if not all(re.fullmatch("[a-z][a-z0-9_]*", label) for label in sample.labels):
                bad.append(f"{sample.name}: {list(sample.labels)}")
    return bad


def test_names_follow_the_conventions(asked: TestClient) -> None:
    found = families(asked)
    assert bad_names(found.values()) == []
    assert {name: family.type for name, family in found.items()} == {
        "model_info": "gauge",
        "http_requests": "counter",
        "http_request_duration_seconds": "histogram",
        "http_requests_in_flight": "gauge",
    }


@pytest.mark.skipif(
    shutil.which("promtool") is None, reason="promtool comes with Prometheus; not installed here"
)
def test_promtool_has_nothing_to_say(asked: TestClient) -> None:
    text = asked.get("/metrics").text
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
