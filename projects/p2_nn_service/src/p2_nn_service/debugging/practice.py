"""Training for a few dozen steps, to see what happens: no record, no checkpoint, no schedule.

As `training/loop.py` trains, so that what is seen here holds there: the same optimiser, clipping
and chance; the rate rises over the first quarter where the recipe has a warm-up.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from p2_nn_service.debugging.allowance import CannotTellError
from p2_nn_service.debugging.subject import Subject
from p2_nn_service.training.chance import seed_of
from p2_nn_service.training.examples import classification
from p2_nn_service.training.loop import Batch

REFERENCE_RATE = 3e-3
cross_entropy = classification()
"""The loss in nats, of labels as they are: what is smoothed has another start and end."""
_PART = 1000


@dataclass(frozen=True)
class Step:
    """A step that is about to be taken: its number from 0, its batch, its loss, its optimiser."""

    number: int
    batch: Batch
    loss: float
    optimiser: Optimizer


def practise(
    model: nn.Module,
    subject: Subject,
    batches: Iterable[Batch],
    steps: Iterable[int],
    optimiser: Optimizer | None = None,
) -> Iterator[Step]:
    """Train `model` in place; yields each step when its gradients are there, before it is taken.

    Who looks may change the rate, or leave. Without an optimiser it is the subject's, at the
    recipe's rate. A loss that is no number is yielded without gradients, and is the last.
    """
    optimiser = optimiser or subject.make_optimiser(model, subject.recipe)
    model.train()
    for k, batch in zip(steps, batches, strict=False):
        optimiser.zero_grad(set_to_none=True)
        loss = loss_of(model, batch, seed_of(subject.recipe.seed, k))
        value = loss.item()
        if not math.isfinite(value):
            yield Step(k, batch, value, optimiser)
            return
        loss.backward()
        yield Step(k, batch, value, optimiser)
        if subject.recipe.clip_norm:
            nn.utils.clip_grad_norm_(model.parameters(), subject.recipe.clip_norm)
        optimiser.step()


def loss_of(model: nn.Module, batch: Batch, seed: int) -> Tensor:
    """Return the loss with the chance (dropout) of a seed; the global chance is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return cross_entropy(model, batch)


def reference_optimiser(model: nn.Module, rate: float = REFERENCE_RATE) -> Optimizer:
    """Return what trains nearly everything, to tell a fault of the recipe from one elsewhere."""
    return torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)


def at_rate(subject: Subject, model: nn.Module, rate: float) -> Optimizer:
    """Return the subject's optimiser with its highest rate at `rate`, other rates in proportion."""
    recipe = subject.recipe
    rest = recipe.rest_learning_rate * rate / recipe.learning_rate
    return subject.make_optimiser(
        model, replace(recipe, learning_rate=rate, rest_learning_rate=min(rest, 999.0))
    )


def warm(step: Step, subject: Subject, n_steps: int) -> None:
    """Let the rate rise over the first quarter of the steps, if the recipe has a warm-up."""
    rise = max(1, n_steps // 4) if subject.recipe.warm_up else 1
    factor = min(1.0, (step.number + 1) / rise)
    for group in step.optimiser.param_groups:
        group["lr"] = group.setdefault("highest_lr", group["lr"]) * factor


def logits_of(model: nn.Module, x: Tensor) -> Tensor:
    """Return the logits in evaluation mode, as float32; the mode is left as it was."""
    was_training = model.training
    model.eval()
    with torch.no_grad():
        parts = [model(part).float() for part in x.split(_PART)]
    model.train(was_training)
    return torch.cat(parts)


def right(model: nn.Module, batch: Batch) -> int:
    """Count the examples that the model, in evaluation mode, answers rightly."""
    x, labels = batch
    return int((logits_of(model, x).argmax(1) == labels).sum())


def check_finite(losses: list[float], where: str) -> None:
    """Raise `CannotTellError` when training broke off at a loss that is no number."""
    if losses and not math.isfinite(losses[-1]):
        raise CannotTellError(f"the loss became {losses[-1]} {where}; mend that first")
