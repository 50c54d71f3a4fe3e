"""From a trained network to a version that serves: parity, int8, calibration, the card."""

import base64
from io import BytesIO
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from common.models import open_registry
from p2_nn_service.answers import probabilities
from p2_nn_service.api import create_app
from p2_nn_service.classifier import FEATURES, LOGITS, MAPS, STRANGENESS
from p2_nn_service.contracts import ModelCard
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.errors import ExportError
from p2_nn_service.models.building import build
from p2_nn_service.models.inputs import Task
from p2_nn_service.publishing.calibrating import auroc, calibrate, fit_temperature, strange_from
from p2_nn_service.publishing.export import export, halve_weights, prove_parity, run_graph
from p2_nn_service.publishing.publish import publish
from p2_nn_service.publishing.strangeness import add_strangeness, fit_strangeness
from p2_nn_service.settings import Settings
from p2_nn_service.training.classifying import ClassifierRun, train_classifier
from p2_nn_service.training.examples import Scaling, logits_of
from p2_nn_service.training.recipe import Recipe
from PIL import Image
from starlette.testclient import TestClient

from .conftest import corner_graph

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def bars() -> Dataset:
    """Three classes of 16 x 16 images: where the bright bar stands."""
    chance = np.random.default_rng(0)
    labels = np.arange(300) % 3
    images = chance.integers(0, 90, (300, 1, 16, 16))
    for k, label in enumerate(labels):
        images[k, 0, :, 2 + 5 * label : 5 + 5 * label] += 120
    return Dataset("bars", images.astype(np.uint8), labels.astype(np.int64), ("l", "m", "r"))


@pytest.fixture(scope="module")
def run(bars: Dataset, tmp_path_factory: pytest.TempPathFactory) -> ClassifierRun:
    torch.set_num_threads(1)
    settings = Settings(data_dir=tmp_path_factory.mktemp("trained"))
    recipe = Recipe(epochs=6, batch_size=50, learning_rate=3e-3, precision="fp32")
    return train_classifier(bars, "mlp", recipe, settings=settings)


@pytest.fixture(scope="module")
def published(run: ClassifierRun, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the data directory it was published in."""
    folder = tmp_path_factory.mktemp("published")
    publish(run, model="bars", alias="champion", settings=Settings(data_dir=folder))
    return folder


def files_of(data_dir: Path) -> Path:
    settings = Settings(data_dir=data_dir)
    registry = open_registry(settings.registry_location, cache_dir=data_dir / "cache")
    return registry.fetch(registry.resolve("bars", "champion"))


def card_of(data_dir: Path) -> ModelCard:
    return ModelCard.model_validate_json((files_of(data_dir) / "card.json").read_text())


def test_a_published_run_serves_with_the_accuracy_that_its_card_claims(
    run: ClassifierRun, published: Path
) -> None:
    card, held_out = card_of(published), run.held_out
    settings = Settings(data_dir=published, model="bars", precision="int8")
    with TestClient(create_app(settings)) as client:
        pixels = (held_out.inputs.astype(float) / 255).tolist()
        answer = client.post("/v1/classify", json={"pixels": pixels}).json()
    said = [one["label"] for one in answer["classifications"]]
    right = np.mean([held_out.classes[k] == s for k, s in zip(held_out.labels, said, strict=True)])
    assert answer["model"]["variant"] == "int8"
    measured = {one.variant: one.accuracy.value for one in card.variants}
    assert right == pytest.approx(measured["int8"], abs=0.04)
    assert card.metrics["accuracy"].value > 0.9
    assert card.metrics["accuracy"].low <= card.metrics["accuracy"].value


def test_the_card_says_how_it_was_made_and_measured(run: ClassifierRun, published: Path) -> None:
    card = card_of(published)
    assert (card.shape, card.classes) == ((1, 16, 16), run.held_out.classes)
    assert card.run_id == run.record.id
    assert sum(map(sum, card.confusion)) == len(run.held_out)
    assert {"noise", "inverted", "letters", "turned a quarter"} <= set(card.strangeness.auroc)
    assert card.strangeness.auroc["noise"] > 0.9
    assert card.strangeness.auroc["inverted"] > 0.9
    files = files_of(published)
    for one in card.variants:
        assert (files / one.file).stat().st_size == one.n_bytes
        assert one.latency_ms > 0
    assert "| noise |" in (files / "MODEL_CARD.md").read_text()
    assert run.folder.read().published == "bars:1"


def test_the_worst_mistakes_are_pictures_of_what_was_wrong(bars: Dataset) -> None:
    from p2_nn_service.publishing.measuring import mistakes

    p = np.full((len(bars), 3), 0.1)
    p[np.arange(len(bars)), bars.labels] = 0.8
    p[7], p[11] = (0.9, 0.05, 0.05), (0.98, 0.01, 0.01)  # both are of another class
    found = mistakes(bars, p)
    assert [one.index for one in found] == [11, 7]
    assert (found[0].said, found[0].truth) == ("l", bars.classes[bars.labels[11]])
    shown = np.asarray(Image.open(BytesIO(base64.b64decode(found[0].png))))
    np.testing.assert_array_equal(shown, bars.inputs[11, 0])


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["perceptron", "cnn", "rnn", "lstm", "transformer"])
def test_every_network_is_exported_as_it_answers(preset: str, bars: Dataset, tmp_path) -> None:
    network = build(preset, Task(bars.shape, 3), seed=1).eval()
    scaling = Scaling.of(bars)
    graph = tmp_path / "model.onnx"
    export(network, scaling, bars.shape, graph)
    pixels = bars.inputs[:70].astype(np.float32) / 255
    outputs = run_graph(graph, pixels)  # 64 at once, then 6: the batch varies
    few = bars.take(slice(0, 70))
    prove_parity(outputs, logits_of(network, few, scaling, CPU).numpy())
    head = network.head.weight.detach().numpy()
    again = outputs[FEATURES] @ head.T + network.head.bias.detach().numpy()
    np.testing.assert_allclose(again, outputs[LOGITS], atol=1e-4)
    whole = graph.stat().st_size
    halve_weights(graph)
    halved = run_graph(graph, pixels)[LOGITS]
    np.testing.assert_allclose(halved, outputs[LOGITS], atol=0.02)
    assert preset == "perceptron" or graph.stat().st_size < 0.75 * whole


@pytest.mark.slow
def test_a_network_that_averages_a_map_says_where_its_evidence_is(tmp_path) -> None:
    """The strong preset ends in 7 x 7 places; the small one in 4 x 4, which is too coarse."""
    for preset, has_maps in (("cnn-strong", True), ("cnn", False)):
        network = build(preset, Task((1, 28, 28), 10)).eval()
        graph = tmp_path / f"{preset}.onnx"
        export(network, Scaling((0.3,), (0.3,)), (1, 28, 28), graph)
        assert (MAPS in {one.name for one in onnx.load(graph).graph.output}) is has_maps
    pixels = np.random.default_rng(0).random((3, 1, 28, 28), np.float32)
    outputs = run_graph(tmp_path / "cnn-strong.onnx", pixels)
    assert outputs[MAPS].shape == (3, 10, 7, 7)
    bias = outputs[LOGITS] - outputs[MAPS].mean(axis=(2, 3))
    np.testing.assert_allclose(bias, np.broadcast_to(bias[0], bias.shape), atol=1e-4)


def test_a_graph_that_answers_otherwise_is_not_published() -> None:
    trained = np.zeros((5, 3), np.float32)
    wrong = trained.copy()
    wrong[3, 1] = 0.5
    with pytest.raises(ExportError, match=r"image 3 by 0\.5"):
        prove_parity({LOGITS: wrong}, trained)
    wrong[3, 1] = np.nan
    with pytest.raises(ExportError, match="finite"):
        prove_parity({LOGITS: wrong}, trained)
    maps = np.random.default_rng(0).random((5, 3, 2, 2), np.float32)
    with pytest.raises(ExportError, match="maps"):
        prove_parity({LOGITS: trained, MAPS: maps}, trained)


def test_a_run_of_series_is_not_published(run: ClassifierRun, tmp_path: Path) -> None:
    from dataclasses import replace

    series = replace(run, record=run.record.model_copy(update={"kind": "series"}))
    with pytest.raises(ExportError, match="images only"):
        publish(series, model="x", alias=None, settings=Settings(data_dir=tmp_path))
    assert not (tmp_path / "models").exists()


def test_the_temperature_that_made_overconfident_logits_is_found() -> None:
    chance = np.random.default_rng(0)
    true = chance.normal(size=(4000, 5)) * 2
    p = probabilities(true, 1.0)
    labels = np.array([chance.choice(5, p=row) for row in p])
    fitted = fit_temperature((3 * true).astype(np.float32), labels)
    assert fitted == pytest.approx(3, rel=0.06)
    found = calibrate((3 * true).astype(np.float32), labels)
    right = found.honest.argmax(1) == labels
    assert found.honest.max(1).mean() == pytest.approx(right.mean(), abs=0.02)
    assert found.raw.max(1).mean() > right.mean() + 0.1


def test_five_of_a_hundred_known_images_are_called_strange() -> None:
    known = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    share = (known > strange_from(known)).mean()
    assert share == pytest.approx(0.05, abs=0.002)


def test_auroc_counts_pairs_and_ties_by_half() -> None:
    known, strange = np.array([1.0, 2.0, 3.0]), np.array([3.0, 4.0])
    assert auroc(known, strange) == pytest.approx((2.5 + 3) / 6)
    assert auroc(known, known) == pytest.approx(0.5)


def test_strangeness_is_the_distance_from_the_nearest_class_plus_the_energy(tmp_path) -> None:
    """The graph's arithmetic is that of the definition, on features that vary unevenly."""
    chance = np.random.default_rng(0)
    labels = np.arange(600) % 3
    means = chance.normal(size=(3, 64)) * 2
    spread = np.linspace(0.1, 2, 64)
    inputs = (means[labels] + chance.normal(size=(600, 64)) * spread).astype(np.float32)
    graph = tmp_path / "model.onnx"
    model = onnx.load_from_string(corner_graph())
    del model.graph.node[2:], model.graph.output[2:]
    graph.write_bytes(model.SerializeToString())
    outputs = run_graph(graph, inputs.reshape(-1, 1, 8, 8))
    add_strangeness(graph, fit_strangeness(outputs, labels))
    told = run_graph(graph, inputs.reshape(-1, 1, 8, 8))[STRANGENESS]
    assert told.mean() == pytest.approx(0, abs=1e-3)
    far = inputs.copy()
    far[:, 0] += 3  # thirty standard deviations where features hardly vary
    assert run_graph(graph, far.reshape(-1, 1, 8, 8))[STRANGENESS].min() > told.max()
    centred = np.stack([inputs[labels == k].mean(axis=0) for k in range(3)])
    within = inputs - centred[labels]
    precision = np.linalg.inv(np.cov(within.T) + 1e-3 * np.cov(within.T).trace() / 64 * np.eye(64))
    away = inputs[:, None] - centred[None]
    distance = np.sqrt(np.einsum("nki,ij,nkj->nk", away, precision, away).min(axis=1))
    energy = -np.log(np.exp(outputs[LOGITS].astype(float)).sum(axis=1))
    wanted = sum((one - one.mean()) / one.std() for one in (distance, energy))
    np.testing.assert_allclose(told, wanted, atol=0.05)


def test_a_published_graph_names_no_path_of_the_machine_that_made_it(published: Path) -> None:
    for graph in files_of(published).glob("*.onnx"):
        content = graph.read_bytes()
        assert b'File "' not in content
        assert b"site-packages" not in content
        assert str(Path(__file__).parents[3]).encode() not in content
