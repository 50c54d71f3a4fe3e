"""The Open Inference Protocol V2 (KServe) over REST, for any `InferenceModel`.

Failures are problem details with an `error` member, which is where the protocol's clients look.
The router reads request bodies itself: they may be JSON, binary or compressed.
"""

from collections.abc import Callable, Mapping, Sequence

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import JSONResponse, Response

from common.errors import PROBLEM_MEDIA_TYPE, DomainError, Problem, ProblemType
from common.request_ids import request_ids
from common.serving.batcher import BatcherClosedError, DeadlineExceededError, QueueFullError
from common.serving.inference import (
    InferenceModel,
    InputError,
    ModelUnavailableError,
    TensorSpec,
)
from common.serving.wire import (
    HEADER_LENGTH,
    InferenceRequestError,
    build_answer,
    inflate,
    parse_request,
)

EXTENSIONS = ("binary_tensor_data",)

INVALID_TENSOR = ProblemType("invalid-tensor", "A tensor is not accepted", 400)
INVALID_REQUEST = ProblemType("invalid-inference-request", "Not an inference request", 400)
UNKNOWN_MODEL = ProblemType("unknown-model", "There is no such model or version", 404)
OVERLOADED = ProblemType("overloaded", "The model is busy", 503, "Wait as Retry-After says.")
UNAVAILABLE = ProblemType("model-unavailable", "The model cannot answer now", 503)
TOO_LATE = ProblemType("deadline-exceeded", "The model was busy past the deadline", 503)


class UnknownModelError(DomainError):
    """No model or version of that name is served here."""


INFERENCE_PROBLEMS: Mapping[type[Exception], ProblemType] = {
    InputError: INVALID_TENSOR,
    InferenceRequestError: INVALID_REQUEST,
    QueueFullError: OVERLOADED,
    DeadlineExceededError: TOO_LATE,
    BatcherClosedError: UNAVAILABLE,
    ModelUnavailableError: UNAVAILABLE,
    UnknownModelError: UNKNOWN_MODEL,
}
"""How a service answers the errors of `common.serving`; its own table may start from it."""


class ServerMetadata(BaseModel):
    """Answer of `GET /v2`."""

    name: str
    version: str
    extensions: tuple[str, ...] = EXTENSIONS


class TensorMetadata(BaseModel):
    """Name, datatype and shape of a tensor; -1 may vary."""

    name: str
    datatype: str
    shape: tuple[int, ...]


class ModelMetadataAnswer(BaseModel):
    """Answer of `GET /v2/models/{name}`."""

    name: str
    versions: tuple[str, ...]
    platform: str
    inputs: tuple[TensorMetadata, ...]
    outputs: tuple[TensorMetadata, ...]


class Live(BaseModel):
    """Answer of the health routes."""

    live: bool = True


class Ready(BaseModel):
    """Answer of the readiness routes."""

    ready: bool


def openinference_router(
    models: Callable[[], Sequence[InferenceModel]],
    *,
    server_name: str,
    server_version: str,
    max_body_bytes: int = 10 * 1024 * 1024,
    problems: Mapping[type[Exception], ProblemType] | None = None,
) -> APIRouter:
    """Make the routes below `/v2`.

    `models` is asked at each request, so that a swap shows at once. `max_body_bytes` bounds what a
    compressed body may inflate to. `problems` adds a service's own errors to the table.
    """
    router = APIRouter(prefix="/v2", tags=["Open Inference Protocol V2"])
    table = {**INFERENCE_PROBLEMS, **(problems or {})}
    served = _Served(models, table)
    about = ServerMetadata(name=server_name, version=server_version)
    _add_server_routes(router, served, about)
    _add_model_routes(router, served)
    _add_infer_routes(router, served, max_body_bytes)
    return router


class _Served:
    """The models of a router, found by name, and how its refusals are answered."""

    def __init__(
        self,
        models: Callable[[], Sequence[InferenceModel]],
        table: Mapping[type[Exception], ProblemType],
    ) -> None:
        self.models = models
        self._table = table

    def find(self, name: str, version: str | None) -> InferenceModel:
        for model in self.models():
            if model.name == name and version in {None, model.version}:
                return model
        served = ", ".join(f"{model.name} (version {model.version})" for model in self.models())
        wanted = name if version is None else f"{name} version {version}"
        raise UnknownModelError(f"{wanted} is not served here; served: {served or 'nothing yet'}")

    def versions(self, name: str) -> tuple[str, ...]:
        return tuple(model.version for model in self.models() if model.name == name)

    def refuse(self, request: Request, error: DomainError) -> Response:
        kind = next((self._table[cls] for cls in type(error).__mro__ if cls in self._table), None)
        if kind is None:
            raise error
        ids = request_ids()
        problem = Problem.model_validate(
            {
                "type": kind.uri,
                "title": kind.title,
                "status": kind.status,
                "detail": str(error),
                "instance": request.url.path,
                "request_id": ids.get("request_id", ""),
                "trace_id": ids.get("trace_id", ""),
                "errors": list(error.fields),
                "error": str(error),
            }
        )
        headers: dict[str, str] = getattr(error, "headers", {})
        return Response(problem.model_dump_json(), kind.status, headers, PROBLEM_MEDIA_TYPE)


def _add_server_routes(router: APIRouter, served: _Served, about: ServerMetadata) -> None:
    @router.get("")
    async def server_metadata() -> ServerMetadata:
        """Describe the server."""
        return about

    @router.get("/health/live")
    async def live() -> Live:
        """Say that the server runs."""
        return Live()

    @router.get("/health/ready", response_model=Ready)
    async def ready() -> Response:
        """Say whether every model can answer."""
        models = served.models()
        return _ready(is_ready=bool(models) and all(model.is_ready() for model in models))


def _add_model_routes(router: APIRouter, served: _Served) -> None:
    @router.get("/models/{name}/versions/{version}/ready", response_model=Ready)
    @router.get("/models/{name}/ready", response_model=Ready)
    async def model_ready(request: Request, name: str, version: str | None = None) -> Response:
        """Say whether a model can answer."""
        try:
            return _ready(is_ready=served.find(name, version).is_ready())
        except DomainError as error:
            return served.refuse(request, error)

    @router.get("/models/{name}/versions/{version}", response_model=ModelMetadataAnswer)
    @router.get("/models/{name}", response_model=ModelMetadataAnswer)
    async def model_metadata(
        request: Request, name: str, version: str | None = None
    ) -> ModelMetadataAnswer | Response:
        """Describe a model's tensors."""
        try:
            model = served.find(name, version)
            metadata = model.metadata()
        except DomainError as error:
            return served.refuse(request, error)
        return ModelMetadataAnswer(
            name=model.name,
            versions=served.versions(name),
            platform=metadata.platform,
            inputs=tuple(map(_described, metadata.inputs)),
            outputs=tuple(map(_described, metadata.outputs)),
        )


def _add_infer_routes(router: APIRouter, served: _Served, max_body_bytes: int) -> None:
    @router.post("/models/{name}/versions/{version}/infer", openapi_extra=_INFER_DOC)
    @router.post("/models/{name}/infer", openapi_extra=_INFER_DOC)
    async def infer(request: Request, name: str, version: str | None = None) -> Response:
        """Run a model on named tensors, JSON or binary."""
        try:
            model = served.find(name, version)
            encoding = request.headers.get("content-encoding", "").strip().lower()
            body = inflate(await request.body(), encoding, max_body_bytes)
            asked = parse_request(body, request.headers.get(HEADER_LENGTH))
            answering = model.version
            outputs = await model.infer(asked.inputs)
            content, header_length = build_answer(model.name, answering, asked, outputs)
        except DomainError as error:
            return served.refuse(request, error)
        if header_length is None:
            return Response(content, media_type="application/json")
        headers = {HEADER_LENGTH: str(header_length)}
        return Response(content, headers=headers, media_type="application/octet-stream")


def _ready(*, is_ready: bool) -> Response:
    return JSONResponse(Ready(ready=is_ready).model_dump(), 200 if is_ready else 503)


def _described(spec: TensorSpec) -> TensorMetadata:
    return TensorMetadata(name=spec.name, datatype=spec.datatype, shape=spec.shape)


_TENSOR_DOC = {
    "type": "object",
    "required": ["name", "shape", "datatype"],
    "properties": {
        "name": {"type": "string"},
        "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "datatype": {"type": "string", "example": "FP32"},
        "data": {"type": "array", "items": {}},
        "parameters": {"type": "object"},
    },
}
_INFER_DOC = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["inputs"],
                    "properties": {
                        "id": {"type": "string"},
                        "inputs": {"type": "array", "items": _TENSOR_DOC},
                        "outputs": {"type": "array", "items": {"type": "object"}},
                        "parameters": {"type": "object"},
                    },
                }
            }
        },
    }
}
