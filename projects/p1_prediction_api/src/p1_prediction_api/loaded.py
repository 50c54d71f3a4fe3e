"""One published version, loaded and ready to answer: session, signature, card, row reader, batcher.

Loading proves itself: the file must be ONNX with the inputs the signature names, and must answer
the signature's own example. Knows no registry alias and no HTTP. Read next: `live.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from common.models import ModelVersion
from common.serving import MicroBatcher, ModelMetadata, OnnxModel
from common.serving.inference import check_inputs
from common.telemetry import Telemetry
from numpy.typing import NDArray
from pydantic import ValidationError

from p1_prediction_api.column_model import EXPLAINER_FILE, ColumnModel
from p1_prediction_api.conformal import intervals, prediction_sets
from p1_prediction_api.contracts import ModelCard, Prediction, Signature
from p1_prediction_api.encoding import output_name
from p1_prediction_api.errors import ModelContentError
from p1_prediction_api.explaining import Explainer, load_encoder
from p1_prediction_api.quick import QuickAnswer, QuickModel
from p1_prediction_api.quick_rows import QuickRows
from p1_prediction_api.rows import RowReader
from p1_prediction_api.settings import Settings

MODEL_FILE = "model.onnx"
CARD_FILE = "card.json"

Item = TypeVar("Item")
Answer = TypeVar("Answer")

Tensor = NDArray[Any]
Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class LoadedModel:
    """A version that can answer; it must be entered before `answer` and `infer`."""

    version: ModelVersion
    signature: Signature
    card: ModelCard
    reader: RowReader
    session: OnnxModel
    batcher: MicroBatcher[Tensors, Tensors]
    folder: Path
    quick: QuickModel
    quick_batcher: MicroBatcher[QuickRows, QuickAnswer]

    async def __aenter__(self) -> Self:
        await self.batcher.__aenter__()
        await self.quick_batcher.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish what was asked."""
        await self.batcher.__aexit__(kind, error, traceback)
        await self.quick_batcher.__aexit__(kind, error, traceback)

    @cached_property
    def explainer(self) -> Explainer:
        """What takes answers apart; read at its first use."""
        return Explainer.load(self.folder / EXPLAINER_FILE)

    async def answer(self, rows: object, *, is_watched: bool = False) -> list[Prediction]:
        """Answer a list of rows; raises `RowError` and what the batcher raises.

        What `is_watched` counts as traffic.
        """
        tensors = self.reader.read(rows)
        outputs = await self.batcher.submit(tensors, weight=_n_rows(tensors))
        if is_watched:
            self._watch(tensors, outputs)
        return _predictions(self, outputs, self.reader.warnings(tensors))

    async def infer(self, inputs: Tensors) -> QuickAnswer:
        """Answer raw tensors; raises `InputError` for what does not fit."""
        check_inputs(self.session.inputs, inputs)
        inputs = self.reader.missing.taken_out(inputs)
        sizes = {len(tensor) for tensor in inputs.values()}
        if len(sizes) != 1:
            raise ModelContentError(f"the inputs have different numbers of rows: {sorted(sizes)}")
        rows = self.quick.pack(inputs)
        return await self.quick_batcher.submit(rows, weight=max(1, len(rows)))

    def outputs(self, answer: QuickAnswer) -> dict[str, Tensor]:
        """Return an answer to tensors as the graph's outputs, in their order."""
        return self.quick.outputs(answer, self._outputs)

    @cached_property
    def _outputs(self) -> dict[str, str]:
        """The graph's names for its outputs."""
        is_number = self.signature.task == "regression"
        wanted = ["prediction"] if is_number else ["probabilities", "label"]
        return {one: self.output(one) for one in wanted}

    def _watch(self, tensors: Tensors, outputs: Tensors) -> None:
        of = "prediction" if self.signature.task == "regression" else "probabilities"
        self.quick.sightings.saw(tensors, outputs[self.output(of)])

    def output(self, wanted: str) -> str:
        """Return the graph's name for `label`, `probabilities` or `prediction`."""
        return output_name(wanted, [spec.name for spec in self.session.inputs])

    def metadata(self) -> ModelMetadata:
        """Describe the tensors."""
        return ModelMetadata("onnx_onnxv1", self.session.inputs, self.session.outputs)


def load(
    version: ModelVersion, folder: Path, settings: Settings, telemetry: Telemetry | None = None
) -> LoadedModel:
    """Load a fetched version; `ModelContentError` or `ModelFileError` when it cannot answer."""
    try:
        signature = Signature.model_validate(version.signature)
        card = ModelCard.model_validate_json((folder / CARD_FILE).read_text(encoding="utf-8"))
    except (OSError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise ModelContentError(
            f"{version.model} version {version.version} is not a prediction model: {reason}"
        ) from error
    session = OnnxModel.load(folder / MODEL_FILE)
    named = {feature.name for feature in signature.features}
    if {spec.name for spec in session.inputs} != named:
        raise ModelContentError(
            f"{version.model} version {version.version}: the graph's inputs are not the signature's"
        )
    reader = RowReader(signature, max_rows=settings.max_rows)
    session.run(reader.read([{f.name: f.example for f in signature.features}]))
    quick = _quick(folder, signature, card, settings)

    def batched(run: Callable[[Sequence[Item]], Sequence[Answer]]) -> MicroBatcher[Item, Answer]:
        return MicroBatcher(
            run,
            max_batch=settings.max_batch_rows,
            max_queue=settings.max_queued_rows,
            name=version.model,
            telemetry=telemetry,
        )

    return LoadedModel(
        version,
        signature,
        card,
        reader,
        session,
        batched(lambda items: run_batch(session, items)),
        folder,
        quick,
        batched(quick.run),
    )


def _quick(folder: Path, signature: Signature, card: ModelCard, settings: Settings) -> QuickModel:
    encoder = load_encoder(folder / EXPLAINER_FILE)
    model = ColumnModel.load(folder)
    return QuickModel(signature, card, encoder, model, max_rows=settings.max_rows)


def run_batch(session: OnnxModel, items: Sequence[Tensors]) -> list[Tensors]:
    """Run several requests as one: join their rows, run, cut the answers apart."""
    if len(items) == 1:
        return [session.run_unchecked(items[0])]
    joined = {name: np.concatenate([item[name] for item in items]) for name in items[0]}
    outputs = session.run_unchecked(joined)
    ends = np.cumsum([_n_rows(item) for item in items])[:-1]
    parts = {name: np.split(value, ends) for name, value in outputs.items()}
    return [{name: parts[name][k] for name in parts} for k in range(len(items))]


def _n_rows(tensors: Tensors) -> int:
    return len(next(iter(tensors.values())))


def _predictions(
    loaded: LoadedModel, outputs: Tensors, warnings: list[list[str]]
) -> list[Prediction]:
    signature, uncertainty = loaded.signature, loaded.card.uncertainty
    if signature.task == "regression":
        numbers = outputs[loaded.output("prediction")]
        ends: list[tuple[float, float]] | list[None] = [None] * len(numbers)
        if uncertainty is not None:
            low, high = intervals(numbers.astype(np.float64), uncertainty.bins)
            ends = [(_seven(a), _seven(b)) for a, b in zip(low, high, strict=True)]
        return [
            Prediction(prediction=_seven(number), interval=interval, warnings=told)
            for number, interval, told in zip(numbers.tolist(), ends, warnings, strict=True)
        ]
    table, classes = outputs[loaded.output("probabilities")], signature.classes
    sets: list[list[str]] | list[None] = [None] * len(table)
    if uncertainty is not None and uncertainty.set_threshold is not None:
        held = prediction_sets(table, uncertainty.set_threshold).tolist()
        sets = [[c for c, is_in in zip(classes, row, strict=True) if is_in] for row in held]
    labels = outputs[loaded.output("label")].tolist()
    rows = zip(labels, table.tolist(), sets, warnings, strict=True)
    return [
        Prediction(
            prediction=str(label),
            probabilities={c: round(p, 7) for c, p in zip(classes, row, strict=True)},
            prediction_set=plausible,
            warnings=told,
        )
        for label, row, plausible, told in rows
    ]


def _seven(number: float) -> float:
    """Round to what a float32 holds."""
    return float(f"{number:.7g}")
