"""What indexing tells while it goes on, and at its end: for a terminal, a page and a log alike."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

EventKind = Literal["indexed", "unchanged", "removed", "failed"]


class IndexEvent(BaseModel):
    """What became of one document."""

    model_config = ConfigDict(frozen=True)

    kind: EventKind
    source: str
    detail: str = Field("", description="Why it failed, or what of it was not read.")
    n_chunks: int = 0
    n_done: int = Field(description="Files and addresses that are done; an archive counts once.")
    n_targets: int


class Failure(BaseModel):
    """A document that could not be read; what was kept of it before is still there."""

    model_config = ConfigDict(frozen=True)

    source: str
    reason: str


class IndexReport(BaseModel):
    """What indexing has done."""

    n_indexed: int = 0
    n_unchanged: int = 0
    n_removed: int = 0
    n_chunks: int = 0
    failures: list[Failure] = Field(default_factory=list)
    notes: list[Failure] = Field(default_factory=list, description="What was not read, and where.")
    is_complete: bool = Field(False, description="Whether it came to its end.")
    seconds: float = 0.0


Tell = Callable[[IndexEvent], None]
Watch = Callable[[], AbstractContextManager[Tell]]
"""Entered for a whole run, whose documents are told to what it yields."""


def silent(_: IndexEvent) -> None:
    """Tell nobody."""


def unwatched() -> AbstractContextManager[Tell]:
    """Watch nothing."""
    return nullcontext(silent)
