"""The sinks of a run by name, each kept from stopping it: a tracker that fails is left, and said.

A sink is a `Watcher`. The folder's sink is always there; the others are chosen with `--track`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np
import structlog
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from typing_extensions import override

from p2_nn_service.contracts import RunRecord
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.errors import RecipeError
from p2_nn_service.settings import Settings
from p2_nn_service.tracking.folder import FolderSink
from p2_nn_service.training.examples import Scaling
from p2_nn_service.training.watching import Watcher

log = structlog.get_logger()

NEEDS = {"tensorboard": "tensorboard", "mlflow": "mlflow", "wandb": "wandb"}
"""The library of each sink that needs one; `p2-nn-service[train]` has the first two."""
DEFAULT_SINKS = ("tensorboard", "mlflow")


@dataclass(frozen=True)
class Sample:
    """Some examples for what is drawn of a run: pictures, the graph, the map of embeddings.

    `x`: float32, normalised, as the network reads it. `pictures`: uint8 (n, channels, height,
    width), or nothing for series.
    """

    x: Tensor
    labels: tuple[str, ...]
    pictures: Tensor | None = None

    @classmethod
    def of(cls, dataset: Dataset, *, n: int = 300, seed: int = 0) -> "Sample":
        """Take some examples of a data set, normalised as training normalises it."""
        rows = np.random.default_rng(seed).permutation(len(dataset))[:n]
        taken = dataset.take(rows.astype(np.int64))
        stored = torch.from_numpy(np.ascontiguousarray(taken.inputs))
        labels = tuple(dataset.classes[k] for k in taken.labels)
        return cls(Scaling.of(dataset).apply(stored), labels, stored if stored.ndim == 4 else None)


def make_sinks(
    names: Sequence[str], settings: Settings, *, sample: Sample | None = None
) -> list[Watcher]:
    """Make the folder's sink and those named; `RecipeError` for a name without its library."""
    makers: dict[str, Callable[[], Watcher]] = {
        "tensorboard": lambda: _tensorboard(settings, sample),
        "mlflow": lambda: _mlflow(settings),
        "wandb": lambda: _wandb(settings),
    }
    check_sinks(names)
    return [FolderSink(settings), *(Guarded(name, makers[name]()) for name in names)]


def check_sinks(names: Sequence[str]) -> None:
    """Raise `RecipeError` for a name that is no sink, or whose library is not installed."""
    for name in names:
        if name not in NEEDS:
            raise RecipeError(f"runs are not tracked by {name!r}; accepted: {', '.join(NEEDS)}")
        if find_spec(NEEDS[name]) is None:
            extra = "wandb" if name == "wandb" else "train"
            raise RecipeError(
                f"{NEEDS[name]} is not installed; install ai-roadmap-p2-nn-service[{extra}]"
            )


def _tensorboard(settings: Settings, sample: Sample | None) -> Watcher:
    from p2_nn_service.tracking.tensorboard import TensorBoardSink  # noqa: PLC0415 - seconds to load

    return TensorBoardSink(settings, sample)


def _mlflow(settings: Settings) -> Watcher:
    from p2_nn_service.tracking.mlflow import MlflowSink  # noqa: PLC0415 - seconds to load

    return MlflowSink(settings)


def _wandb(settings: Settings) -> Watcher:
    from p2_nn_service.tracking.wandb import WandbSink  # noqa: PLC0415 - an extra of its own

    return WandbSink(settings)


class Guarded(Watcher):
    """Passes everything on to a sink until it fails; then says so once and goes without it."""

    def __init__(self, name: str, sink: Watcher) -> None:
        self.name, self.sink = name, sink
        self.is_lost = False

    def _pass(self, tell: Callable[[], None]) -> None:
        if self.is_lost:
            return
        try:
            tell()
        except Exception as error:  # noqa: BLE001 - no tracker may cost a person their training
            self.is_lost = True
            log.warning("sink_lost", sink=self.name, reason=str(error).splitlines()[0][:200])

    @override
    def started(self, record: RunRecord) -> None:
        self._pass(lambda: self.sink.started(record))

    @override
    def stepped(self, step: int, loss: float, model: nn.Module, optimiser: Optimizer) -> None:
        self._pass(lambda: self.sink.stepped(step, loss, model, optimiser))

    @override
    def epoch_ended(self, record: RunRecord, metrics: dict[str, float]) -> None:
        self._pass(lambda: self.sink.epoch_ended(record, metrics))

    @override
    def ended(self, record: RunRecord) -> None:
        self._pass(lambda: self.sink.ended(record))
