"""The OpenAI Chat Completions and Embeddings protocol, as far as this service speaks it.

Requests ignore unknown fields, as clients of many versions send them; what is known is checked.
`rag` in a request and in an answer is our extension: see `contracts.py`.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from p3_rag_chatbot.contracts import RagAnswer, RagOptions

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


# ------------------------------------------------------------------------------------- a message
class TextPart(_Wire):
    """A part of a message; images and audio are refused."""

    type: Literal["text"]
    text: str


class FunctionCall(_Wire):
    """A call's name, and its arguments as a JSON text."""

    name: str
    arguments: str


class ToolCall(_Wire):
    """A function that the model wants called."""

    id: str
    type: Literal["function"] = "function"
    function: FunctionCall


class Message(_Wire):
    """One turn of a conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | tuple[TextPart, ...] | None = None
    name: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    tool_call_id: str | None = None

    @field_validator("content", mode="before")
    @classmethod
    def _is_text(cls, value: object) -> object:
        """Refuse images and audio by name, before the kinds of content are tried in turn."""
        parts = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
        for part in parts:
            kind = part.get("type") if isinstance(part, dict) else None
            if isinstance(kind, str) and kind != "text":
                message = "parts of type {kind} are not read by these models; send text"
                raise PydanticCustomError("not_text", message, {"kind": kind[:40]})
        return value

    @property
    def text(self) -> str:
        """The content as one text."""
        if isinstance(self.content, tuple):
            return "\n".join(part.text for part in self.content)
        return self.content or ""


# ------------------------------------------------------------------------------------- a request
class FunctionSpec(_Wire):
    """A function that may be called; `parameters` is a JSON schema of an object."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.\-]{1,128}$")]
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    strict: bool | None = None


class Tool(_Wire):
    """A tool; functions are the only kind."""

    type: Literal["function"]
    function: FunctionSpec


class NamedFunction(_Wire):
    """The name in a `tool_choice`."""

    name: str


class NamedTool(_Wire):
    """A `tool_choice` that names the function to call."""

    type: Literal["function"]
    function: NamedFunction


class JsonSchema(_Wire):
    """What an answer has to be an instance of."""

    name: str = "answer"
    description: str = ""
    schema_: dict[str, Any] = Field(alias="schema", default_factory=dict)
    strict: bool | None = None


class ResponseFormat(_Wire):
    """Free text, any JSON object, or an instance of a schema."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: JsonSchema | None = None


class StreamOptions(_Wire):
    """How an answer is streamed."""

    include_usage: bool = False


class ChatRequest(_Wire):
    """`POST /v1/chat/completions`."""

    model: str = "rag"
    messages: tuple[Message, ...]
    stream: bool = False
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    stop: str | tuple[str, ...] | None = None
    seed: int | None = None
    n: Literal[1] = 1
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] = 0.0
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] = 0.0
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)]] = Field(default_factory=dict)
    logprobs: bool = False
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool = True
    response_format: ResponseFormat | None = None
    user: str | None = None
    rag: RagOptions | None = Field(None, description="Extension: what to answer from, and how.")
    adapter: str | None = Field(
        None, description="Extension: LoRA adapter of the embedded generator; none by default."
    )

    @field_validator("messages", mode="before")
    @classmethod
    def _is_conversation(cls, value: object) -> object:
        if isinstance(value, Sequence) and not value:
            raise PydanticCustomError("empty", "is empty; send at least one message")
        return value

    key_digest: str | None = Field(
        None, exclude=True, description="Not of the wire: who asks; the route sets it."
    )

    @property
    def stops(self) -> tuple[str, ...]:
        """The stop sequences."""
        return (self.stop,) if isinstance(self.stop, str) else self.stop or ()

    @property
    def token_limit(self) -> int | None:
        """Most tokens of the answer, by either of the two names."""
        return self.max_completion_tokens or self.max_tokens


# -------------------------------------------------------------------------------------- an answer
class Usage(_Wire):
    """What an answer took, in tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class TopLogprob(_Wire):
    """A token that was likely at a place."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None


class TokenLogprob(TopLogprob):
    """A token of the answer, and those that were likely in its place."""

    top_logprobs: tuple[TopLogprob, ...] = ()


class Delta(_Wire):
    """A piece of an answer, inside the service: what came since the piece before it."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    rag: RagAnswer | None = None
