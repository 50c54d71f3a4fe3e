"""`p2-nn-service train`, as a person types it."""

import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.errors import RecipeError, RunNotFoundError
from p2_nn_service.settings import Settings
from p2_nn_service.train_command import Order, carry_out
from p2_nn_service.training.recipe import Recipe
from p2_nn_service.training_options import changed


def order(**changes: object) -> Order:
    given = {"dataset": "squares", "model": "mlp", "changes": {}, "resume": "", "checkpoint_s": 0.0}
    return Order(**(given | changes))


def train(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "p2_nn_service.cli", "train", *arguments]
    environment = os.environ | {"COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, env=environment)


def test_every_field_of_a_recipe_is_an_option() -> None:
    told = train("--help").stdout
    missing = [f.name for f in fields(Recipe) if f"--{f.name.replace('_', '-')}" not in told]
    assert missing == []


def test_what_cannot_be_is_refused_in_a_line_before_any_data_is_read() -> None:
    for given, said in (
        (("--model", "resnet"), "there is no model 'resnet'; accepted: perceptron"),
        (("--augment", "spin"), "augment names 'spin'; accepted: flip, shift"),
        (("--epochs", "0"), "epochs is 0; accepted: 1 or more"),
    ):
        done = train(*given)
        assert done.returncode == 2
        assert said in done.stderr
        assert "Traceback" not in done.stderr


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
