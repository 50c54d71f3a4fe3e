"""The same figures for Prometheus: gauges of the last hours, counters of what is seen.

Gauges are of what all replicas saw together, so each replica shows the same; counters are a
replica's own. The number of features shown is bounded.
"""

from collections import Counter as Tally

from common.telemetry import Telemetry
from prometheus_client import Gauge

from p1_prediction_api.monitoring.contracts import Monitoring, Movement, Severity
from p1_prediction_api.monitoring.counting import Counts

MAX_FEATURES = 100
GRADES: dict[Movement, int] = {"too few": -1, "none": 0, "slight": 1, "moderate": 2, "strong": 3}
SEVERITIES: tuple[Severity, ...] = ("problem", "warning", "note")
GRADE_DOC = "3 strong, 2 moderate, 1 slight, 0 none, -1 too few rows to tell."


class Gauges:
    """The service's metrics of what it watches."""

    def __init__(self, telemetry: Telemetry) -> None:
        def gauge(name: str, doc: str) -> Gauge:
            return telemetry.gauge(name, doc, ("feature",))

        self._psi = gauge("feature_psi", "How far a feature moved from training.")
        self._movement = gauge("feature_movement", f"How far a feature moved: {GRADE_DOC}")
        self._missing = gauge("feature_missing_share", "Share of rows without this feature.")
        self._unseen = gauge("feature_unseen_share", "Share of values unlike training.")
        self._prediction_psi = telemetry.gauge("prediction_psi", "How far the answers moved.")
        self._prediction_movement = telemetry.gauge(
            "prediction_movement", f"How far the answers moved: {GRADE_DOC}"
        )
        self._strange = telemetry.gauge(
            "out_of_distribution_share", "Share of rows unlike training as a whole."
        )
        self._watched = telemetry.gauge("watched_rows", "Rows that the gauges are of.")
        self._alerts = telemetry.gauge(
            "monitoring_alerts", "Alerts of GET /v1/monitoring now.", ("severity",)
        )
        self._n_rows = telemetry.counter("rows_seen_total", "Rows answered.")
        self._n_looked_at = telemetry.counter(
            "rows_looked_at_total", "Rows answered whose values were counted."
        )
        self._n_strange = telemetry.counter(
            "rows_strange_total", "Rows looked at that are unlike training as a whole."
        )
        self._n_refused = telemetry.counter(
            "requests_refused_total", "Requests whose rows did not fit the model."
        )

    def count(self, added: Counts) -> None:
        """Count what this replica saw."""
        self._n_rows.inc(added.n_rows)
        self._n_looked_at.inc(added.n_looked_at)
        self._n_strange.inc(added.n_strange)
        self._n_refused.inc(added.n_refused)

    def show(self, found: Monitoring) -> None:
        """Show the figures of the last hours; what cannot be told is not there."""
        for metric in (self._psi, self._movement, self._missing, self._unseen):
            metric.clear()
        shown = sorted(found.features, key=lambda one: one.feature)[:MAX_FEATURES]
        for one in shown:
            self._movement.labels(one.feature).set(GRADES[one.movement])
            self._missing.labels(one.feature).set(one.missing)
            self._unseen.labels(one.feature).set(one.unseen)
            if one.psi is not None and one.movement != "too few":
                self._psi.labels(one.feature).set(one.psi)
        answers = found.prediction
        if answers is not None:
            self._prediction_movement.set(GRADES[answers.movement])
            self._prediction_psi.set(answers.psi or 0.0)
        if found.out_of_distribution is not None:
            self._strange.set(found.out_of_distribution.seen.value)
        self._watched.set(found.n_rows)
        alerts = Tally(alert.severity for alert in found.alerts)
        for severity in SEVERITIES:
            self._alerts.labels(severity).set(alerts[severity])
