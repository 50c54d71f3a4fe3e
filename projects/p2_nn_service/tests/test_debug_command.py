"""`p2-nn-service debug` as a person uses it: on a data set, on a run, with pictures and as JSON."""

import gzip
import json
import re
import struct
from pathlib import Path

import numpy as np
import pytest
from p2_nn_service import debug_command
from p2_nn_service.cli import app
from p2_nn_service.data.catalogue import CATALOGUE
from p2_nn_service.data.datasets import Dataset, open_dataset
from p2_nn_service.errors import RecipeError, RunNotFoundError
from p2_nn_service.settings import Settings
from p2_nn_service.training.classifying import ClassifierRun, train_classifier
from p2_nn_service.training.recipe import Recipe
from typer.testing import CliRunner, Result

NARROW = Recipe(epochs=1, batch_size=50, learning_rate=3e-3, precision="fp32")


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory that holds `mnist`: ten bars of light, one for each class."""
    labels = np.arange(600) % 10
    images = np.random.default_rng(0).integers(0, 80, (600, 12, 12))
    for k, label in enumerate(labels):
        images[k, :, 1 + label : 3 + label] += 140
    folder = tmp_path / "data" / "datasets" / "mnist"
    folder.mkdir(parents=True)
    for array, file in ((images, CATALOGUE["mnist"].images), (labels, CATALOGUE["mnist"].labels)):
        header = bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape)
        content = gzip.compress(header + array.astype(np.uint8).tobytes())
        (folder / file.name).write_bytes(content)
    return tmp_path / "data"


def debug(data_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["--data-dir", str(data_dir), "debug", *arguments])


MLP = ("--dataset", "mnist", "--model", "mlp", "--batch-size", "50")


def trained(data_dir: Path) -> ClassifierRun:
    settings = Settings(data_dir=data_dir)
    return train_classifier(open_dataset("mnist", settings), "mlp", NARROW, settings=settings)


def test_a_sound_start_is_said_to_be_sound_with_pictures_where_asked(
    data_dir: Path, tmp_path: Path
) -> None:
    done = debug(data_dir, *MLP, "--seconds", "600", "--out", str(tmp_path / "png"))
    assert done.exit_code == 0, done.output
    assert "mlp on mnist: Nothing wrong was found in 12 checks." in done.stdout.splitlines()[0]
    assert re.search(r"(?m)^ok +loss-at-start +The loss before", done.stdout)
    names = {path.stem for path in (tmp_path / "png").glob("*.png")}
    assert {"learning-rate", "gradient-flow", "units-1", "units-2", "overfit-a-batch"} <= names
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in (tmp_path / "png").iterdir())


def test_a_recipe_that_cannot_learn_ends_with_1_and_says_why_in_json(data_dir: Path) -> None:
    done = debug(data_dir, *MLP, "--learning-rate", "1e-8", "--seconds", "600", "--json")
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert report["verdict"].startswith("Something is broken.")
    by_code = {one["code"]: one for one in report["findings"]}
    assert by_code["learning-rate"]["severity"] == "problem"
    assert by_code["learning-rate"]["figures"]["recipe"] == 1e-8
    assert by_code["inputs"]["severity"] == "ok"


@pytest.mark.slow
def test_a_finished_run_is_looked_at_with_its_network_and_pictures_join_its_curves(
    data_dir: Path,
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    run = trained(data_dir)
    done = debug(data_dir, run.record.id, "--seconds", "600")
    assert done.exit_code == 0, done.output
    assert f"run {run.record.id}: " in done.stdout
    found = EventAccumulator(str(run.folder.path / "tensorboard" / "debug"))
    found.Reload()
    assert {"debug/learning-rate", "debug/gradient-flow"} <= set(found.Tags()["images"])
    assert "debug/report/text_summary" in found.Tags()["tensors"]


def test_what_cannot_be_is_refused_before_any_work(data_dir: Path) -> None:
    refused = debug(data_dir, "no-such-run")
    assert isinstance(refused.exception, RunNotFoundError)
    both = debug(data_dir, "some-run", "--model", "mlp")
    assert isinstance(both.exception, RecipeError)
    assert "leave out --dataset and --model" in str(both.exception)
    unknown = debug(data_dir, "--dataset", "mnist", "--model", "resnet")
    assert isinstance(unknown.exception, RecipeError)
    assert "there is no model 'resnet'" in str(unknown.exception)


def test_ctrl_c_before_anything_is_known_says_so(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(source: str, settings: Settings) -> Dataset:
        raise KeyboardInterrupt

    monkeypatch.setattr(debug_command, "open_dataset", interrupted)
    done = debug(data_dir, *MLP)
    assert (done.exit_code, done.stdout) == (130, "")
    assert done.stderr.splitlines()[-1].endswith(
        "debug, while it opened the data: nothing was looked at"
    )


def test_a_run_whose_data_set_changed_is_refused(data_dir: Path) -> None:
    run = trained(data_dir)
    labels = data_dir / "datasets" / "mnist" / CATALOGUE["mnist"].labels.name
    content = bytearray(gzip.decompress(labels.read_bytes()))
    content[8], content[9] = content[9], content[8]
    labels.write_bytes(gzip.compress(bytes(content)))
    done = debug(data_dir, run.record.id)
    assert done.exception is not None
    assert "has changed since run" in str(done.exception)
