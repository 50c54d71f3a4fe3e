"""The embedded generator as a `ChatModel`: the bridge from llama.cpp's threads to asyncio.

As many chats as there is room for are answered together; others wait in line, in the order they
came, up to a limit. Room is free again when llama.cpp has let go of it, whatever became of the one
who asked. Loading happens beside the start of the service. Read next: `room.py`, `slots.py`,
`llama.py`.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import Self

import structlog
from common.errors import DomainError
from common.memory import give_back_memory

from p3_rag_chatbot.errors import (
    ContextLengthError,
    GenerationError,
    ModelBusyError,
    SchemaError,
    WeightsError,
)
from p3_rag_chatbot.generating.adapters import BUILTIN_DIR, adapters_in
from p3_rag_chatbot.generating.generator_weights import generator_weights
from p3_rag_chatbot.generating.grammar import (
    ROOT,
    Schema,
    answer_schema,
    checked,
    grammar,
    patterns,
)
from p3_rag_chatbot.generating.llama import Json, Llama, LlamaOptions
from p3_rag_chatbot.generating.room import Room
from p3_rag_chatbot.generating.slots import Reading, Slots
from p3_rag_chatbot.generating.translation import NO_JSON, asked, chosen, delta, probe, turns
from p3_rag_chatbot.openai_contracts import ChatRequest, Delta
from p3_rag_chatbot.settings import Settings

log = structlog.get_logger()

NAME = "smollm2"
MAX_PROVEN = 256
"""Grammars that are remembered to be enforced."""


class EmbeddedModel:
    """SmolLM2 on llama.cpp in this process; a `ChatModel`, and a context that `Service.owns`."""

    def __init__(self, settings: Settings, *, name: str = NAME) -> None:
        self._settings, self._name = settings, name
        self._llama: Llama | None = None
        self._trouble = ""
        self._loading: asyncio.Task[None] | None = None
        self._room = Room(settings.max_chats, settings.cache_tokens)
        self._slots = Slots(settings.max_chats)
        self._taking = asyncio.Lock()
        self._chats: set[_Chat] = set()
        self._threads: ThreadPoolExecutor | None = None
        self._adapters = adapters_in(
            BUILTIN_DIR, settings.generator_adapters or settings.data_dir / "adapters"
        )
        self._proven: dict[str, None] = {}

    async def __aenter__(self) -> Self:
        self._threads = ThreadPoolExecutor(self._settings.max_chats, thread_name_prefix="chat")
        self._loading = asyncio.create_task(self._load())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._loading is not None:
            await self._loading  # native code cannot be stopped while it loads
        for chat in self._chats:
            chat.stop()
        if self._threads is not None:
            await asyncio.to_thread(self._threads.shutdown)
        llama, self._llama = self._llama, None
        if llama is not None:
            await asyncio.to_thread(llama.close)

    async def _load(self) -> None:
        try:
            self._llama = await asyncio.to_thread(
                _load, self._settings, tuple(self._adapters.values())
            )
        except DomainError as error:
            self._trouble = str(error)
            log.exception("generator_not_loaded")
        else:
            log.info("generator_loaded")

    def not_ready(self) -> str | None:
        """What the generator waits for; None when it answers."""
        if self._llama is not None:
            return None
        return self._trouble or "the generator is being loaded"

    @property
    def adapters(self) -> tuple[str, ...]:
        """Names of the LoRA adapters that a request may ask for."""
        return tuple(self._adapters)

    @property
    def n_chats(self) -> int:
        """How many chats are worked on."""
        return len(self._chats)

    @property
    def n_waiting(self) -> int:
        """How many chats wait for room."""
        return self._room.n_waiting

    @property
    def reserved_share(self) -> float:
        """Share of `cache_tokens` that is reserved for the chats that are worked on."""
        return self._room.reserved_share

    # ------------------------------------------------------------------------- as a ChatModel
    @property
    def name(self) -> str:
        """Which model this is."""
        return self._name

    def count_tokens(self, request: ChatRequest) -> int:
        """Count the prompt's tokens, template included; asks llama.cpp, about a millisecond."""
        return self._ready().count_tokens(self.prompt(request))

    def prompt(self, request: ChatRequest) -> str:
        """Write a conversation as the model reads it, by its chat template."""
        return self._ready().prompt(turns(request.messages))

    def tokens(self, text: str) -> list[tuple[int, str]]:
        """Split a text into tokens, each with its number and its piece of text."""
        return self._ready().tokens(text)

    async def loaded(self) -> None:
        """Wait until the model is loaded; `WeightsError` when it cannot be."""
        await self._loaded()

    async def idle(self) -> None:
        """Wait until no chat is worked on."""
        while self._chats:
            await asyncio.gather(*(chat.ended.wait() for chat in self._chats))

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        """Answer piece by piece; see `ports.ChatModel`.

        A prompt that leaves room for no answer is a `ContextLengthError`; an answer that would
        outgrow the context is cut there, with `length`. Equal requests that name one seed get equal
        answers as long as no other chat is worked on beside them: their prompts are read whole, and
        sums are then made in one order.
        """
        settings = self._settings
        body = asked(
            request,
            seed=settings.seed,
            max_new_tokens=settings.max_new_tokens,
            n_context=settings.context_tokens,
        )
        if self._adapters or request.adapter:
            body["lora"] = chosen(request.adapter, list(self._adapters))
        schema = answer_schema(request.response_format)
        if schema is not None:
            body["grammar"] = grammar(checked(schema))
        llama = await self._loaded()
        if schema is not None:
            await self._prove(llama, schema, body["grammar"])
        chat = await self._begin(llama, body, request.adapter)
        try:
            pieces = chat.pieces()
            async with aclosing(_with_usage(pieces, n_top=request.top_logprobs or 0)) as deltas:
                async for one in deltas:
                    yield one
        finally:
            chat.stop()

    async def _prove(self, llama: Llama, schema: Schema, written: str) -> None:
        """Refuse a schema whose grammar llama.cpp does not take: it would be ignored in silence."""
        if written in self._proven:
            return
        if not await self._is_enforced(llama, written):
            for place, pattern in patterns(schema):
                alone = grammar({"type": "string", "pattern": pattern})
                if not await self._is_enforced(llama, alone):
                    raise SchemaError(place, f"{pattern!r} cannot be expressed as a grammar")
            raise SchemaError(
                ROOT,
                "cannot be expressed as a grammar: it contradicts itself, or "
                "refers to itself without end, or its alternatives overlap (write anyOf for oneOf)",
            )
        self._proven[written] = None
        while len(self._proven) > MAX_PROVEN:
            self._proven.pop(next(iter(self._proven)))

    async def _is_enforced(self, llama: Llama, written: str) -> bool:
        chat = await self._begin(llama, probe(written, llama.no_json))
        try:
            texts = [one.text async for one in _with_usage(chat.pieces(), n_top=0)]
        finally:
            chat.stop()
        return NO_JSON not in "".join(texts)

    async def _loaded(self) -> Llama:
        if self._llama is None and self._loading is not None:
            await asyncio.shield(self._loading)
        return self._ready()

    def _ready(self) -> Llama:
        if self._llama is None:
            raise WeightsError(self.not_ready() or "")
        return self._llama

    async def _begin(self, llama: Llama, body: Json, adapter: str | None = None) -> "_Chat":
        """Wait for room and start; it is given back when the thread is done with it."""
        settings = self._settings
        reading = Reading(llama.prompt(body["messages"]), adapter)
        n_prompt = await asyncio.to_thread(llama.count_tokens, reading.prompt)
        n_context = min(settings.context_tokens, settings.cache_tokens)  # more never has room
        n_answer = min(int(body["max_tokens"]), n_context - n_prompt)
        if n_answer < 1:
            raise ContextLengthError(n_prompt, n_context)
        room = self._room
        if not room.fits(n_prompt + n_answer) and room.n_waiting >= settings.max_queued_chats:
            raise ModelBusyError(
                f"{len(self._chats)} chats are being answered and {room.n_waiting} wait already "
                "(P3_MAX_CHATS, P3_CACHE_TOKENS, P3_MAX_QUEUED_CHATS); try again later"
            )
        await room.enter(n_prompt + n_answer)
        assert self._threads is not None, "entered before it is asked"  # noqa: S101 - our own order
        slot = await self._take(llama, reading, n_prompt + n_answer)
        body = {**body, "max_tokens": n_answer, "id_slot": slot}
        chat = _Chat(llama, body, n_prompt + n_answer)
        self._chats.add(chat)
        chat.start(self._threads, lambda: self._end(chat, slot, reading))
        return chat

    def _end(self, chat: "_Chat", slot: int, reading: Reading) -> None:
        self._chats.discard(chat)
        self._room.leave(chat.n_tokens)
        self._slots.leave(slot, reading)

    async def _take(self, llama: Llama, reading: Reading, n_tokens: int) -> int:
        """Take a slot, paused chats forgotten first; gives the room back where it cannot."""
        try:
            async with self._taking:
                slot, emptied = self._slots.take(reading)
                try:
                    for one in emptied:
                        await asyncio.to_thread(llama.forget, one)
                except BaseException:
                    self._slots.leave(slot, reading)
                    raise
        except BaseException:
            self._room.leave(n_tokens)
            raise
        return slot


class _Chat:
    """One answer under way: llama.cpp's thread puts pieces in, the event loop takes them out."""

    def __init__(self, llama: Llama, body: Json, n_tokens: int) -> None:
        self._llama, self._body, self.n_tokens = llama, body, n_tokens
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[Json | Exception | None] = asyncio.Queue()
        self._is_stopped = Event()
        self.ended = asyncio.Event()

    def start(self, threads: ThreadPoolExecutor, on_end: Callable[[], object]) -> None:
        """Begin in a thread of the pool; `on_end` is called in the event loop when it is done."""
        work = self._loop.run_in_executor(threads, self._work)
        work.add_done_callback(lambda _: (on_end(), self.ended.set()))

    def stop(self) -> None:
        """Have llama.cpp let go at its next piece."""
        self._is_stopped.set()

    async def pieces(self) -> AsyncGenerator[Json]:
        """Give llama.cpp's pieces as they come."""
        while (piece := await self._pieces.get()) is not None:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def _work(self) -> None:
        try:
            if not self._is_stopped.is_set():
                self._llama.chat(self._body, self._take)
        except DomainError as error:
            self._tell(error)
        self._tell(None)

    def _take(self, piece: Json) -> bool:
        self._tell(piece)
        return self._is_stopped.is_set()

    def _tell(self, piece: Json | Exception | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._pieces.put_nowait, piece)
        except RuntimeError:  # the loop is closed: nobody listens any more
            self._is_stopped.set()


async def _with_usage(pieces: AsyncGenerator[Json], *, n_top: int) -> AsyncGenerator[Delta]:
    """Read pieces; the end of the answer and its usage, two of llama.cpp's, become one."""
    end: Delta | None = None
    async for piece in pieces:
        one = delta(piece, n_top=n_top)
        if one is None:
            continue
        if one.finish_reason is not None:
            end = one
        elif end is not None and one.usage is not None:
            yield end.model_copy(update={"usage": one.usage})
            return
        else:
            yield one
    raise GenerationError("the generator stopped in the middle of an answer")


def _load(settings: Settings, adapters: Sequence[Path]) -> Llama:
    weights = generator_weights(settings)
    give_back_memory()  # writing them in another precision takes a lot
    return Llama(
        LlamaOptions(
            weights=weights,
            n_threads=settings.generator_threads,
            n_slots=settings.max_chats,
            n_context=settings.cache_tokens,
            adapters=adapters,
        )
    )
