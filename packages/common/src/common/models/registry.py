"""What a model registry is: types, errors and the port that every adapter fills.

A version is immutable once published: its files, their sha256, metrics, signature, the fingerprint
of its training data and the code revision. An alias names one version and moves atomically; its
history is kept, and rolling back is moving it to where it was before. Read next: `stored.py`.
"""

import asyncio
import difflib
import re
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Protocol

import structlog
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from common.errors import DomainError

log = structlog.get_logger()

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)


class RegistryError(DomainError):
    """Base of everything a registry refuses."""


class ModelNotFoundError(RegistryError):
    """No version of this model was ever published."""

    def __init__(self, model: str, known: Iterable[str] = ()) -> None:
        self.model = model
        near = difflib.get_close_matches(model, list(known), n=1, cutoff=0.0)
        hint = f"; did you mean {near[0]!r}?" if near else "; publish one first"
        super().__init__(f"there is no model {model!r}{hint}")


class VersionNotFoundError(RegistryError):
    """The model has no such version."""

    def __init__(self, model: str, version: int, known: Iterable[int] = ()) -> None:
        self.model, self.version = model, version
        listed = ", ".join(str(one) for one in known) or "none"
        super().__init__(f"{model} has no version {version}; it has {listed}")


class AliasNotFoundError(RegistryError):
    """The model has no such alias."""

    def __init__(self, model: str, alias: str, known: Iterable[str] = ()) -> None:
        self.model, self.alias = model, alias
        listed = ", ".join(sorted(known)) or "none"
        super().__init__(f"{model} has no alias {alias!r}; it has {listed}")


class NoEarlierVersionError(RegistryError):
    """There is nothing to roll back to."""


class AliasMovedError(RegistryError):
    """Somebody moved the alias since it was looked at."""


class CorruptModelError(RegistryError):
    """A stored file is not what was published."""

    def __init__(self, model: str, version: int, file: str, reason: str) -> None:
        self.model, self.version, self.file = model, version, file
        super().__init__(f"{model} version {version}: {file}: {reason}")


class RegistryUnavailableError(RegistryError):
    """The registry cannot be reached or written now; nothing was changed, or it says so."""


class InvalidNameError(RegistryError):
    """A model, an alias or a file has a name that is not accepted."""


class ModelFile(BaseModel):
    """One file of a version; `path` is relative, with forward slashes."""

    model_config = ConfigDict(frozen=True)

    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    n_bytes: int = Field(ge=0)


class ModelVersion(BaseModel):
    """A published version; nothing of it ever changes."""

    model_config = ConfigDict(frozen=True, ser_json_inf_nan="strings")

    model: str
    version: int = Field(ge=1)
    created_at: datetime
    files: tuple[ModelFile, ...]
    metrics: dict[str, float] = Field(default_factory=dict)
    signature: JsonValue = None
    data_fingerprint: str = ""
    code_revision: str = ""
    description: str = ""
    tags: dict[str, str] = Field(default_factory=dict)


class AliasMove(BaseModel):
    """One move of an alias: when, to which version, from which."""

    model_config = ConfigDict(frozen=True)

    version: int
    previous: int | None
    moved_at: datetime
    is_roll_back: bool = False


class Registry(Protocol):
    """The port. Every method may raise `RegistryUnavailableError`; reads take no lock."""

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
        """Store every file below `files_dir` as the next version; all of it or none.

        With `alias`, move it to the new version once that is complete.
        """
        ...

    def resolve(self, model: str, reference: str | int) -> ModelVersion:
        """Return the version that a number or an alias names."""
        ...

    def fetch(self, version: ModelVersion) -> Path:
        """Return a local folder with the version's files, each verified by its sha256."""
        ...

    def promote(
        self, model: str, alias: str, version: int, *, expected: int | None = None
    ) -> AliasMove:
        """Move an alias; with `expected`, only if it stands there now (0: nowhere)."""
        ...

    def roll_back(self, model: str, alias: str) -> AliasMove:
        """Move an alias to the version it had before its last forward move."""
        ...

    def models(self) -> list[str]:
        """List every model by name."""
        ...

    def versions(self, model: str) -> list[ModelVersion]:
        """List the versions of a model, oldest first."""
        ...

    def aliases(self, model: str) -> dict[str, int]:
        """Return where each alias of a model stands."""
        ...

    def history(self, model: str, alias: str) -> list[AliasMove]:
        """Return the moves of an alias, oldest first."""
        ...

    def verify(self, model: str, version: int) -> None:
        """Read every file and compare; `CorruptModelError` names the first that differs."""
        ...

    def prune(self, model: str, keep: int) -> list[int]:
        """Remove all but the newest `keep` versions; return what was removed.

        What an alias stands on or would roll back to is never removed.
        """
        ...


async def watch(
    registry: Registry, model: str, alias: str, *, poll_s: float = 2.0
) -> AsyncGenerator[ModelVersion]:
    """Yield the version an alias stands on, then each change of it, once each.

    Polls in a worker thread. While the registry cannot be reached, or has no such model yet, the
    last version stands; that is logged once, and so is the recovery.
    """
    last: int | None = None
    is_away = False
    while True:
        try:
            found = await asyncio.to_thread(registry.resolve, model, alias)
        except RegistryError as error:
            if not is_away:
                log.warning("registry_unavailable", model=model, alias=alias, reason=str(error))
            is_away = True
        else:
            if is_away:
                log.info("registry_recovered", model=model, alias=alias)
            is_away = False
            if found.version != last:
                last = found.version
                yield found
        await asyncio.sleep(poll_s)


def check_name(name: str, what: str) -> str:
    """Return `name` when it may name a model or an alias, else raise `InvalidNameError`."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise InvalidNameError(
            f"{what} {name!r} is not accepted: lower-case letters, digits, '.', '_' and '-', "
            "at most 63, beginning with a letter or a digit"
        )
    return name


def check_path(path: str) -> str:
    """Return a file's relative path when it stays inside its version."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path:
        raise InvalidNameError(f"the file name {path!r} leaves the version's folder")
    return path


def roll_back_target(moves: Iterable[AliasMove], existing: Iterable[int]) -> int | None:
    """Return where rolling back would go: undo forward moves one by one, as an editor undoes.

    A roll back takes the last forward move off the stack; a new promotion grows it again. Versions
    that were pruned since are passed over, and so is the one on which the alias stands.
    """
    there = set(existing)
    stack: list[int] = []
    for move in moves:
        if move.is_roll_back:
            del stack[-1:]
            while stack and stack[-1] != move.version:  # what was passed over
                stack.pop()
        if not move.is_roll_back or not stack:
            stack.append(move.version)
    below = [version for version in stack[:-1] if version in there and version != stack[-1]]
    return below[-1] if below else None


def roll_back_move(
    model: str, alias: str, moves: Sequence[AliasMove], existing: Iterable[int]
) -> AliasMove:
    """Return the move that rolls an alias back; `NoEarlierVersionError` when there is none."""
    target = roll_back_target(moves, existing)
    if target is None:
        raise NoEarlierVersionError(
            f"{model}@{alias} stands on its first version; there is no earlier one"
        )
    previous = moves[-1].version
    return AliasMove(
        version=target, previous=previous, moved_at=datetime.now(UTC), is_roll_back=True
    )
