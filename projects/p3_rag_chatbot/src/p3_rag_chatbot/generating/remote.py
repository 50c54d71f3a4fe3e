"""Any OpenAI-compatible server as a `ChatModel`: its stream is read with suspicion.

A server that is silent, sends what is no answer, or breaks off is a `GenerationError`; what it says
of the request is passed on. It knows nothing of the protocol this service itself serves.
"""

import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

import httpx2
from common.errors import FieldError
from pydantic import BaseModel, ValidationError

from p3_rag_chatbot.errors import (
    ContextLengthError,
    GenerationError,
    ModelBusyError,
    RequestError,
)
from p3_rag_chatbot.generating.patience import never_silent
from p3_rag_chatbot.openai_contracts import (
    ChatRequest,
    Delta,
    FinishReason,
    FunctionCall,
    TokenLogprob,
    ToolCall,
    Usage,
)
from p3_rag_chatbot.settings import Settings

OURS = {"model", "stream", "stream_options", "rag", "adapter"}
MAX_EVENT_CHARACTERS = 1_000_000
CHARACTERS_A_TOKEN = 4
CONNECT_S = 10.0
DONE = "[DONE]"
TOO_LONG = ("context_length_exceeded", "exceed_context_size", "maximum context length")
"""How servers say that a prompt does not fit: OpenAI's and this one, llama.cpp's, vLLM's."""


def is_too_long(said: str) -> bool:
    """Whether what a server says of a request is that its prompt does not fit."""
    return any(sign in said for sign in TOO_LONG)


class RemoteModel:
    """A model behind a URL; a `ChatModel`, and a context that `Service.owns`."""

    def __init__(self, settings: Settings, *, name: str = "") -> None:
        self._asked = settings.chat_model
        self._name = name or settings.chat_model or "remote"
        self._stall_s = settings.chat_stall_s
        key = settings.chat_api_key
        self._http = httpx2.AsyncClient(
            base_url=settings.chat_url.rstrip("/") + "/",
            headers={"Authorization": f"Bearer {key.get_secret_value()}"} if key else {},
            timeout=httpx2.Timeout(None, connect=CONNECT_S),  # silence is timed in the stream
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    @property
    def name(self) -> str:
        """Which model this is."""
        return self._name

    def count_tokens(self, request: ChatRequest) -> int:
        """Estimate the prompt's tokens: the server's tokenizer is not here."""
        n = sum(len(message.text) for message in request.messages)
        return -(-n // CHARACTERS_A_TOKEN) + CHARACTERS_A_TOKEN * len(request.messages)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[Delta]:
        """Answer piece by piece; see `ports.ChatModel`."""
        answer = _Answer(self.count_tokens(request))
        try:
            asked = self._events(request)
            events = never_silent(asked, self._stall_s, self._who)
            async with aclosing(asked), aclosing(events):
                async for event in events:
                    for piece in answer.read(event):
                        yield piece
        except httpx2.HTTPError as error:
            raise GenerationError(f"{self._who} broke off: {_why(error)}") from error
        yield answer.end(self._who)

    @property
    def _who(self) -> str:
        return f"the model server at {self._http.base_url}"

    async def _events(self, request: ChatRequest) -> AsyncGenerator[str]:
        """Give the data of each server-sent event, up to [DONE]."""
        body = request.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude=OURS) | {
            "model": self._asked or request.model,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        async with self._http.stream("POST", "chat/completions", json=body) as response:
            if response.status_code != 200:
                raise await _refusal(response, self._who)
            async for line in _lines(response, self._who):
                field, _, data = line.partition(":")
                if field == "data" and data.strip() == DONE:
                    return
                if field == "data":
                    yield data.strip()
                elif line and field not in {"event", "id", "retry", ""}:
                    raise GenerationError(f"{self._who} sent no event stream: {line[:80]!r}")


async def _lines(response: httpx2.Response, who: str) -> AsyncGenerator[str]:
    """Split a stream at its line ends; a line that never ends is refused."""
    rest = ""
    async for text in response.aiter_text():
        *lines, rest = (rest + text).split("\n")
        for line in lines:
            yield line.rstrip("\r")
        if len(rest) > MAX_EVENT_CHARACTERS:
            raise GenerationError(f"{who} sent a line of over {MAX_EVENT_CHARACTERS:,} characters")
    if rest:
        yield rest


class _Fragment(BaseModel):
    index: int = 0
    id: str | None = None
    function: dict[str, str | None] = {}


class _Choice(BaseModel):
    class Piece(BaseModel):
        content: str | None = None
        tool_calls: list[_Fragment] | None = None

    class Logprobs(BaseModel):
        content: tuple[TokenLogprob, ...] | None = None

    delta: Piece = Piece()
    logprobs: Logprobs | None = None
    finish_reason: str | None = None


class _Chunk(BaseModel):
    choices: list[_Choice] = []
    usage: Usage | None = None
    error: Any = None


class _Answer:
    """Reads chunks; what its end needs is kept: why it ended, its calls, what it took."""

    def __init__(self, n_prompt: int) -> None:
        self._n_prompt, self._n_pieces = n_prompt, 0
        self._calls: dict[int, dict[str, str]] = {}
        self._usage: Usage | None = None
        self._finish: str | None = None

    def read(self, event: str) -> list[Delta]:
        """Return an event's pieces."""
        try:
            chunk = _Chunk.model_validate_json(event)
        except ValidationError as error:
            raise GenerationError(f"the model server sent no answer: {event[:80]!r}") from error
        if chunk.error is not None:
            raise GenerationError(f"the model server failed: {json.dumps(chunk.error)[:200]}")
        self._usage = chunk.usage or self._usage
        pieces = []
        for choice in chunk.choices[:1]:
            self._finish = choice.finish_reason or self._finish
            for fragment in choice.delta.tool_calls or ():
                self._gather(fragment)
            logprobs = choice.logprobs.content if choice.logprobs else None
            if choice.delta.content or logprobs:
                self._n_pieces += 1
                pieces.append(Delta(text=choice.delta.content or "", logprobs=logprobs or ()))
        return pieces

    def end(self, who: str) -> Delta:
        """Return the last piece; `GenerationError` when the answer was not whole."""
        if self._finish is None:
            raise GenerationError(f"{who} stopped in the middle of its answer")
        calls = tuple(
            ToolCall(
                id=one["id"],
                function=FunctionCall(name=one["name"], arguments=one["arguments"]),
            )
            for _, one in sorted(self._calls.items())
        )
        usage = self._usage or Usage(
            prompt_tokens=self._n_prompt,
            completion_tokens=self._n_pieces,
            total_tokens=self._n_prompt + self._n_pieces,
        )
        return Delta(tool_calls=calls, finish_reason=_finish(self._finish), usage=usage)

    def _gather(self, fragment: _Fragment) -> None:
        call = self._calls.setdefault(fragment.index, {"id": "", "name": "", "arguments": ""})
        call["id"] = fragment.id or call["id"]
        call["name"] += fragment.function.get("name") or ""
        call["arguments"] += fragment.function.get("arguments") or ""


def _finish(told: str) -> FinishReason:
    known: Mapping[str, FinishReason] = {
        "length": "length", "tool_calls": "tool_calls", "content_filter": "content_filter",
    }  # fmt: skip
    return known.get(told, "stop")


async def _refusal(response: httpx2.Response, who: str) -> Exception:
    """Name what the server refused; its own words are passed on."""
    said = (await response.aread())[:2000].decode("utf-8", "replace")
    try:
        told = json.loads(said)
        error = told.get("error", told) if isinstance(told, dict) else {}
        message = str(error.get("message", said)) if isinstance(error, dict) else str(error)
    except json.JSONDecodeError:
        message = said
    reason = f"{who} answered {response.status_code}: {' '.join(message.split())[:300]}"
    if response.status_code in {429, 503}:
        wait = response.headers.get("retry-after", "")
        return ModelBusyError(reason, retry_after_s=int(wait) if wait.isdecimal() else 1)
    if response.status_code == 400 and is_too_long(said):
        return ContextLengthError(None, None, told=reason)
    if response.status_code in {400, 413, 422}:
        return RequestError([FieldError(field="messages", message=reason)])
    return GenerationError(reason)


def _why(error: httpx2.HTTPError) -> str:
    return str(error) or type(error).__name__
