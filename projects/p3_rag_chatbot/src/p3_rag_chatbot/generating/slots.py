"""Which of llama.cpp's slots a chat is answered in, and which paused chats keep their tokens.

A slot holds the tokens of its last chat; a prompt that begins alike is read from there on. But all
slots share one cache, and what lies in it is read for every token of every answer: a paused chat of
450 tokens slows the others by some 5 %, and saves half a second if it goes on. So few are kept.
Tokens read with one adapter are of no use to another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

MAX_PAUSED = 1
ALIKE_SHARE = 0.5
"""Of a paused chat's prompt, what a prompt has to begin with to go on from there."""


@dataclass(frozen=True)
class Reading:
    """What a slot has read: a prompt, with an adapter or none."""

    prompt: str
    adapter: str | None = None

    def serves(self, other: "Reading") -> bool:
        """Whether the other goes on from here."""
        if self.adapter != other.adapter:
            return False
        return other.prompt.startswith(self.prompt[: ceil(ALIKE_SHARE * len(self.prompt))])


class Slots:
    """The slots of a model, numbered from 0; not for several threads."""

    def __init__(self, n_slots: int) -> None:
        self._empty = list(reversed(range(n_slots)))
        self._paused: dict[int, Reading] = {}  # the longest paused first

    def take(self, reading: Reading) -> int:
        """Return the slot to be answered in; as many may be taken at once as there are."""
        going_on = [slot for slot, one in self._paused.items() if one.serves(reading)]
        if going_on:
            slot = going_on[-1]
        elif self._empty:
            return self._empty.pop()
        else:
            slot = next(iter(self._paused))
        del self._paused[slot]
        return slot

    def leave(self, slot: int, reading: Reading) -> Sequence[int]:
        """Note that a chat has paused; returns the slots whose tokens are to be forgotten."""
        self._paused[slot] = reading
        forgotten = list(self._paused)[:-MAX_PAUSED]
        for one in forgotten:
            del self._paused[one]
        self._empty += forgotten
        return forgotten
