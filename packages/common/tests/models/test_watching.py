"""A watcher over a registry that goes away and comes back."""

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
from common.models.registry import watch
from common.models.stored import StoredRegistry
from structlog.testing import capture_logs

Entry = MutableMapping[str, Any]


async def until(entries: list[Entry], event: str) -> None:
    """Wait for an event in the log."""
    async with asyncio.timeout(20):
        while event not in [entry["event"] for entry in entries]:
            await asyncio.sleep(0.01)


@pytest.mark.anyio
@pytest.mark.parametrize("how", ["a file is in its place", "the folder is gone", "damaged"])
async def test_a_watcher_outlives_a_registry_that_is_away(
    tmp_path: Path, files: Path, how: str
) -> None:
    root, aside = tmp_path / "registry", tmp_path / "aside"
    registry = StoredRegistry(str(root), cache_dir=tmp_path / "cache")
    registry.publish("iris", files, alias="champion")
    if how == "damaged":
        (manifest,) = root.rglob("manifest.json")
        away = manifest.rename
    watching = watch(registry, "iris", "champion", poll_s=0.01)
    assert (await anext(watching)).version == 1
    with capture_logs() as entries:
        coming = asyncio.ensure_future(anext(watching))
        if how == "damaged":
            away(aside)
            manifest.write_text("{")
        else:
            root.rename(aside)
            if how == "a file is in its place":
                root.write_text("")
        await until(entries, "registry_unavailable")
        assert not coming.done()
        if how == "damaged":
            aside.rename(manifest)
        else:
            root.unlink(missing_ok=True)
            aside.rename(root)
        await until(entries, "registry_recovered")
        assert not coming.done(), "the version that stood is not told again"
        registry.publish("iris", files, alias="champion")
        assert (await asyncio.wait_for(coming, 20)).version == 2
    assert [entry["event"] for entry in entries] == ["registry_unavailable", "registry_recovered"]
    await watching.aclose()
