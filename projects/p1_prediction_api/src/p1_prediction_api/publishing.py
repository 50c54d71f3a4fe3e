"""A training run into the registry: the ONNX file, its card, signature and training profile.

The export is proved equal once more on the very file that is published. The run is recorded in
MLflow as well, when that is installed.
"""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import structlog
from common.models import ModelVersion, open_registry
from common.models.registry import check_name
from common.service.health import code_revision

from p1_prediction_api.column_model import AFTER_TREES_FILE, COLUMNS_FILE, EXPLAINER_FILE
from p1_prediction_api.diagnosis import render_html
from p1_prediction_api.export import (
    explainer,
    export,
    export_after_trees,
    export_columns,
    prove_bits,
    prove_parity,
    tensors,
    with_strangers,
)
from p1_prediction_api.monitoring.learning import learn_reference
from p1_prediction_api.monitoring.reference import MONITORING_FILE, Reference
from p1_prediction_api.settings import Settings

if TYPE_CHECKING:
    from p1_prediction_api.diagnosis import Diagnosis
    from p1_prediction_api.training import TrainingRun

log = structlog.get_logger()

MODEL_FILE = "model.onnx"
CARD_FILE = "card.json"
PROFILE_FILE = "profile.json"
DIAGNOSIS_FILE = "diagnosis.json"
REPORT_FILE = "report.html"
READING_FILE = "reading.json"
SCHEMA_FILE = "schema.json"


def publish(
    run: "TrainingRun",
    *,
    model: str,
    alias: str | None,
    settings: Settings,
    diagnosis: "Diagnosis | None" = None,
) -> ModelVersion:
    """Publish a run as the next version of `model`, and move `alias` to it.

    `diagnosis` is published with it, as JSON and as the report that the service shows.
    """
    check_name(model, "the model name")
    settings.prepare_data_dir()
    registry = open_registry(
        settings.registry_location, cache_dir=settings.data_dir / "cache" / "models"
    )
    metrics = {name: figure.value for name, figure in run.card.metrics.items()}
    with tempfile.TemporaryDirectory(prefix="p1-publish-") as folder:
        files = Path(folder)
        export(run.published, files / MODEL_FILE)
        held_out = with_strangers(run.data, run.data.X.iloc[run.split.test])
        prove_parity(run.published, files / MODEL_FILE, held_out)
        export_columns(run.published, files / COLUMNS_FILE)
        prove_parity(run.published, files / COLUMNS_FILE, held_out)
        explainer(run.published).save(files / EXPLAINER_FILE)
        export_after_trees(run.published, files / AFTER_TREES_FILE)
        prove_bits(run.published, files, held_out)
        reference = _reference(run)
        (files / MONITORING_FILE).write_text(reference.model_dump_json(), encoding="utf-8")
        (files / CARD_FILE).write_text(run.card.model_dump_json(indent=2), encoding="utf-8")
        (files / PROFILE_FILE).write_text(run.data.profile.to_json(), encoding="utf-8")
        (files / READING_FILE).write_text(run.reading.model_dump_json(indent=2), encoding="utf-8")
        (files / SCHEMA_FILE).write_text(run.schema.model_dump_json(indent=2), encoding="utf-8")
        if diagnosis is not None:
            (files / DIAGNOSIS_FILE).write_text(diagnosis.to_json(), encoding="utf-8")
            (files / REPORT_FILE).write_text(render_html(diagnosis), encoding="utf-8")
        version = registry.publish(
            model,
            files,
            metrics=metrics,
            signature=json.loads(run.signature.model_dump_json()),
            data_fingerprint=run.data.fingerprint,
            code_revision=code_revision(),
            description=run.card.verdict,
            tags={"task": run.signature.task, "candidate": run.chosen.name},
            alias=alias,
        )
    _track(run, version, metrics, settings)
    return version


def _reference(run: "TrainingRun") -> Reference:
    """Describe the rows and the answers that are expected.

    Rows are encoded as what is published encodes them; the answers are its twin's, which did not
    learn from the held-out rows.
    """
    data, split = run.data, run.split
    encoder = explainer(run.published).encoder
    train, held_out = (
        encoder.encode(tensors(data, data.X.iloc[rows])) for rows in (split.train, split.test)
    )
    answers = run.fitted.predict(data.X.iloc[split.test]).astype(np.float32)
    return learn_reference(run.signature, encoder, train, held_out, answers)


def _track(
    run: "TrainingRun", version: ModelVersion, metrics: dict[str, float], settings: Settings
) -> None:
    from common.models.tracking import record_run  # noqa: PLC0415 - looks for MLflow

    record_run(
        settings.data_dir,
        experiment=version.model,
        run_name=f"{version.model}-v{version.version}",
        params={
            "candidate": run.chosen.name,
            "target": run.signature.target,
            "split": run.card.split,
            "n_train": str(run.card.n_train),
            "seed": str(run.card.seed),
            "data_fingerprint": version.data_fingerprint,
        },
        metrics=metrics,
        tags={"model_version": str(version.version), "code_revision": version.code_revision},
    )
