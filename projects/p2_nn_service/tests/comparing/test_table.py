from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from p2_nn_service.comparing.table import (
    Compared,
    NothingToCompareError,
    compare_runs,
    cost_words,
    efficient_rows,
    keep_variants,
)
from p2_nn_service.contracts import Estimate, Kind, Measured, RunRecord, Variant
from p2_nn_service.errors import NetworkError
from p2_nn_service.runs import RunFolder, runs_dir

START = datetime(2026, 1, 1, tzinfo=UTC)


def keep_run(data_dir: Path, run_id: str, accuracy: float, **more: object) -> RunFolder:
    n = len(list(runs_dir(data_dir).glob("*/")))
    record = RunRecord(
        id=run_id, dataset="d", model=run_id, status="finished", n_parameters=10,
        started_at=START + timedelta(hours=n), metrics={"held_out_accuracy": accuracy},
    )  # fmt: skip
    folder = RunFolder(runs_dir(data_dir) / run_id)
    folder.write(record.model_copy(update=more))
    return folder


def measured(variant: Variant, accuracy: float, latency_ms: float, n_bytes: int) -> Measured:
    return Measured(
        variant=variant, file="", n_bytes=n_bytes, n_parameters=10, n_flops=100, train_s=1,
        latency_ms=latency_ms, accuracy=Estimate(value=accuracy, low=accuracy, high=accuracy),
    )  # fmt: skip


def row(accuracy: float, latency_ms: float | None) -> Compared:
    return Compared(
        run_id="r", dataset="d", model="m", variant="fp32", accuracy=accuracy, n_parameters=1,
        train_s=1, latency_ms=latency_ms,
    )  # fmt: skip


def test_the_most_accurate_stands_first_and_the_verdict_says_what_is_nearly_as_good(
    tmp_path: Path,
) -> None:
    keep_run(tmp_path, "mlp", 0.88)
    large = keep_run(tmp_path, "cnn", 0.93)
    keep_variants(large.path, [measured("fp32", 0.93, 2.0, 400), measured("int8", 0.929, 1.0, 100)])
    found = compare_runs(tmp_path)
    assert [(one.model, one.variant) for one in found.rows] == [
        ("cnn", "fp32"), ("cnn", "int8"), ("mlp", "fp32"),
    ]  # fmt: skip
    assert found.rows[2].latency_ms is None
    assert "--measure" in found.rows[2].note
    assert found.verdict == (
        "cnn (fp32) answers 93.00% of held-out examples rightly; cnn (int8) comes within 0.1 "
        "points of it for 50% of its milliseconds an image, one thread"
    )
    assert found.efficient["latency_ms"] == (1, 0)


def test_runs_of_one_data_set_alone_are_compared(tmp_path: Path) -> None:
    keep_run(tmp_path, "old", 0.99, dataset="digits")
    keep_run(tmp_path, "new", 0.5)
    found = compare_runs(tmp_path)
    assert (found.dataset, found.datasets) == ("d", ("d", "digits"))
    assert [one.run_id for one in found.rows] == ["new"]
    with pytest.raises(NetworkError, match="different data sets: d, digits"):
        compare_runs(tmp_path, ["old", "new"])


def test_nothing_to_compare_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NothingToCompareError, match="train one"):
        compare_runs(tmp_path)
    keep_run(tmp_path, "a", 0.5)
    with pytest.raises(NothingToCompareError, match="of b; runs that can be: a"):
        compare_runs(tmp_path, ["b"])


@pytest.mark.parametrize(
    ("kind", "unit"), [("images", "an image"), ("series", "a series"), ("text", "a text")]
)
def test_a_cost_is_of_one_of_what_the_runs_read(tmp_path: Path, kind: Kind, unit: str) -> None:
    keep_run(tmp_path, "small", 0.53, kind=kind, n_parameters=5)
    large = keep_run(tmp_path, "large", 0.54, kind=kind)
    keep_variants(large.path, [measured("fp32", 0.54, 2.0, 400), measured("int8", 0.535, 1.0, 100)])
    found = compare_runs(tmp_path)
    assert found.kind == kind
    assert f"50% of its milliseconds {unit}, one thread" in found.verdict
    assert cost_words("n_flops", found.kind) == f"multiply-adds {unit}"
    notes = {one.note for one in found.rows if one.model == "small"}
    assert any("--measure" in note for note in notes) is (kind == "images")


def test_a_damaged_file_of_variants_is_as_none(tmp_path: Path) -> None:
    folder = keep_run(tmp_path, "a", 0.5)
    (folder.path / "variants.json").write_text("[{")
    assert compare_runs(tmp_path).rows[0].variant == "fp32"


pairs = st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.sampled_from([None, 1.0, 2.0, 3.0]))


@given(st.lists(pairs, max_size=8))
def test_the_front_is_what_no_other_beats(found: list[tuple[float, float | None]]) -> None:
    rows = [row(accuracy, cost) for accuracy, cost in found]
    front = efficient_rows(rows, "latency_ms")
    priced = [(one.accuracy, one.latency_ms) for one in rows if one.latency_ms is not None]
    for k in front:
        mine = rows[k]
        assert mine.latency_ms is not None
        assert not any(
            a >= mine.accuracy
            and c <= mine.latency_ms
            and (a, c) != (mine.accuracy, mine.latency_ms)
            for a, c in priced
        )
    kept = {(rows[k].accuracy, rows[k].latency_ms) for k in front}
    for a, c in priced:
        assert any(b >= a and d is not None and d <= c for b, d in kept)
