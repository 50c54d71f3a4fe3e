"""Stopping between two steps: Ctrl-C, SIGTERM or a file asks, the loop ends with its state whole.

The file lies in the run's folder (`RunFolder.ask_to_stop`), so that another process can ask. A
second Ctrl-C stops at once, as it would have without us.
"""

import signal
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

from p2_nn_service.runs import RunFolder

LOOK_EVERY_S = 1.0


class StopRequest:
    """Whether someone asked to stop: this process by a signal, or the run by its folder."""

    def __init__(
        self, folder: RunFolder | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder, self._clock = folder, clock
        self._looked_at = -LOOK_EVERY_S
        self.is_signalled = False
        self._is_asked = False

    @property
    def is_made(self) -> bool:
        """Whether to stop; the folder is looked at once a second at most."""
        if self._folder is not None and self._clock() - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = self._clock()
            self._is_asked = self._folder.is_asked_to_stop()
        return self.is_signalled or self._is_asked


@contextmanager
def stop_requests(folder: RunFolder | None = None) -> Generator[StopRequest]:
    """Take a file in the run's folder as a request while inside, in the main thread signals too.

    What was asked of an earlier training in the folder is forgotten.
    """
    request = StopRequest(folder)
    if folder is not None:
        folder.forget_requests()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def ask(number: int, _: FrameType | None) -> None:
        if request.is_signalled and number == signal.SIGINT:
            raise KeyboardInterrupt
        request.is_signalled = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
