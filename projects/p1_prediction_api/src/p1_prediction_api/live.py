"""The model that answers now, and its replacement without a dropped request.

Watches an alias of the registry. A new version is fetched, verified, loaded and tried in a worker
thread; then one assignment swaps it in. Requests that began on the old version finish on it. A
version that cannot be loaded leaves the old one answering, and is said in `/readyz`, the log and a
metric.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast

import structlog
from common.errors import DomainError
from common.models import ModelVersion, Registry, open_registry
from common.models.registry import watch
from common.serving import ModelMetadata
from common.serving.inference import ModelUnavailableError
from common.telemetry import Telemetry
from numpy.typing import NDArray
from pydantic import JsonValue
from pydantic_core import to_json

from p1_prediction_api.bodies import parse_body
from p1_prediction_api.compatibility import check_same_table
from p1_prediction_api.contracts import Predictions, ServedModel
from p1_prediction_api.errors import NoModelError
from p1_prediction_api.loaded import LoadedModel, load
from p1_prediction_api.prediction_log import PredictionLog
from p1_prediction_api.settings import Settings

log = structlog.get_logger()


class LiveModel:
    """Keeps the alias's version loaded; an async context manager and an `InferenceModel`.

    `on_swap` is called after each swap; `shadow`, while there is one, with the id and the JSON body
    of each answered request.
    """

    def __init__(
        self,
        settings: Settings,
        telemetry: Telemetry,
        *,
        predictions: PredictionLog,
        registry: Registry | None = None,
    ) -> None:
        self._settings = settings
        self._log = predictions
        self._telemetry = telemetry
        self._registry = registry
        self._current: LoadedModel | None = None
        self._trouble = ""
        self._watching: asyncio.Task[None] | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._first_look = asyncio.Event()
        self.on_swap: list[Callable[[], None]] = []
        self.shadow: Callable[[str, bytes], None] | None = None
        self._looked_at: int | None = None
        self._looked = asyncio.Condition()
        self._answers = telemetry.tally(
            "predictions_total", "Rows answered, by predicted class.", ("label", "version")
        )
        self._served_json = ""
        self._failures = telemetry.counter(
            "model_load_failures_total", "Versions that could not be loaded."
        )

    async def __aenter__(self) -> Self:
        if self._registry is None:
            cache = self._settings.data_dir / "cache" / "models"
            self._registry = open_registry(self._settings.registry_location, cache_dir=cache)
        self._watching = asyncio.create_task(self._watch(self._registry))
        with contextlib.suppress(TimeoutError):  # a slow registry must not hold up the start
            await asyncio.wait_for(self._first_look.wait(), timeout=5)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._watching is not None:
            self._watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watching
        if self._current is not None:
            await self._retire(self._current)
        await asyncio.gather(*self._retiring)

    # ------------------------------------------------------------------- what the routes ask
    @property
    def current(self) -> LoadedModel:
        """The version that answers now; `NoModelError` before there is one."""
        if self._current is None:
            raise NoModelError(self.not_ready() or "no model is loaded yet")
        return self._current

    @property
    def served(self) -> ServedModel:
        """Which model answers now."""
        version = self.current.version
        return ServedModel(name=version.model, version=version.version, alias=self._settings.alias)

    def not_ready(self) -> str | None:
        """Why no model answers; None when one does."""
        if self._current is not None:
            return None
        name = f"{self._settings.model}@{self._settings.alias}"
        if self._trouble:
            return f"{name}: {self._trouble}"
        return (
            f"there is no model {name} in the registry yet; publish one with "
            "`p1-prediction-api train` (needs ai-roadmap-p1-prediction-api[train])"
        )

    # ------------------------------------------------------- as a model of the V2 protocol
    @property
    def name(self) -> str:
        """The model's name in the registry."""
        return self._settings.model

    @property
    def version(self) -> str:
        """The version that answers now."""
        return str(self.current.version.version)

    def is_ready(self) -> bool:
        """Whether a version is loaded."""
        return self._current is not None

    def metadata(self) -> ModelMetadata:
        """Describe the tensors of the version that answers now."""
        return self.current.metadata()

    async def infer(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
        """Answer raw tensors."""
        if self._current is None:
            raise ModelUnavailableError(self.not_ready() or "no model is loaded yet")
        loaded = self._current
        found = await loaded.infer(inputs)
        outputs = loaded.outputs(found)
        n_rows = len(next(iter(outputs.values())))
        self._count(loaded, _labels(loaded, found.said, n_rows))
        answer = to_json({name: tensor.tolist() for name, tensor in outputs.items()})
        self._record(self._log.new_id(), loaded, n_rows, b"", answer.decode())
        return outputs

    async def predict(self, rows: object, *, body: bytes | None = None) -> Predictions:
        """Answer rows with the version that is live when they arrive; count and log the answers.

        `body` is the JSON that the rows came in, if they did.
        """
        loaded, served = self.current, self.served
        with loaded.quick.sightings.refusals():
            predictions = await loaded.answer(rows, is_watched=True)
        is_class = loaded.signature.task == "classification"
        self._count(loaded, [str(one.prediction) if is_class else "" for one in predictions])
        answered = Predictions(id=self._log.new_id(), model=served, predictions=predictions)
        request = to_json({"rows": rows}) if body is None else body
        answer = to_json(predictions).decode()
        self._record(answered.id, loaded, len(predictions), request, answer)
        return answered

    async def predict_json(self, body: bytes) -> bytes:
        """Answer a JSON body as `predict` answers its rows, the quick way where it can."""
        loaded, served = self.current, self._served_json
        rows = loaded.quick.read(body)
        if rows is None:
            with loaded.quick.sightings.refusals():
                asked = parse_body(body, {"rows"}).get("rows")
            answer = await self.predict(asked, body=body)
            return answer.model_dump_json().encode()
        found = await loaded.quick_batcher.submit(rows, weight=len(rows))
        text = found.json
        if found.strange:
            asked = cast("list[JsonValue]", parse_body(body, {"rows"})["rows"])  # `read` took it
            tensors = loaded.reader.read([asked[k] for k in found.strange])
            warnings = loaded.reader.warnings(tensors)
            text = loaded.quick.with_warnings(found, warnings)
        self._count(loaded, _labels(loaded, found.said, len(rows)))
        made, text = self._log.new_id(), f"[{text}]"
        self._record(made, loaded, len(rows), body, text)
        return f'{{"id":"{made}","model":{served},"predictions":{text}}}'.encode()

    def _record(
        self, made: str, loaded: LoadedModel, n_rows: int, request: bytes, answer: str
    ) -> None:
        version = loaded.version
        self._log.record(
            made,
            model=version.model,
            version=version.version,
            n_rows=n_rows,
            request=request,
            answer=answer,
        )
        if self.shadow is not None and request:
            self.shadow(made, request)

    def _count(self, loaded: LoadedModel, labels: list[str]) -> None:
        """Count answers by label (empty for a number) and version."""
        version = str(loaded.version.version)
        for label, n in Counter(labels).items():
            self._answers.add((label, version), n)

    # ---------------------------------------------------------------------------- swapping
    async def _watch(self, registry: Registry) -> None:
        settings = self._settings
        looked = asyncio.create_task(self._note_first_look(registry))
        try:
            versions = watch(registry, settings.model, settings.alias, poll_s=settings.poll_s)
            async for version in versions:
                await self._swap(registry, version)
                self._first_look.set()
                async with self._looked:
                    self._looked_at = version.version
                    self._looked.notify_all()
        finally:
            looked.cancel()

    async def looked_at(self, version: int) -> None:
        """Wait until the alias was seen on that version, which answers now or is in `ready_but`."""
        async with self._looked:
            await self._looked.wait_for(lambda: self._looked_at == version)

    async def _note_first_look(self, registry: Registry) -> None:
        """Let the start go on once it is known that there is no model."""
        try:
            await asyncio.to_thread(registry.resolve, self._settings.model, self._settings.alias)
        except DomainError as error:
            self._trouble = "" if "there is no model" in str(error) else str(error)
            self._first_look.set()

    async def _swap(self, registry: Registry, version: ModelVersion) -> None:
        if self._current is not None and self._current.version == version:
            # The alias is back from a version that never answered: this one did all along.
            self._trouble = ""
            log.info("model_kept", model=version.model, version=version.version)
            return
        try:
            folder: Path = await asyncio.to_thread(registry.fetch, version)
            fresh = await asyncio.to_thread(load, version, folder, self._settings, self._telemetry)
            if self._current is not None and not self._settings.allow_other_tables:
                check_same_table(self._current.signature, fresh.signature)
        except DomainError as error:
            self._failures.inc()
            self._trouble = f"version {version.version} cannot be loaded: {error}"
            log.error("model_not_loaded", model=version.model, version=version.version,  # noqa: TRY400 - the message is for a person, the traceback tells no more
                      reason=str(error), still_serving=self._serving())  # fmt: skip
            return
        await fresh.batcher.__aenter__()
        await fresh.quick_batcher.__aenter__()
        old, self._current = self._current, fresh
        self._served_json = self.served.model_dump_json()
        self._trouble = ""
        self._telemetry.model_info(version.model, str(version.version))
        self._log_swap(version, old)
        for tell in self.on_swap:
            tell()
        if old is not None:
            task = asyncio.create_task(self._retire(old))
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)

    @staticmethod
    def _log_swap(version: ModelVersion, old: LoadedModel | None) -> None:
        said = log.bind(model=version.model, version=version.version)
        if old is None:
            said.info("model_loaded")
        else:
            said.info("model_swapped", previous=old.version.version)

    def _serving(self) -> int | None:
        return self._current.version.version if self._current else None

    @staticmethod
    async def _retire(old: LoadedModel) -> None:
        """Let the old version finish what it was asked."""
        await old.batcher.__aexit__(None, None, None)
        await old.quick_batcher.__aexit__(None, None, None)

    def ready_but(self) -> str | None:
        """What keeps the alias's version from answering while an older one does."""
        if self._current is None or not self._trouble:
            return None
        return f"{self._trouble}; version {self._serving()} goes on answering"


def _labels(loaded: LoadedModel, said: list[int], n_rows: int) -> list[str]:
    """Return the class that is said of each row; of numbers empty texts."""
    classes = loaded.signature.classes
    return [classes[k] for k in said] or [""] * n_rows
