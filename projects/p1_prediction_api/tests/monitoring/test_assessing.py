"""What moved is named, by every kind of change; what did not move is left in peace."""

import numpy as np
import pytest
from numpy.typing import NDArray
from p1_prediction_api.contracts import MISSING
from p1_prediction_api.monitoring.alerting import drift_alerts, most_severe_first, share_alerts
from p1_prediction_api.monitoring.assessing import Thresholds, assess
from p1_prediction_api.monitoring.contracts import Alert
from p1_prediction_api.monitoring.counting import Counts
from p1_prediction_api.monitoring.reference import Reference
from scipy import stats

from tests.support.world import World, make_world

SPAN = "in the last hour"


def alerts(reference: Reference, counts: Counts, thresholds: Thresholds) -> list[Alert]:
    found = list(drift_alerts(assess(reference, counts, thresholds)))
    moved = {alert.subject for alert in found}
    return most_severe_first([*found, *share_alerts(reference, counts, thresholds, moved, SPAN)])


def some(share: float, value: object) -> object:
    """Return a change that puts `value` into a share of rows."""

    def change(values: NDArray) -> NDArray:
        changed = values.copy()
        changed[: int(len(values) * share)] = value
        return changed

    return change


CHANGES = {
    "drift": {"income": lambda v: v * 1.6},
    "missing": {"score": some(0.3, np.nan)},
    "unseen-labels": {"city": some(0.1, "Atlantis")},
}


@pytest.mark.parametrize("code", CHANGES)
@pytest.mark.parametrize("n_rows", [300, 20_000])
def test_one_planted_change_is_named(
    world: World, thresholds: Thresholds, code: str, n_rows: int
) -> None:
    (change,) = CHANGES[code].items()
    counts = world.see(np.random.default_rng(5), n_rows, **{change[0]: change[1]})
    found = alerts(world.reference, counts, thresholds)
    about = [(alert.code, alert.subject) for alert in found if alert.severity != "note"]
    assert about[0] == (code, change[0])
    assert {subject for _, subject in about} <= {change[0], "rows"}
    assert SPAN in found[0].message or "PSI" in found[0].message


def test_a_number_that_jumps_out_of_range_is_one_drift_not_two_alerts(
    world: World, thresholds: Thresholds
) -> None:
    counts = world.see(np.random.default_rng(5), 2_000, age=lambda v: v + 100)
    found = [a for a in alerts(world.reference, counts, thresholds) if a.subject == "age"]
    assert [(one.code, one.severity) for one in found] == [("drift", "problem")]
    assert "are out of training's range" in found[0].message


def test_a_date_that_goes_on_is_a_note_and_makes_no_row_strange(
    world: World, thresholds: Thresholds
) -> None:
    counts = world.see(np.random.default_rng(5), 2_000, seen_at=lambda v: v + 10_000)
    found = [a for a in alerts(world.reference, counts, thresholds) if a.subject == "seen_at"]
    assert [(one.code, one.severity) for one in found] == [("drift", "note")]


def test_answers_that_move_are_named(world: World, thresholds: Thresholds) -> None:
    counts = world.see(np.random.default_rng(5), 2_000, age=lambda v: v + 8)
    found = assess(world.reference, counts, thresholds).prediction
    assert (found.of, found.movement) == ("yes", "strong")
    assert sum(one.seen for one in found.bins) == pytest.approx(1)
    yes = next(one for one in found.classes if one.label == "yes")
    assert yes.seen > yes.expected + 0.1


def test_few_rows_tell_nothing(world: World, thresholds: Thresholds) -> None:
    counts = world.see(np.random.default_rng(5), 99, age=lambda v: v + 100)
    found = assess(world.reference, counts, thresholds)
    assert {one.movement for one in found.features} == {"too few"}
    assert alerts(world.reference, counts, thresholds) == []


def test_a_rise_of_refused_requests_is_named(world: World, thresholds: Thresholds) -> None:
    counts = world.see(np.random.default_rng(5), 400)
    counts.n_refused = 3
    assert alerts(world.reference, counts, thresholds) == []
    counts.n_refused = 60
    (found,) = alerts(world.reference, counts, thresholds)
    assert (found.code, found.severity) == ("refused", "warning")
    assert "60 of 460" in found.message


def test_the_bins_are_those_of_the_reference_and_hold_every_row(world: World) -> None:
    counts = world.see(np.random.default_rng(6), 500)
    layout = world.reference.layout
    for k, feature in enumerate(world.reference.features):
        n_present = layout.bins(counts.cells, k).sum()
        n_unseen = counts.cells[layout.unseen(k)] if feature.kind == "category" else 0
        assert n_present + counts.cells[layout.missing(k)] + n_unseen == 500
        assert sum(feature.counts) + feature.n_missing == world.reference.n_train
    assert layout.prediction(counts.cells).sum() == 500
    assert layout.classes(counts.cells).sum() == 500


def test_a_missing_label_is_missing_and_an_unknown_one_is_unseen(world: World) -> None:
    counts = world.see(
        np.random.default_rng(6), 200, city=some(0.5, "Atlantis"), is_new=lambda v: v
    )
    names = [feature.name for feature in world.reference.features]
    k = names.index("city")
    assert counts.cells[world.reference.layout.unseen(k)] == 100
    counts = world.see(np.random.default_rng(6), 200, city=some(1.0, MISSING))
    assert counts.cells[world.reference.layout.missing(k)] == 200


def test_counts_add_up_and_travel(world: World) -> None:
    rng = np.random.default_rng(7)
    one, other = world.see(rng, 100), world.see(rng, 250)
    one.n_refused = 2
    both = Counts()
    for counts in (one, other, Counts(n_refused=3)):
        both.add(counts)
    assert (both.n_rows, both.n_refused) == (350, 5)
    assert both.cells.tolist() == (one.cells + other.cells).tolist()
    digest, again = Counts.from_json(both.to_json("d"))
    assert digest == "d"
    assert again.cells.tolist() == both.cells.tolist()
    assert (again.n_rows, again.sum_of_answers) == (both.n_rows, both.sum_of_answers)


def test_a_reference_travels_as_json(world: World) -> None:
    again = Reference.model_validate_json(world.reference.model_dump_json())
    assert again == world.reference
    assert again.digest == world.reference.digest


def n_alarms(n_train: int, n_rows: int, n_times: int, thresholds: Thresholds) -> tuple[int, int]:
    """Learn and watch unchanged traffic again and again; count movements, and alerts."""
    rng = np.random.default_rng(3)
    n_moved = n_alerted = 0
    for _ in range(n_times):
        world = make_world(rng, n_train)
        counts = world.see(rng, n_rows)
        found = assess(world.reference, counts, thresholds)
        moved = [one.movement for one in (*found.features, found.prediction)]
        n_moved += any(one not in {"none", "too few"} for one in moved)
        n_alerted += bool(alerts(world.reference, counts, thresholds))
    return n_moved, n_alerted


def test_unchanged_traffic_moves_no_more_often_than_stated(thresholds: Thresholds) -> None:
    """More often would happen by chance once in a thousand runs of this test."""
    n_moved, n_alerted = n_alarms(1_000, 300, 150, thresholds)
    assert n_moved <= stats.binom.isf(0.001, 150, thresholds.alpha)
    assert n_alerted <= stats.binom.isf(0.001, 150, thresholds.alpha)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n_train", "n_rows", "n_times"), [(400, 150, 1_500), (1_000, 300, 1_000), (4_000, 20_000, 300)]
)
def test_unchanged_traffic_moves_no_more_often_than_stated_over_many_repetitions(
    thresholds: Thresholds, n_train: int, n_rows: int, n_times: int
) -> None:
    n_moved, n_alerted = n_alarms(n_train, n_rows, n_times, thresholds)
    allowed = stats.binom.isf(0.001, n_times, thresholds.alpha)
    assert n_moved <= allowed
    assert n_alerted <= allowed
