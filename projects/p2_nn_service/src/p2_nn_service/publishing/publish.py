"""A trained classifier into the registry: the graphs, proved and measured, and the card.

The order of the work: export, prove parity on every held-out image, calibrate, quantise, measure
both graphs, write the card; only then is anything published. The run is recorded in MLflow as well,
when that is installed.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import structlog
from common.models import ModelVersion
from common.models.opening import registry_of
from common.models.registry import check_name
from common.models.tracking import record_run
from common.service.health import code_revision

from p2_nn_service.classifier import CARD_FILE, GRAPH_FILES, LOGITS, STRANGENESS
from p2_nn_service.contracts import Measured, ModelCard, Strangeness
from p2_nn_service.errors import ExportError
from p2_nn_service.looks import look_of
from p2_nn_service.publishing.calibrating import calibrate
from p2_nn_service.publishing.export import export, halve_weights, prove_parity, run_graph
from p2_nn_service.publishing.measuring import (
    Logits,
    as_pixels,
    confusion,
    figures,
    measured,
    mistakes,
    told_strangers,
)
from p2_nn_service.publishing.model_card import to_markdown
from p2_nn_service.publishing.quantising import N_CALIBRATION, quantise
from p2_nn_service.publishing.strangeness import add_strangeness, fit_strangeness
from p2_nn_service.publishing.verdicts import limits, verdict
from p2_nn_service.settings import Settings
from p2_nn_service.training.classifying import ClassifierRun
from p2_nn_service.training.distributed import best_device
from p2_nn_service.training.examples import logits_of

log = structlog.get_logger()

Report = Callable[[str], None]
MODEL_CARD_FILE = "MODEL_CARD.md"
N_SAMPLE = 6000
"""Training images that strangeness is fitted on."""
MAX_LOSS = 0.003
"""Share of held-out images that int8 may get wrong beyond single precision."""


def publish(
    run: ClassifierRun,
    *,
    model: str,
    alias: str | None,
    settings: Settings,
    report: Report = lambda _: None,
) -> ModelVersion:
    """Publish a run as the next version of `model`, and move `alias` to it.

    Raises `ExportError` when the graph does not answer as the network does; nothing is published.
    """
    check_name(model, "the model name")
    settings.prepare_data_dir()
    registry = registry_of(settings)
    with tempfile.TemporaryDirectory(prefix="p2-publish-") as folder:
        card = write_version(run, Path(folder), settings=settings, report=report)
        version = registry.publish(
            model,
            Path(folder),
            metrics={name: one.value for name, one in card.metrics.items()},
            data_fingerprint=card.data_fingerprint,
            code_revision=code_revision(),
            description=card.verdict,
            tags={"preset": card.preset, "dataset": card.dataset, "run": card.run_id},
            alias=alias,
        )
    published = f"{version.model}:{version.version}"
    run.folder.write(run.record.model_copy(update={"published": published}))
    _track(card, version, settings)
    return version


def write_version(
    run: ClassifierRun, folder: Path, *, settings: Settings, report: Report = lambda _: None
) -> ModelCard:
    """Write a version's files: its graphs and its card, which is returned."""
    if run.record.kind != "images":
        raise ExportError(
            f"run {run.record.id} classifies series; the service answers for images only"
        )
    held_out, graph = run.held_out, folder / GRAPH_FILES["fp32"]
    pixels = as_pixels(held_out)
    report("exporting")
    export(run.network, run.scaling, held_out.shape, graph)
    report("proving that the graph answers as the network does")
    device = best_device()
    trained = logits_of(run.network.to(device), held_out, run.scaling, device).numpy()
    difference = prove_parity(run_graph(graph, pixels), trained)
    sample = run.training.take(slice(0, N_SAMPLE))
    add_strangeness(graph, fit_strangeness(run_graph(graph, as_pixels(sample)), sample.labels))
    halve_weights(graph)
    outputs = run_graph(graph, pixels)
    logits = outputs[LOGITS]
    report("measuring")
    note = f"exported within {difference:.1g} of the network's logits; weights in half precision"
    single = measured("fp32", graph, logits, held_out, run.record).model_copy(update={"note": note})
    report("quantising")
    variants = (single, *_int8(run, folder, single))
    report("looking at strangers")
    card = _card(
        run, logits, variants, told_strangers(graph, outputs[STRANGENESS], held_out, settings)
    )
    (folder / CARD_FILE).write_text(card.model_dump_json(indent=1), encoding="utf-8")
    (folder / MODEL_CARD_FILE).write_text(to_markdown(card), encoding="utf-8")
    return card


def _int8(run: ClassifierRun, folder: Path, single: Measured) -> list[Measured]:
    """Write the int8 graph and describe it; where it loses too much, it is described only."""
    graph = folder / GRAPH_FILES["int8"]
    sample = run.training.take(slice(0, N_CALIBRATION))
    quantise(folder / single.file, as_pixels(sample), graph)
    halve_weights(graph)  # of what stayed in single precision
    logits = run_graph(graph, as_pixels(run.held_out))[LOGITS]
    found = measured("int8", graph, logits, run.held_out, run.record)
    lost = single.accuracy.value - found.accuracy.value
    if lost <= MAX_LOSS:
        return [found.model_copy(update={"note": f"{-lost:+.2%} against fp32"})]
    graph.unlink()
    log.warning("int8_not_published", lost=round(lost, 4), allowed=MAX_LOSS)
    note = f"not published: {lost:.2%} of held-out images lost, {MAX_LOSS:.1%} is allowed"
    return [found.model_copy(update={"note": note})]


def _card(
    run: ClassifierRun, logits: Logits, variants: tuple[Measured, ...], found: Strangeness
) -> ModelCard:
    held_out, record = run.held_out, run.record
    calibration = calibrate(logits, held_out.labels)
    counts = confusion(held_out, logits.argmax(axis=1))
    metrics = figures(held_out, calibration)
    look = look_of(np.asarray(run.training.inputs, np.uint8))
    return ModelCard(
        title=f"{record.dataset}: {record.model}",
        dataset=record.dataset,
        licence=held_out.licence,
        classes=held_out.classes,
        shape=look.shape,
        is_light_on_dark=look.is_light_on_dark,
        centre=look.centre,
        margin=look.margin,
        is_centred_by_mass=look.is_centred_by_mass,
        preset=record.model,
        verdict=verdict(record, metrics["accuracy"], counts),
        metrics=metrics,
        temperature=calibration.temperature,
        strangeness=found,
        variants=variants,
        confusion=counts,
        mistakes=mistakes(held_out, calibration.honest),
        recipe=record.recipe,
        run_id=record.id,
        data_fingerprint=record.dataset_fingerprint,
        limits=limits(run.training, found),
    )


def _track(card: ModelCard, version: ModelVersion, settings: Settings) -> None:
    record_run(
        settings.data_dir,
        experiment=version.model,
        run_name=f"{version.model}-v{version.version}",
        params={"preset": card.preset, "dataset": card.dataset, **card.recipe},
        metrics=dict(version.metrics),
        tags={
            "model_version": str(version.version),
            "code_revision": version.code_revision,
            "run": card.run_id,
        },
    )
