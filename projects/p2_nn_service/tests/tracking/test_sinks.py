from pathlib import Path

import pytest
from p2_nn_service.contracts import RunRecord
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.errors import RecipeError
from p2_nn_service.runs import RunFolder, list_runs, runs_dir
from p2_nn_service.settings import Settings
from p2_nn_service.tracking.measuring import N_POINTS, StepNumbers
from p2_nn_service.tracking.sinks import Guarded, Sample, make_sinks
from p2_nn_service.training.classifying import ClassifierRun, train_classifier
from p2_nn_service.training.recipe import Recipe
from p2_nn_service.training.watching import Watcher

RECIPE = Recipe(epochs=2, batch_size=20, learning_rate=0.01, precision="fp32")


def tracked(dataset: Dataset, data_dir: Path, *sinks: str, model: str = "mlp") -> ClassifierRun:
    settings = Settings(data_dir=data_dir)
    watchers = make_sinks(sinks, settings, sample=Sample.of(dataset, n=40))
    run = train_classifier(dataset, model, RECIPE, settings=settings, sinks=watchers)
    assert not any(isinstance(one, Guarded) and one.is_lost for one in watchers)
    return run


def test_a_runs_folder_tells_every_step_and_epoch(squares: Dataset, tmp_path: Path) -> None:
    run = tracked(squares, tmp_path)
    events = list(run.folder.events())
    steps = [event for event in events if "learning_rate" in event.values]
    epochs = [event for event in events if "held_out_accuracy" in event.values]
    assert [event.step for event in steps] == list(range(1, run.record.steps + 1))
    assert all(event.values["gradient_norm"] > 0 for event in steps)
    assert [event.epoch for event in epochs] == [1.0, 2.0]
    assert epochs[-1].values["held_out_accuracy"] == run.record.metrics["held_out_accuracy"]
    assert [record.id for record in list_runs(tmp_path)] == [run.record.id]


def test_a_torn_last_line_is_left_out(squares: Dataset, tmp_path: Path) -> None:
    run = tracked(squares, tmp_path)
    path = run.folder.path / "events.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    assert len(list(run.folder.events())) == whole.count(b"\n") - 1


def test_a_long_run_is_written_at_a_bounded_number_of_steps(
    squares: Dataset, tmp_path: Path
) -> None:
    run = tracked(squares, tmp_path)
    numbers = StepNumbers()
    numbers.start(run.record.model_copy(update={"steps": 100_000}))
    written = [
        found
        for step in range(1, 100_001)
        if (found := numbers.at(step, float(step % 2), run.network, _NoOptimiser()))  # type: ignore[arg-type]
    ]
    assert len(written) == N_POINTS
    assert written[0]["loss"] == pytest.approx(0.5), "the mean of the steps since the last"


class _NoOptimiser:
    def __init__(self) -> None:
        self.param_groups = [{"lr": 0.1}]


@pytest.mark.slow
def test_tensorboard_has_scalars_histograms_pictures_the_graph_and_the_embedding(
    squares: Dataset, tmp_path: Path
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = tracked(squares, tmp_path, "tensorboard", model="cnn")
    folder = run.folder.path / "tensorboard"
    found = EventAccumulator(str(folder), {"histograms": 0, "scalars": 0, "images": 0})
    found.Reload()
    tags = found.Tags()
    assert {"step/loss", "step/gradient_norm", "epoch/held_out_accuracy"} <= set(tags["scalars"])
    assert "weights/head/weight" in tags["histograms"]
    assert "gradients/head/weight" in tags["histograms"]
    assert tags["images"], "what it learns from"
    assert tags["graph"]
    accuracy = found.Scalars("epoch/held_out_accuracy")[-1].value
    assert accuracy == pytest.approx(run.record.metrics["held_out_accuracy"])
    assert (folder / "projector_config.pbtxt").is_file()
    recipe = found.SummaryMetadata("_hparams_/session_start_info").plugin_data
    assert recipe.plugin_name == "hparams"
    assert b"learning_rate" in recipe.content
    assert "result/held_out_accuracy" in tags["scalars"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_mlflow_has_the_recipe_the_numbers_and_the_files(squares: Dataset, tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    run = tracked(squares, tmp_path, "mlflow")
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("p2-nn-service")
    assert experiment is not None
    (kept,) = client.search_runs([experiment.experiment_id])
    assert kept.info.run_name == run.record.id
    assert kept.info.status == "FINISHED"
    assert kept.data.params["learning_rate"] == "0.01"
    assert kept.data.metrics["held_out_accuracy"] == run.record.metrics["held_out_accuracy"]
    losses = client.get_metric_history(kept.info.run_id, "learning_rate")
    assert [one.step for one in losses] == list(range(1, run.record.steps + 1))
    assert {one.path for one in client.list_artifacts(kept.info.run_id)} == {
        "run.json",
        "events.jsonl",
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_weights_and_biases_keeps_a_run_offline(
    squares: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_MODE", raising=False)
    run = tracked(squares, tmp_path, "wandb")
    (kept,) = (run.folder.path / "wandb").glob("offline-run-*/run-*.wandb")
    assert b"held_out_accuracy" in kept.read_bytes()


class _FailsAtOnce(Watcher):
    def started(self, record: RunRecord) -> None:
        raise ConnectionError("the tracker is down")


def test_a_tracker_that_is_down_costs_no_training(squares: Dataset, tmp_path: Path) -> None:
    down = Guarded("down", _FailsAtOnce())
    run = train_classifier(
        squares, "mlp", RECIPE, settings=Settings(data_dir=tmp_path), sinks=[down]
    )
    assert down.is_lost
    assert run.record.status == "finished"
    assert RunFolder(runs_dir(tmp_path) / run.record.id).read() == run.record


def test_an_unknown_tracker_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="by 'tensorbord'; accepted: tensorboard, mlflow, wandb"):
        make_sinks(["tensorbord"], Settings(data_dir=tmp_path))
