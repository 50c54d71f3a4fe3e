"""A run in MLflow: its recipe, its numbers, its record and events as artifacts.

Runs go where `common.models.tracking` says: the server of `MLFLOW_TRACKING_URI`, else an SQLite
file in the data directory. A resumed run goes on in the MLflow run it began.
"""

import logging
import time
import warnings
from pathlib import Path

from common.models.tracking import tracking_uri
from common.privacy import keep_to_ourselves
from torch import nn
from torch.optim import Optimizer
from typing_extensions import override

from p2_nn_service.contracts import RunRecord
from p2_nn_service.runs import EVENTS_FILE, RECORD_FILE, runs_dir
from p2_nn_service.settings import Settings
from p2_nn_service.tracking.measuring import StepNumbers
from p2_nn_service.training.watching import Watcher

EXPERIMENT = "p2-nn-service"
ID_FILE = "mlflow_run_id"
_ENDS = {"finished": "FINISHED", "interrupted": "KILLED", "failed": "FAILED", "running": "RUNNING"}


class MlflowSink(Watcher):
    """Records a run as it goes; numbers of steps are sent in batches, with each epoch."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._numbers = StepNumbers()
        self._waiting: list[tuple[str, float, int, int]] = []

    @override
    def started(self, record: RunRecord) -> None:
        keep_to_ourselves()
        self._numbers.start(record)
        self._folder = runs_dir(self._settings.data_dir) / record.id
        logging.getLogger("mlflow").setLevel(logging.WARNING)  # it reports each table it creates
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of MLflow's own use of its libraries
            from mlflow.tracking import MlflowClient  # noqa: PLC0415 - after the opt-out

            self._client = MlflowClient(tracking_uri=tracking_uri(self._settings.data_dir))
            self._run_id = self._begin(record)

    def _begin(self, record: RunRecord) -> str:
        """Return the id of the run that this one goes on with, or of a new one."""
        kept: Path = self._folder / ID_FILE
        if kept.is_file():
            run_id = kept.read_text(encoding="ascii").strip()
            self._client.update_run(run_id, status="RUNNING")
            return run_id
        found = self._client.get_experiment_by_name(EXPERIMENT)
        experiment_id = (
            found.experiment_id
            if found
            else self._client.create_experiment(
                EXPERIMENT, artifact_location=self._artifact_location()
            )
        )
        run = self._client.create_run(experiment_id, run_name=record.id)
        run_id = str(run.info.run_id)
        described = {"model": record.model, "dataset": record.dataset, **record.recipe}
        for name, value in {**described, "n_parameters": str(record.n_parameters)}.items():
            self._client.log_param(run_id, name, value[:500])
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(run_id, encoding="ascii")
        return run_id

    def _artifact_location(self) -> str | None:
        """Keep artifacts in the data directory; a server has its own place for them."""
        if not tracking_uri(self._settings.data_dir).startswith("sqlite:"):
            return None
        return (self._settings.data_dir / "mlartifacts").resolve().as_uri()

    @override
    def stepped(self, step: int, loss: float, model: nn.Module, optimiser: Optimizer) -> None:
        self._wait(step, self._numbers.at(step, loss, model, optimiser) or {})

    @override
    def epoch_ended(self, record: RunRecord, metrics: dict[str, float]) -> None:
        self._wait(record.step, metrics)
        self._send()

    def _wait(self, step: int, values: dict[str, float]) -> None:
        now = int(time.time() * 1000)
        self._waiting += [(name, value, now, step) for name, value in values.items()]

    def _send(self) -> None:
        from mlflow.entities import Metric  # noqa: PLC0415 - after the opt-out

        metrics = [Metric(*one) for one in self._waiting]
        self._waiting = []
        for k in range(0, len(metrics), 1000):  # the most that MLflow takes at once
            self._client.log_batch(self._run_id, metrics=metrics[k : k + 1000])

    @override
    def ended(self, record: RunRecord) -> None:
        self._send()
        for name in (RECORD_FILE, EVENTS_FILE):
            if (self._folder / name).is_file():
                self._client.log_artifact(self._run_id, str(self._folder / name))
        self._client.set_terminated(self._run_id, status=_ENDS[record.status])
