"""How long a model elsewhere may be silent in its answer."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from p3_rag_chatbot.errors import GenerationError

Piece = TypeVar("Piece")


async def never_silent(
    pieces: AsyncIterator[Piece], stall_s: float, who: str
) -> AsyncGenerator[Piece]:
    """Pass pieces on; `GenerationError` when none comes for `stall_s` seconds."""
    while True:
        try:
            async with asyncio.timeout(stall_s):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise GenerationError(
                f"{who} was silent for {stall_s:g} s in its answer (P3_CHAT_STALL_S)"
            ) from error
        yield piece
