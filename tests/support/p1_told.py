"""What the prediction API may tell its page, as the contracts' own objects: every state, at will.

A drift that is strong, a shadow that is better and a history of five versions are states that a
page must show well and that no running service is quickly in. Knows no page; `told` answers a
browser's request with one of them.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from common.models.releases import AliasMoved, ModelHistory, NamedVersion, PublishedVersion
from p1_prediction_api.contracts import Estimate, ServedModel
from p1_prediction_api.monitoring.contracts import (
    Alert,
    Bin,
    FeatureWatch,
    LiveScores,
    LogState,
    Moment,
    Monitoring,
    Movement,
    PredictionWatch,
    ShadowComparison,
    Share,
)
from playwright.sync_api import Page, Route
from pydantic import BaseModel

NOW = datetime(2026, 11, 24, 14, 0, tzinfo=UTC)
N_MOMENTS = 48
SERVED = ServedModel(name="breast-cancer", version=1, alias="champion")
LOG = LogState(is_on=True, n_stored=1_204, n_waiting=3, n_lost=0)


def told(page: Page, path: str, answer: BaseModel | Callable[[], BaseModel]) -> None:
    """Let a path of the service answer with a contract's object, or with what a call returns."""

    def fulfil(route: Route) -> None:
        body = answer if isinstance(answer, BaseModel) else answer()
        route.fulfill(body=body.model_dump_json(), content_type="application/json")

    page.route(lambda url: url.split("?")[0].endswith(path), fulfil)


def estimate(value: float, half: float) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half)


def drifted() -> Monitoring:
    """A day in which three features moved, truths came in and a candidate shadowed."""
    return Monitoring(
        model=SERVED,
        verdict="3 of 6 features moved beyond chance, and 9.4 % of rows are unlike anything seen "
        "in training: look at mean radius first.",
        since=NOW - timedelta(hours=24),
        until=NOW,
        n_rows=1_204,
        alerts=_alerts(),
        features=_features(),
        prediction=_prediction(),
        out_of_distribution=Share(expected=0.02, seen=estimate(0.094, 0.016)),
        refused=7,
        timeline=[_moment(k) for k in range(N_MOMENTS)],
        truth=_truth(),
        shadow=_shadow(),
        log=LOG,
    )


def nothing_seen() -> Monitoring:
    """The same service before its first row."""
    return drifted().model_copy(
        update={
            "verdict": "No rows were seen in the last 24 hours.",
            "n_rows": 0,
            "alerts": [],
            "features": [],
            "prediction": None,
            "out_of_distribution": None,
            "refused": 0,
            "timeline": [],
            "truth": None,
            "shadow": None,
        }
    )


def _alerts() -> list[Alert]:
    return [
        Alert(
            severity="problem",
            code="drift",
            subject="mean radius",
            message="moved strongly: PSI 0.41; 31 % of rows lie above 18, 12 % did in training.",
            next_step="Look at where these rows come from; if they are here to stay, train on "
            "them.",
        ),
        Alert(
            severity="warning",
            code="out-of-distribution",
            subject="rows",
            message="9.4 % (7.8 % to 11 %) of rows lie outside what training saw, 2 % is expected.",
            next_step="Ask the source for units and scale; answers for such rows are guesses.",
        ),
        Alert(
            severity="note",
            code="missing",
            subject="worst area",
            message="is missing in 1.2 % of rows; it never was in training.",
            next_step="Find where it gets lost before it is common.",
        ),
    ]


def _bins(shift: float, n: int = 10) -> list[Bin]:
    expected = [math.exp(-(((k - 4) / 2.4) ** 2)) for k in range(n)]
    seen = [math.exp(-(((k - 4 - shift) / 2.4) ** 2)) for k in range(n)]
    return [
        Bin(label=f"{6 + 2 * k} to {8 + 2 * k}", expected=a / sum(expected), seen=b / sum(seen))
        for k, (a, b) in enumerate(zip(expected, seen, strict=True))
    ]


def _features() -> list[FeatureWatch]:
    found: list[tuple[str, Movement, float | None, float]] = [
        ("mean radius", "strong", 0.41, 2.2),
        ("worst area", "moderate", 0.17, 1.1),
        ("mean texture", "slight", 0.06, 0.6),
        ("mean smoothness", "none", 0.004, 0.1),
        ("worst symmetry", "none", 0.0, 0.0),
        ("a rarely filled feature with a long name", "too few", None, 0.0),
    ]
    return [
        FeatureWatch(
            feature=name,
            kind="number",
            movement=movement,
            message=f"{name} lies {shift:.1f} bins higher than in training."
            if shift
            else "as in training",
            psi=psi,
            p_adjusted=None if psi is None else math.exp(-40 * psi),
            missing_expected=0.0,
            missing=0.012 if name == "worst area" else 0.0,
            unseen=0.031 if movement == "strong" else 0.0,
            bins=_bins(shift),
        )
        for name, movement, psi, shift in found
    ]


def _prediction() -> PredictionWatch:
    edges = [f"{k / 10:.1f} to {(k + 1) / 10:.1f}" for k in range(10)]
    expected = [0.52, 0.05, 0.02, 0.02, 0.01, 0.01, 0.02, 0.02, 0.04, 0.29]
    seen = [0.41, 0.05, 0.03, 0.03, 0.02, 0.02, 0.03, 0.03, 0.05, 0.33]
    return PredictionWatch(
        of="malignant",
        movement="slight",
        message="malignant is said in 44 % of rows, 37 % of those held out.",
        psi=0.05,
        p_adjusted=0.004,
        bins=[
            Bin(label=n, expected=a, seen=b) for n, a, b in zip(edges, expected, seen, strict=True)
        ],
        classes=[
            Bin(label="malignant", expected=0.37, seen=0.44),
            Bin(label="benign", expected=0.63, seen=0.56),
        ],
    )


def _moment(k: int) -> Moment:
    n = round(25 + 18 * math.sin(k / 48 * 2 * math.pi)) if k >= 6 else 0
    return Moment(
        started_at=NOW - timedelta(hours=24) + k * timedelta(minutes=30),
        n_rows=n,
        n_refused=3 if k == 30 else 4 if k == 31 else 0,
        strange=0.02 + 0.14 * (k / 48) ** 3 + 0.01 * (k % 3) if n else None,
        missing=0.002 * (k > 34) if n else None,
        prediction=0.37 + 0.08 * (k / 48) + 0.02 * ((k * 7) % 5 - 2) if n else None,
        largest_psi=0.03 + 0.4 * (k / 48) ** 2 if n else None,
    )


def _truth() -> LiveScores:
    return LiveScores(
        n_truths=212,
        n_pending=4,
        task="classification",
        metric="roc_auc",
        metrics={
            "roc_auc": estimate(0.962, 0.024),
            "accuracy": estimate(0.906, 0.039),
            "precision": estimate(0.88, 0.06),
            "recall": estimate(0.861, 0.066),
        },
        expected={
            "roc_auc": estimate(0.994, 0.006),
            "accuracy": estimate(0.965, 0.03),
            "precision": estimate(0.976, 0.04),
            "recall": estimate(0.93, 0.07),
        },
        coverage=estimate(0.84, 0.05),
        level=0.9,
        verdict="Worse than on rows held out: ROC AUC 0.96 (0.94 to 0.99), 0.99 was to be "
        "expected.",
    )


def _shadow() -> ShadowComparison:
    return ShadowComparison(
        candidate=ServedModel(name="breast-cancer", version=2, alias="candidate"),
        n_rows=1_180,
        n_skipped=5,
        n_failed=0,
        agreement=estimate(0.957, 0.012),
        mean_difference=estimate(0.011, 0.004),
        n_truths=212,
        metric="roc_auc",
        champion_score=estimate(0.962, 0.024),
        candidate_score=estimate(0.981, 0.017),
        difference=estimate(0.019, 0.013),
        verdict="The candidate is better on the same rows.",
    )


def history(
    *, serving: int = 1, stands_on: int = 1, may_change: bool = True, n: int = 3
) -> ModelHistory:
    """Some versions, one of which serves."""
    fingerprint = "sha256:" + "5f0c" * 16
    return ModelHistory(
        model=NamedVersion(name=SERVED.name, version=serving, alias=SERVED.alias),
        alias="champion",
        stands_on=stands_on,
        rolls_back_to=1 if stands_on != 1 else None,
        may_change=may_change,
        versions=[
            PublishedVersion(
                version=k,
                created_at=NOW - timedelta(days=3 * (n - k)),
                verdict=f"Regularised logistic regression, ROC AUC 0.99{k}; it fails on small "
                "cells with a rough edge.",
                metrics={"roc_auc": 0.99 + k / 1000, "log_loss": 0.09 - k / 100, "accuracy": 0.965},
                data_fingerprint=fingerprint,
                code_revision="91c3759",
                aliases=[
                    *(["champion"] if k == stands_on else []),
                    *(["candidate"] if k == n else []),
                ],
                is_serving=k == serving,
            )
            for k in range(n, 0, -1)
        ],
        moves=_moves(stands_on),
    )


def _moves(stands_on: int) -> list[AliasMoved]:
    first = AliasMoved(
        version=1, previous=None, moved_at=NOW - timedelta(days=6), is_roll_back=False
    )
    if stands_on == 1:
        return [first]
    later = AliasMoved(version=stands_on, previous=1, moved_at=NOW, is_roll_back=False)
    return [later, first]
