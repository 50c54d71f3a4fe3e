"""One replica's counts of each version it serves: from sightings to windows in the database.

`count` turns what waits into counts, about once a second; now and then `keep_up` stores them and
merges old windows. Both run in threads. A round looks at a bounded number of rows, so that counting
costs a busy service the same whatever its load. Knows no event loop. Read next: `monitor.py`.
"""

import math
import threading
import time
from collections.abc import Mapping
from functools import cached_property

import numpy as np
import structlog
from common.store import Store, StoreError

from p1_prediction_api.errors import ModelContentError
from p1_prediction_api.loaded import LoadedModel
from p1_prediction_api.monitoring.counting import Counter, Counts
from p1_prediction_api.monitoring.reference import Reference, read_reference
from p1_prediction_api.monitoring.sightings import Sighting, Tensor
from p1_prediction_api.monitoring.windows import (
    Window,
    WindowOwner,
    add_window,
    merge_windows,
    read_windows,
    remove_old,
)

log = structlog.get_logger()

MAX_ROWS_A_ROUND = 4_096
SWEEP_EVERY_S = 600.0
RETIRE_AFTER_S = 60.0
"""A replaced version is watched on: requests that began on it finish on it."""
SECONDS_A_DAY = 86_400


class VersionWatch:
    """Counts what one version is asked and answers; any thread may call.

    Making one is quick: its reference is read by the first who asks for it.
    """

    def __init__(self, loaded: LoadedModel) -> None:
        self._loaded = loaded
        self._sightings = loaded.quick.sightings
        self._sightings.open()
        self._rng = np.random.default_rng()
        self._lock = threading.Lock()
        self._fresh = Counts()
        self._fresh_since = time.time()
        self.trouble = ""

    @cached_property
    def reference(self) -> Reference | None:
        """What rows are compared with; None when there is no such thing, see `trouble` then."""
        try:
            found = read_reference(self._loaded.folder, self._loaded.quick.encoder)
        except ModelContentError as error:
            self.trouble = str(error)
            return None
        if found is None:
            self.trouble = "this version was published before there was monitoring"
        return found

    @cached_property
    def owner(self) -> WindowOwner:
        """Whose windows these are."""
        version, reference = self._loaded.version, self.reference
        return WindowOwner(version.model, version.version, reference.digest if reference else "")

    @cached_property
    def _counter(self) -> Counter | None:
        if self.reference is None:
            return None
        return Counter(self._loaded.signature, self._loaded.quick.encoder, self.reference)

    @property
    def waiting(self) -> Window:
        """What was counted and is not stored yet."""
        with self._lock:
            held = Counts()
            held.add(self._fresh)
            return Window(self._fresh_since, held)

    def count(self) -> Counts:
        """Count what waits; return what this round added."""
        added = self._counted(self._sightings.take())
        n_refused, n_rows, n_requests = self._sightings.take_totals()
        added.n_refused += n_refused
        added.n_rows += n_rows
        added.n_requests += n_requests
        with self._lock:
            if self._fresh.is_empty:
                self._fresh_since = time.time()
            self._fresh.add(added)
        return added

    def flush(self, store: Store) -> None:
        """Store what was counted; raises `StoreError`, and keeps it then for the next time."""
        with self._lock:
            window, self._fresh = Window(self._fresh_since, self._fresh), Counts()
        if window.counts.is_empty:
            return
        try:
            add_window(store, self.owner, window)
        except BaseException:
            with self._lock:
                window.counts.add(self._fresh)
                self._fresh, self._fresh_since = window.counts, window.started_at
            raise

    def _counted(self, seen: list[Sighting]) -> Counts:
        n_rows = sum(len(one.answers) for one in seen)
        totals = Counts(n_rows=n_rows, n_requests=sum(one.n_requests for one in seen))
        if self._counter is None or not n_rows:
            return totals
        keep = min(1.0, MAX_ROWS_A_ROUND / n_rows)
        parts = [self._encoded(one, keep) for one in seen]
        rows = np.concatenate([part for part, _ in parts])
        answers = np.concatenate([part for _, part in parts])
        if len(rows) > MAX_ROWS_A_ROUND:
            chosen = self._rng.choice(len(rows), MAX_ROWS_A_ROUND, replace=False)
            rows, answers = rows[chosen], answers[chosen]
        found = self._counter.count(rows, answers)
        found.n_rows, found.n_requests = totals.n_rows, totals.n_requests
        return found

    def _encoded(self, one: Sighting, keep: float) -> tuple[Tensor, Tensor]:
        """Return columns and answers; of tensors those of a share of rows, to be sampled again."""
        if not isinstance(one.rows, Mapping):
            return one.rows, one.answers
        n_rows = len(one.answers)
        chosen = self._rng.choice(n_rows, math.ceil(n_rows * keep), replace=False)
        tensors = {name: tensor[chosen] for name, tensor in one.rows.items()}
        return self._loaded.quick.encoder.encode(tensors), one.answers[chosen]


class Collector:
    """The versions this replica serves, watched. Any thread may count, one at a time keeps up.

    `trouble` is why counts are not being stored; empty while they are.
    """

    def __init__(self, store: Store, *, window_s: float, keep_days: float) -> None:
        self._store = store
        self._window_s = window_s
        self._keep_s = keep_days * SECONDS_A_DAY
        self._watches: list[VersionWatch] = []
        self._retiring: dict[VersionWatch, float] = {}
        self._flush_at = time.monotonic() + window_s
        self._sweep_at = time.monotonic()
        self.trouble = ""

    @property
    def current(self) -> VersionWatch | None:
        """The watch of the version that answers now."""
        return self._watches[-1] if self._watches else None

    def begin(self, loaded: LoadedModel) -> None:
        """Watch a version from now on, instead of the one before."""
        retire_at = time.monotonic() + RETIRE_AFTER_S
        for old in self._watches:
            self._retiring.setdefault(old, retire_at)
        self._watches.append(VersionWatch(loaded))

    def count(self) -> Counts:
        """Count what waits; return the totals of what was counted."""
        added = Counts()
        for watch in list(self._watches):
            counted = watch.count()
            counted.cells = counted.cells[:0]  # of two versions they would not add up
            added.add(counted)
        return added

    def keep_up(self) -> None:
        """Store, merge and sweep what is due; what cannot be stored is kept for the next time."""
        now = time.monotonic()
        if now >= self._flush_at:
            self._flush_at = now + self._window_s
            self.flush()
        if now >= self._sweep_at:
            self._sweep_at = now + SWEEP_EVERY_S
            self._sweep()

    def flush(self) -> None:
        """Store what was counted, and let go of versions replaced a while ago."""
        now = time.monotonic()
        try:
            for watch in list(self._watches):
                watch.flush(self._store)
                if self._retiring.get(watch, now) < now:
                    self._watches.remove(watch)
                    del self._retiring[watch]
        except StoreError as error:
            if not self.trouble:
                log.warning("counts_not_stored", reason=str(error))
            self.trouble = str(error)
        else:
            self.trouble = ""

    def windows(self, owner: WindowOwner, since: float) -> list[Window]:
        """Return what every replica saw of a version since a moment; raises `StoreError`."""
        # What waits before what is stored: what moves meanwhile is missed, never counted twice.
        # A version that was rolled back to has its former watch beside its own.
        waiting = [watch.waiting for watch in list(self._watches) if watch.owner == owner]
        stored = read_windows(self._store, owner, since)
        return [*stored, *(window for window in waiting if not window.counts.is_empty)]

    def _sweep(self) -> None:
        try:
            remove_old(self._store, time.time() - self._keep_s)
            merge_windows(self._store, time.time())
        except StoreError as error:
            log.warning("windows_not_swept", reason=str(error))
