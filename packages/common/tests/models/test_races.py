"""Promoting, rolling back, publishing and pruning at once: an alias names what is there."""

import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from threading import Thread

import pytest
from common.models.registry import AliasMove, NoEarlierVersionError, VersionNotFoundError
from common.models.stored import StoredRegistry

ALIASES = ("champion", "candidate", "shadow")


class PrunedInBetween(StoredRegistry):
    """A registry that is pruned by somebody else after a promotion looked and before it moves."""

    def _add_move(self, model: str, alias: str, number: int, move: AliasMove) -> bool:
        other = StoredRegistry(self._root, cache_dir=self._cache.directory)
        pruner = Thread(target=other.prune, args=(model, 0))
        pruner.start()
        pruner.join(0.3)  # done by then, or it waits for this promotion
        try:
            return super()._add_move(model, alias, number, move)
        finally:
            self.pruner = pruner


def open_at(root: Path) -> StoredRegistry:
    return StoredRegistry(str(root), cache_dir=root.parent / "cache")


@pytest.mark.parametrize("move", ["promote", "roll_back", "publish"])
def test_a_version_pruned_during_a_move_is_never_named_by_the_alias(
    tmp_path: Path, files: Path, move: str
) -> None:
    root = tmp_path / "registry"
    for _ in range(3):
        open_at(root).publish("iris", files, alias="champion")
    registry = PrunedInBetween(str(root), cache_dir=tmp_path / "cache")
    if move == "promote":
        registry.promote("iris", "champion", 1)
    elif move == "roll_back":
        registry.roll_back("iris", "champion")
    else:
        registry.publish("iris", files, alias="champion")
    registry.pruner.join(20)
    stands_on = open_at(root).resolve("iris", "champion")
    open_at(root).verify("iris", stands_on.version)


def promoting(registry: StoredRegistry, alias: str) -> Callable[[], object]:
    """Promote the newest but one, which is what a pruner is about to take."""

    def promote() -> object:
        there = registry.versions("iris")
        return registry.promote("iris", alias, there[-2:][0].version)

    return promote


def test_threads_that_promote_and_prune_leave_every_alias_on_a_whole_version(
    tmp_path: Path, files: Path
) -> None:
    root = tmp_path / "registry"
    for alias in ALIASES:
        open_at(root).publish("iris", files, alias=alias)

    def work(step: Callable[[], object], n_times: int) -> None:
        for _ in range(n_times):
            try:
                step()
            except (VersionNotFoundError, NoEarlierVersionError):
                continue  # somebody pruned what was about to be promoted: refused, as it should

    def read(alias: str) -> None:
        """A reader is never told that what the alias names is not there."""
        for _ in range(60):
            registry = open_at(root)
            registry.resolve("iris", alias)
            assert set(registry.aliases("iris")) == set(ALIASES)
            assert registry.versions("iris")

    with ThreadPoolExecutor(16) as pool:
        jobs = [pool.submit(work, promoting(open_at(root), alias), 25) for alias in ALIASES]
        for alias in ALIASES:
            mine = open_at(root)
            jobs.append(pool.submit(read, alias))
            jobs.append(pool.submit(work, lambda r=mine, a=alias: r.roll_back("iris", a), 25))
        jobs.append(pool.submit(work, lambda: open_at(root).publish("iris", files), 60))
        jobs += [pool.submit(work, lambda: open_at(root).prune("iris", 1), 40) for _ in range(3)]
        for job in jobs:
            job.result()
    check_whole(open_at(root))


WORK = """
    import sys
    from pathlib import Path
    from common.models import open_registry
    from common.models.registry import NoEarlierVersionError, VersionNotFoundError
    root, files, part = sys.argv[1:]
    registry = open_registry(root, cache_dir=Path(root + "-cache"))
    print("ready", flush=True)
    sys.stdin.readline()
    for k in range(40):
        try:
            if part == "prune":
                registry.prune("iris", 1)
            elif part == "publish":
                registry.publish("iris", Path(files), alias="champion")
            else:
                registry.promote("iris", "champion", registry.versions("iris")[-2:][0].version)
                assert registry.resolve("iris", "champion")
                registry.roll_back("iris", "champion")
        except (NoEarlierVersionError, VersionNotFoundError):
            pass
"""


@pytest.mark.slow
def test_processes_that_promote_and_prune_leave_every_alias_on_a_whole_version(
    tmp_path: Path, files: Path
) -> None:
    root = tmp_path / "registry"
    open_at(root).publish("iris", files, alias="champion")
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WORK), str(root), str(files), part],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for part in islice(cycle(["promote", "prune", "publish"]), 6)
    ]  # fmt: skip
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        _, errors = worker.communicate(timeout=60)
        assert worker.returncode == 0, errors
    check_whole(open_at(root))


def check_whole(registry: StoredRegistry) -> None:
    there = {version.version for version in registry.versions("iris")}
    for number in there:
        registry.verify("iris", number)
    for alias, number in registry.aliases("iris").items():
        assert number in there, f"{alias} names {number}, which was pruned"
