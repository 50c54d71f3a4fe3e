"""The same run at different prices: fp32, bf16, int8, pruned and distilled, each measured.

Every variant answers the held-out images that training never saw; latency is of one image on one
thread. fp32 and int8 are the graphs that publishing makes. Pruning and distilling train a little
more, through the one loop. Images alone: series are not exported.
"""

import copy
import tempfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch
from common.evaluation import classification_metrics
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import prune

from p2_nn_service.classifier import LOGITS
from p2_nn_service.comparing.table import keep_variants
from p2_nn_service.contracts import Estimate, Measured, Variant
from p2_nn_service.errors import NetworkError
from p2_nn_service.models.building import build, n_parameters
from p2_nn_service.models.flops import multiply_adds
from p2_nn_service.models.inputs import Task
from p2_nn_service.models.network import Network
from p2_nn_service.publishing.export import export, run_graph
from p2_nn_service.publishing.measuring import as_pixels, latency_ms
from p2_nn_service.publishing.quantising import N_CALIBRATION, quantise
from p2_nn_service.training.classifying import ClassifierRun
from p2_nn_service.training.examples import ExampleBatches, classification
from p2_nn_service.training.loop import Batch, Objective, fit
from p2_nn_service.training.recipe import Recipe

PRUNED_SHARE = 0.8
STUDENT = "cnn-tiny"
TEMPERATURE = 4.0
SOFT_SHARE = 0.7
N_TIMED = 100
Report = Callable[[str], None]


def measure_variants(
    run: ClassifierRun, *, tuning_epochs: int = 2, student_epochs: int = 8,
    report: Report = lambda _: None,
) -> list[Measured]:  # fmt: skip
    """Make and measure every variant of a run, and keep the figures in its folder.

    Raises `NetworkError` for a run on series. Minutes, most of them the student's training.
    """
    if run.record.kind != "images":
        raise NetworkError(f"run {run.record.id} is on series; variants are made of images alone")
    with tempfile.TemporaryDirectory(prefix="p2-variants-") as folder:
        work = _Work(run, Path(folder), tuning_epochs, student_epochs)
        found = [one for name, make in work.makers() if (one := _told(name, make, report))]
    keep_variants(run.folder.path, found)
    return found


def _told(name: str, make: Callable[[], Measured], report: Report) -> Measured:
    report(name)
    return make()


@dataclass(frozen=True)
class _Work:
    """One run on its way to its variants."""

    run: ClassifierRun
    folder: Path
    tuning_epochs: int
    student_epochs: int

    def makers(self) -> Iterator[tuple[Variant, Callable[[], Measured]]]:
        yield "fp32", self.single
        yield "bf16", self.half
        yield "int8", self.whole_numbers
        yield "pruned", self.pruned
        yield "distilled", self.distilled

    # --------------------------------------------------------------------------- other arithmetic
    def single(self) -> Measured:
        """The network as it was trained."""
        return self._of_graph("fp32", self._graph("fp32", self.run.network), self.run.network)

    def whole_numbers(self) -> Measured:
        """Weights and activations in eight bits."""
        graph = self.folder / "int8.onnx"
        training = self.run.training
        chosen = np.random.default_rng(0).permutation(len(training))[:N_CALIBRATION]
        quantise(self._graph("fp32", self.run.network), as_pixels(training.take(chosen)), graph)
        return self._of_graph("int8", graph, self.run.network)

    def half(self) -> Measured:
        """Weights and arithmetic in bfloat16, by torch: the runtime has none on processors."""
        network = copy.deepcopy(self.run.network).to(torch.bfloat16).eval()
        x = self.run.scaling.apply(torch.from_numpy(np.ascontiguousarray(self.run.held_out.inputs)))
        with torch.inference_mode():
            logits = torch.cat([network(part.bfloat16()).float() for part in x.split(500)])
            lone = x[:1].bfloat16()
            latency = _timed_ms(lambda: network(lone))
        return self._measured(
            "bf16",
            logits.numpy().argmax(1),
            network,
            n_bytes=sum(p.numel() * p.element_size() for p in network.parameters()),
            latency=latency,
            note="run by torch; the others by ONNX Runtime",
        )

    # ------------------------------------------------------------------------------ other networks
    def pruned(self) -> Measured:
        """Set the smallest four fifths of the weights to 0, then train what is left a little.

        Han et al. (2015), the magnitude taken over all layers at once.
        """
        network = copy.deepcopy(self.run.network)
        layers = [m for m in network.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
        sizes = torch.cat([layer.weight.detach().abs().flatten() for layer in layers])
        least = sizes.kthvalue(int(PRUNED_SHARE * len(sizes))).values
        for layer in layers:
            prune.custom_from_mask(layer, "weight", layer.weight.detach().abs() > least)
        recipe = replace(self._recipe(), epochs=self.tuning_epochs, learning_rate=1e-3)
        train_s = self._fit(network, classification(recipe.label_smoothing), recipe)
        for layer in layers:
            prune.remove(layer, "weight")
        graph = self._graph("pruned", network)
        made = self._of_graph("pruned", graph, network)
        n_kept = sum(int(p.count_nonzero()) for p in network.parameters())
        changes = {
            "n_parameters": n_kept,
            "n_bytes": len(zlib.compress(graph.read_bytes())),
            "train_s": made.train_s + train_s,
            "note": f"{PRUNED_SHARE:.0%} of the weights are 0; bytes are of the compressed graph: "
            "dense arithmetic multiplies zeros as well, so it is no quicker",
        }
        return made.model_copy(update=changes)

    def distilled(self) -> Measured:
        """Teach a small network what the large one thinks of every class, Hinton et al. (2015)."""
        record = self.run.record
        task = Task(record.shape, len(record.classes))
        student = build(STUDENT, task, seed=self._recipe().seed)
        recipe = replace(self._recipe(), epochs=self.student_epochs, learning_rate=3e-3)
        train_s = self._fit(student, distillation(self.run.network), recipe)
        made = self._of_graph("distilled", self._graph("distilled", student), student)
        note = f"{STUDENT} taught by this network: its training took that much more"
        return made.model_copy(update={"train_s": record.train_s + train_s, "note": note})

    def _recipe(self) -> Recipe:
        """What both train by: the run's data, another optimiser, no average to wait for."""
        own = Recipe.from_text(self.run.record.recipe)
        return replace(
            own,
            optimiser="adamw",
            schedule="cosine",
            average_decay=0.0,
            patience=0,
            small_first=0.0,
        )

    def _fit(self, network: nn.Module, objective: Objective, recipe: Recipe) -> float:
        """Train, then leave the network in evaluation mode; returns seconds."""
        batches = ExampleBatches(self.run.training, self.run.scaling, recipe, torch.device("cpu"))
        fitted = fit(network, batches, objective, recipe, device=torch.device("cpu"))
        network.eval()
        return fitted.record.train_s

    # ----------------------------------------------------------------------------------- measuring
    def _graph(self, name: str, network: Network) -> Path:
        path = self.folder / f"{name}.onnx"
        if not path.exists():
            export(network, self.run.scaling, self.run.record.shape, path)
        return path

    def _of_graph(self, variant: Variant, graph: Path, network: Network) -> Measured:
        said = run_graph(graph, as_pixels(self.run.held_out))[LOGITS].argmax(axis=1)
        return self._measured(
            variant, said, network, n_bytes=graph.stat().st_size,
            latency=latency_ms(graph, self.run.record.shape),
        )  # fmt: skip

    def _measured(
        self, variant: Variant, said: NDArray[np.int64], network: nn.Module, *, n_bytes: int,
        latency: float, note: str = "",
    ) -> Measured:  # fmt: skip
        right = classification_metrics(
            self.run.held_out.labels, said, labels=list(range(len(self.run.record.classes))),
            metrics=("accuracy",),
        )["accuracy"]  # fmt: skip
        return Measured(
            variant=variant,
            file="",
            accuracy=Estimate(value=right.value, low=right.low, high=right.high),
            n_bytes=n_bytes,
            n_parameters=n_parameters(network),
            n_flops=multiply_adds(network, self.run.record.shape),
            latency_ms=latency,
            train_s=self.run.record.train_s,
            note=note,
        )


def distillation(teacher: Network) -> Objective:
    """Return the loss of a student: near the teacher's softened answers, and right.

    `SOFT_SHARE` of it is the divergence at `TEMPERATURE`, times its square as in Hinton et al.
    (2015), section 2; the rest is cross-entropy with the labels.
    """
    teacher = copy.deepcopy(teacher).eval()

    def objective(model: nn.Module, batch: Batch) -> Tensor:
        x, labels = batch
        with torch.no_grad():
            taught = teacher(x).float()
        said = model(x).float()
        soft = functional.kl_div(
            functional.log_softmax(said / TEMPERATURE, dim=1),
            functional.log_softmax(taught / TEMPERATURE, dim=1),
            reduction="batchmean",
            log_target=True,
        )
        hard = functional.cross_entropy(said, labels)
        return SOFT_SHARE * TEMPERATURE**2 * soft + (1 - SOFT_SHARE) * hard

    return objective


def _timed_ms(work: Callable[[], object]) -> float:
    """Return the median time on one thread, in milliseconds."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        times: list[float] = []
        for _ in range(N_TIMED):
            began = perf_counter()
            work()
            times.append(perf_counter() - began)
    finally:
        torch.set_num_threads(n_threads)
    return round(1000 * median(times[N_TIMED // 10 :]), 4)
