"""The routes of the classifier: classify, and what the model is. Thin: parse, ask, answer."""

from typing import Annotated, Any

from common.errors import ProblemType
from common.models.following import NoModelError
from common.serving.openinference import INFERENCE_PROBLEMS
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from p2_nn_service.asking import FORM, JSON
from p2_nn_service.contracts import (
    Classifications,
    Mistake,
    ModelDescription,
    PreparedImages,
)
from p2_nn_service.errors import (
    ClassifyRequestError,
    ContentTypeError,
    ModelContentError,
    PictureError,
    PictureTooLargeError,
    TooManyImagesError,
)
from p2_nn_service.live import LiveClassifier

CLASSIFY_PATH = "/v1/classify"
IMAGE_TYPES = ("image/png", "image/jpeg", "image/webp")
CLASSIFY_PROBLEMS: dict[type[Exception], ProblemType] = {
    **INFERENCE_PROBLEMS,
    PictureError: ProblemType(
        "unreadable-image", "An image cannot be read", 422, "`errors` names the image and says why."
    ),
    PictureTooLargeError: ProblemType(
        "image-too-large", "An image is too large", 413, "Send it smaller."
    ),
    ClassifyRequestError: ProblemType(
        "invalid-images",
        "The request does not fit the model",
        422,
        "GET /v1/model shows the shape.",
    ),
    TooManyImagesError: ProblemType(
        "too-many-images", "Too many images in one request", 413, "Send fewer at a time."
    ),
    ContentTypeError: ProblemType(
        "unsupported-media-type", "That type of content is not classified", 415
    ),
    NoModelError: ProblemType("no-model", "No model is loaded yet", 503, "Train and publish one."),
    ModelContentError: ProblemType("invalid-tensors", "The tensors do not fit together", 400),
}

WantsSaliency = Annotated[
    bool, Query(description="Say, cell by cell, where in the image the evidence for its label is.")
]
Top = Annotated[int | None, Query(ge=1, description="Only the likeliest classes of each image.")]


def classify_router(live: LiveClassifier) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/v1", tags=["classification"])

    @router.post("/classify", response_model=Classifications, openapi_extra=_CLASSIFY_DOC)
    async def classify(
        request: Request, *, saliency: WantsSaliency = False, top: Top = None
    ) -> Response:
        """Classify images: files of a form, one file as the body, or arrays of pixels."""
        content_type = request.headers.get("content-type", "")
        answer = await live.classify(
            await request.body(), content_type, wants_saliency=saliency, top=top
        )
        return Response(answer, media_type=JSON)

    @router.post("/prepare", openapi_extra=_CLASSIFY_DOC)
    async def prepare(request: Request) -> PreparedImages:
        """Show images as the model would see them, and say what was done to get there."""
        content_type = request.headers.get("content-type", "")
        return await live.prepared(await request.body(), content_type)

    @router.get("/model")
    async def model() -> ModelDescription:
        """Describe the model that answers now: what it knows, how good it is, how it was made."""
        current = live.current
        return ModelDescription(
            model=live.served,
            created_at=current.version.created_at,
            card=current.card.model_copy(update={"mistakes": ()}),
            n_mistakes=len(current.card.mistakes),
            code_revision=current.version.code_revision,
            trouble=live.ready_but() or "",
        )

    @router.get("/model/mistakes")
    async def mistakes() -> tuple[Mistake, ...]:
        """Show held-out images that the model is surest and wrongest of, the surest first."""
        return live.current.card.mistakes

    return router


_PIXELS: dict[str, Any] = {
    "type": "object",
    "required": ["pixels"],
    "additionalProperties": False,
    "properties": {
        "pixels": {
            "type": "array",
            "items": {},
            "description": "Numbers from 0 to 1 (or from 0 to 255) in lists of the model's shape, "
            "which `card.shape` of GET /v1/model names: height by width, with channels first where "
            "there are several; or a list of such images.",
        }
    },
}
_FILE: dict[str, Any] = {"type": "string", "format": "binary"}
_CLASSIFY_DOC: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": _PIXELS},
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["image"],
                    "properties": {"image": {"type": "array", "minItems": 1, "items": _FILE}},
                }
            },
            **{name: {"schema": _FILE} for name in IMAGE_TYPES},
        },
    }
}
