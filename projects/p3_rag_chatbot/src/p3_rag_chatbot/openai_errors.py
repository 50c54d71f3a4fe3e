"""Refusals that both readers understand: RFC 9457 problem details with OpenAI's `error` inside.

The OpenAI SDK picks its exception by the status and reads `message`, `type`, `param` and `code` of
`error`; a client of problem details finds its own members beside it. The protocol knows no 422:
what is not valid is 400 here.
"""

import inspect
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from common.errors import PROBLEM_MEDIA_TYPE, DomainError, ProblemType
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import override

from p3_rag_chatbot.errors import (
    ContextLengthError,
    GenerationError,
    ModelBusyError,
    RequestError,
    SchemaError,
    UnknownModelError,
    WeightsError,
)
from p3_rag_chatbot.leaving import ClientLeftError, not_listening
from p3_rag_chatbot.stream_problems import stream_problem

OPENAI_PROBLEMS: dict[type[Exception], ProblemType] = {
    RequestError: ProblemType(
        "invalid-request", "The request does not fit", 400, "Correct the named fields."
    ),
    SchemaError: ProblemType(
        "invalid-schema",
        "The JSON schema cannot be answered to",
        400,
        "`errors` names the place in the schema.",
    ),
    ContextLengthError: ProblemType(
        "context-length",
        "The prompt does not fit into the model",
        400,
        "Shorten the messages, or raise P3_CONTEXT_TOKENS.",
    ),
    UnknownModelError: ProblemType(
        "unknown-model", "There is no such model", 404, "GET /v1/models lists them."
    ),
    ModelBusyError: ProblemType(
        "model-busy", "Too many chats wait for the model", 503, "Wait as Retry-After says."
    ),
    WeightsError: ProblemType(
        "model-not-loaded", "The model is not loaded", 503, "`detail` says what is missing."
    ),
    GenerationError: ProblemType(
        "generation-failed", "The model failed in its answer", 502, "Try again."
    ),
}
CODES: dict[type[Exception], str] = {
    ContextLengthError: "context_length_exceeded",
    UnknownModelError: "model_not_found",
    SchemaError: "invalid_json_schema",
}
INVALID, SERVER = "invalid_request_error", "server_error"


class OpenAIRoute(APIRoute):
    """A route whose refusals carry OpenAI's `error`."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await answer(request)
            except ClientLeftError:
                return not_listening(request)
            except Exception as error:
                handlers = request.app.exception_handlers
                kind = next((one for one in type(error).__mro__ if one in handlers), Exception)
                if kind is Exception:  # nobody expected it: the outermost layer logs and answers
                    raise
                refusal = handlers[kind](request, error)
                refused = await refusal if inspect.isawaitable(refusal) else refusal
                return _with_error(refused, error)

        return handle


def _with_error(refused: Response, error: Exception) -> Response:
    """Add OpenAI's `error` to a problem."""
    problem = json.loads(bytes(refused.body))
    status = 400 if refused.status_code == 422 else refused.status_code
    problem |= {"status": status, "error": error_object(problem, error, status)}
    headers = {
        name: value
        for name, value in refused.headers.items()
        if name not in {"content-length", "content-type"}
    }
    return Response(json.dumps(problem), status, headers, PROBLEM_MEDIA_TYPE)


def error_object(problem: Mapping[str, Any], error: Exception, status: int) -> dict[str, Any]:
    """Say a problem as OpenAI does."""
    fields = problem.get("errors") or []
    return {
        "message": problem.get("detail") or problem.get("title", ""),
        "type": INVALID if status < 500 else SERVER,
        "param": fields[0]["field"] if fields else None,
        "code": CODES.get(type(error)),
    }


def broken_off(error: DomainError, path: str) -> str:
    """Write the event that ends a stream which failed after it began."""
    told = stream_problem(error, OPENAI_PROBLEMS, GenerationError, path)
    problem = told.model_dump()
    problem["error"] = error_object(problem, error, told.status)
    return f"event: error\ndata: {json.dumps(problem)}\n\n"
