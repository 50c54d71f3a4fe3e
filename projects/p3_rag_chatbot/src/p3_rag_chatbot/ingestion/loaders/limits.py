"""How far a loader may go, and how it says that a file cannot be read."""

import time
from dataclasses import dataclass, field


class UnreadableError(Exception):
    """A file cannot be read; the message says why, and what to do."""


class TooLargeError(UnreadableError):
    """A file, or what it unpacks to, is larger than the limits."""


@dataclass(frozen=True)
class Limits:
    """What one document may take; `seconds` is counted from when the limits were made."""

    max_characters: int
    max_unpacked_bytes: int
    max_files: int
    seconds: float
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds_left(self) -> float:
        """Time until the reading is ended from outside."""
        return self.started + self.seconds - time.monotonic()
