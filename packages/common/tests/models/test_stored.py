"""What can go wrong with a folder: crashes, races, damage, a full disk."""

import math
import os
import resource
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from common.models import open_registry
from common.models.registry import (
    AliasMove,
    CorruptModelError,
    ModelNotFoundError,
    NoEarlierVersionError,
    RegistryUnavailableError,
    roll_back_target,
)
from common.models.stored import StoredRegistry
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

PUBLISH = """
    import sys
    from pathlib import Path
    from common.models import open_registry
    registry = open_registry(sys.argv[1], cache_dir=Path(sys.argv[1] + "-cache"))
    print("ready", flush=True)
    while True:
        print(registry.publish("iris", Path(sys.argv[2]), alias="champion").version, flush=True)
"""


def open_at(root: Path) -> StoredRegistry:
    return StoredRegistry(str(root), cache_dir=root.parent / "cache")


def publisher(root: Path, files: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PUBLISH), str(root), str(files)],
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_publishers_killed_at_any_moment_leave_only_whole_versions(
    tmp_path: Path, files: Path
) -> None:
    root = tmp_path / "registry"
    said: list[int] = []
    for k in range(12):
        process = publisher(root, files)
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2 + k % 3)]
        os.kill(process.pid, signal.SIGKILL)
        lines += process.stdout.readlines()
        process.wait()
        process.stdout.close()
        said += [int(line) for line in lines if line.strip().isdecimal()]
    registry = open_at(root)
    there = [version.version for version in registry.versions("iris")]
    assert set(said) <= set(there), "what was acknowledged is there"
    assert len(set(said)) == len(said), "a number was given twice"
    for number in there:
        registry.verify("iris", number)
    assert registry.resolve("iris", "champion").version in there
    assert registry.publish("iris", files).version > max(there)


def test_a_place_that_can_hold_no_folder_is_said(tmp_path: Path, files: Path) -> None:
    for root in (Path("/proc/registry"), files / "model.onnx" / "registry"):
        with pytest.raises(RegistryUnavailableError, match="nothing was changed"):
            open_at(root).publish("iris", files)


@pytest.mark.slow
def test_eight_publishers_at_once_never_share_a_number(tmp_path: Path, files: Path) -> None:
    root = tmp_path / "registry"
    processes = [publisher(root, files) for _ in range(8)]
    numbers: list[int] = []
    for process in processes:
        assert process.stdout is not None
        numbers += [
            int(process.stdout.readline()) for k in range(6) if k or process.stdout.readline()
        ]
    for process in processes:
        process.kill()
        process.communicate()
    assert len(set(numbers)) == len(numbers)


def test_threads_never_share_a_number_or_lose_a_move(tmp_path: Path, files: Path) -> None:
    root = tmp_path / "registry"
    with ThreadPoolExecutor(8) as pool:
        jobs = [
            pool.submit(open_at(root).publish, "iris", files, alias="champion") for _ in range(40)
        ]
        numbers = {job.result().version for job in jobs}
    assert len(numbers) == 40
    moves = open_at(root).history("iris", "champion")
    assert [move.previous for move in moves[1:]] == [move.version for move in moves[:-1]]


@pytest.mark.parametrize("damage", ["changed", "truncated", "missing"])
def test_a_damaged_file_is_never_handed_out(tmp_path: Path, files: Path, damage: str) -> None:
    registry = open_at(tmp_path / "registry")
    version = registry.publish("iris", files)
    (stored,) = (tmp_path / "registry").rglob("model.onnx")
    content = stored.read_bytes()
    if damage == "missing":
        stored.unlink()
    else:
        stored.write_bytes(content[:-1] if damage == "truncated" else b"!" + content[1:])
    for use in (lambda: registry.fetch(version), lambda: registry.verify("iris", 1)):
        with pytest.raises(CorruptModelError, match=r"model\.onnx"):
            use()
    assert not list((tmp_path / "cache").rglob("*.onnx"))


def test_a_cached_version_that_lost_a_file_is_fetched_anew(tmp_path: Path, files: Path) -> None:
    registry = open_at(tmp_path / "registry")
    version = registry.publish("iris", files)
    (registry.fetch(version) / "model.onnx").unlink()
    assert (registry.fetch(version) / "model.onnx").is_file()


@pytest.mark.slow
def test_a_full_disk_leaves_nothing_visible_and_says_so(tmp_path: Path, files: Path) -> None:
    """A limit on file size makes the kernel refuse the write in the middle of a file."""
    (files / "model.onnx").write_bytes(b"x" * 300_000)
    code = """
        import resource, signal, sys
        from pathlib import Path
        from common.models import open_registry
        from common.models.registry import RegistryUnavailableError
        registry = open_registry(sys.argv[1], cache_dir=Path(sys.argv[1] + "-cache"))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            registry.publish("iris", Path(sys.argv[2]), alias="champion")
        except RegistryUnavailableError as error:
            print(error)
    """
    assert resource.RLIMIT_FSIZE is not None
    root = tmp_path / "registry"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), str(root), str(files)],
        capture_output=True,
        text=True,
    )
    assert "nothing was changed" in done.stdout, done.stderr
    with pytest.raises(ModelNotFoundError):
        open_at(root).resolve("iris", "champion")
    left = [path.name for path in root.rglob("*") if path.is_file()]
    assert left == ["claim.json"], "and the disk is no fuller than it was"


def test_what_is_published_is_for_all_who_may_read_the_folder(tmp_path: Path, files: Path) -> None:
    before = os.umask(0o022)
    try:
        open_at(tmp_path / "registry").publish("iris", files, alias="champion")
    finally:
        os.umask(before)
    written = [path for path in (tmp_path / "registry").rglob("*.json") if path.is_file()]
    assert len(written) > 2
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in written)


def test_a_file_where_the_folder_should_be_is_a_clear_error(tmp_path: Path, files: Path) -> None:
    (tmp_path / "registry").write_text("")
    with pytest.raises(RegistryUnavailableError, match="cannot publish iris"):
        open_at(tmp_path / "registry").publish("iris", files)


def test_an_unknown_store_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(RegistryUnavailableError, match="nosuch"):
        open_registry("nosuch://bucket", cache_dir=tmp_path)


def test_rolling_back_passes_over_what_was_pruned_and_ends() -> None:
    now = datetime.now(UTC)
    moves = [AliasMove(version=n, previous=None, moved_at=now) for n in (7, 5, 1, 3)]
    for target in (5, 7):
        assert roll_back_target(moves, {3, 5, 7}) == target
        moves.append(AliasMove(version=target, previous=0, moved_at=now, is_roll_back=True))
    assert roll_back_target(moves, {3, 5, 7}) is None


def test_an_alias_that_names_nothing_rolls_back_to_the_version_before() -> None:
    """As an object store may leave it, where promoting and pruning cannot exclude each other."""
    now = datetime.now(UTC)
    moves = [AliasMove(version=n, previous=None, moved_at=now) for n in (1, 2)]
    assert roll_back_target(moves, {1}) == 1


def test_a_metric_that_is_no_number_does_not_spoil_the_version(tmp_path: Path, files: Path) -> None:
    registry = open_at(tmp_path / "registry")
    registry.publish("iris", files, metrics={"auc": math.nan, "loss": math.inf})
    metrics = registry.resolve("iris", 1).metrics
    assert math.isnan(metrics["auc"])
    assert metrics["loss"] == math.inf


def test_a_publish_whose_alias_cannot_be_moved_leaves_no_version(
    tmp_path: Path, files: Path
) -> None:
    root = tmp_path / "registry"
    open_at(root).publish("iris", files)
    (root / "iris" / "aliases").write_text("a file where the folder should be")
    with pytest.raises(RegistryUnavailableError, match="nothing was changed"):
        open_at(root).publish("iris", files, alias="champion")
    assert [found.version for found in open_at(root).versions("iris")] == [1]


class RegistryMachine(RuleBasedStateMachine):
    """The folder registry against a list and a stack."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.home = tempfile.TemporaryDirectory()
        root = Path(self.home.name)
        (root / "files").mkdir()
        (root / "files/model").write_text("x")
        self.registry = open_at(root / "registry")
        self.files = root / "files"
        self.versions: set[int] = set()
        self.n_given = 0
        self.stack: list[int] = []

    def teardown(self) -> None:
        self.home.cleanup()

    @rule(is_promoted=st.booleans())
    def publish(self, is_promoted: bool) -> None:
        made = self.registry.publish("m", self.files, alias="a" if is_promoted else None)
        self.n_given += 1
        assert made.version == self.n_given
        self.versions.add(made.version)
        if is_promoted:
            self.stack.append(made.version)

    @rule(data=st.data())
    def promote(self, data: st.DataObject) -> None:
        if self.versions:
            version = data.draw(st.sampled_from(sorted(self.versions)))
            self.registry.promote("m", "a", version)
            if not self.stack or self.stack[-1] != version:
                self.stack.append(version)

    @rule()
    def roll_back(self) -> None:
        if len(self.stack) > 1:
            self.stack.pop()
            assert self.registry.roll_back("m", "a").version == self.stack[-1]
        elif self.stack:
            with pytest.raises(NoEarlierVersionError):
                self.registry.roll_back("m", "a")

    @rule(keep=st.integers(0, 3))
    def prune(self, keep: int) -> None:
        if not self.versions:
            return
        newest = set(sorted(self.versions)[-keep:] if keep else [])
        gone = set(self.registry.prune("m", keep))
        assert gone == self.versions - newest - set(self.stack[-2:])
        self.versions -= gone
        there = [v for v in self.stack if v in self.versions]
        self.stack = [v for v, below in zip(there, [0, *there], strict=False) if v != below]

    @invariant()
    def agrees(self) -> None:
        if self.versions:
            assert {v.version for v in self.registry.versions("m")} == self.versions
        if self.stack:
            assert self.registry.resolve("m", "a").version == self.stack[-1]


TestRegistryMachine = RegistryMachine.TestCase
TestRegistryMachine.settings = settings(max_examples=20, stateful_step_count=15, deadline=None)
