"""One published version, loaded and ready to answer: session, card, batcher, writer.

Loading proves itself: the graph must take images of the card's shape, answer one logit a class, and
answer a blank image. Knows no registry alias and no HTTP. Read next: `live.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import numpy as np
from common.models import ModelVersion
from common.serving import MicroBatcher, ModelMetadata, OnnxModel, TensorSpec
from common.serving.inference import InputError, check_inputs
from common.telemetry import Telemetry
from numpy.typing import NDArray
from pydantic import ValidationError

from p2_nn_service.answers import AnswerWriter, Written
from p2_nn_service.contracts import ModelCard, Variant
from p2_nn_service.errors import ModelContentError
from p2_nn_service.settings import Settings

CARD_FILE = "card.json"
GRAPH_FILES: Mapping[Variant, str] = {"fp32": "model.onnx", "int8": "model-int8.onnx"}
INPUT, LOGITS, FEATURES, MAPS = "pixels", "logits", "features", "maps"
STRANGENESS = "strangeness"

Pixels = NDArray[np.float32]
"""Images, float32 of shape (n, channels, height, width), 0 to 1."""
Tensors = Mapping[str, NDArray[Any]]


@dataclass(slots=True)  # a frozen one takes four times as long to make
class Answer:
    """The network's answer to one request: some rows of a batch."""

    written: Written
    rows: slice
    outputs: Tensors
    """Of the whole batch, as `written` is."""

    def output(self, name: str) -> NDArray[Any]:
        """Return the request's own rows of an output."""
        return self.outputs[name][self.rows]

    @property
    def labels(self) -> list[int]:
        """The class that is said of each of the request's images."""
        return self.written.labels[self.rows]

    @property
    def is_strange(self) -> list[bool]:
        """Whether each of the request's images is unlike training."""
        return self.written.is_strange[self.rows]


@dataclass(frozen=True)
class Classifier:
    """A version that can answer; it must be entered before `answer` and `infer`."""

    version: ModelVersion
    card: ModelCard
    variant: Variant
    session: OnnxModel
    batcher: MicroBatcher[Pixels, Answer]
    max_batch: int

    async def __aenter__(self) -> Self:
        await self.batcher.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish what was asked."""
        await self.batcher.__aexit__(kind, error, traceback)

    async def answer(self, pixels: Pixels) -> Answer:
        """Answer images that have the card's shape; raises what the batcher raises."""
        return await self.batcher.submit(pixels, weight=len(pixels))

    async def infer(self, inputs: Tensors) -> Answer:
        """Answer raw tensors; raises `InputError` for what does not fit."""
        check_inputs(self.session.inputs, inputs)
        pixels = inputs[INPUT]
        if len(pixels) == 0:
            raise InputError(INPUT, "it holds no image", "one or more")
        if not np.isfinite(pixels).all():  # binary tensors may hold NaN, which JSON may not
            raise InputError(INPUT, "it holds a number that is not finite", "0 to 1")
        return await self.answer(pixels)

    def metadata(self) -> ModelMetadata:
        """Describe the tensors."""
        return ModelMetadata("onnx_onnxv1", self.session.inputs, self.session.outputs)


def load(
    version: ModelVersion, folder: Path, settings: Settings, telemetry: Telemetry | None = None
) -> Classifier:
    """Load a fetched version; `ModelContentError` or `ModelFileError` when it cannot answer.

    The graph is that of `settings.precision` where the version has it, else the float one.
    """
    name = f"{version.model} version {version.version}"
    try:
        card = ModelCard.model_validate_json((folder / CARD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise ModelContentError(f"{name} is not an image classifier: {reason}") from error
    wanted = cast("Variant", settings.precision)
    variant: Variant = wanted if (folder / GRAPH_FILES[wanted]).is_file() else "fp32"
    session = OnnxModel.load(folder / GRAPH_FILES[variant])
    _check_graph(name, session, card)
    writer = AnswerWriter(card)
    batcher = MicroBatcher[Pixels, Answer](
        lambda items: run_batch(session, writer, items, at_once=settings.max_batch_images),
        max_batch=settings.max_batch_images,
        max_queue=settings.max_queued_images,
        name=version.model,
        telemetry=telemetry,
    )
    return Classifier(version, card, variant, session, batcher, settings.max_batch_images)


def _check_graph(name: str, session: OnnxModel, card: ModelCard) -> None:
    wanted = TensorSpec(INPUT, "FP32", (-1, *card.shape))
    if session.inputs != (wanted,):
        raise ModelContentError(f"{name}: the graph does not take {INPUT} of {wanted.shape}")
    names = {spec.name for spec in session.outputs}
    if missing := [one for one in (LOGITS, STRANGENESS) if one not in names]:
        raise ModelContentError(f"{name}: the graph answers no {' and no '.join(missing)}")
    outputs = session.run({INPUT: np.zeros((2, *card.shape), np.float32)})
    wanted_shapes = {LOGITS: (2, len(card.classes)), STRANGENESS: (2,)}
    for output, shape in wanted_shapes.items():
        if outputs[output].shape != shape:
            raise ModelContentError(
                f"{name}: the graph answers {output} of {outputs[output].shape} to two images; "
                f"{shape} is wanted for {len(card.classes)} classes"
            )


def run_batch(
    session: OnnxModel, writer: AnswerWriter, items: Sequence[Pixels], *, at_once: int
) -> list[Answer]:
    """Run several requests as one: join their images, run, write, cut the answers apart.

    A request of more images than `at_once` is run by parts: what a layer makes of more than a few
    leaves the processor's cache before the next layer reads it, which takes twice as long an image.
    """
    joined = items[0] if len(items) == 1 else np.concatenate(items)
    parts = [
        session.run_unchecked({INPUT: joined[at : at + at_once]})
        for at in range(0, len(joined), at_once)
    ]
    outputs = parts[0]
    if len(parts) > 1:
        outputs = {name: np.concatenate([one[name] for one in parts]) for name in outputs}
    written = writer.write(outputs[LOGITS], outputs[STRANGENESS])
    answers: list[Answer] = []
    start = 0
    for item in items:
        rows = slice(start, start + len(item))
        start = rows.stop
        answers.append(Answer(written, rows, outputs))
    return answers
