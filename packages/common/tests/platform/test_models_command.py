"""`roadmap models` over a real registry in a folder."""

import json
from pathlib import Path

import pytest
from common.models import Registry, open_registry
from common.models.registry import (
    AliasNotFoundError,
    ModelNotFoundError,
    NoEarlierVersionError,
    VersionNotFoundError,
)
from common.platform.models_command import app
from typer.testing import CliRunner, Result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "models"


@pytest.fixture
def registry(tmp_path: Path, folder: Path) -> Registry:
    """A registry with three versions of `churn`; champion went from 1 to 2."""
    registry = open_registry(str(folder), cache_dir=tmp_path / "cache")
    files = tmp_path / "files"
    files.mkdir()
    for number in range(1, 4):
        (files / "model.onnx").write_bytes(b"weights" * number)
        registry.publish("churn", files, metrics={"auc": 0.8 + number / 100})
    registry.promote("churn", "champion", 1)
    registry.promote("churn", "champion", 2)
    return registry


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def run_json(*arguments: str) -> object:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_an_empty_registry_says_so(folder: Path) -> None:
    assert "no models yet" in run("list").output
    assert run_json("list") == []


def test_list_shows_each_model_with_its_aliases(registry: Registry) -> None:
    assert run_json("list") == [
        {"model": "churn", "n_versions": 3, "latest": 3, "aliases": {"champion": 2}}
    ]
    assert "champion → 2" in run("list").output


def test_show_tells_versions_and_one_version_by_number_or_alias(registry: Registry) -> None:
    shown = run_json("show", "churn")
    assert [one["version"] for one in shown["versions"]] == [1, 2, 3]
    assert run_json("show", "churn", "champion") == run_json("show", "churn", "2")
    assert "auc 0.83" in run("show", "churn").output
    assert "model.onnx" in run("show", "churn", "3").output


def test_promote_and_rollback_move_the_alias(registry: Registry) -> None:
    assert "champion is now version 3 (was 2)" in run("promote", "churn", "3").output
    assert registry.aliases("churn") == {"champion": 3}
    assert "champion is back at version 2 (was 3)" in run("rollback", "churn").output
    assert registry.aliases("churn") == {"champion": 2}


def test_another_alias_can_be_moved(registry: Registry) -> None:
    assert run_json("promote", "churn", "3", "--alias", "candidate")["version"] == 3
    assert registry.aliases("churn") == {"champion": 2, "candidate": 3}


def test_verify_finds_the_file_that_was_changed(registry: Registry, folder: Path) -> None:
    assert run("verify").exit_code == 0
    stored = [
        path for path in folder.rglob("*") if path.is_file() and b"weights" in path.read_bytes()
    ]
    stored[0].chmod(0o644)
    stored[0].write_bytes(b"tampered")
    result = run("verify", "churn", "--json")
    assert result.exit_code == 1
    assert sorted(one["is_intact"] for one in json.loads(result.output)) == [False, True, True]


def test_prune_keeps_what_an_alias_stands_on_or_would_roll_back_to(registry: Registry) -> None:
    registry.promote("churn", "champion", 3)
    assert run_json("prune", "churn", "--keep", "1") == {"model": "churn", "removed": [1]}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("show", "chrun"), ModelNotFoundError),
        (("show", "churn", "9"), VersionNotFoundError),
        (("show", "churn", "best"), AliasNotFoundError),
        (("promote", "churn", "9"), VersionNotFoundError),
        (("rollback", "churn", "--alias", "best"), AliasNotFoundError),
        (("verify", "churn", "--version", "9"), VersionNotFoundError),
        (("prune", "chrun", "--keep", "1"), ModelNotFoundError),
    ],
)
def test_what_does_not_exist_is_named(
    registry: Registry, arguments: tuple[str, ...], error: type[Exception]
) -> None:
    assert isinstance(run(*arguments).exception, error)


def test_there_is_nothing_behind_the_first_promotion(registry: Registry) -> None:
    registry.promote("churn", "fresh", 1)
    assert isinstance(run("rollback", "churn", "--alias", "fresh").exception, NoEarlierVersionError)
