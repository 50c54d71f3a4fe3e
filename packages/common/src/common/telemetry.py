"""Metrics for Prometheus and traces for OpenTelemetry, one `Telemetry` a service.

Metrics live in a registry of the service's own, so that two services in one process never mix.
Traces are sent over OTLP only when an endpoint is configured; without one a request still carries
a W3C trace id, at the cost of a few random bytes. Knows no HTTP framework. Read next:
`service/observing.py`, which records requests.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import accumulate
from typing import TYPE_CHECKING, Protocol, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from common.errors import DomainError
from common.request_ids import RequestTrace, continue_trace

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

LATENCY_BUCKETS_S = (
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
)  # fmt: skip
BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)

M = TypeVar("M", bound=Collector)


class TelemetryError(DomainError):
    """Traces were asked for, but what sends them is not installed."""


class Span(Protocol):
    """What a caller may do with a span: add attributes."""

    def set_attribute(self, key: str, value: str | float | bool) -> object:
        """Attach a value to the span."""


class _NoSpan:
    def set_attribute(self, key: str, value: str | float | bool) -> None:
        """Forget the attribute: nothing is traced."""


_NO_SPAN = _NoSpan()


class Tally(Collector):
    """A counter for what happens thousands of times a second, on the event loop alone.

    The client library's counters may be shared between threads and lock at each step: with the
    latency's histogram that is 1.5 µs a request, adding to a number is a third of it.
    """

    def __init__(self, name: str, doc: str, labels: Sequence[str]) -> None:
        self._about = name, doc, tuple(labels)
        self._counts: defaultdict[tuple[str, ...], int] = defaultdict(int)

    def add(self, labels: tuple[str, ...], n: int = 1) -> None:
        """Count `n` more under these values of the labels."""
        self._counts[labels] += n

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Tell Prometheus."""
        name, doc, labels = self._about
        family = CounterMetricFamily(name, doc, labels=labels)
        for values, count in self._counts.items():
            family.add_metric(values, count)
        yield family


class Distribution(Collector):
    """A histogram under the same terms as `Tally`."""

    def __init__(self, name: str, doc: str, labels: Sequence[str], bounds: Sequence[float]) -> None:
        self._about = name, doc, tuple(labels)
        self._bounds = tuple(map(float, bounds))
        self._counts: dict[tuple[str, ...], list[int]] = {}
        self._sums: defaultdict[tuple[str, ...], float] = defaultdict(float)

    def add(self, labels: tuple[str, ...], value: float) -> None:
        """Take in one measurement under these values of the labels."""
        counts = self._counts.get(labels)
        if counts is None:
            counts = self._counts[labels] = [0] * (len(self._bounds) + 1)
        counts[bisect_left(self._bounds, value)] += 1
        self._sums[labels] += value

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Tell Prometheus, whose buckets each hold what is in those before them."""
        name, doc, labels = self._about
        family = HistogramMetricFamily(name, doc, labels=labels)
        edges = [*map(str, self._bounds), "+Inf"]
        for values, counts in self._counts.items():
            buckets = list(zip(edges, accumulate(counts), strict=True))
            family.add_metric(values, buckets, self._sums[values])
        yield family


class Telemetry:
    """The metrics and traces of one service.

    `otlp_endpoint` is the collector's base address, such as `http://collector:4318`; empty sends
    nothing. Raises `TelemetryError` when it is set and the extra `otlp` is missing.
    """

    def __init__(self, service: str, *, otlp_endpoint: str | None = None) -> None:
        self.service = service
        disable_created_metrics()
        self.registry = CollectorRegistry()
        self._metrics: dict[str, Collector] = {}
        self._provider = _tracer_provider(service, otlp_endpoint) if otlp_endpoint else None
        self._model = self.gauge(
            "model_info", "The model version that answers now (1).", ("model", "version")
        )

    def counter(self, name: str, doc: str, labels: Sequence[str] = ()) -> Counter:
        """Return the counter of that name, made at the first call."""
        return self._made(name, lambda: Counter(name, doc, labels, registry=self.registry), Counter)

    def gauge(self, name: str, doc: str, labels: Sequence[str] = ()) -> Gauge:
        """Return the gauge of that name, made at the first call."""
        return self._made(name, lambda: Gauge(name, doc, labels, registry=self.registry), Gauge)

    def histogram(
        self,
        name: str,
        doc: str,
        buckets: Sequence[float] = LATENCY_BUCKETS_S,
        labels: Sequence[str] = (),
    ) -> Histogram:
        """Return the histogram of that name, made at the first call; buckets are upper bounds."""
        return self._made(
            name,
            lambda: Histogram(name, doc, labels, buckets=buckets, registry=self.registry),
            Histogram,
        )

    def tally(self, name: str, doc: str, labels: Sequence[str]) -> Tally:
        """Return the tally of that name, made at the first call."""
        return self._made(name, lambda: self._registered(Tally(name, doc, labels)), Tally)

    def distribution(
        self,
        name: str,
        doc: str,
        labels: Sequence[str],
        bounds: Sequence[float] = LATENCY_BUCKETS_S,
    ) -> Distribution:
        """Return the distribution of that name, made at the first call; `bounds` are upper ones."""
        return self._made(
            name, lambda: self._registered(Distribution(name, doc, labels, bounds)), Distribution
        )

    def _registered(self, made: M) -> M:
        self.registry.register(made)
        return made

    def model_info(self, model: str, version: str) -> None:
        """Say which version of a model answers from now on; the former one's sample goes."""
        self._model.clear()
        self._model.labels(model, version).set(1)

    def exposition(self) -> bytes:
        """Render every metric in Prometheus' text format."""
        return generate_latest(self.registry)

    @property
    def is_tracing(self) -> bool:
        """Whether spans are sent anywhere."""
        return self._provider is not None

    @contextmanager
    def span(self, name: str) -> Generator[Span]:
        """Trace a piece of work under the current request; free when traces are off."""
        if self._provider is None:
            yield _NO_SPAN
            return
        with self._provider.get_tracer(self.service).start_as_current_span(name) as span:
            yield span

    @contextmanager
    def request_span(self, name: str, traceparent: str) -> Generator[tuple[RequestTrace, Span]]:
        """Continue the caller's trace, or begin one, for the length of a request."""
        if self._provider is None:
            yield continue_trace(traceparent), _NO_SPAN
            return
        from opentelemetry.propagate import extract  # noqa: PLC0415 - only with the extra
        from opentelemetry.trace import SpanKind  # noqa: PLC0415 - only with the extra

        tracer = self._provider.get_tracer(self.service)
        parent = extract({"traceparent": traceparent})
        with tracer.start_as_current_span(name, parent, kind=SpanKind.SERVER) as span:
            ids = span.get_span_context()
            yield RequestTrace(f"{ids.trace_id:032x}", f"{ids.span_id:016x}"), span

    def close(self) -> None:
        """Send what is still buffered; blocks for a few seconds at the most."""
        if self._provider is not None:
            self._provider.shutdown()

    def _made(self, name: str, make: Callable[[], M], kind: type[M]) -> M:
        metric = self._metrics.get(name)
        if metric is None:
            metric = self._metrics[name] = make()
        if not isinstance(metric, kind):
            raise TypeError(
                f"the metric {name} is a {type(metric).__name__}, not a {kind.__name__}"
            )
        return metric


def _tracer_provider(service: str, endpoint: str) -> "TracerProvider":
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        raise TelemetryError(
            "traces are configured (OTLP_ENDPOINT), but OpenTelemetry is not installed; "
            "install ai-roadmap-common[otlp]"
        )
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415 - the extra
        OTLPSpanExporter,
    )
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - only with the extra
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - only with the extra
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415 - the extra

    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider
