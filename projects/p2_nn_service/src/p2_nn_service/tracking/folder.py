"""Numbers of a run into its folder's `events.jsonl`: what the page draws while it goes."""

from datetime import UTC, datetime

from torch import nn
from torch.optim import Optimizer
from typing_extensions import override

from p2_nn_service.contracts import RunEvent, RunRecord
from p2_nn_service.runs import RunFolder, runs_dir
from p2_nn_service.settings import Settings
from p2_nn_service.tracking.measuring import StepNumbers
from p2_nn_service.training.watching import Watcher


class FolderSink(Watcher):
    """Appends an event at the steps that are written, and one at the end of each epoch."""

    def __init__(self, settings: Settings) -> None:
        self._runs = runs_dir(settings.data_dir)
        self._numbers = StepNumbers()

    @override
    def started(self, record: RunRecord) -> None:
        self._folder, self._began = RunFolder(self._runs / record.id), record.started_at
        self._steps_in_epoch = max(1, record.steps // max(1, record.epochs))
        self._numbers.start(record)

    @override
    def stepped(self, step: int, loss: float, model: nn.Module, optimiser: Optimizer) -> None:
        values = self._numbers.at(step, loss, model, optimiser)
        if values is not None:
            self._append(step, step / self._steps_in_epoch, values)

    @override
    def epoch_ended(self, record: RunRecord, metrics: dict[str, float]) -> None:
        self._append(record.step, float(record.epoch), metrics)

    def _append(self, step: int, epoch: float, values: dict[str, float]) -> None:
        at_s = (datetime.now(UTC) - self._began).total_seconds()
        event = RunEvent(step=step, epoch=round(epoch, 4), at_s=round(at_s, 3), values=values)
        self._folder.append(event)
