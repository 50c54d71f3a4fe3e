"""What a version was asked and answered, waiting to be counted: the one step on the hot path.

An append a batch; memory is bounded, and what finds no room is counted and not kept. Read next:
`collecting.py`.
"""

from collections import deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from numpy.typing import NDArray

from p1_prediction_api.errors import RowError

Tensor = NDArray[Any]
Rows = Tensor | Mapping[str, Tensor]
"""Encoded columns, or one tensor a feature."""
MAX_WAITING_BYTES = 32_000_000


class Sighting(NamedTuple):
    """The rows of one batch and their answers, of so many requests."""

    rows: Rows
    answers: Tensor
    n_requests: int


class Sightings:
    """A queue between what answers and what counts; any thread may use either end.

    Until it is opened by one who counts, it keeps nothing.
    """

    def __init__(self) -> None:
        self._waiting: deque[Sighting] = deque()
        self._room = 0
        self._is_open = False
        self._n_refused = self._n_rows_unkept = self._n_requests_unkept = 0

    def saw(self, rows: Rows, answers: Tensor, n_requests: int = 1) -> None:
        """Note a batch; the arrays are kept, not copied."""
        if not self._is_open:
            return
        size = rows.nbytes if not isinstance(rows, Mapping) else answers.nbytes * (1 + len(rows))
        if size > self._room:
            self._n_rows_unkept += len(answers)
            self._n_requests_unkept += n_requests
            return
        self._room -= size
        self._waiting.append(Sighting(rows, answers, n_requests))

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
        self._is_open, self._room = True, MAX_WAITING_BYTES

    def take(self) -> list[Sighting]:
        """Take what waits, oldest first."""
        found = []
        while self._waiting:
            found.append(self._waiting.popleft())
        self._room = MAX_WAITING_BYTES
        return found

    def take_totals(self) -> tuple[int, int, int]:
        """Take the number of requests refused, and of rows and requests not kept."""
        found = self._n_refused, self._n_rows_unkept, self._n_requests_unkept
        self._n_refused = self._n_rows_unkept = self._n_requests_unkept = 0
        return found
