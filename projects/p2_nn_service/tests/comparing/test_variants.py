import json
from pathlib import Path

import pytest
import torch
from p2_nn_service.cli import app
from p2_nn_service.comparing.table import compare_runs, kept_variants
from p2_nn_service.comparing.variants import SOFT_SHARE, distillation, measure_variants
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.models.building import build
from p2_nn_service.models.flops import multiply_adds
from p2_nn_service.models.inputs import Task
from p2_nn_service.models.network import Network
from p2_nn_service.settings import Settings
from p2_nn_service.training.classifying import train_classifier
from p2_nn_service.training.recipe import Recipe
from typer.testing import CliRunner

RECIPE = Recipe(epochs=8, batch_size=27, learning_rate=0.01, precision="fp32")


def test_multiply_adds_are_those_of_the_products() -> None:
    network = build("perceptron", Task((1, 8, 8), 3))
    assert multiply_adds(network, (1, 8, 8)) == 64 * 3


def test_a_student_is_at_rest_where_it_thinks_as_its_teacher() -> None:
    """What is left then is the labels' share; of another network there is divergence as well."""
    task = Task((1, 8, 8), 3)
    teacher, student = (build("mlp", task, seed=seed).eval() for seed in (0, 1))
    x = torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(8) % 3
    objective = distillation(teacher)

    def divergence(network: Network) -> float:
        with torch.no_grad():
            hard = torch.nn.functional.cross_entropy(network(x), labels)
            return float(objective(network, (x, labels)) - (1 - SOFT_SHARE) * hard)

    assert divergence(teacher) == pytest.approx(0, abs=1e-6)
    assert divergence(student) > 1e-3


@pytest.mark.slow
@pytest.mark.criterion("p2.trade-offs")
def test_a_run_is_measured_at_five_prices_and_drawn(squares: Dataset, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    run = train_classifier(squares, "cnn", RECIPE, settings=settings)
    found = {one.variant: one for one in measure_variants(run, student_epochs=8)}
    assert list(found) == ["fp32", "bf16", "int8", "pruned", "distilled"]
    assert found["fp32"].accuracy.value == run.record.metrics["held_out_accuracy"]
    assert all(one.accuracy.value > 0.9 for one in found.values()), "bars are easy"
    assert all(one.latency_ms > 0 for one in found.values())
    assert found["int8"].n_bytes < 0.5 * found["fp32"].n_bytes
    assert found["pruned"].n_parameters < 0.25 * found["fp32"].n_parameters
    assert found["distilled"].n_flops < 0.2 * found["fp32"].n_flops
    assert found["distilled"].train_s > found["fp32"].train_s
    assert kept_variants(run.folder.path) == tuple(found.values())
    compared = compare_runs(tmp_path)
    assert {row.variant for row in compared.rows} == set(found)
    _draws_and_prints(tmp_path, run.record.id)


def _draws_and_prints(data_dir: Path, run_id: str) -> None:
    told = ["--data-dir", str(data_dir), "compare", run_id]
    plot = data_dir / "pareto.svg"
    done = CliRunner().invoke(app, [*told, "--plot", str(plot)])
    assert done.exit_code == 0, done.output
    assert "distilled" in done.output
    assert plot.read_text().startswith("<?xml")
    assert plot.stat().st_size > 10_000
    asked = CliRunner().invoke(app, [*told, "--json"])
    assert json.loads(asked.stdout)["rows"][0]["run_id"] == run_id
