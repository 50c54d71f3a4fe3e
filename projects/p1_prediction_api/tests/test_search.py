"""The search itself: what is given up, what an interrupt keeps, what is published."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from p1_prediction_api.candidates import BASELINE, candidates
from p1_prediction_api.errors import TrainingError
from p1_prediction_api.prepared import prepare
from p1_prediction_api.search import Search, search
from p1_prediction_api.splits import split_rows
from p1_prediction_api.training import train
from p1_prediction_api.trials import Trial, try_candidate


def line_table(n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(rng.normal(size=(n, 3)), columns=list("abc"))
    return frame.assign(t=frame.sum(axis=1) + rng.normal(scale=0.5, size=n))


def trial_of(family: str, *, left_s: float, best: Trial | None = None) -> Trial:
    data = prepare(line_table(), "t")
    split = split_rows(data.y, data.task, seed=0)
    candidate = next(one for one in candidates(data, seed=0) if one.family == family)
    return try_candidate(candidate, data, split, best, seed=0, left=lambda: left_s)


def test_a_candidate_that_is_behind_on_the_first_folds_is_given_up() -> None:
    best = trial_of("linear", left_s=60)
    assert best.is_whole
    assert len(best.by_fold) == 5
    behind = trial_of("tree", left_s=60, best=best)
    assert behind.score.note == "given up after 2 folds: behind on each of them"
    assert len(behind.by_fold) == 2


def test_a_candidate_too_slow_for_the_time_that_is_left_is_given_up() -> None:
    best = replace(trial_of("dummy", left_s=60), by_fold=(-9.0,) * 5)
    late = trial_of("linear", left_s=0.0, best=best)
    assert late.score.note == "given up after 2 folds: no time for the rest"


def test_with_no_time_at_all_there_is_still_a_model_beside_the_guess() -> None:
    data = prepare(line_table(), "t")
    split = split_rows(data.y, data.task, seed=0)
    found = search(data, split, seed=0, minutes=0, report=lambda _what, _share: None)
    assert [one.candidate.family for one in found.whole] == ["dummy", "linear"]


def test_out_of_fold_scores_are_of_rows_the_fold_did_not_learn_from() -> None:
    """Every row has one score, from the fold that held it back."""
    trial = trial_of("linear", left_s=60)
    assert sorted(trial.rows) == list(range(len(trial.rows)))
    assert np.bincount(trial.fold).tolist() == [48] * 5


def scored(name: str, by_fold: tuple[float, ...]) -> Trial:
    one = trial_of({"a guess": "dummy", "plain": "linear", "rich": "boosted"}[name], left_s=60)
    score = one.score.model_copy(update={"score": float(np.mean(by_fold)), "note": ""})
    return replace(one, by_fold=by_fold, score=score)


@pytest.mark.parametrize(
    ("plain", "chosen"),
    [
        ((0.899, 0.901, 0.898, 0.902, 0.899), "linear"),  # as good: it loses next to nothing
        ((0.85, 0.92, 0.86, 0.93, 0.86), "boosted"),  # within one standard error, but it costs
    ],
)
def test_the_plainest_is_taken_only_where_it_costs_next_to_nothing(
    plain: tuple[float, ...], chosen: str
) -> None:
    guess = scored("a guess", (0.0,) * 5)
    rich = scored("rich", (0.9, 0.9, 0.9, 0.9, 0.9))
    found = Search([guess, scored("plain", plain), rich])
    assert found.choose()[0].candidate.family == chosen


def test_a_guess_is_taken_when_nothing_is_shown_to_be_better() -> None:
    guess = scored("a guess", (0.0,) * 5)
    found = Search([guess, scored("rich", (0.2, -0.2, 0.1, -0.1, 0.05))])
    assert found.choose()[0].candidate.name == BASELINE


def test_what_is_published_has_learned_from_the_held_out_rows_too() -> None:
    """Two twins: the one that is measured has not seen them."""
    run = train(line_table(), target="t", minutes=0)
    assert run.published.candidate is not run.fitted.candidate
    linear = run.fitted.candidate.pipeline.named_steps["model"]
    seen = run.fitted.candidate.with_pipeline(run.fitted.candidate.pipeline)
    again = replace(seen)
    again.pipeline.fit(run.data.X.iloc[run.split.train], run.data.y[run.split.train])
    assert np.allclose(linear.coef_, again.pipeline.named_steps["model"].coef_)
    every = run.published.predict(run.data.X)
    again.pipeline.fit(run.data.X, run.data.y)
    assert np.allclose(every, again.pipeline.predict(run.data.X))


CHILD = """
import sys
import pandas as pd
from p1_prediction_api.training import train

def report(what, share):
    if "boosted trees" in what:
        print("READY", what, flush=True)

run = train(pd.read_csv(sys.argv[1]), target="t", minutes=30, report=report)
names = [one.name for one in run.card.candidates]
print("KEPT", run.chosen.name, len(names), run.card.metrics["roc_auc"].value, flush=True)
"""


@pytest.mark.slow
def test_an_interrupt_ends_the_search_and_keeps_the_best_so_far(tmp_path: Path) -> None:
    """A real SIGINT to a real process, once there is a model beside the guess."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(4000, 10)), columns=[f"x{k}" for k in range(10)])
    noisy = frame["x0"] * frame["x1"] + frame["x2"] + rng.normal(size=4000)
    frame.assign(t=np.where(noisy > 0, "yes", "no")).to_csv(tmp_path / "t.csv", index=False)
    command = [sys.executable, "-c", CHILD, str(tmp_path / "t.csv")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if (line.startswith("READY") and "logistic regression" in line) or "boosted" in line:
                os.kill(child.pid, signal.SIGINT)
                break
        rest = child.stdout.read()
    assert child.returncode == 0
    kept = next(line for line in rest.splitlines() if line.startswith("KEPT"))
    assert int(kept.split()[-2]) < 10, "the search went on to its end"
    assert float(kept.split()[-1]) > 0.6


def test_folds_without_every_class_are_refused() -> None:
    frame = line_table(200)
    frame["when"] = np.arange(200)
    frame["t"] = np.where(frame["when"] < 150, "early", "late")
    with pytest.raises(TrainingError, match="no fold holds every class"):
        train(frame, target="t", time_column="when", minutes=0)


def test_an_interrupt_that_compiled_code_swallows_ends_the_search_all_the_same() -> None:
    data = prepare(line_table(), "t")
    told: list[str] = []

    def lose(what: str, _share: float) -> None:
        told.append(what)
        if "boosted" in what:
            with suppress(KeyboardInterrupt):  # what Python does with one in a finaliser
                signal.raise_signal(signal.SIGINT)

    found = search(data, split_rows(data.y, data.task, seed=0), seed=0, minutes=30, report=lose)
    assert found.has_any
    assert sum("boosted" in what for what in told) == 1, "the search went on"
