"""The training loop: one for every network of the house, also for those of later projects.

It knows batches, an objective and a recipe; it does not know what a batch holds. A step's chance is
a function of the seed, the step and the process alone, so that a run that was killed and resumed
ends with the very weights of one that was not. Read next: `classifying.py`, which trains a
classifier through it.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from p2_nn_service.contracts import RunRecord, RunStatus
from p2_nn_service.errors import CheckpointError, TrainingError
from p2_nn_service.models.building import n_parameters
from p2_nn_service.runs import RunFolder
from p2_nn_service.training.averaging import WeightAverage
from p2_nn_service.training.chance import seed_of
from p2_nn_service.training.checkpoints import Checkpoints, State, trainer_of
from p2_nn_service.training.distributed import best_device, spread, who, with_shared_norms
from p2_nn_service.training.interrupts import StopRequest, stop_requests
from p2_nn_service.training.optimisers import make_optimiser
from p2_nn_service.training.precision import autocast, choose_precision
from p2_nn_service.training.progress import Progress
from p2_nn_service.training.recipe import Precision, Recipe
from p2_nn_service.training.schedules import set_rate
from p2_nn_service.training.watching import Watcher

Batch = tuple[Tensor, ...]
Objective = Callable[[nn.Module, Batch], Tensor]
Evaluate = Callable[[nn.Module], dict[str, float]]


class Batches(Protocol):
    """Where batches come from: the same ones in the same order for the same epoch."""

    def n_batches(self) -> int:
        """Count the batches of an epoch."""
        ...

    def epoch(self, epoch: int, *, start: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch (from 0) from number `start` on, over all processes.

        Every part of a batch holds its examples along the first dimension.
        """
        ...


@dataclass(frozen=True)
class Keeping:
    """When checkpoints are written, beside the ends of epochs; 0 for never."""

    every_s: float = 60.0
    every_steps: int = 0


@dataclass(frozen=True)
class Fitted:
    """What training left: the network with its final weights, and the record of the run."""

    model: nn.Module
    record: RunRecord

    @property
    def is_finished(self) -> bool:
        """Whether it came to its end, rather than being interrupted."""
        return self.record.status == "finished"


def fit(
    model: nn.Module,
    batches: Batches,
    objective: Objective,
    recipe: Recipe,
    *,
    run: RunFolder | None = None,
    record: RunRecord | None = None,
    evaluate: Evaluate | None = None,
    judged_by: str = "held_out_accuracy",
    watchers: Sequence[Watcher] = (),
    device: torch.device | None = None,
    keeping: Keeping | None = None,
    resume: bool = False,
) -> Fitted:
    """Train `model` in place, as the recipe says; with `run`, keep checkpoints and a record.

    `objective` returns the mean loss of a batch. `evaluate` is given the network as it would be
    used (averaged weights, evaluation mode, no gradients) after each epoch; of what it measures,
    `judged_by` tells which epoch is best, the lower the better if its name ends in `loss`. With
    `patience` the best weights are the final ones, else the last. `record` is what the run's
    record begins with. `resume` goes on from the run's newest whole checkpoint.

    Ctrl-C, or a request in the run's folder (`RunFolder.ask_to_stop`), ends it between two steps
    with a checkpoint. Raises `RunBusyError` when another process
    trains in the folder, `TrainingError` when the loss is no number or the disk is full,
    `CheckpointError` when there is nothing to go on from, or what is there is of another recipe.
    """
    processes = who()
    with ExitStack() as held:
        if run is not None and processes.is_first:
            held.enter_context(trainer_of(run.path))
        stop = held.enter_context(stop_requests(run if processes.is_first else None))
        held.enter_context(torch.random.fork_rng())
        loop = _Loop(model, batches, objective, recipe, device or best_device())
        loop.attend(run, evaluate, judged_by, watchers if processes.is_first else ())
        return loop.run(_begun(record, run, recipe, resume=resume), keeping or Keeping(), stop)


def _begun(
    record: RunRecord | None, run: RunFolder | None, recipe: Recipe, *, resume: bool
) -> RunRecord:
    if resume and run is None:
        raise CheckpointError("there is no run to resume")
    if record is None and resume and run is not None:
        record = run.read()
    if record is None:
        name = run.path.name if run else ""
        record = RunRecord(id=name, dataset="", model="", started_at=datetime.now(UTC))
    if run is not None and not resume and Checkpoints(run.path):
        raise TrainingError(f"{run.path} holds a run already; go on with --resume {run.path.name}")
    return record.model_copy(update={"recipe": recipe.as_text(), "epochs": recipe.epochs})


class _Loop:
    """One call of `fit`: what it trains, and how far it is."""

    def __init__(
        self,
        model: nn.Module,
        batches: Batches,
        objective: Objective,
        recipe: Recipe,
        device: torch.device,
    ) -> None:
        self.batches, self.objective, self.recipe, self.device = batches, objective, recipe, device
        self.processes = who()
        self.model = model.to(device)
        if recipe.channels_last:
            _lay_out(self.model)
        with_shared_norms(self.model, self.processes)
        self.spread = spread(self.model, self.processes)
        self.optimiser = make_optimiser(self.model, recipe)
        decay = recipe.average_decay
        self.average = WeightAverage(self.model, decay) if decay else None
        self.progress = Progress()
        self.is_stopping = False
        self.precision: Precision = "fp32"

    def attend(
        self,
        run: RunFolder | None,
        evaluate: Evaluate | None,
        judged_by: str,
        watchers: Sequence[Watcher],
    ) -> None:
        """Take on those who look at the run, and where it is kept."""
        self.folder = run if self.processes.is_first else None
        self.evaluate, self.judged_by, self.watchers = evaluate, judged_by, watchers
        self.checkpoints = Checkpoints(run.path) if run else None

    @property
    def steps_in_epoch(self) -> int:
        return math.ceil(self.batches.n_batches() / self.recipe.accumulate)

    # ------------------------------------------------------------------------------ the whole run
    def run(self, record: RunRecord, keeping: Keeping, stop: StopRequest) -> Fitted:
        self.record, self.keeping, self.stop = record, keeping, stop
        if self.checkpoints is not None and self.checkpoints:
            self._restore()
        else:
            self.precision = self._agreed_precision()
        self._note(
            "running",
            reason="",
            steps=self.recipe.epochs * self.steps_in_epoch,
            n_parameters=n_parameters(self.model),
            device=str(self.device),
        )
        for watcher in self.watchers:
            watcher.started(self.record)
        self.kept_at = time.monotonic()
        try:
            self._train()
        except TrainingError as error:
            with suppress(OSError):  # a full disk may have no room for the record either
                self._end("failed", str(error))
            raise
        return Fitted(self.model, self.record)

    def _train(self) -> None:
        reason = ""
        while self.progress.epoch < self.recipe.epochs and not reason:
            if self._epoch():
                self._end_epoch()
                reason = self._why_stop_early()
            else:
                self._keep()
            is_over = self.progress.epoch == self.recipe.epochs or bool(reason)
            if self.is_stopping and not is_over:
                self._end("interrupted", "asked to stop")
                return
        if self.recipe.patience and self.progress.best_weights:
            self.model.load_state_dict(self.progress.best_weights)
        elif self.average is not None:
            self.model.load_state_dict(self.average.model.state_dict())
        self._end("finished", reason)

    def _why_stop_early(self) -> str:
        n_stale = self.progress.epoch - self.progress.best_epoch
        if not self.recipe.patience or n_stale < self.recipe.patience:
            return ""
        return f"no better {self.judged_by} in {n_stale} epochs"

    # ------------------------------------------------------------------------- an epoch, and a step
    def _epoch(self) -> bool:
        """Train to the end of the epoch; false when asked to stop before."""
        start, passes = self.progress.step_in_epoch, self.recipe.accumulate
        coming = self.batches.epoch(self.progress.epoch, start=start * passes)
        since = time.perf_counter()
        while group := list(islice(coming, passes)):
            loss = self._step(group)
            self.progress.train_s += time.perf_counter() - since
            for watcher in self.watchers:
                watcher.stepped(self.progress.step, loss, self.model, self.optimiser)
            if self.is_stopping and self.progress.step_in_epoch < self.steps_in_epoch:
                return False
            self._keep_if_due()
            since = time.perf_counter()
        return True

    def _step(self, group: list[Batch]) -> float:
        """Take one step of the optimiser, hear whether any process is to stop; returns the loss."""
        recipe, step = self.recipe, self.progress.step
        torch.manual_seed(seed_of(recipe.seed, step, self.processes.rank))
        self.model.train()
        self.optimiser.zero_grad(set_to_none=True)
        n_examples = sum(len(batch[0]) for batch in group)
        loss = torch.zeros((), device=self.device)
        for k, batch in enumerate(group):
            with self._gradients_summed(is_last=k == len(group) - 1):
                loss += self._pass(batch, n_examples)
        total, n_stopping = self.processes.sums(
            loss.item(), float(self.stop.is_made), device=self.device
        )
        self.is_stopping = n_stopping > 0
        set_rate(self.optimiser, recipe, step, self.record.steps)
        if not math.isfinite(total):
            raise self._diverged(f"the loss is {total}")
        if recipe.clip_norm:
            nn.utils.clip_grad_norm_(self.model.parameters(), recipe.clip_norm)
        self.optimiser.step()
        self.progress.end_step(total)
        if self.average is not None:
            self.average.update(self.model, self.progress.step)
        return total

    def _pass(self, batch: Batch, n_examples: int) -> Tensor:
        """Go forward and backward with this process's share; returns its part of the mean loss."""
        if len(batch[0]) < self.processes.n:
            raise TrainingError(
                f"a batch of {len(batch[0])} for {self.processes.n} processes; raise batch_size"
            )
        mine = tuple(self._moved(part) for part in self.processes.share(batch))
        with autocast(self.precision, self.device):
            loss = self.objective(self.spread, mine) * (len(mine[0]) / n_examples)
        (loss * self.processes.n).backward()  # the processes' gradients are averaged
        return loss.detach()

    def _moved(self, part: Tensor) -> Tensor:
        is_laid_out = part.dim() == 4 and self.recipe.channels_last
        layout = torch.channels_last if is_laid_out else torch.preserve_format
        return part.to(self.device, non_blocking=True, memory_format=layout)

    def _gradients_summed(self, *, is_last: bool) -> AbstractContextManager[None]:
        """Let processes exchange gradients in the last pass of a step alone."""
        if isinstance(self.spread, DistributedDataParallel) and not is_last:
            return self.spread.no_sync()
        return nullcontext()

    def _diverged(self, what: str) -> TrainingError:
        kept = ""
        if self.checkpoints is not None and self.checkpoints:
            kept = f" Checkpoints before it are kept in {self.checkpoints.folder}."
        return TrainingError(
            f"{what} at step {self.progress.step + 1} (epoch {self.progress.epoch + 1}): training "
            f"diverged. Train anew with a lower learning_rate (now {self.recipe.learning_rate:g}) "
            f"or with clip_norm 1; `p2-nn-service debug` names the first bad operation.{kept}"
        )

    # ------------------------------------------------------------------ what is measured and kept
    def _end_epoch(self) -> None:
        network = self.model if self.average is None else self.average.model
        measured: dict[str, float] = {}
        if self.evaluate is not None and self.processes.is_first:
            network.eval()
            with torch.no_grad(), autocast(self.precision, self.device):
                measured = self.evaluate(network)
        metrics = self.progress.end_epoch(self.processes.from_first(measured))
        if self.judged_by in metrics:
            self._judge(metrics[self.judged_by], network)
        self._keep()
        self._note("running")
        for watcher in self.watchers:
            watcher.epoch_ended(self.record, dict(metrics))

    def _judge(self, value: float, network: nn.Module) -> None:
        score = -value if self.judged_by.endswith("loss") else value
        if score <= self.progress.best_score:
            return
        self.progress.best_score, self.progress.best_epoch = score, self.progress.epoch
        if self.recipe.patience:
            self.progress.best_weights = {
                name: value.clone() for name, value in network.state_dict().items()
            }

    def _keep_if_due(self) -> None:
        every, passed = self.keeping, time.monotonic() - self.kept_at
        is_time = 0 < every.every_s <= passed
        is_step = every.every_steps and self.progress.step % every.every_steps == 0
        if (is_time or is_step) and self.progress.step_in_epoch < self.steps_in_epoch:
            self._keep()
            self._note("running")

    def _keep(self) -> None:
        """Write a checkpoint of what can be gone on with."""
        if self.folder is None or self.checkpoints is None:
            return
        if not all(bool(p.isfinite().all()) for p in self.model.parameters()):
            raise self._diverged("a weight is no number after the step before")
        state: State = {
            "recipe": self.recipe.as_text(),
            "precision": self.precision,
            "progress": self.progress.as_state(),
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": self.average.model.state_dict() if self.average else {},
        }
        self.checkpoints.save(state, self.progress.step)
        self.kept_at = time.monotonic()

    def _restore(self) -> None:
        if self.checkpoints is None:
            return
        state, _ = self.checkpoints.newest()
        if differing := Recipe.from_text(state["recipe"]).differences(self.recipe):
            raise CheckpointError(
                f"the run was begun with another recipe ({', '.join(differing)}); go on with the "
                "one it has, or begin a new run"
            )
        try:
            self.model.load_state_dict(state["model"])
            self.optimiser.load_state_dict(state["optimiser"])
            if self.average is not None:
                self.average.model.load_state_dict(state["average"])
        except (RuntimeError, ValueError) as error:
            raise CheckpointError(f"the checkpoint is of another network: {error}") from error
        self.progress = Progress.from_state(state["progress"])
        self.precision = state["precision"]

    def _agreed_precision(self) -> Precision:
        """Choose once, by the first process: a run keeps to it, also when resumed."""
        chosen = choose_precision(self.recipe.precision, self.device)
        is_bf16 = self.processes.from_first({"bf16": float(chosen == "bf16")})["bf16"]
        return "bf16" if is_bf16 else "fp32"

    def _note(self, status: RunStatus, **changes: object) -> None:
        done = self.progress
        changes |= {
            "status": status,
            "epoch": done.epoch,
            "step": done.step,
            "train_s": round(done.train_s, 3),
            "metrics": dict(done.metrics),
            "precision": self.precision,
        }
        self.record = self.record.model_copy(update=changes)
        if self.folder is not None:
            self.folder.write(self.record)

    def _end(self, status: RunStatus, reason: str) -> None:
        self._note(status, reason=reason)
        for watcher in self.watchers:
            watcher.ended(self.record)


def _lay_out(model: nn.Module) -> None:
    """Put the channels of image filters innermost, as the fast kernels read them."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            module.to(memory_format=torch.channels_last)
