import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from p2_nn_service.cli import app
from p2_nn_service.contracts import RunRecord
from p2_nn_service.errors import CheckpointError, RecipeError, TrainingError
from p2_nn_service.language.kinds import KINDS
from p2_nn_service.language.networks import build_language
from p2_nn_service.language.texts import Text
from p2_nn_service.language.training import (
    RECIPE,
    LanguageRun,
    Shape,
    load_language,
    resumed_shape,
    scoring,
    train_language,
)
from p2_nn_service.language.windows import scored_windows
from p2_nn_service.runs import RunFolder, runs_dir
from p2_nn_service.settings import Settings
from p2_nn_service.training.classifying import load_classifier
from p2_nn_service.training.loop import Keeping
from p2_nn_service.training.watching import Watcher
from torch import nn
from torch.optim import Optimizer
from typer.testing import CliRunner

SHAPE = Shape("lstm", context=16, n_parameters=6000)
SHORT = replace(RECIPE, epochs=3, batch_size=16, learning_rate=0.01, precision="fp32")


def trained(text: Text, name: str = "one", shape: Shape = SHAPE, **options: object) -> LanguageRun:
    folder = RunFolder(runs_dir(Settings().data_dir) / name)
    return train_language(text, shape, SHORT, folder=folder, **options)


class FallsOver(Watcher):
    """Ends the process's work at a step, as a kill would: nothing is tidied up."""

    def stepped(self, step: int, loss: float, model: nn.Module, optimiser: Optimizer) -> None:
        if step == 14:
            raise RuntimeError("killed")


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_that_repeats_is_learned_to_certainty(line: Text, kind: str) -> None:
    shape = Shape(kind, context=16, n_parameters=12_000)
    recipe = replace(SHORT, epochs=14, schedule="constant")
    folder = RunFolder(runs_dir(Settings().data_dir) / kind)
    metrics = train_language(line, shape, recipe, folder=folder).record.metrics
    assert metrics["held_out_bits"] < 0.2, "a character of unknown text takes about 4"
    assert metrics["held_out_accuracy"] > 0.97


def test_a_network_that_knows_nothing_needs_the_logarithm_of_the_characters(line: Text) -> None:
    network = build_language("lstm", len(line.characters), context=16, n_wanted=6000)
    nn.init.zeros_(network.head.weight)
    nn.init.zeros_(network.head.bias)
    found = scoring(scored_windows(line.held_out, 16), torch.device("cpu"))(network)
    assert found["held_out_bits"] == pytest.approx(math.log2(len(line.characters)), abs=1e-5)


def test_a_run_that_was_killed_goes_on_to_the_very_weights(line: Text) -> None:
    whole = trained(line, "whole")
    keeping = Keeping(every_steps=5)
    with pytest.raises(RuntimeError, match="killed"):
        trained(line, "killed", sinks=[FallsOver()], keeping=keeping)
    folder = RunFolder(runs_dir(Settings().data_dir) / "killed")
    record = folder.read()
    assert record.status == "interrupted"
    assert "language train --resume killed" in record.reason
    again = trained(line, "killed", resumed_shape(record, line), resume=True)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, again.network.state_dict()[name]), name


def test_a_finished_run_is_got_back_as_it_was(line: Text) -> None:
    run = trained(line)
    back = load_language("one", settings=Settings())
    assert back.characters == line.characters
    symbols = torch.from_numpy(line.held_out[None, :16])
    assert torch.equal(back.network(symbols), run.network(symbols))


def test_a_text_that_has_changed_is_not_gone_on_with(line: Text) -> None:
    record = trained(line).record
    with pytest.raises(CheckpointError, match="has changed since run one began"):
        resumed_shape(record, Text.of("line", "another line " * 100))


def test_what_is_for_pictures_is_refused_with_text(line: Text, tmp_path: Path) -> None:
    recipe = replace(SHORT, augment=("flip",), label_smoothing=0.1)
    with pytest.raises(RecipeError, match="label_smoothing, augment cannot be had"):
        train_language(line, SHAPE, recipe, folder=RunFolder(tmp_path / "run"))


def test_a_classifier_and_a_language_model_are_not_taken_for_each_other(line: Text) -> None:
    record = trained(line).record
    with pytest.raises(TrainingError, match=r"is a language model.*language write one"):
        load_classifier("one", settings=Settings())
    classifier = RunFolder(runs_dir(Settings().data_dir) / "cnn")
    changes = {"id": "cnn", "kind": "images", "model": "cnn"}
    classifier.write(RunRecord.model_validate(record.model_dump() | changes))
    with pytest.raises(TrainingError, match="cnn is no language model"):
        load_language("cnn", settings=Settings())


@pytest.mark.slow
def test_a_person_trains_on_a_file_and_lets_it_write(line: Text, tmp_path: Path) -> None:
    path = tmp_path / "line.txt"
    path.write_text("".join(line.characters[k] for k in line.symbols))
    options = ["--parameters", "6000", "--characters", "16", "--epochs", "40", "--track", ""]
    options += ["--batch-size", "16", "--learning-rate", "0.01", "--network", "lstm"]
    done = CliRunner().invoke(app, ["language", "train", "--text", str(path), *options])
    assert done.exit_code == 0, done.output
    assert "bits for a held-out character" in done.output
    ask = ["language", "write", "--prompt", "a quick ", "--characters", "20", "--temperature", "0"]
    said = CliRunner().invoke(app, ask)
    assert "a quick brown fox jumps over" in said.output
