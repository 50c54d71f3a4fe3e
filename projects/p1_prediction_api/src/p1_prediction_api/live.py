"""The model that answers now; `common.models.following` replaces it without a dropped request.

What is P1's own: answers are counted and logged, the quick way is taken where it can be, and a
version of another table is refused.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from common.models import ModelVersion, Registry
from common.models.following import AliasFollower
from common.serving import ModelMetadata
from common.serving.inference import ModelUnavailableError
from common.telemetry import Telemetry
from numpy.typing import NDArray
from pydantic import JsonValue
from pydantic_core import to_json

from p1_prediction_api.bodies import parse_body
from p1_prediction_api.compatibility import check_same_table
from p1_prediction_api.contracts import Predictions, ServedModel
from p1_prediction_api.loaded import LoadedModel, load
from p1_prediction_api.prediction_log import PredictionLog
from p1_prediction_api.settings import Settings


class LiveModel(AliasFollower[LoadedModel]):
    """Keeps the alias's version loaded; an `InferenceModel` too.

    `shadow` is called, while there is one, with the id and the JSON body of each answered request.
    """

    def __init__(
        self,
        settings: Settings,
        telemetry: Telemetry,
        *,
        predictions: PredictionLog,
        registry: Registry | None = None,
    ) -> None:
        def loaded(version: ModelVersion, folder: Path) -> LoadedModel:
            return load(version, folder, settings, telemetry)

        def check(current: LoadedModel, fresh: LoadedModel) -> None:
            if not settings.allow_other_tables:
                check_same_table(current.signature, fresh.signature)

        super().__init__(
            settings,
            telemetry,
            model=settings.model,
            alias=settings.alias,
            poll_s=settings.poll_s,
            load=loaded,
            check=check,
            how_to_publish="`p1-prediction-api train` (needs ai-roadmap-p1-prediction-api[train])",
            registry=registry,
        )
        self._log = predictions
        self.shadow: Callable[[str, bytes], None] | None = None
        self._answers = telemetry.tally(
            "predictions_total", "Rows answered, by predicted class.", ("label", "version")
        )
        self._served_json = ""
        self.on_swap.append(self._name_served)

    def _name_served(self) -> None:
        self._served_json = self.served.model_dump_json()

    @property
    def served(self) -> ServedModel:
        """Which model answers now."""
        version = self.current.version
        return ServedModel(name=version.model, version=version.version, alias=self.alias)

    # ------------------------------------------------------- as a model of the V2 protocol
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


def _labels(loaded: LoadedModel, said: list[int], n_rows: int) -> list[str]:
    """Return the class that is said of each row; of numbers empty texts."""
    classes = loaded.signature.classes
    return [classes[k] for k in said] or [""] * n_rows
