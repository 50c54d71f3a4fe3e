"""What a version was asked and answered, waiting to be counted: the one step on the hot path.

An append a batch. Of a flood a random share waits, the same share of every row since the last
count: whenever too many wait, half of them go, and half of what comes from then on. What was not
kept is counted all the same. Read next: `collecting.py`.
"""

import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from p1_prediction_api.errors import RowError

Tensor = NDArray[Any]
Rows = Tensor | Mapping[str, Tensor]
"""Encoded columns, or one tensor a feature."""
MAX_WAITING_ROWS = 12_288
"""Three times what a round looks at: with half of them gone it still finds enough."""


class Sighting(NamedTuple):
    """The rows of one batch and their answers, of so many requests."""

    rows: Rows
    answers: Tensor
    n_requests: int

    def take(self, places: Tensor) -> "Sighting":
        """Return some of the rows, with all of the requests."""
        if isinstance(self.rows, Mapping):
            rows: Rows = {name: tensor[places] for name, tensor in self.rows.items()}
        else:
            rows = self.rows[places]
        return Sighting(rows, self.answers[places], self.n_requests)


class Sightings:
    """A queue between what answers and what counts; any thread may use either end.

    Until it is opened by one who counts, it keeps nothing.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rng = np.random.default_rng()
        self._is_open = False
        self._n_refused = self._n_rows_unkept = self._n_requests_unkept = 0
        self._begin()

    def _begin(self) -> None:
        self._waiting: list[Sighting] = []
        self._n_waiting, self._share = 0, 1.0

    def saw(self, rows: Rows, answers: Tensor, n_requests: int = 1) -> None:
        """Note a batch; the arrays are kept, not copied."""
        if not self._is_open:
            return
        with self._lock:
            self._keep(Sighting(rows, answers, n_requests), self._share)
            while self._n_waiting > MAX_WAITING_ROWS:
                self._halve()

    def _keep(self, seen: Sighting, share: float) -> None:
        """Let a random share of the rows wait; the requests are counted with what is left."""
        n_rows = len(seen.answers)
        if share < 1:
            seen = seen.take(np.flatnonzero(self._rng.random(n_rows) < share))
            self._n_rows_unkept += n_rows - len(seen.answers)
            if not len(seen.answers):
                self._n_requests_unkept += seen.n_requests
                return
        self._waiting.append(seen)
        self._n_waiting += len(seen.answers)

    def _halve(self) -> None:
        waiting, share = self._waiting, self._share / 2
        self._begin()
        self._share = share
        for seen in waiting:
            self._keep(seen, 0.5)

    @contextmanager
    def refusals(self) -> Generator[None]:
        """Note a request whose rows turn out not to fit the model."""
        try:
            yield
        except RowError:
            self._n_refused += 1
            raise

    def open(self) -> None:
        """Keep what is seen from now on, to be taken now and then."""
        self._is_open = True

    def take(self) -> list[Sighting]:
        """Take what waits, oldest first."""
        with self._lock:
            found = self._waiting
            self._begin()
        return found

    def take_totals(self) -> tuple[int, int, int]:
        """Take the number of requests refused, and of rows and requests not kept."""
        with self._lock:
            found = self._n_refused, self._n_rows_unkept, self._n_requests_unkept
            self._n_refused = self._n_rows_unkept = self._n_requests_unkept = 0
        return found
