"""Ctrl-C that is not lost.

Python raises `KeyboardInterrupt` wherever the main thread happens to be. In a finaliser or a
callback of compiled code it is printed and forgotten; that it came is noted here as well.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass
class Interrupt:
    """Whether somebody pressed Ctrl-C."""

    has_come: bool = False

    def raise_again(self) -> None:
        """Raise `KeyboardInterrupt` if one came and was swallowed on its way."""
        if self.has_come:
            raise KeyboardInterrupt


@contextmanager
def noted_interrupts() -> Iterator[Interrupt]:
    """Note each SIGINT while inside, beside raising it; in another thread there are none."""
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return

    def note(_number: int, _frame: FrameType | None) -> None:
        interrupt.has_come = True
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, note)
    try:
        yield interrupt
    finally:
        signal.signal(signal.SIGINT, before)
