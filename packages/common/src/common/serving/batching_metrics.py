"""What a batcher measures: how long its model takes by batch size, and numbers for Prometheus.

Knows no queue and no model.
"""

import math

from common.telemetry import BATCH_BUCKETS, Telemetry

SMOOTHING = 0.2
"""Weight of the newest measurement in a running mean."""


class RunTimes:
    """Running means of a model's run time, one for each power of two of the batch's weight.

    A call costs something fixed and something by weight, so the time of a full batch says little
    about a single row's and the other way round; each size speaks for itself.
    """

    def __init__(self) -> None:
        self.per_unit_s = 0.0
        self._seconds: dict[int, float] = {}

    def of(self, weight: int) -> float:
        """Return the expected seconds of a batch so heavy; infinity while none was measured."""
        return self._seconds.get(weight.bit_length(), math.inf)

    def learn(self, weight: int, seconds: float) -> None:
        """Take in one measurement."""
        size = weight.bit_length()
        self._seconds[size] = _smoothed(self._seconds.get(size), seconds)
        self.per_unit_s = _smoothed(self.per_unit_s or None, seconds / max(weight, 1))


def _smoothed(known: float | None, newest: float) -> float:
    return newest if known is None else known + SMOOTHING * (newest - known)


class BatchMetrics:
    """A batcher's numbers for Prometheus, labelled by its name."""

    def __init__(self, name: str, telemetry: Telemetry) -> None:
        label = ("batcher",)
        self._name = (name,)
        self._batch_size = telemetry.distribution(
            "batch_size", "Rows in one call of the model.", label, BATCH_BUCKETS
        )
        self._run_s = telemetry.distribution(
            "batch_run_seconds", "Time of one call of the model.", label
        )
        self._wait_s = telemetry.distribution(
            "batch_wait_seconds", "Time the first item of a batch waited.", label
        )
        self.queued = telemetry.gauge(
            "batch_queue_rows", "Rows that wait for the model now.", label
        ).labels(name)
        self.refused = telemetry.counter(
            "batch_refused_total", "Items refused because the queue was full.", label
        ).labels(name)
        self.dropped = telemetry.counter(
            "batch_dropped_total", "Items dropped: abandoned or past their deadline.", label
        ).labels(name)

    def observe(self, weight: int, seconds: float, wait_s: float) -> None:
        """Record one call of the model."""
        self._batch_size.add(self._name, weight)
        self._run_s.add(self._name, seconds)
        self._wait_s.add(self._name, wait_s)
