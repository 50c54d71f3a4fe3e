"""The service's abilities as MCP tools: classify an image, list training runs, compare models."""

import base64
import binascii
from collections.abc import Callable

from pydantic import BaseModel, Field

from p2_nn_service.contracts import Classification, RunRecord, ServedModel, Variant
from p2_nn_service.errors import PictureError
from p2_nn_service.live import LiveClassifier
from p2_nn_service.runs import list_runs as read_runs
from p2_nn_service.settings import Settings

HELD_OUT = "held_out_accuracy"


class ClassifiedImage(BaseModel):
    """What an image is taken for, by which model."""

    model: ServedModel
    classification: Classification


class TrainedModel(BaseModel):
    """A training run or a published graph, as far as models are compared by it."""

    name: str
    dataset: str
    variant: Variant
    accuracy: float | None = Field(description="Share of held-out images that are right.")
    n_parameters: int
    n_flops: int = Field(description="Multiply-adds of one image.")
    train_s: float
    latency_ms: float | None = Field(description="Of one image, one thread; null if not measured.")


def network_tools(live: LiveClassifier, settings: Settings) -> tuple[Callable[..., object], ...]:
    """Make the tools."""

    async def classify_image(image_base64: str, top: int = 5) -> ClassifiedImage:
        """Classify an image given as base64 of a PNG, JPEG, WebP, GIF or BMP file.

        Says the likeliest classes, and whether the image is unlike what the model learned from.
        """
        found = await live.classify_pictures([_decoded(image_base64)], top=max(1, top))
        return ClassifiedImage(model=found.model, classification=found.classifications[0])

    def list_runs(limit: int = 20) -> list[RunRecord]:
        """List training runs, the newest first: data set, model, recipe, state and figures."""
        return read_runs(settings.data_dir)[: max(1, limit)]

    def compare_models() -> list[TrainedModel]:
        """Compare the served model's graphs and all finished runs: accuracy, size, cost, time."""
        served = _served(live) if live.is_ready() else []
        runs = [_of_run(one) for one in read_runs(settings.data_dir) if one.status == "finished"]
        return sorted([*served, *runs], key=lambda one: -(one.accuracy or 0.0))

    return (classify_image, list_runs, compare_models)


def _decoded(text: str) -> bytes:
    _, comma, content = text.partition(",")  # a data URL's own words are of no use
    try:
        return base64.b64decode(content if comma else text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise PictureError(f"is not base64: {error}", field="image_base64") from error


def _served(live: LiveClassifier) -> list[TrainedModel]:
    served, card = live.served, live.current.card
    return [
        TrainedModel(
            name=f"{served.name} version {served.version} ({card.preset})",
            dataset=card.dataset,
            variant=one.variant,
            accuracy=one.accuracy.value,
            n_parameters=one.n_parameters,
            n_flops=one.n_flops,
            train_s=one.train_s,
            latency_ms=one.latency_ms,
        )
        for one in card.variants
    ]


def _of_run(record: RunRecord) -> TrainedModel:
    return TrainedModel(
        name=record.id,
        dataset=record.dataset,
        variant="fp32",
        accuracy=record.metrics.get(HELD_OUT),
        n_parameters=record.n_parameters,
        n_flops=record.n_flops,
        train_s=record.train_s,
        latency_ms=None,
    )
