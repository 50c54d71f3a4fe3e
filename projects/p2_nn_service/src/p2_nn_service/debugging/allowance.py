"""The time that a check may take, and how a person is told of its progress."""

import time
from collections.abc import Callable, Iterator

from p2_nn_service.errors import NetworkError

Told = Callable[[float], None]
"""Is given the share of a check that is done, 0 to 1."""


class CannotTellError(NetworkError):
    """A check saw too little for a verdict; the message says why."""


def _nobody(_: float) -> None:
    """Is not interested."""


class Allowance:
    """So many seconds from now on, by `clock`."""

    def __init__(
        self,
        seconds: float = float("inf"),
        *,
        clock: Callable[[], float] = time.monotonic,
        told: Told = _nobody,
    ) -> None:
        self._clock, self.told = clock, told
        self._end = clock() + seconds

    @property
    def left_s(self) -> float:
        """Seconds that are left."""
        return self._end - self._clock()

    def part(self, share: float, told: Told | None = None) -> "Allowance":
        """Return an allowance of a share of the time left."""
        left = max(0.0, self.left_s)
        return Allowance(left * share, clock=self._clock, told=told or self.told)

    def steps(
        self, n: int, *, at_least: int = 1, of: tuple[float, float] = (0, 1)
    ) -> Iterator[int]:
        """Count to `n` as long as there is time; `of` is their part of the check, as shares.

        Raises `CannotTellError` when there was no time for `at_least`.
        """
        for k in range(n):
            if self.left_s <= 0:
                if k < at_least:
                    raise CannotTellError(f"there was time for {k} of at least {at_least} steps")
                return
            self.told(of[0] + (of[1] - of[0]) * k / n)
            yield k
