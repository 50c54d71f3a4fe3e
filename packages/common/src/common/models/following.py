"""A model that follows an alias of the registry, replaced without a dropped request.

A new version is fetched, verified, loaded and checked in a worker thread; then one assignment swaps
it in. Requests that began on the old version finish on it. A version that cannot be loaded leaves
the old one answering, and is said in `/readyz`, the log and a metric. What a version is made of is
its service's to know. Read next: `releases.py`, which moves the alias.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

import structlog

from common.errors import DomainError
from common.models.opening import registry_of
from common.models.registry import (
    ModelNotFoundError,
    ModelVersion,
    Registry,
    RegistryError,
    watch,
)
from common.settings import Settings
from common.telemetry import Telemetry

log = structlog.get_logger()

FIRST_LOOK_S = 5.0
"""A slow registry holds up the start no longer."""


class NoModelError(DomainError):
    """No version is loaded yet."""


class LoadedVersion(Protocol):
    """A version in memory; entered when it is swapped in, left when its last request is done."""

    @property
    def version(self) -> ModelVersion:
        """What it was loaded from."""
        ...

    async def __aenter__(self) -> object: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


Loaded = TypeVar("Loaded", bound=LoadedVersion)


class AliasFollower(Generic[Loaded]):
    """Keeps an alias's version loaded; an async context manager that `Service.owns`.

    `load` makes a version ready to answer, or raises a `DomainError`; it runs in a worker thread,
    and so does `check`, which is given the version that answers and the one that is to replace it,
    and raises a `DomainError` to refuse. `how_to_publish` completes "publish one with …".
    `on_swap` is called after each swap.
    """

    def __init__(
        self,
        settings: Settings,
        telemetry: Telemetry,
        *,
        model: str,
        alias: str,
        poll_s: float,
        load: Callable[[ModelVersion, Path], Loaded],
        check: Callable[[Loaded, Loaded], None] | None = None,
        how_to_publish: str,
        registry: Registry | None = None,
    ) -> None:
        self.model, self.alias = model, alias
        self.registry = registry or registry_of(settings)
        self.on_swap: list[Callable[[], None]] = []
        self._poll_s = poll_s
        self._load, self._check = load, check
        self._how_to_publish = how_to_publish
        self._telemetry = telemetry
        self._current: Loaded | None = None
        self._trouble = ""
        self._watching: asyncio.Task[None] | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._first_look = asyncio.Event()
        self._looked_at: int | None = None
        self._looked = asyncio.Condition()
        self._failures = telemetry.counter(
            "model_load_failures_total", "Versions that could not be loaded."
        )

    async def __aenter__(self) -> Self:
        self._watching = asyncio.create_task(self._watch())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._first_look.wait(), timeout=FIRST_LOOK_S)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        if self._current is not None:
            await self._current.__aexit__(None, None, None)
        await asyncio.gather(*self._retiring)

    # ------------------------------------------------------------------------ what is asked
    @property
    def current(self) -> Loaded:
        """The version that answers now; `NoModelError` before there is one."""
        if self._current is None:
            raise NoModelError(self.not_ready() or "no model is loaded yet")
        return self._current

    @property
    def serving(self) -> int | None:
        """The number of the version that answers now, if one does."""
        return self._current.version.version if self._current else None

    def is_ready(self) -> bool:
        """Whether a version is loaded."""
        return self._current is not None

    def not_ready(self) -> str | None:
        """Why no model answers; None when one does."""
        if self._current is not None:
            return None
        name = f"{self.model}@{self.alias}"
        if self._trouble:
            return f"{name}: {self._trouble}"
        return (
            f"there is no model {name} in the registry yet; publish one with {self._how_to_publish}"
        )

    def ready_but(self) -> str | None:
        """What keeps the alias's version from answering while an older one does."""
        if self._current is None or not self._trouble:
            return None
        return f"{self._trouble}; version {self.serving} goes on answering"

    async def looked_at(self, version: int) -> None:
        """Wait until the alias was seen on that version, which answers now or is in `ready_but`."""
        async with self._looked:
            await self._looked.wait_for(lambda: self._looked_at == version)

    def prepare(self, version: ModelVersion) -> Loaded:
        """Fetch, load and check a version as a swap would; nothing is swapped. It blocks."""
        fresh = self._load(version, self.registry.fetch(version))
        if self._current is not None and self._check is not None:
            self._check(self._current, fresh)
        return fresh

    # ---------------------------------------------------------------------------- swapping
    async def _watch(self) -> None:
        looked = asyncio.create_task(self._note_first_look())
        try:
            versions = watch(self.registry, self.model, self.alias, poll_s=self._poll_s)
            async for version in versions:
                await self._swap(version)
                self._first_look.set()
                async with self._looked:
                    self._looked_at = version.version
                    self._looked.notify_all()
        finally:
            looked.cancel()

    async def _note_first_look(self) -> None:
        """Let the start go on once it is known that there is no model."""
        try:
            await asyncio.to_thread(self.registry.resolve, self.model, self.alias)
        except ModelNotFoundError:
            self._first_look.set()
        except RegistryError as error:
            self._trouble = str(error)
            self._first_look.set()

    async def _swap(self, version: ModelVersion) -> None:
        said = log.bind(model=version.model, version=version.version)
        if self._current is not None and self._current.version == version:
            # The alias is back from a version that never answered: this one did all along.
            self._trouble = ""
            said.info("model_kept")
            return
        try:
            fresh = await asyncio.to_thread(self.prepare, version)
        except DomainError as error:
            self._failures.inc()
            self._trouble = f"version {version.version} cannot be loaded: {error}"
            said.error("model_not_loaded", reason=str(error), still_serving=self.serving)
            return
        except Exception as error:  # noqa: BLE001 - a broken version must not end the watch
            self._failures.inc()
            self._trouble = f"version {version.version} broke while it was loaded: {error!r}"
            said.exception("model_not_loaded", still_serving=self.serving)
            return
        await fresh.__aenter__()
        old, self._current = self._current, fresh
        self._trouble = ""
        self._telemetry.model_info(version.model, str(version.version))
        if old is None:
            said.info("model_loaded")
        else:
            said.info("model_swapped", previous=old.version.version)
        for tell in self.on_swap:
            tell()
        if old is not None:
            task = asyncio.create_task(self._retire(old))
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)

    @staticmethod
    async def _retire(old: Loaded) -> None:
        """Let the old version finish what it was asked."""
        await old.__aexit__(None, None, None)
