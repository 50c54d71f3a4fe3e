"""A chat request as llama.cpp takes it, and its pieces as this service tells them. Pure functions.

What a request leaves open is as the model's authors advise; what it says is all that is done: no
top-k, no minimum probability and no penalty beside those of the OpenAI protocol.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from common.errors import FieldError

from p3_rag_chatbot.errors import ContextLengthError, GenerationError, ModelBusyError, RequestError
from p3_rag_chatbot.generating.llama import Json
from p3_rag_chatbot.openai_contracts import (
    ChatRequest,
    Delta,
    FinishReason,
    Message,
    TokenLogprob,
    TopLogprob,
    Usage,
)

TEMPERATURE, TOP_P = 0.2, 0.9
"""As the model card of SmolLM2-135M-Instruct advises."""
ROLES = {"developer": "system"}
NO_JSON = "Z"
"""No JSON text begins so, in any vocabulary that has the letter."""


def asked(
    request: ChatRequest, *, seed: int, max_new_tokens: int, n_context: int
) -> dict[str, Any]:
    """Write a request as the body of llama.cpp's chat completions."""
    limit = request.token_limit or max_new_tokens
    body: dict[str, Any] = {
        "messages": turns(request.messages),
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,  # a piece for each part of the prompt: it can be stopped there
        "max_tokens": min(limit, n_context),
        "temperature": TEMPERATURE if request.temperature is None else request.temperature,
        "top_p": TOP_P if request.top_p is None else request.top_p,
        "top_k": 0,
        "min_p": 0.0,
        "repeat_last_n": n_context,  # penalties count the whole text
        "presence_penalty": request.presence_penalty,
        "frequency_penalty": request.frequency_penalty,
        "seed": (seed if request.seed is None else request.seed) % 2**32,
        "cache_prompt": request.seed is None,  # read on from a cache, sums differ a little
        "stop": [one for one in request.stops if one],
        "logit_bias": _biases(request.logit_bias),
    }
    if request.logprobs:
        body |= {"logprobs": True, "top_logprobs": max(1, request.top_logprobs or 0)}
    return body


def chosen(adapter: str | None, known: Sequence[str]) -> list[dict[str, float]]:
    """Switch one adapter on, or none: each is told, as llama.cpp knows them by their order."""
    if adapter is not None and adapter not in known:
        accepted = ", ".join(known) or "none is installed"
        raise RequestError(
            [FieldError(field="adapter", message="is not an adapter", accepted=accepted)]
        )
    return [{"id": k, "scale": float(name == adapter)} for k, name in enumerate(known)]


def probe(grammar: str, no_json: int) -> dict[str, Any]:
    """Write a request whose one token is `no_json` unless the grammar is enforced.

    llama.cpp goes on without a grammar that it cannot read, and says so in its log alone.
    """
    return {
        "messages": [{"role": "user", "content": ""}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 1,
        "temperature": 0.0,
        "grammar": grammar,
        "logit_bias": [(no_json, 100.0)],
    }


def turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Write messages as the chat template takes them: a role and a text each."""
    return [{"role": ROLES.get(one.role, one.role), "content": _text(one)} for one in messages]


def _text(message: Message) -> str:
    """Return a message's text; calls that the model made are told as the JSON it wrote."""
    if not message.tool_calls:
        return message.text
    calls = [
        {"name": call.function.name, "arguments": call.function.arguments}
        for call in message.tool_calls
    ]
    return "\n".join(part for part in (message.text, json.dumps(calls)) if part)


def _biases(biases: Mapping[str, float]) -> list[tuple[int, float]]:
    wrong = [one for one in biases if not one.isdecimal()]
    if wrong:
        raise RequestError(
            [
                FieldError(
                    field=f"logit_bias.{one[:40]}", message="is not a token", accepted="its number"
                )
                for one in wrong[:3]
            ]
        )
    return [(int(token), bias) for token, bias in biases.items()]


def delta(piece: Json, *, n_top: int) -> Delta | None:
    """Read a piece of an answer; None for one that brings nothing, such as the prompt's progress.

    Raises what a piece with `error` says.
    """
    if "error" in piece:
        raise failure(piece["error"])
    usage = _usage(piece.get("usage"))
    if not piece["choices"]:
        return Delta(usage=usage) if usage else None
    choice = piece["choices"][0]
    text = choice["delta"].get("content") or ""
    logprobs = _logprobs(choice.get("logprobs"), n_top)
    finish: FinishReason | None = choice["finish_reason"]
    if not (text or logprobs or finish):
        return None
    return Delta(text=text, logprobs=logprobs, finish_reason=finish, usage=usage)


def failure(error: Json) -> Exception:
    """Name what llama.cpp refused."""
    message = str(error.get("message", "no reason given"))
    if error.get("type") == "exceed_context_size_error":
        return ContextLengthError(int(error["n_prompt_tokens"]), int(error["n_ctx"]))
    if error.get("code") == 503:
        return ModelBusyError(message)
    return GenerationError(message)


def _usage(told: Json | None) -> Usage | None:
    if told is None:
        return None
    n_prompt, n_answer = told["prompt_tokens"], told["completion_tokens"]
    return Usage(
        prompt_tokens=n_prompt, completion_tokens=n_answer, total_tokens=n_prompt + n_answer
    )


def _logprobs(told: Json | None, n_top: int) -> tuple[TokenLogprob, ...]:
    if not told:
        return ()
    return tuple(
        TokenLogprob(
            token=one["token"],
            logprob=one["logprob"],
            bytes=tuple(one["bytes"]),
            top_logprobs=tuple(
                TopLogprob(token=top["token"], logprob=top["logprob"], bytes=tuple(top["bytes"]))
                for top in one["top_logprobs"][:n_top]
            ),
        )
        for one in told["content"]
    )
