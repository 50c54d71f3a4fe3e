"""The classifier that answers now; `common.models.following` replaces it without a dropped request.

What is P2's own: bodies of every form become pixels, answers are counted by label and strangeness,
and a version for another kind of image is refused. Read next: `classifier.py`, `asking.py`.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from common.models import ModelVersion, Registry
from common.models.following import AliasFollower
from common.request_ids import random_id
from common.serving import ModelMetadata
from common.serving.inference import ModelUnavailableError
from common.telemetry import Telemetry
from numpy.typing import NDArray
from pydantic_core import from_json, to_json
from typing_extensions import override

from p2_nn_service.answers import NO_PREPARATION, AnswerWriter, Extras
from p2_nn_service.asking import N_DECODERS, Asked, Reader
from p2_nn_service.classifier import Answer, Classifier, load
from p2_nn_service.contracts import Classifications, Prepared, PreparedImages, ServedModel
from p2_nn_service.errors import OtherTaskError, TooManyImagesError
from p2_nn_service.saliency import saliency
from p2_nn_service.settings import Settings


class LiveClassifier(AliasFollower[Classifier]):
    """Keeps the alias's version loaded; an `InferenceModel` too."""

    def __init__(
        self, settings: Settings, telemetry: Telemetry, *, registry: Registry | None = None
    ) -> None:
        def loaded(version: ModelVersion, folder: Path) -> Classifier:
            return load(version, folder, settings, telemetry)

        super().__init__(
            settings,
            telemetry,
            model=settings.model,
            alias=settings.alias,
            poll_s=settings.poll_s,
            load=loaded,
            check=check_same_task,
            how_to_publish="`p2-nn-service train` (needs ai-roadmap-p2-nn-service[train])",
            registry=registry,
        )
        self._settings = settings
        self._decoders = ThreadPoolExecutor(N_DECODERS, thread_name_prefix="decode")
        self._served_json = ""
        self._reader: Reader | None = None
        self.on_swap.append(self._follow)
        self._answers = telemetry.tally(
            "classifications_total", "Images classified, by label.", ("label", "version")
        )
        self._strange = telemetry.counter(
            "strange_images_total", "Images unlike what the model learned from."
        )

    @override
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await super().__aexit__(kind, error, traceback)
        self._decoders.shutdown(wait=False)

    def _follow(self) -> None:
        current = self.current
        self._reader = Reader(current.card, self._settings, self._decoders)
        self._served_json = self.served.model_dump_json()

    @property
    def served(self) -> ServedModel:
        """Which model answers now."""
        current = self.current
        return ServedModel(
            name=current.version.model,
            version=current.version.version,
            alias=self.alias,
            variant=current.variant,
        )

    # --------------------------------------------------------------------------- classifying
    async def classify(
        self,
        body: bytes,
        content_type: str,
        *,
        wants_saliency: bool = False,
        top: int | None = None,
    ) -> bytes:
        """Answer a body of any form; see `asking.Reader.read` for what it raises.

        `top` keeps the likeliest classes of each image.
        """
        current, served, reader = self._now()
        asked = await reader.read(body, content_type)
        answer = await self._answer(current, served, asked, wants_saliency=wants_saliency)
        return answer if top is None else _shortened(answer, top).model_dump_json().encode()

    async def classify_pictures(self, files: Sequence[bytes], *, top: int) -> Classifications:
        """Answer picture files with a value."""
        current, served, reader = self._now()
        answer = await self._answer(current, served, await reader.read_pictures(files))
        return _shortened(answer, top)

    async def prepared(self, body: bytes, content_type: str) -> PreparedImages:
        """Show a body of any form as the model would see it; raises what `classify` raises."""
        _, _, reader = self._now()
        pixels, preparation = await reader.read(body, content_type)
        done = [from_json(one) for one in preparation or [NO_PREPARATION] * len(pixels)]
        images = [
            Prepared(pixels=one.tolist(), preparation=words)
            for one, words in zip(pixels, done, strict=True)
        ]
        return PreparedImages(images=tuple(images))

    def _now(self) -> tuple[Classifier, str, Reader]:
        """What answers this request from its beginning to its end, whatever is swapped in."""
        current, reader = self.current, self._reader
        assert reader is not None, "`_follow` ran when the version was swapped in"  # noqa: S101
        return current, self._served_json, reader

    async def _answer(
        self, current: Classifier, served: str, asked: Asked, *, wants_saliency: bool = False
    ) -> bytes:
        limit = self._settings.max_saliency_images
        if wants_saliency and len(asked.pixels) > limit:
            raise TooManyImagesError(
                f"saliency of {len(asked.pixels)} images in one request; at most {limit} are "
                "accepted (MAX_SALIENCY_IMAGES)"
            )
        answer = await current.answer(asked.pixels)
        self._count(current, answer)
        extras = None
        if asked.preparation is not None:
            extras = [Extras(preparation=one) for one in asked.preparation]
        if wants_saliency:
            extras = extras or [Extras()] * len(asked.pixels)
            maps = await saliency(current, asked.pixels, answer)
            extras = [
                Extras(one.preparation, to_json(weights.tolist()).decode())
                for one, weights in zip(extras, maps, strict=True)
            ]
        text = AnswerWriter.close(answer.written.texts[answer.rows], extras)
        made = random_id(64)
        return f'{{"id":"{made}","model":{served},"classifications":[{text}]}}'.encode()

    def _count(self, current: Classifier, answer: Answer) -> None:
        version = str(current.version.version)
        for label in answer.labels:
            self._answers.add((current.card.classes[label], version))
        if n_strange := sum(answer.is_strange):
            self._strange.inc(n_strange)

    # --------------------------------------------------------- as a model of the V2 protocol
    @property
    def name(self) -> str:
        """The model's name in the registry."""
        return self.model

    @property
    def version(self) -> str:
        """The version that answers now."""
        return str(self.current.version.version)

    def metadata(self) -> ModelMetadata:
        """Describe the tensors of the version that answers now."""
        return self.current.metadata()

    async def infer(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Answer raw tensors."""
        if not self.is_ready():
            raise ModelUnavailableError(self.not_ready() or "no model is loaded yet")
        current = self.current
        answer = await current.infer(inputs)
        self._count(current, answer)
        return {name: answer.output(name) for name in answer.outputs}


def check_same_task(current: Classifier, fresh: Classifier) -> None:
    """Raise `OtherTaskError` unless callers of one can be answered by the other.

    The input's shape has to stay, and no class may go; new classes may come.
    """
    was, now = current.card, fresh.card
    if was.shape != now.shape:
        raise OtherTaskError(f"it takes images of {now.shape}, and {was.shape} are served")
    if gone := [name for name in was.classes if name not in now.classes]:
        raise OtherTaskError(
            f"it does not know {', '.join(map(repr, gone[:5]))}; publish it under another name"
        )


def _shortened(answer: bytes, top: int) -> Classifications:
    found = Classifications.model_validate_json(answer)
    kept = [
        one.model_copy(
            update={
                "probabilities": dict(
                    sorted(one.probabilities.items(), key=lambda pair: -pair[1])[:top]
                )
            }
        )
        for one in found.classifications
    ]
    return found.model_copy(update={"classifications": tuple(kept)})
