"""llama.cpp in this process: one model, several answers at once, asked from any thread.

Wraps `xllamacpp.Server`: its scheduler works on all answers together (continuous batching) and
keeps each slot's tokens for the next prompt that begins alike (`slots.py`). Calls block until an
answer is whole; `engine.py` bridges them to asyncio. Knows no chat protocol but llama.cpp's own.
"""

import ctypes
import json
import secrets
import signal
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import httpx2

from p3_rag_chatbot.errors import GenerationError, WeightsError

xllamacpp: Any = import_module("xllamacpp")  # compiled, without types
Json = Mapping[str, Any]
"""A piece of llama.cpp's own protocol, decoded."""
OnPiece = Callable[[Json], bool]
"""Takes a piece of an answer; True stops the answer."""
PROMPT_BATCH = 256
"""Tokens of a prompt that are worked on before the other answers get their turn."""
HTTP_THREADS = 2
SIGACTION_BYTES = 256
"""More than a `struct sigaction` has anywhere."""


@dataclass(frozen=True)
class LlamaOptions:
    """How a model is loaded."""

    weights: Path
    n_threads: int
    n_slots: int
    n_context: int
    """Tokens of all chats together."""
    adapters: Sequence[Path] = ()


class Llama:
    """A loaded model; `close` it. `WeightsError` when it cannot be loaded."""

    def __init__(self, options: LlamaOptions) -> None:
        self._key = secrets.token_urlsafe()
        with _signals_kept():
            try:
                self._server = xllamacpp.Server(_parameters(options, self._key))
            except RuntimeError as error:
                raise WeightsError(
                    f"{options.weights} is not a model that llama.cpp can load, or one of its "
                    f"adapters is not of this model ({error})"
                ) from error
        self._http = httpx2.Client(
            base_url=self._server.listening_address,
            headers={"Authorization": f"Bearer {self._key}"},
            timeout=30.0,
            trust_env=False,
        )

    def chat(self, body: Json, on_piece: OnPiece) -> None:
        """Answer `body` (llama.cpp's chat completions, streamed), piece by piece, in this thread.

        What llama.cpp refuses comes as a piece with `error`, or is a `GenerationError`.
        """
        try:
            self._server.handle_chat_completions(json.dumps(body), _decoded(on_piece))
        except (ValueError, RuntimeError) as error:
            raise GenerationError(str(error)) from error

    def prompt(self, messages: Sequence[Json]) -> str:
        """Write messages as the model reads them, by the chat template in its file."""
        return self._ask("/apply-template", {"messages": list(messages)})["prompt"]

    def tokens(self, text: str) -> list[tuple[int, str]]:
        """Split a text into tokens, each with its number and its piece of text."""
        asked = {"content": text, "add_special": True, "parse_special": True, "with_pieces": True}
        return [
            (one["id"], _piece(one["piece"])) for one in self._ask("/tokenize", asked)["tokens"]
        ]

    def count_tokens(self, text: str) -> int:
        """Count a prompt's tokens, those of the template included."""
        asked = {"content": text, "add_special": True, "parse_special": True}
        return len(self._ask("/tokenize", asked)["tokens"])

    @cached_property
    def no_json(self) -> int:
        """The token of a letter that begins no JSON text."""
        return self.tokens("Z")[-1][0]

    def forget(self, slot: int) -> None:
        """Free what a slot holds of its last chat; waits for one that is under way there."""
        self._ask(f"/slots/{slot}", {}, action="erase")

    def close(self) -> None:
        """Stop the scheduler and free the model; no call may be under way."""
        self._http.close()
        del self._server  # its destructor ends its threads and waits for them

    def _ask(self, path: str, body: Json, **params: str) -> Any:
        """Ask what the binding does not expose: over loopback, with a key that only we know."""
        try:
            answer = self._http.post(path, json=body, params=params)
            answer.raise_for_status()
        except httpx2.HTTPError as error:
            raise GenerationError(f"the generator does not answer {path}: {error}") from error
        return answer.json()


def _parameters(options: LlamaOptions, key: str) -> Any:
    given = xllamacpp.CommonParams()
    given.model.path = str(options.weights)
    given.n_parallel = options.n_slots
    given.n_ctx, given.kv_unified = options.n_context, True
    given.n_batch = given.n_ubatch = PROMPT_BATCH
    given.cpuparams.n_threads = given.cpuparams_batch.n_threads = options.n_threads
    given.cache_ram_mib = 0  # it would give what was read with one adapter to another
    given.slot_save_path = str(options.weights.parent)  # else a slot cannot be emptied
    given.api_keys = [key]
    given.n_threads_http = HTTP_THREADS
    given.ui = False
    given.verbosity = 0
    given.lora_init_without_apply = True
    given.lora_adapters = [
        xllamacpp.CommonAdapterLoraInfo(str(path), 0.0) for path in options.adapters
    ]
    return given


def _decoded(on_piece: OnPiece) -> Callable[[Any], bool]:
    def take(piece: Any) -> bool:
        return on_piece(json.loads(piece) if isinstance(piece, str | bytes) else piece)

    return take


def _piece(piece: str | list[int]) -> str:
    """Read a token's text; one that ends inside a character is told as bytes."""
    return piece if isinstance(piece, str) else bytes(piece).decode("utf-8", "replace")


@contextmanager
def _signals_kept() -> Generator[None]:
    """Give SIGINT and SIGTERM back to the process: llama.cpp takes them when a model is loaded.

    Below Python's own handlers, as they may be set in the main thread only.
    """
    sigaction = getattr(ctypes.CDLL(None), "sigaction", None)
    kept = {number: ctypes.create_string_buffer(SIGACTION_BYTES) for number in _TAKEN}
    if sigaction is not None:
        for number, action in kept.items():
            sigaction(int(number), None, action)
    try:
        yield
    finally:
        if sigaction is not None:
            for number, action in kept.items():
                sigaction(int(number), action, None)


_TAKEN = (signal.SIGINT, signal.SIGTERM)
