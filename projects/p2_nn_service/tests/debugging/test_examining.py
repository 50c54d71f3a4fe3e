"""The whole examination: in its time, to be stopped, and without a false verdict."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.debugging.allowance import Allowance
from p2_nn_service.debugging.examining import CHECKS, Listed, examine
from p2_nn_service.debugging.findings import Finding, Report
from p2_nn_service.debugging.subject import Subject, of_classifier
from p2_nn_service.training.recipes import recipe_for

MakeSubject = Callable[..., Subject]
CODES = [one.code for one in CHECKS]


def ticking(seconds: float) -> Callable[[], float]:
    """A clock that moves on by so much each time it is looked at."""
    times: Iterator[float] = (k * seconds for k in range(10**9))
    return lambda: next(times)


def test_a_sound_network_on_sound_data_gets_no_verdict_against_it(
    make_subject: MakeSubject,
) -> None:
    told: list[tuple[str, float]] = []
    report = examine(make_subject(), told=lambda words, share: told.append((words, share)))
    assert {one.code for one in report.findings} == set(CODES)
    assert {one.severity for one in report.findings} == {"ok"}
    assert report.verdict == "Nothing wrong was found in 12 checks."
    assert not report.has_problem
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert 0 <= shares[0] <= shares[-1] <= 1
    assert {words for words, _ in told} == {one.words for one in CHECKS}
    assert Report.model_validate_json(report.model_dump_json()) == report


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preset", "seed"),
    [
        *(("perceptron", 0), ("perceptron", 1), ("perceptron", 2)),
        *(("mlp", 0), ("mlp", 1), ("mlp", 2)),
        *(("rnn", 0), ("rnn", 1), ("cnn", 0), ("cnn", 2), ("lstm", 1), ("transformer", 2)),
    ],
)
def test_a_preset_with_its_own_recipe_gets_no_false_verdict(
    preset: str, seed: int, bars: Callable[..., Dataset]
) -> None:
    recipe = replace(recipe_for(preset, "bars"), batch_size=32, seed=seed)
    report = examine(of_classifier(bars(300, seed=seed, contrast=90), preset, recipe))
    wrong = [one.verdict for one in report.findings if one.severity != "ok"]
    assert wrong == []
    assert report.left_out == ()


def test_where_time_is_short_what_was_not_seen_is_left_out_and_said(
    make_subject: MakeSubject,
) -> None:
    report = examine(make_subject(), seconds=60, clock=ticking(0.5))
    left_out = [one.code for one in report.left_out]
    assert left_out
    assert sorted([*left_out, *(one.code for one in report.findings)]) == sorted(CODES)
    assert all(one.reason.startswith("there was time for") for one in report.left_out)
    assert report.verdict.endswith(f"{len(left_out)} checks not done.")


def test_a_check_that_leaves_time_gives_it_to_the_next(make_subject: MakeSubject) -> None:
    given: list[float] = []

    def quick(subject: Subject, time: Allowance) -> Finding:
        given.append(time.left_s)
        return Finding(code="quick", severity="ok", verdict="Fine.")

    checks = [Listed("quick", "", quick, 1)] * 4
    examine(make_subject(), seconds=100, checks=checks, clock=lambda: 0.0)
    assert given == [25, pytest.approx(100 / 3), 50, 100]


def test_being_stopped_keeps_what_is_known(make_subject: MakeSubject) -> None:
    def stopped(subject: Subject, time: Allowance) -> Finding:
        raise KeyboardInterrupt

    checks = [CHECKS[0], Listed("second", "", stopped, 1), CHECKS[1]]
    report = examine(make_subject(), checks=checks)
    assert [one.code for one in report.findings] == ["inputs"]
    assert [one.code for one in report.left_out] == ["second", "repeats"]


def test_problems_come_first_and_make_the_verdict(make_subject: MakeSubject) -> None:
    report = examine(make_subject(recipe={"learning_rate": 1e-8}))
    assert report.has_problem
    assert report.findings[0].code == "learning-rate", "the cause, before what it brings about"
    assert report.verdict.startswith(f"Something is broken. {report.findings[0].verdict}")
    order = [one.severity for one in report.findings]
    assert order == sorted(order, key=["problem", "warning", "ok"].index)
    json.loads(report.model_dump_json())
