"""A request to stop, by a signal or by a file: when it is seen, and what it ends."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from p2_nn_service.contracts import RunRecord
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.errors import RunNotRunningError
from p2_nn_service.runs import RunFolder
from p2_nn_service.settings import Settings
from p2_nn_service.training.classifying import resume_classifier, train_classifier
from p2_nn_service.training.interrupts import StopRequest, stop_requests
from p2_nn_service.training.recipe import Recipe
from p2_nn_service.training.watching import Watcher
from typing_extensions import override

RECIPE = Recipe(epochs=4, batch_size=120, learning_rate=0.01, precision="fp32")


class Now:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at = 100.0

    def __call__(self) -> float:
        return self.at


def running(path: Path) -> RunFolder:
    folder = RunFolder(path)
    at = "2026-11-25T00:00:00Z"
    record = {"id": path.name, "dataset": "d", "model": "mlp", "started_at": at}
    folder.write(RunRecord.model_validate(record))
    return folder


def test_a_folder_is_looked_at_once_a_second(tmp_path: Path) -> None:
    folder, now = running(tmp_path / "a"), Now()
    request = StopRequest(folder, clock=now)
    assert not request.is_made
    folder.ask_to_stop()
    now.at += 0.9
    assert not request.is_made, "it was looked at less than a second ago"
    now.at += 0.2
    assert request.is_made


def test_what_an_earlier_training_was_asked_is_forgotten(tmp_path: Path) -> None:
    folder = running(tmp_path / "a")
    folder.ask_to_stop()
    with stop_requests(folder) as request:
        assert not request.is_made
    assert not folder.is_asked_to_stop()


@pytest.mark.parametrize("status", ["finished", "interrupted", "failed"])
def test_a_run_that_nobody_trains_is_not_asked(tmp_path: Path, status: str) -> None:
    folder = running(tmp_path / "a")
    folder.write(folder.read().model_copy(update={"status": status}))
    with pytest.raises(RunNotRunningError, match=f"run a is {status}"):
        folder.ask_to_stop()
    assert not folder.is_asked_to_stop()


class Stops(Watcher):
    """Has the process signalled after a step."""

    def __init__(self, at: int) -> None:
        self.at = at

    @override
    def stepped(self, step: int, *_: object) -> None:
        if step == self.at:
            os.kill(os.getpid(), signal.SIGTERM)


def test_a_run_of_one_step_an_epoch_stops_as_well_and_goes_on_to_the_same_weights(
    squares: Dataset, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path)
    run = train_classifier(squares, "mlp", RECIPE, settings=settings, sinks=[Stops(at=1)])
    assert (run.record.status, run.record.reason) == ("interrupted", "asked to stop")
    assert run.record.step == 2, "seen by the step after the one in which it came"
    resumed = resume_classifier(run.record.id, settings=settings, dataset=squares)
    whole = train_classifier(squares, "mlp", RECIPE, settings=settings)
    weights = whole.network.state_dict()
    found = resumed.network.state_dict()
    assert all(torch.equal(found[name], weights[name]) for name in weights)


def test_asked_in_its_last_step_it_is_finished(squares: Dataset, tmp_path: Path) -> None:
    recipe = replace(RECIPE, epochs=2)
    settings = Settings(data_dir=tmp_path)
    run = train_classifier(squares, "mlp", recipe, settings=settings, sinks=[Stops(at=1)])
    assert run.record.status == "finished"
