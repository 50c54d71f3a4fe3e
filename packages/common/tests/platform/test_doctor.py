"""The doctor: every line tells the truth, only what is needed makes it fail, no key is shown."""

import socket
from pathlib import Path

import pytest
from common.platform import doctor, doctor_probes
from common.platform.doctor import Diagnosis, Health
from common.settings import Settings
from pydantic import SecretStr

SECRET = "sk-do-not-show-me"


def diagnose(settings: Settings, **environment: str) -> Diagnosis:
    return doctor.examine(settings, environment)


def test_a_machine_with_all_that_is_needed_is_well() -> None:
    diagnosis = diagnose(Settings())
    found = {check.name: check.health for check in diagnosis.checks}
    assert diagnosis.is_ok
    for needed in ("python", "data directory", "disk", "database", "registry"):
        assert found[needed] is Health.OK, needed


def test_keys_are_named_and_never_shown() -> None:
    diagnosis = diagnose(Settings(), OPENAI_API_KEY=SECRET, HF_TOKEN=SECRET)
    keys = next(check for check in diagnosis.checks if check.name == "keys")
    assert keys.detail == "OPENAI_API_KEY, HF_TOKEN"
    assert SECRET not in diagnosis.model_dump_json()


def test_a_data_directory_that_cannot_be_written_makes_it_fail(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    diagnosis = diagnose(Settings(data_dir=tmp_path / "file"))
    assert not diagnosis.is_ok
    broken = [check for check in diagnosis.checks if check.health is Health.BROKEN]
    assert "data directory" in {check.name for check in broken}
    assert "ROADMAP_DATA_DIR" in next(c for c in broken if c.name == "data directory").how_to_get


def test_an_old_python_is_broken() -> None:
    assert doctor.check_python((3, 10, 14)).health is Health.BROKEN


def test_too_little_space_is_broken(tmp_path: Path) -> None:
    assert doctor.check_disk(tmp_path / "not" / "there", needed_bytes=1).health is Health.OK
    assert doctor.check_disk(tmp_path, needed_bytes=10**18).health is Health.BROKEN


def test_a_program_that_is_not_there_is_optional_and_says_how_to_get_it() -> None:
    check = doctor.check_program("uv", ("uv",), "x", "pip install uv", find=lambda name: None)
    assert (check.health, check.how_to_get) == (Health.OPTIONAL, "pip install uv")


def test_the_first_program_found_counts() -> None:
    found = {"podman": "/usr/bin/podman"}
    check = doctor.check_program("containers", doctor.ENGINES, "x", "y", find=found.get)
    assert (check.health, check.detail) == (Health.OK, "/usr/bin/podman")


def test_a_database_that_does_not_answer_is_broken_and_its_password_hidden() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound, not listening: refuses at once
        url = f"postgresql://me:{SECRET}@127.0.0.1:{reserved.getsockname()[1]}/db"
        check = doctor_probes.check_database(Settings(database_url=SecretStr(url)))
    assert check.health is Health.BROKEN
    assert SECRET not in check.model_dump_json()
    assert "127.0.0.1" in check.detail


def test_a_database_file_answers(tmp_path: Path) -> None:
    url = SecretStr(f"sqlite:///{tmp_path}/some.db")
    assert doctor_probes.check_database(Settings(database_url=url)).health is Health.OK


def test_a_registry_that_cannot_be_opened_is_broken() -> None:
    check = doctor_probes.check_registry(Settings(registry="nosuch://bucket/models"))
    assert check.health is Health.BROKEN
    assert "ROADMAP_REGISTRY" in check.how_to_get


@pytest.mark.parametrize(
    ("uri", "health"),
    [
        ("", Health.OPTIONAL),
        ("sqlite:///runs.db", Health.OK),
        ("http://127.0.0.1:1", Health.MISSING),
    ],
)
def test_a_missing_tracking_server_stops_nothing(uri: str, health: Health) -> None:
    assert doctor_probes.check_mlflow({"MLFLOW_TRACKING_URI": uri}).health is health


def test_extras_name_the_way_to_install_them() -> None:
    checks = {check.name: check for check in doctor.check_extras()}
    assert checks["extra mcp"].health is Health.OK
    assert all(check.how_to_get for check in checks.values() if check.health is not Health.OK)
