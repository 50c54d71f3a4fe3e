"""A model that follows an alias, and what cannot be loaded under it."""

import asyncio
from pathlib import Path
from types import TracebackType

import pytest
from common.errors import DomainError
from common.models import ModelVersion, open_registry
from common.models.following import AliasFollower
from common.settings import Settings
from common.telemetry import Telemetry
from structlog.testing import capture_logs


class Loaded:
    """A version that does nothing."""

    def __init__(self, version: ModelVersion) -> None:
        self.version = version

    async def __aenter__(self) -> None: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


@pytest.mark.anyio
@pytest.mark.parametrize("error", [DomainError("no weights"), ZeroDivisionError("a bug of ours")])
async def test_a_version_that_cannot_be_loaded_ends_neither_the_answers_nor_the_watch(
    tmp_path: Path, files: Path, error: Exception
) -> None:
    settings = Settings(data_dir=tmp_path)
    registry = open_registry(settings.registry_location, cache_dir=tmp_path / "cache")

    def load(version: ModelVersion, folder: Path) -> Loaded:
        if version.version == 2:
            raise error
        return Loaded(version)

    registry.publish("iris", files, alias="champion")
    following = AliasFollower(
        settings, Telemetry("test"), model="iris", alias="champion", poll_s=0.01, load=load,
        how_to_publish="a command", registry=registry,
    )  # fmt: skip
    with capture_logs() as entries:
        async with asyncio.timeout(60), following:
            assert following.serving == 1
            registry.publish("iris", files, alias="champion")
            await following.looked_at(2)
            assert following.serving == 1
            trouble = following.ready_but() or ""
            assert str(error) in trouble
            assert trouble.endswith("version 1 goes on answering")
            registry.promote("iris", "champion", 1)
            await following.looked_at(1)
            assert following.ready_but() is None
            registry.publish("iris", files, alias="champion")
            await following.looked_at(3)
            assert following.serving == 3
    told = [entry["event"] for entry in entries if str(entry["event"]).startswith("model_")]
    assert told == ["model_loaded", "model_not_loaded", "model_kept", "model_swapped"]
