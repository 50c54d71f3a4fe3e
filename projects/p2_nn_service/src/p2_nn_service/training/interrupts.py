"""Stopping between two steps: Ctrl-C and SIGTERM ask, the loop ends when its state is whole.

A second Ctrl-C stops at once, as it would have without us.
"""

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Whether someone asked to stop."""

    is_made = False


@contextmanager
def stop_requests() -> Generator[StopRequest]:
    """Take Ctrl-C and SIGTERM as a request while inside; only in the main thread."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return

    def ask(number: int, _: FrameType | None) -> None:
        if request.is_made and number == signal.SIGINT:
            raise KeyboardInterrupt
        request.is_made = True

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
