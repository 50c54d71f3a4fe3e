"""Time limits of many short pieces of work, minded by one timer.

`asyncio.timeout` sets a timer of the event loop, and another at each change: a request's three cost
15 µs under uvloop, more than the model it asks. Here a limit is a number in a set that is looked
through every `TICK_S` while there is work, so it may be passed by as much. Knows no HTTP.
"""

import asyncio
import math
from types import TracebackType
from typing import Self

TICK_S = 0.02


class Deadlines:
    """The limits of one event loop; `within` sets one."""

    def __init__(self) -> None:
        self._open: set[Deadline] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_ticking = False

    def within(self, limit_s: float) -> "Deadline":
        """Return a context manager that gives its block so many seconds, then `TimeoutError`."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # the first, or a loop after one that ended in the middle
            self._open.clear()
            self._loop, self._is_ticking = loop, False
        return Deadline(self, loop, limit_s)

    def mind(self, deadline: "Deadline") -> None:
        """Begin to look at a deadline."""
        self._open.add(deadline)
        if not self._is_ticking and self._loop is not None:
            self._is_ticking = True
            self._loop.call_later(TICK_S, self._look)

    def forget(self, deadline: "Deadline") -> None:
        """Look at it no more."""
        self._open.discard(deadline)

    def _look(self) -> None:
        self._is_ticking = False
        if not self._open or self._loop is None:
            return
        now = self._loop.time()
        for late in [deadline for deadline in self._open if deadline.at < now]:
            late.strike()
        self._is_ticking = True
        self._loop.call_later(TICK_S, self._look)


class Deadline:
    """One limit, as `asyncio.Timeout` is one: cancels the task that entered it."""

    __slots__ = ("_loop", "_n_cancelling", "_task", "_whole", "at", "has_passed")

    def __init__(self, whole: Deadlines, loop: asyncio.AbstractEventLoop, limit_s: float) -> None:
        self._whole = whole
        self._loop = loop
        self._task: asyncio.Task[object] | None = None
        self._n_cancelling = 0
        self.at = loop.time() + limit_s
        self.has_passed = False

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        if self._task is None:
            raise RuntimeError("a deadline needs a task to cancel")
        self._n_cancelling = self._task.cancelling()
        self._whole.mind(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._whole.forget(self)
        if not self.has_passed or self._task is None:
            return
        is_ours = self._task.uncancel() <= self._n_cancelling
        if is_ours and kind is not None and issubclass(kind, asyncio.CancelledError):
            raise TimeoutError from error

    def allow(self, limit_s: float) -> None:
        """Give so many seconds from now, instead of what is left; infinity is no limit."""
        if self.has_passed:
            return
        if math.isinf(limit_s):
            self._whole.forget(self)
        self.at = self._loop.time() + limit_s

    def strike(self) -> None:
        """Cancel the task: its time is over."""
        self.has_passed = True
        self._whole.forget(self)
        if self._task is not None:
            self._task.cancel()
