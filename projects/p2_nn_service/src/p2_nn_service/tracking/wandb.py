"""A run in Weights & Biases; offline unless `WANDB_MODE` says otherwise: `wandb sync` sends it."""

import os

from torch import nn
from torch.optim import Optimizer
from typing_extensions import override

from p2_nn_service.contracts import RunRecord
from p2_nn_service.runs import runs_dir
from p2_nn_service.settings import Settings
from p2_nn_service.tracking.measuring import StepNumbers
from p2_nn_service.training.watching import Watcher

PROJECT = "p2-nn-service"


class WandbSink(Watcher):
    """Keeps a run's files in its folder, below `wandb/`."""

    def __init__(self, settings: Settings) -> None:
        self._runs = runs_dir(settings.data_dir)
        self._numbers = StepNumbers()

    @override
    def started(self, record: RunRecord) -> None:
        import wandb  # noqa: PLC0415 - an extra of its own, seconds to load

        self._numbers.start(record)
        folder = self._runs / record.id
        folder.mkdir(parents=True, exist_ok=True)
        mode = "online" if os.environ.get("WANDB_MODE") == "online" else "offline"
        self._run = wandb.init(
            project=PROJECT,
            id=record.id,
            name=record.id,
            dir=folder,
            mode=mode,
            resume="allow",
            config={"model": record.model, "dataset": record.dataset, **record.recipe},
            settings=wandb.Settings(silent=True, console="off", x_disable_stats=True),
        )

    @override
    def stepped(self, step: int, loss: float, model: nn.Module, optimiser: Optimizer) -> None:
        values = self._numbers.at(step, loss, model, optimiser)
        if values is not None:
            self._run.log({f"step/{name}": value for name, value in values.items()}, step=step)

    @override
    def epoch_ended(self, record: RunRecord, metrics: dict[str, float]) -> None:
        values = {f"epoch/{name}": value for name, value in metrics.items()}
        self._run.log({**values, "epoch": record.epoch}, step=record.step)

    @override
    def ended(self, record: RunRecord) -> None:
        self._run.summary.update(record.metrics)
        self._run.finish(exit_code=0 if record.status == "finished" else 1)
