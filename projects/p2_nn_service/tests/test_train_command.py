"""`p2-nn-service train`, as a person types it."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from p2_nn_service.cli import app
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.errors import RecipeError, RunNotFoundError
from p2_nn_service.settings import Settings
from p2_nn_service.train_command import Order, carry_out
from p2_nn_service.training.recipe import Recipe
from p2_nn_service.training_options import changed
from typer.testing import CliRunner


def order(**changes: object) -> Order:
    given = {"dataset": "squares", "model": "mlp", "changes": {}, "resume": "", "checkpoint_s": 0.0}
    return Order(**(given | changes))


def test_every_field_of_a_recipe_is_an_option() -> None:
    told = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["train", "--help"]).stdout
    missing = [f.name for f in fields(Recipe) if f"--{f.name.replace('_', '-')}" not in told]
    assert missing == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--model", "resnet"), "there is no model 'resnet'; accepted: perceptron"),
        (("--augment", "spin"), "augment names 'spin'; accepted: flip, shift"),
        (("--epochs", "0"), "epochs is 0; accepted: 1 or more"),
    ],
)
def test_what_cannot_be_is_refused_before_any_data_is_read(
    given: tuple[str, str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from p2_nn_service import train_command

    monkeypatch.delattr(train_command, "open_dataset")
    refused = CliRunner().invoke(app, ["train", *given]).exception
    assert isinstance(refused, RecipeError)
    assert said in str(refused)


@pytest.mark.slow
def test_what_is_refused_is_a_line_and_exit_code_2() -> None:
    command = [sys.executable, "-m", "p2_nn_service.cli", "train", "--epochs", "0"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "error: epochs is 0; accepted: 1 or more\n")


def test_options_change_the_recipe() -> None:
    recipe = changed(Recipe(), {"augment": "flip, noise", "epochs": 2})
    assert (recipe.augment, recipe.epochs) == (("flip", "noise"), 2)


def test_a_run_ends_with_a_verdict_and_what_to_do_next(
    squares: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from p2_nn_service import train_command

    monkeypatch.setattr(train_command, "open_dataset", lambda source, settings: squares)
    settings = Settings(data_dir=tmp_path)
    carry_out(order(changes={"epochs": 2, "batch_size": 20}), settings)
    told = capsys.readouterr()
    (folder,) = (tmp_path / "runs").iterdir()
    assert "mlp on squares: " in told.out
    assert f"`p2-nn-service publish {folder.name}`" in told.out
    assert "epoch 2/2: loss" in told.err
    with pytest.raises(RecipeError, match="leave out --epochs"):
        carry_out(order(resume=folder.name, changes={"epochs": 3}), settings)
    with pytest.raises(RunNotFoundError, match=f"known: {folder.name}"):
        carry_out(order(resume="another"), settings)
