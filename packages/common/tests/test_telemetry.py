"""Metrics of one service, and traces to a real OTLP receiver."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from common.request_ids import continue_trace
from common.telemetry import Telemetry
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector(ThreadingHTTPServer):
    """Takes OTLP over HTTP and keeps what it parsed."""

    def __init__(self) -> None:
        self.requests: list[ExportTraceServiceRequest] = []
        super().__init__(("127.0.0.1", 0), Intake)


class Intake(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        assert self.path == "/v1/traces"
        self.server.requests.append(ExportTraceServiceRequest.FromString(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_spans_arrive_at_a_collector_under_the_callers_trace(collector: Collector) -> None:
    telemetry = Telemetry("toy", otlp_endpoint=f"http://127.0.0.1:{collector.server_port}")
    with telemetry.request_span("GET", f"00-{TRACE_ID}-{SPAN_ID}-01") as (ids, span):
        span.set_attribute("http.route", "/hello")
        with telemetry.span("predict") as inner:
            inner.set_attribute("n_rows", 3)
    telemetry.close()
    assert ids.trace_id == TRACE_ID
    resources = [r for request in collector.requests for r in request.resource_spans]
    spans = {s.name: s for r in resources for scope in r.scope_spans for s in scope.spans}
    assert set(spans) == {"GET", "predict"}
    assert {s.trace_id.hex() for s in spans.values()} == {TRACE_ID}
    assert spans["GET"].parent_span_id.hex() == SPAN_ID
    assert spans["predict"].parent_span_id == spans["GET"].span_id
    named = {a.key: a.value.string_value for a in resources[0].resource.attributes}
    assert named["service.name"] == "toy"


def test_without_an_endpoint_a_span_is_free_and_the_trace_goes_on() -> None:
    telemetry = Telemetry("toy")
    assert not telemetry.is_tracing
    with telemetry.request_span("GET", f"00-{TRACE_ID}-{SPAN_ID}-01") as (ids, _):
        assert ids.trace_id == TRACE_ID
        assert ids.span_id != SPAN_ID


@given(text=st.text(st.sampled_from("0123456789abcdef-xA"), max_size=70))
def test_any_header_gives_a_trace_id_that_is_valid(text: str) -> None:
    ids = continue_trace(text)
    assert len(bytes.fromhex(ids.trace_id)) == 16
    assert any(bytes.fromhex(ids.trace_id))


@pytest.mark.parametrize(
    ("header", "is_kept"),
    [
        (f"00-{TRACE_ID}-{SPAN_ID}-00", True),
        (f"cc-{TRACE_ID}-{SPAN_ID}-01-what-comes-later", True),
        (f"00-{TRACE_ID}-{SPAN_ID}-01-what-comes-later", False),
        (f"ff-{TRACE_ID}-{SPAN_ID}-01", False),
        (f"00-{'0' * 32}-{SPAN_ID}-01", False),
        (f"00-{TRACE_ID.upper()}-{SPAN_ID}-01", False),
    ],
)
def test_a_traceparent_is_believed_when_the_standard_says_so(header: str, is_kept: bool) -> None:
    assert (continue_trace(header).trace_id == TRACE_ID) is is_kept


def test_two_services_in_one_process_never_mix() -> None:
    one, two = Telemetry("one"), Telemetry("two")
    one.counter("rows_total", "Rows.").inc(5)
    assert b"rows_total 5.0" in one.exposition()
    assert b"rows_total" not in two.exposition()
    with pytest.raises(TypeError, match="is a Counter, not a Gauge"):
        one.gauge("rows_total", "Rows.")


def test_only_the_model_version_that_answers_now_is_told() -> None:
    telemetry = Telemetry("one")
    telemetry.model_info("churn", "1")
    telemetry.model_info("churn", "2")
    assert b'model_info{model="churn",version="2"} 1.0' in telemetry.exposition()
    assert b'version="1"' not in telemetry.exposition()


def test_what_is_tallied_and_measured_reads_as_prometheus_own_kinds_do() -> None:
    telemetry = Telemetry("one")
    telemetry.tally("asked_total", "Asked.", ("route",)).add(("/a",), 2)
    telemetry.tally("asked_total", "Asked.", ("route",)).add(("/a",))
    sizes = telemetry.distribution("size_rows", "Rows.", ("route",), (1, 10))
    for value in (1, 5, 50):
        sizes.add(("/a",), value)
    plain = telemetry.histogram("plain_rows", "Rows.", (1, 10), ("route",)).labels("/a")
    for value in (1, 5, 50):
        plain.observe(value)
    text = telemetry.exposition().decode()
    assert 'asked_total{route="/a"} 3.0' in text
    told = [line.split(" ") for line in text.splitlines() if line.startswith("size_rows")]
    wanted = [line.split(" ") for line in text.splitlines() if line.startswith("plain_rows")]
    assert {(n.removeprefix("size"), v) for n, v in told} == {
        (n.removeprefix("plain"), v) for n, v in wanted
    }
