"""Room for chats: so many at once, and so many tokens of all of them together, first come first.

The generator's memory of what was read and written (its KV cache) is one for all chats, so that
many short chats, or a few long ones, fit into a fraction of what the longest would take each.
"""

import asyncio
from collections import deque


class Room:
    """Tokens are reserved for a chat's prompt and the answer it may have, before it begins."""

    def __init__(self, n_chats: int, n_tokens: int) -> None:
        self._free_chats, self._free_tokens = n_chats, n_tokens
        self._n_tokens = n_tokens
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def n_waiting(self) -> int:
        """How many wait to enter."""
        return sum(not turn.done() for _, turn in self._waiting)

    @property
    def reserved_share(self) -> float:
        """Share of the tokens that is reserved."""
        return 1 - self._free_tokens / self._n_tokens

    def fits(self, n_tokens: int) -> bool:
        """Whether a chat of so many tokens could begin at once."""
        return self.n_waiting == 0 and self._has(n_tokens)

    async def enter(self, n_tokens: int) -> None:
        """Wait until there is room, behind all who wait already; reserve it."""
        if self.fits(n_tokens):
            self._take(n_tokens)
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((n_tokens, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave(n_tokens)  # room was made in the moment that nobody wanted it any more
            else:
                self._admit()
            raise

    def leave(self, n_tokens: int) -> None:
        """Give back what was reserved; those who wait and fit now enter in their order."""
        self._free_chats += 1
        self._free_tokens += n_tokens
        self._admit()

    def _admit(self) -> None:
        while self._waiting:
            n_tokens, turn = self._waiting[0]
            if not turn.cancelled():
                if not self._has(n_tokens):
                    return
                self._take(n_tokens)
                turn.set_result(None)
            self._waiting.popleft()

    def _has(self, n_tokens: int) -> bool:
        return self._free_chats > 0 and self._free_tokens >= n_tokens

    def _take(self, n_tokens: int) -> None:
        self._free_chats -= 1
        self._free_tokens -= n_tokens
