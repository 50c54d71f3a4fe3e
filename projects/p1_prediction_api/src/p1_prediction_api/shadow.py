"""A candidate that answers the champion's live requests unseen, off the hot path.

While `SHADOW_ALIAS` names another version than the one that answers, each answered JSON request is
put into a bounded queue. A thread asks the candidate in small batches, gives way between any two
requests and works at most a fifth of the time; what does not fit is skipped and counted, so the
candidate sees a sample under load and the champion's answers do not wait for it. Whatever the
candidate does (fail to load, fail to read a row, raise) is counted and ends there. Tensors (V2) are
not shadowed. Read next: `shadow_comparison.py`.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import structlog
from common.errors import DomainError
from common.models import ModelVersion, Registry, open_registry
from common.models.registry import AliasNotFoundError, ModelNotFoundError
from common.store import BackgroundInserts
from common.telemetry import Telemetry

from p1_prediction_api.contracts import ServedModel
from p1_prediction_api.database import SHADOW_ANSWERS, Database
from p1_prediction_api.errors import OtherTableError
from p1_prediction_api.live import LiveModel
from p1_prediction_api.loaded import LoadedModel, load
from p1_prediction_api.monitoring.contracts import ShadowComparison
from p1_prediction_api.quick import QuickModel
from p1_prediction_api.quick_rows import QuickRows
from p1_prediction_api.settings import Settings
from p1_prediction_api.shadow_comparison import Skipped, compare

log = structlog.get_logger()

MAX_WAITING = 1_000
MAX_WAITING_BYTES = 4_000_000
MAX_BODY_BYTES = 128_000
"""A longer request is skipped: reading it would hold the interpreter for too long."""
GATHER_S = 0.05
BATCH = 64
REST = 4.0
"""Time off for each stretch of work, in such stretches."""


class Shadow:
    """Watches, asks and compares the candidate; an async context manager."""

    def __init__(
        self,
        settings: Settings,
        telemetry: Telemetry,
        live: LiveModel,
        database: Database,
        *,
        registry: Registry | None = None,
    ) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._live = live
        self._database = database
        cache = settings.data_dir / "cache" / "models"
        self._registry = registry or open_registry(settings.registry_location, cache_dir=cache)
        self._candidate: LoadedModel | None = None
        self._skipped = Skipped()
        self._trouble = ""
        self._refused: tuple[int, int] | None = None
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._n_bytes = 0
        self._wakeup = asyncio.Event()
        self._look = asyncio.Event()
        self._inserts: BackgroundInserts | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._requests = telemetry.counter(
            "shadow_requests_total", "Requests a candidate was to answer, too.", ("outcome",)
        )

    async def __aenter__(self) -> Self:
        if self._settings.shadow_alias and self._settings.log_predictions:
            self._inserts = BackgroundInserts(
                self._database.store, SHADOW_ANSWERS, linger_s=GATHER_S, telemetry=self._telemetry
            )
            await self._inserts.__aenter__()
            self._live.on_swap.append(self._look.set)
            self._tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._work())]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._live.shadow = None
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._inserts is not None:
            await self._inserts.__aexit__(kind, error, traceback)

    @property
    def candidate(self) -> ServedModel | None:
        """Which version shadows now, if one does."""
        if self._candidate is None:
            return None
        version = self._candidate.version
        return ServedModel(
            name=version.model, version=version.version, alias=self._settings.shadow_alias
        )

    def ready_but(self) -> str | None:
        """Why the candidate is not asked; None when there is none, or it is."""
        return self._trouble or None

    async def compared(self, *, since: float = 0.0) -> ShadowComparison | None:
        """Compare candidate and champion since then (Unix time); None while none shadows."""
        candidate, named = self._candidate, self.candidate
        if candidate is None or named is None or not self._live.is_ready():
            return None
        return await asyncio.to_thread(
            compare,
            self._database.store,
            self._live.current,
            candidate,
            named=named,
            skipped=self._skipped,
            since=since,
        )

    # ---------------------------------------------------------------------------- on the way
    def put(self, made: str, body: bytes) -> None:
        """Take an answered request to be asked again; never waits and never fails."""
        is_full = len(self._waiting) >= MAX_WAITING or self._n_bytes + len(body) > MAX_WAITING_BYTES
        if is_full or len(body) > MAX_BODY_BYTES:
            self._skipped.n_skipped += 1
            self._requests.labels("skipped").inc()
            return
        self._waiting.append((made, body))
        self._n_bytes += len(body)
        self._wakeup.set()

    # ------------------------------------------------------------------------------- asking
    async def _work(self) -> None:
        while True:
            await self._wakeup.wait()
            self._wakeup.clear()
            await asyncio.sleep(GATHER_S)
            while self._waiting:
                some = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                self._n_bytes -= sum(len(body) for _, body in some)
                started = time.perf_counter()
                await self._ask(some)
                await asyncio.sleep(REST * (time.perf_counter() - started))

    async def _ask(self, some: Sequence[tuple[str, bytes]]) -> None:
        candidate, inserts, skipped = self._candidate, self._inserts, self._skipped
        if candidate is None or inserts is None:
            return  # it was withdrawn meanwhile
        answers = await asyncio.to_thread(answer_each, candidate.quick, [body for _, body in some])
        version, made_at = candidate.version, time.time()
        for (made, _), answer in zip(some, answers, strict=True):
            if answer is None:
                skipped.n_failed += 1
                self._requests.labels("failed").inc()
                continue
            self._requests.labels("answered").inc()
            row = {
                "prediction_id": made,
                "made_at": made_at,
                "model": version.model,
                "version": version.version,
                "answer": answer,
            }
            inserts.put(row, n_bytes=len(answer))

    # ------------------------------------------------------------------------------ watching
    async def _watch(self) -> None:
        while True:
            try:
                await self._follow()
            except DomainError as error:  # the registry is away: what shadows goes on
                log.warning("shadow_not_looked_for", reason=str(error))
            self._look.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), self._settings.poll_s)

    async def _follow(self) -> None:
        """Load what the alias names, unless it is what answers already."""
        if not self._live.is_ready():
            return
        champion = self._live.current
        found = await asyncio.to_thread(self._resolve)
        if found is None or found.version == champion.version.version:
            self._take(None)
            self._trouble, self._refused = "", None
            return
        pair = (champion.version.version, found.version)
        is_asked = self._candidate is not None and self._candidate.version == found
        if pair == self._refused or (is_asked and self._refused is None):
            return
        try:
            folder = await asyncio.to_thread(self._registry.fetch, found)
            fresh = await asyncio.to_thread(load, found, folder, self._settings)
            _check_same_target(champion, fresh)
        except DomainError as error:
            self._take(None)
            self._refused = pair
            self._trouble = f"candidate version {found.version} is not compared: {error}"
            log.warning("candidate_not_loaded", version=found.version, reason=str(error))
            return
        self._trouble, self._refused = "", None
        self._take(fresh)

    def _resolve(self) -> ModelVersion | None:
        try:
            return self._registry.resolve(self._settings.model, self._settings.shadow_alias)
        except (AliasNotFoundError, ModelNotFoundError):
            return None

    def _take(self, candidate: LoadedModel | None) -> None:
        if candidate is self._candidate:
            return
        self._candidate = candidate
        self._skipped = Skipped()
        self._waiting.clear()
        self._n_bytes = 0
        self._live.shadow = self.put if candidate is not None else None
        log.info("shadow_changed", version=candidate.version.version if candidate else None)


def answer_each(model: QuickModel, bodies: Sequence[bytes]) -> list[str | None]:
    """Answer JSON bodies as the prediction log holds answers; None for what cannot be answered."""
    found: list[str | None] = [None] * len(bodies)
    read: dict[int, QuickRows] = {}
    for k, body in enumerate(bodies):
        rows = model.read(body)
        if rows is not None:
            read[k] = rows
        time.sleep(0)  # let the event loop have the interpreter
    for k, answer in zip(read, _run(model, list(read.values())), strict=True):
        found[k] = answer
    return found


def _run(model: QuickModel, items: Sequence[QuickRows]) -> list[str | None]:
    """Answer a batch, by halves where it raises, so that one bad request fails alone."""
    if not items:
        return []
    try:
        return [f"[{answer.json}]" for answer in model.run(items)]
    except Exception as error:  # noqa: BLE001 - whatever a candidate does ends here
        if len(items) == 1:
            log.warning("shadow_failed", reason=repr(error)[:200])
            return [None]
    middle = len(items) // 2
    return [*_run(model, items[:middle]), *_run(model, items[middle:])]


def _check_same_target(champion: LoadedModel, candidate: LoadedModel) -> None:
    old, new = champion.signature, candidate.signature
    if (old.task, old.target) != (new.task, new.target):
        raise OtherTableError(f"it predicts {new.target!r}, and {old.target!r} is served")
