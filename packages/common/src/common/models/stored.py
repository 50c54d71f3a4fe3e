"""The registry over a folder or an object store, through fsspec.

Layout, below the root:

    <model>/versions/<n>/manifest.json      written last: a version exists when it does
    <model>/versions/<n>/files/…
    <model>/aliases/<alias>/<k>.json        move k of the alias; the highest k is where it stands
    <model>/lock                            only in a folder: held to move an alias and to prune

Every step that decides something creates one object that must not exist yet: a version number by
its `claim.json`, an alias move by the number of its file. Locally that is `link(2)`, which is
atomic and fails when the name is taken; on S3 a conditional put. A publish that dies leaves a
claimed number without a manifest: readers never see it, `prune` sweeps it. Nothing is overwritten.

Moving an alias and removing a manifest are two objects, so in a folder both happen under one lock
of the model (`flock(2)`, which dies with its holder; readers never take it): no alias comes to name
what prune removed. An object store has no lock: what is promoted in the moment in which it is
pruned may be gone when the alias names it. `resolve` then says so, and rolling back or promoting
another version mends it; prune an object store when nothing promotes old versions.
"""

import contextlib
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import fsspec
from pydantic import JsonValue, ValidationError

from common.models.local_files import (
    VerifiedCache,
    copy_verified,
    create_whole,
    describe_file,
    flush,
    list_files,
    locked,
    make_folder,
)
from common.models.registry import (
    AliasMove,
    AliasMovedError,
    AliasNotFoundError,
    CorruptModelError,
    ModelFile,
    ModelNotFoundError,
    ModelVersion,
    RegistryUnavailableError,
    VersionNotFoundError,
    check_name,
    check_path,
    roll_back_move,
    roll_back_target,
)

ABANDONED_AFTER = timedelta(hours=1)
"""A claimed number without a manifest is swept when it is older: no publish takes that long."""


class StoredRegistry:
    """A `Registry` whose state is files below `location`: a path or any fsspec URL."""

    def __init__(self, location: str, *, cache_dir: Path) -> None:
        self._files, root = fsspec.core.url_to_fs(location)
        self._root = str(root).rstrip("/")
        self._is_local = "file" in self._files.protocol
        self._cache = VerifiedCache(cache_dir)

    # ------------------------------------------------------------------------------ publishing
    def publish(
        self,
        model: str,
        files_dir: Path,
        *,
        metrics: Mapping[str, float] | None = None,
        signature: JsonValue = None,
        data_fingerprint: str = "",
        code_revision: str = "",
        description: str = "",
        tags: Mapping[str, str] | None = None,
        alias: str | None = None,
    ) -> ModelVersion:
        """See `Registry.publish`."""
        check_name(model, "the model name")
        if alias is not None:
            check_name(alias, "the alias")
        files = tuple(describe_file(files_dir / name, name) for name in list_files(files_dir))
        with self._reachable(f"publish {model}"):
            number = self._claim_number(model)
            version = ModelVersion(
                model=model,
                version=number,
                created_at=datetime.now(UTC),
                files=files,
                metrics=dict(metrics or {}),
                signature=signature,
                data_fingerprint=data_fingerprint,
                code_revision=code_revision,
                description=description,
                tags=dict(tags or {}),
            )
            try:
                for file in files:
                    self._upload(files_dir / file.path, self._file_path(version, file))
            except OSError:  # a full disk, say: leave it no fuller than it was
                self._sweep(model, number)
                raise
        with self._locked(model):  # not to be pruned before the alias stands on it
            with self._reachable(f"publish {model}"):
                self._create(self._manifest_path(model, number), version.model_dump_json(indent=2))
            if alias is not None:
                self._promote_new(version, alias)
        return version

    def _promote_new(self, version: ModelVersion, alias: str) -> None:
        try:
            self._promote(version.model, alias, version.version)
        except RegistryUnavailableError:
            self._remove(self._manifest_path(version.model, version.version))
            raise

    def _claim_number(self, model: str) -> int:
        """Take the next free number by creating its claim; the loser of a race tries the next."""
        number = max(self._claimed_numbers(model), default=0) + 1
        stamp = json.dumps({"claimed_at": datetime.now(UTC).isoformat()})
        while not self._create(f"{self._version_path(model, number)}/claim.json", stamp):
            number += 1
        return number

    def _upload(self, source: Path, target: str) -> None:
        if self._is_local:
            make_folder(Path(target).parent)
        self._files.put_file(str(source), target)
        if self._is_local:
            flush(Path(target))

    # --------------------------------------------------------------------------------- reading
    def resolve(self, model: str, reference: str | int) -> ModelVersion:
        """See `Registry.resolve`."""
        check_name(model, "the model name")
        if isinstance(reference, int) or reference.isdecimal():
            return self._manifest(model, int(reference))
        check_name(reference, "the alias")
        moves = self.history(model, reference)
        while True:
            try:
                return self._manifest(model, moves[-1].version)
            except VersionNotFoundError:  # the alias moved on since, and its version was pruned?
                n_seen, moves = len(moves), self.history(model, reference)
                if len(moves) == n_seen:
                    raise

    def fetch(self, version: ModelVersion) -> Path:
        """See `Registry.fetch`."""
        return self._cache.folder(version, partial(self._read_verified, version))

    def _read_verified(self, version: ModelVersion, file: ModelFile, target: Path | None) -> None:
        path = self._file_path(version, file)
        with self._reachable(f"fetch {version.model}"):
            try:
                with self._files.open(path, "rb") as source:
                    copy_verified(version, file, source, target)
            except FileNotFoundError:
                raise CorruptModelError(
                    version.model, version.version, file.path, "the file is missing"
                ) from None

    def models(self) -> list[str]:
        """See `Registry.models`."""
        with self._reachable("list the models"):
            names = [self._leaf(path) for path in self._list(self._root)]
            return sorted(name for name in names if self._numbers(name))

    def versions(self, model: str) -> list[ModelVersion]:
        """See `Registry.versions`."""
        check_name(model, "the model name")
        numbers = self._numbers(model)
        if not numbers:
            raise ModelNotFoundError(model, self.models())
        found = []
        for number in numbers:
            with contextlib.suppress(VersionNotFoundError):  # pruned since it was listed
                found.append(self._manifest(model, number))
        return found

    def aliases(self, model: str) -> dict[str, int]:
        """See `Registry.aliases`."""
        check_name(model, "the model name")
        with self._reachable(f"read the aliases of {model}"):
            names = self._alias_names(model)
        if not names and not self._numbers(model):
            raise ModelNotFoundError(model, self.models())
        moves = {name: self._moves(model, name) for name in sorted(names)}
        return {name: its[-1].version for name, its in moves.items() if its}

    def history(self, model: str, alias: str) -> list[AliasMove]:
        """See `Registry.history`."""
        check_name(model, "the model name")
        moves = self._moves(model, alias)
        if not moves:
            if not self._numbers(model):
                raise ModelNotFoundError(model, self.models())
            raise AliasNotFoundError(model, alias, self._alias_names(model))
        return moves

    def verify(self, model: str, version: int) -> None:
        """See `Registry.verify`."""
        found = self._manifest(model, version)
        for file in found.files:
            self._read_verified(found, file, None)

    # --------------------------------------------------------------------------------- aliases
    def promote(
        self, model: str, alias: str, version: int, *, expected: int | None = None
    ) -> AliasMove:
        """See `Registry.promote`."""
        check_name(model, "the model name")
        check_name(alias, "the alias")
        self._manifest(model, version)
        with self._locked(model):
            return self._promote(model, alias, version, expected)

    def _promote(
        self, model: str, alias: str, version: int, expected: int | None = None
    ) -> AliasMove:
        self._manifest(model, version)  # again, now that nobody prunes
        while True:
            moves = self._moves(model, alias)
            previous = moves[-1].version if moves else None
            if expected is not None and expected != (previous or 0):
                raise AliasMovedError(
                    f"{model}@{alias} stands on {previous or 'nothing'}, not on {expected}"
                )
            if previous == version:
                return moves[-1]
            move = AliasMove(version=version, previous=previous, moved_at=datetime.now(UTC))
            if self._add_move(model, alias, len(moves) + 1, move):
                return move

    def roll_back(self, model: str, alias: str) -> AliasMove:
        """See `Registry.roll_back`."""
        self.history(model, alias)
        with self._locked(model):
            while True:
                moves = self.history(model, alias)
                move = roll_back_move(model, alias, moves, self._numbers(model))
                if self._add_move(model, alias, len(moves) + 1, move):
                    return move

    def _add_move(self, model: str, alias: str, number: int, move: AliasMove) -> bool:
        path = f"{self._root}/{model}/aliases/{alias}/{number:08d}.json"
        with self._reachable(f"move {model}@{alias}"):
            return self._create(path, move.model_dump_json())

    def _alias_names(self, model: str) -> list[str]:
        return [self._leaf(path) for path in self._list(f"{self._root}/{model}/aliases")]

    def _moves(self, model: str, alias: str) -> list[AliasMove]:
        folder = f"{self._root}/{model}/aliases/{alias}"
        with self._reachable(f"read {model}@{alias}"):
            paths = sorted(path for path in self._list(folder) if path.endswith(".json"))
            return [AliasMove.model_validate_json(self._files.cat_file(path)) for path in paths]

    # --------------------------------------------------------------------------------- pruning
    def prune(self, model: str, keep: int) -> list[int]:
        """See `Registry.prune`; sweeps what interrupted publishes left, too."""
        check_name(model, "the model name")
        if not self._claimed_numbers(model):
            return []
        with self._locked(model):
            numbers = self._numbers(model)
            kept = set(numbers[-keep:] if keep > 0 else []) | self._needed(model, numbers)
            removed = [number for number in numbers if number not in kept]
            with self._reachable(f"prune {model}"):
                for number in removed:
                    self._remove(self._manifest_path(model, number))
        with self._reachable(f"prune {model}"):
            for number in set(removed) | self._abandoned(model, set(numbers)):
                self._sweep(model, number)
        return removed

    def _sweep(self, model: str, number: int) -> None:
        for path in self._files.find(self._version_path(model, number)):
            if self._leaf(path) != "claim.json":  # a number is never given twice
                self._remove(path)

    def _needed(self, model: str, numbers: list[int]) -> set[int]:
        """Return what the aliases stand on or would roll back to."""
        needed = set[int]()
        for alias in self._alias_names(model):
            if moves := self._moves(model, alias):
                needed |= {moves[-1].version, roll_back_target(moves, numbers) or 0}
        return needed

    def _remove(self, path: str) -> None:
        with contextlib.suppress(FileNotFoundError):  # somebody else prunes, too
            self._files.rm_file(path)

    def _abandoned(self, model: str, published: set[int]) -> set[int]:
        found = set()
        for number in set(self._claimed_numbers(model)) - published:
            with contextlib.suppress(OSError, ValueError, KeyError):
                claim = f"{self._version_path(model, number)}/claim.json"
                claimed_at = json.loads(self._files.cat_file(claim))["claimed_at"]
                if datetime.now(UTC) - datetime.fromisoformat(claimed_at) > ABANDONED_AFTER:
                    found.add(number)
        return found

    # ----------------------------------------------------------------------------------- paths
    def _version_path(self, model: str, number: int) -> str:
        return f"{self._root}/{model}/versions/{number:08d}"

    def _manifest_path(self, model: str, number: int) -> str:
        return f"{self._version_path(model, number)}/manifest.json"

    def _file_path(self, version: ModelVersion, file: ModelFile) -> str:
        folder = self._version_path(version.model, version.version)
        return f"{folder}/files/{check_path(file.path)}"

    def _claimed_numbers(self, model: str) -> list[int]:
        folders = self._list(f"{self._root}/{model}/versions")
        leaves = (self._leaf(path) for path in folders)
        return sorted(int(leaf) for leaf in leaves if leaf.isdecimal())

    def _numbers(self, model: str) -> list[int]:
        with self._reachable(f"list the versions of {model}"):
            claimed = self._claimed_numbers(model)
            return [n for n in claimed if self._files.exists(self._manifest_path(model, n))]

    def _manifest(self, model: str, number: int) -> ModelVersion:
        path = self._manifest_path(model, number)
        with self._reachable(f"read {model} version {number}"):
            try:
                return ModelVersion.model_validate_json(self._files.cat_file(path))
            except FileNotFoundError:
                known = self._numbers(model)
                if not known:
                    raise ModelNotFoundError(model, self.models()) from None
                raise VersionNotFoundError(model, number, known) from None
            except ValidationError as error:
                reason = f"not a manifest: {error.error_count()} errors"
                raise CorruptModelError(model, number, "manifest.json", reason) from error

    def _list(self, folder: str) -> list[str]:
        self._files.invalidate_cache()
        try:
            if self._is_local:  # fsspec looks at each entry, and one may be gone by then
                return [str(path) for path in Path(folder).iterdir()]
            return [str(path) for path in self._files.ls(folder, detail=False)]
        except FileNotFoundError:
            return []

    @staticmethod
    def _leaf(path: str) -> str:
        return path.rstrip("/").rpartition("/")[2]

    # ---------------------------------------------------------------------------- atomic steps
    def _create(self, path: str, text: str) -> bool:
        """Create an object whole, or say that it exists already."""
        if self._is_local:
            make_folder(Path(path).parent)
            return create_whole(Path(path), text.encode())
        try:
            self._files.pipe_file(path, text.encode(), mode="create")
        except FileExistsError:
            return False
        except OSError as error:
            if "PreconditionFailed" in str(error) or "At least one of the pre" in str(error):
                return False
            raise
        return True

    @contextmanager
    def _locked(self, model: str) -> Generator[None]:
        """Hold the one lock of a model that exists; an object store has none."""
        with contextlib.ExitStack() as held:
            if self._is_local:
                with self._reachable(f"lock {model}"):
                    held.enter_context(locked(Path(self._root, model, "lock")))
            yield

    @contextmanager
    def _reachable(self, what: str) -> Generator[None]:
        """Say a store's own errors (a full disk, no permission, no network) in one way."""
        try:
            yield
        except FileNotFoundError:
            raise
        except Exception as error:
            is_of_s3 = type(error).__module__.startswith(("botocore", "aiohttp", "aiobotocore"))
            if not is_of_s3 and not isinstance(error, OSError):
                raise
            reason = getattr(error, "strerror", None) or str(error)
            raise RegistryUnavailableError(
                f"cannot {what} in {self._root}: {reason}; nothing was changed"
            ) from error
