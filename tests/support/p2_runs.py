"""Training runs of every kind, written as training writes them, for the page that shows them."""

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

from p2_nn_service.comparing.table import keep_variants
from p2_nn_service.contracts import Estimate, Measured, RunEvent, RunRecord, RunStatus, Variant
from p2_nn_service.runs import RunFolder, runs_dir

BEGAN = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
N_EPOCHS, N_STEPS = 5, 500
RECIPE = {
    "epochs": str(N_EPOCHS), "batch_size": "500", "learning_rate": "0.06", "optimiser": "muon",
    "schedule": "one_cycle", "label_smoothing": "0.1", "augment": "flip,shift", "seed": "0",
}  # fmt: skip


def keep_runs(data_dir: Path) -> None:
    """Keep four runs: two finished, of which one has variants, one interrupted, one failed."""
    finished = keep_run(data_dir, "20261124-0900-cnn", "cnn", accuracy=0.931, n_parameters=278_890)
    keep_variants(
        finished.path,
        [
            measured("fp32", 0.931, latency_ms=0.41, n_bytes=604_499),
            measured("int8", 0.930, latency_ms=0.22, n_bytes=337_789),
        ],
    )
    keep_run(data_dir, "20261124-0700-mlp", "mlp", accuracy=0.884, n_parameters=269_322)
    keep_run(
        data_dir, "20261124-0600-lstm", "lstm", accuracy=0.86, n_parameters=57_000,
        status="interrupted", reason="asked to stop", epochs=2,
    )  # fmt: skip
    keep_run(
        data_dir, "20261124-0500-rnn", "rnn", accuracy=0.41, n_parameters=21_000, status="failed",
        reason="the loss is nan at step 212 (epoch 3): training diverged", epochs=2,
    )  # fmt: skip


def keep_run(
    data_dir: Path,
    run_id: str,
    model: str,
    *,
    accuracy: float,
    n_parameters: int,
    status: RunStatus = "finished",
    reason: str = "",
    epochs: int = N_EPOCHS,
) -> RunFolder:
    """Keep one run whose accuracy rises to `accuracy`, with its events."""
    folder = RunFolder(runs_dir(data_dir) / run_id)
    hour = int(run_id.split("-")[1][:2])
    folder.write(
        RunRecord(
            id=run_id, dataset="fashion-mnist", model=model, status=status, reason=reason,
            started_at=BEGAN.replace(hour=hour) - timedelta(days=1), recipe=RECIPE, epoch=epochs,
            epochs=N_EPOCHS, step=100 * epochs, steps=N_STEPS, n_parameters=n_parameters,
            n_flops=17 * n_parameters, train_s=31.0 * epochs, precision="bf16",
            metrics={"held_out_accuracy": accuracy, "loss": 0.31, "held_out_loss": 0.29},
        )
    )  # fmt: skip
    last = 100 * epochs
    for step in range(2, last + 1, 2):
        folder.append(_at_step(step))
        if step % 100 == 0:
            short = 0.2 * (math.exp(-step / 90) - math.exp(-last / 90))
            folder.append(_at_epoch(step, accuracy - short))
    return folder


def measured(variant: Variant, accuracy: float, *, latency_ms: float, n_bytes: int) -> Measured:
    """Describe a variant as `compare --measure` does."""
    return Measured(
        variant=variant, file="", n_bytes=n_bytes, n_parameters=278_890, n_flops=4_700_000,
        train_s=155, latency_ms=latency_ms,
        accuracy=Estimate(value=accuracy, low=accuracy - 0.006, high=accuracy + 0.006),
    )  # fmt: skip


def _at_step(step: int) -> RunEvent:
    loss = 0.3 + 1.9 * math.exp(-step / 60) + 0.04 * math.sin(step)
    rate = 0.06 * math.sin(math.pi * step / N_STEPS)
    values = {"loss": loss, "learning_rate": rate, "gradient_norm": 1 + loss}
    return RunEvent(step=step, epoch=step / 100, at_s=step * 0.31, values=values)


def _at_epoch(step: int, accuracy: float) -> RunEvent:
    values = {"loss": 0.4, "held_out_accuracy": accuracy, "held_out_loss": 1.2 - accuracy}
    return RunEvent(step=step, epoch=step / 100, at_s=step * 0.31, values=values)
