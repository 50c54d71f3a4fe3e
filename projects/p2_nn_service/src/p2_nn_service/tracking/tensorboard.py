"""A run in TensorBoard: `tensorboard --logdir <data_dir>/runs`.

Scalars while it goes; after each epoch the histograms of every weight and its gradient; pictures
that it learns from, the graph, and at the end the map of embeddings and the recipe with its result.
"""

import warnings
from dataclasses import dataclass

import torch
from common.privacy import keep_to_ourselves
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.utils.tensorboard import SummaryWriter
from typing_extensions import override

from p2_nn_service.contracts import RunRecord
from p2_nn_service.runs import runs_dir
from p2_nn_service.settings import Settings
from p2_nn_service.tracking.measuring import StepNumbers
from p2_nn_service.tracking.sinks import Sample
from p2_nn_service.training.watching import Watcher

TENSORBOARD_DIR = "tensorboard"
N_PICTURES = 36
_RESULTS = ("held_out_accuracy", "held_out_loss")


class TensorBoardSink(Watcher):
    """Writes a run's event files into its folder; a resumed run takes its later steps back."""

    def __init__(self, settings: Settings, sample: Sample | None = None) -> None:
        self._runs, self._sample = runs_dir(settings.data_dir), sample
        self._numbers = StepNumbers()
        self._model: nn.Module | None = None

    @override
    def started(self, record: RunRecord) -> None:
        keep_to_ourselves()
        self._numbers.start(record)
        folder = self._runs / record.id / TENSORBOARD_DIR
        self._writer = SummaryWriter(folder, purge_step=record.step + 1 if record.step else None)
        if self._sample is not None and self._sample.pictures is not None and not record.step:
            pictures = self._sample.pictures[:N_PICTURES]
            self._writer.add_images("learned from", pictures, record.step)

    @override
    def stepped(self, step: int, loss: float, model: nn.Module, optimiser: Optimizer) -> None:
        if self._model is None:
            self._model = model
            self._draw_graph(model)
        for name, value in (self._numbers.at(step, loss, model, optimiser) or {}).items():
            self._writer.add_scalar(f"step/{name}", value, step)

    @override
    def epoch_ended(self, record: RunRecord, metrics: dict[str, float]) -> None:
        for name, value in metrics.items():
            self._writer.add_scalar(f"epoch/{name}", value, record.step)
        named = self._model.named_parameters() if self._model is not None else ()
        for name, parameter in named:
            place = name.replace(".", "/")
            self._writer.add_histogram(f"weights/{place}", parameter.detach().float(), record.step)
            if parameter.grad is not None:
                gradient = parameter.grad.detach().float()
                self._writer.add_histogram(f"gradients/{place}", gradient, record.step)
        self._writer.flush()

    @override
    def ended(self, record: RunRecord) -> None:
        if record.status == "finished":
            self._map_features(record.step)
            results = {f"result/{name}": record.metrics.get(name, 0.0) for name in _RESULTS}
            described = {"model": record.model, "dataset": record.dataset, **record.recipe}
            self._writer.add_hparams(described, results, run_name=".", global_step=record.step)
        self._writer.close()

    def _draw_graph(self, model: nn.Module) -> None:
        if self._sample is None:
            return
        with at_rest(model), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tracing: shapes taken as they are are meant so
            self._writer.add_graph(_Drawn(model), self._sample.x[:1], use_strict_trace=False)

    def _map_features(self, step: int) -> None:
        """Put the sample's features, as the last layer reads them, into the projector."""
        features = getattr(self._model, "features", None)
        if self._sample is None or self._model is None or features is None:
            return
        with at_rest(self._model), torch.no_grad():
            found: Tensor = features(self._sample.x).float()
        pictures = self._sample.pictures
        shown = pictures.float() / 255 if pictures is not None else None
        labels = list(self._sample.labels)
        self._writer.add_embedding(found, labels, label_img=shown, global_step=step, tag="features")


class _Drawn(nn.Module):
    """A network as the graph's tracer takes it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.network = model

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)


@dataclass
class at_rest:  # noqa: N801 - reads as a statement: `with at_rest(model):`
    """Have the model in evaluation mode for a while, then as it was."""

    model: nn.Module

    def __enter__(self) -> None:
        self._was = self.model.training
        self.model.eval()

    def __exit__(self, *_: object) -> None:
        self.model.train(self._was)
