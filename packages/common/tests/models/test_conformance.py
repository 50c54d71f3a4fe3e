"""What every registry must do, whatever it is stored in."""

from collections.abc import Callable
from pathlib import Path

import pytest
from common.models import Registry
from common.models.registry import (
    AliasMovedError,
    AliasNotFoundError,
    InvalidNameError,
    ModelNotFoundError,
    NoEarlierVersionError,
    VersionNotFoundError,
    watch,
)

Opener = Callable[[], Registry]


def test_what_is_published_is_found_whole_by_another_process(
    opener: Opener, model_name: str, files: Path
) -> None:
    made = opener().publish(
        model_name, files, metrics={"auc": 0.9}, signature={"task": "x"}, tags={"k": "v"},
        data_fingerprint="f00d", code_revision="abc", description="good", alias="champion",
    )  # fmt: skip
    other = opener()
    found = other.resolve(model_name, "champion")
    assert found == made
    assert found == other.resolve(model_name, made.version)
    folder = other.fetch(found)
    assert (folder / "model.onnx").read_bytes() == (files / "model.onnx").read_bytes()
    assert (folder / "labels/classes.json").read_text() == '["a", "b"]'
    other.verify(model_name, made.version)


def test_versions_count_up_and_are_listed_oldest_first(
    opener: Opener, model_name: str, files: Path
) -> None:
    registry = opener()
    made = [registry.publish(model_name, files, description=str(k)).version for k in range(3)]
    assert made == [1, 2, 3]
    assert [v.description for v in opener().versions(model_name)] == ["0", "1", "2"]
    assert model_name in opener().models()


def test_rolling_back_undoes_promotions_one_by_one(
    opener: Opener, model_name: str, files: Path
) -> None:
    registry = opener()
    for _ in range(3):
        registry.publish(model_name, files, alias="champion")
    assert registry.roll_back(model_name, "champion").version == 2
    assert opener().roll_back(model_name, "champion").version == 1
    with pytest.raises(NoEarlierVersionError):
        registry.roll_back(model_name, "champion")
    registry.promote(model_name, "champion", 3)
    assert registry.roll_back(model_name, "champion").version == 1
    moves = [
        (m.previous, m.version, m.is_roll_back) for m in opener().history(model_name, "champion")
    ]
    assert moves == [
        (None, 1, False), (1, 2, False), (2, 3, False), (3, 2, True), (2, 1, True), (1, 3, False),
        (3, 1, True),
    ]  # fmt: skip


def test_an_alias_moves_only_from_where_it_is_expected(
    opener: Opener, model_name: str, files: Path
) -> None:
    registry = opener()
    registry.publish(model_name, files)
    registry.publish(model_name, files)
    registry.promote(model_name, "candidate", 1, expected=0)
    with pytest.raises(AliasMovedError):
        registry.promote(model_name, "candidate", 2, expected=0)
    registry.promote(model_name, "candidate", 2, expected=1)
    assert opener().aliases(model_name) == {"candidate": 2}


def test_promoting_to_where_it_stands_changes_nothing(
    opener: Opener, model_name: str, files: Path
) -> None:
    registry = opener()
    registry.publish(model_name, files, alias="champion")
    registry.promote(model_name, "champion", 1)
    assert len(registry.history(model_name, "champion")) == 1


def test_what_is_not_there_is_named(opener: Opener, model_name: str, files: Path) -> None:
    registry = opener()
    with pytest.raises(ModelNotFoundError, match="nothing-here"):
        registry.resolve("nothing-here", "champion")
    registry.publish(model_name, files)
    with pytest.raises(VersionNotFoundError, match="has no version 7"):
        registry.resolve(model_name, 7)
    with pytest.raises(AliasNotFoundError, match="has no alias 'champion'"):
        registry.resolve(model_name, "champion")
    with pytest.raises(VersionNotFoundError):
        registry.promote(model_name, "champion", 9)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "Upper", "a" * 64, ".hidden", "a b"])
def test_a_name_that_could_leave_its_place_is_refused(
    opener: Opener, files: Path, name: str
) -> None:
    with pytest.raises(InvalidNameError):
        opener().publish(name, files)


def test_a_link_among_the_files_is_refused(opener: Opener, model_name: str, files: Path) -> None:
    (files / "secret").symlink_to("/etc/hostname")
    with pytest.raises(InvalidNameError):
        opener().publish(model_name, files)
    with pytest.raises(ModelNotFoundError):
        opener().resolve(model_name, 1)


def test_pruning_keeps_the_newest_and_whatever_an_alias_needs(
    opener: Opener, model_name: str, files: Path
) -> None:
    registry = opener()
    for _ in range(6):
        registry.publish(model_name, files)
    registry.promote(model_name, "champion", 2)
    registry.promote(model_name, "champion", 4)
    assert registry.prune(model_name, keep=1) == [1, 3, 5]
    assert [v.version for v in opener().versions(model_name)] == [2, 4, 6]
    assert opener().publish(model_name, files).version == 7, "a number is never given twice"
    opener().fetch(opener().resolve(model_name, "champion"))


@pytest.mark.anyio
async def test_a_watcher_sees_each_change_once(
    opener: Opener, model_name: str, files: Path
) -> None:
    registry = opener()
    seen = []
    registry.publish(model_name, files, alias="champion")
    async for version in watch(opener(), model_name, "champion", poll_s=0.01):
        seen.append(version.version)
        if len(seen) == 1:
            registry.publish(model_name, files, alias="champion")
        elif len(seen) == 2:
            registry.roll_back(model_name, "champion")
        else:
            break
    assert seen == [1, 2, 1]
