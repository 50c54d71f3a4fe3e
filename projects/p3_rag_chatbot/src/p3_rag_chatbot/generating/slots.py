"""Which of llama.cpp's slots a chat is answered in, and which paused chats keep their tokens.

A slot holds the tokens of its last chat; a prompt that begins alike is read from there on. But all
slots share one cache, which is read up to its last used place for every token of every answer: a
few paused chats cost an answer a fifth of its speed. So a paused chat is kept until another begins.
Tokens read with one adapter are of no use to another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

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
        self._paused: dict[int, Reading] = {}

    def take(self, reading: Reading) -> tuple[int, Sequence[int]]:
        """Return the slot to be answered in, and those to be emptied before anything is taken.

        As many may be taken at once as there are.
        """
        going_on = [slot for slot, one in self._paused.items() if one.serves(reading)]
        emptied = [slot for slot in self._paused if slot not in going_on[-1:]]
        self._paused.clear()
        self._empty += emptied
        return going_on[-1] if going_on else self._empty.pop(), emptied

    def leave(self, slot: int, reading: Reading) -> None:
        """Note that a chat has paused."""
        self._paused[slot] = reading
