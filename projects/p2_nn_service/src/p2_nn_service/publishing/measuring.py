"""What a card says of a model: figures with intervals, confusion, worst mistakes, cost.

Everything is measured on held-out images through the very graph that is published.
"""

import base64
from io import BytesIO
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from common.evaluation import classification_metrics
from common.serving import OnnxModel
from numpy.typing import NDArray
from PIL import Image

from p2_nn_service.classifier import INPUT, STRANGENESS
from p2_nn_service.contracts import Estimate, Measured, Mistake, RunRecord, Strangeness, Variant
from p2_nn_service.data.datasets import Dataset, Inputs
from p2_nn_service.publishing.calibrating import Calibration, auroc, strange_from
from p2_nn_service.publishing.export import run_graph
from p2_nn_service.publishing.strangers import strangers
from p2_nn_service.settings import Settings

Logits = NDArray[np.float32]
METRICS = ("accuracy", "balanced_accuracy", "log_loss", "ece")
N_MISTAKES = 24
N_TIMED = 300


def as_pixels(dataset: Dataset) -> NDArray[np.float32]:
    """Return images as the graph takes them: 0 to 1."""
    return scaled(dataset.inputs)


def scaled(stored: Inputs) -> NDArray[np.float32]:
    """Return stored images as the graph takes them."""
    return np.asarray(stored, np.float32) / np.float32(255)


def figures(held_out: Dataset, calibration: Calibration) -> dict[str, Estimate]:
    """Measure calibrated answers; `ece_uncalibrated` is what the temperature mended."""
    labels = list(range(len(held_out.classes)))
    found = classification_metrics(
        held_out.labels, probabilities=calibration.honest, labels=labels, metrics=METRICS
    )
    raw = classification_metrics(
        held_out.labels, probabilities=calibration.raw, labels=labels, metrics=("ece",)
    )
    named = {**found.estimates, "ece_uncalibrated": raw["ece"]}
    return {
        name: Estimate(value=one.value, low=one.low, high=one.high) for name, one in named.items()
    }


def measured(
    variant: Variant, graph: Path, logits: Logits, held_out: Dataset, record: RunRecord
) -> Measured:
    """Describe one graph: how good, how large, how quick."""
    accuracy = classification_metrics(
        held_out.labels,
        logits.argmax(axis=1),
        labels=list(range(len(held_out.classes))),
        metrics=("accuracy",),
    )["accuracy"]
    return Measured(
        variant=variant,
        file=graph.name,
        accuracy=Estimate(value=accuracy.value, low=accuracy.low, high=accuracy.high),
        n_bytes=graph.stat().st_size,
        n_parameters=record.n_parameters,
        n_flops=record.n_flops,
        latency_ms=latency_ms(graph, held_out.shape),
        train_s=record.train_s,
    )


def latency_ms(graph: Path, shape: tuple[int, ...]) -> float:
    """Return the median time of one image on one thread."""
    session = OnnxModel.load(graph)
    image = {INPUT: np.zeros((1, *shape), np.float32)}
    times: list[float] = []
    for _ in range(N_TIMED):
        began = perf_counter()
        session.run_unchecked(image)
        times.append(perf_counter() - began)
    return round(1000 * median(times[N_TIMED // 10 :]), 4)


def confusion(held_out: Dataset, said: NDArray[np.int64]) -> tuple[tuple[int, ...], ...]:
    """Count answers by truth: rows are truths, columns answers."""
    k = len(held_out.classes)
    counts = np.bincount(held_out.labels * k + said, minlength=k * k).reshape(k, k)
    return tuple(tuple(int(n) for n in row) for row in counts)


def mistakes(
    held_out: Dataset, p: NDArray[np.float64], *, limit: int = N_MISTAKES
) -> tuple[Mistake, ...]:
    """Return the held-out images that the model is surest and wrongest of, the surest first."""
    said, sure = p.argmax(axis=1), p.max(axis=1)
    wrong = np.flatnonzero(said != held_out.labels)
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:limit]
    return tuple(
        Mistake(
            index=int(k),
            truth=held_out.classes[held_out.labels[k]],
            said=held_out.classes[said[k]],
            probability=round(float(sure[k]), 4),
            png=thumbnail(np.asarray(held_out.inputs[k], np.uint8)),
        )
        for k in worst
    )


def thumbnail(image: NDArray[np.uint8]) -> str:
    """Return an image (channels, height, width) as base64 of a PNG."""
    pixels = image[0] if len(image) == 1 else np.ascontiguousarray(image.transpose(1, 2, 0))
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def told_strangers(
    graph: Path, known: NDArray[np.float32], held_out: Dataset, settings: Settings
) -> Strangeness:
    """Say from where on an image is strange, and how well each kind of stranger is told.

    `known` is the strangeness of the held-out images.
    """
    found: dict[str, float] = {}
    for name, images in strangers(held_out, settings, seed=settings.seed):
        strange = run_graph(graph, scaled(images))[STRANGENESS]
        found[name] = round(auroc(known, strange), 4)
    return Strangeness(threshold=strange_from(known), auroc=found)
