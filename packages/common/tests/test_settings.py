"""Where a setting comes from, what is refused, what is shown."""

from pathlib import Path

import pytest
from common.settings import Settings, SettingsError, describe_settings, settings_config
from pydantic import Field, SecretStr


class P9Settings(Settings):
    model_config = settings_config("P9_")
    rows: list[int] = Field([], description="Rows.")


@pytest.fixture(autouse=True)
def in_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_arguments_win_over_own_over_shared_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [P9Settings().port]
    (tmp_path / ".env").write_text("ROADMAP_PORT=1\n")
    found.append(P9Settings().port)
    (tmp_path / ".env").write_text("ROADMAP_PORT=1\nP9_PORT=2\n")
    found.append(P9Settings().port)
    monkeypatch.setenv("ROADMAP_PORT", "3")
    found.append(P9Settings().port)
    monkeypatch.setenv("P9_PORT", "4")
    found.append(P9Settings().port)
    found.append(P9Settings(port=5).port)
    assert found == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ROADMAP_LOG_LEVL", "info", "ROADMAP_LOG_LEVEL"),
        ("P9_ROWZ", "[]", "P9_ROWS"),
        ("P9_PORT", "99999", "P9_PORT=99999"),
        ("ROADMAP_PORT", "99999", "ROADMAP_PORT=99999"),
        ("ROADMAP_LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("ROADMAP_API_KEYS", "my-own-key", "SHA-256"),
        ("ROADMAP_REQUEST_TIMEOUT_S", "inf", "finite"),
        ("P9_ROWS", "1,2", "JSON"),
    ],
)
def test_what_is_not_accepted_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refused:
        P9Settings()
    message = str(refused.value)
    assert said in message
    assert "my-own-key" not in message


def test_every_setting_is_documented_and_no_secret_is_shown() -> None:
    settings = P9Settings(database_url=SecretStr("postgresql://me:hunter2@db"), api_keys="a" * 64)
    rows = describe_settings(settings)
    assert all(row.doc for row in rows)
    assert "hunter2" not in repr(rows)
    assert "a" * 64 not in repr(rows)


def test_a_home_directory_is_expanded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert P9Settings(data_dir="~/here").data_dir == tmp_path / "here"


def test_a_data_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be written"):
        P9Settings(data_dir=tmp_path / "file").prepare_data_dir()
