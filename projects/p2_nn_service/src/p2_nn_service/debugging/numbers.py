"""The hunt for NaN and infinity: which operation makes the first one, forward or backward.

The recipe's first steps are taken; when a loss or a gradient is no number, the step is gone through
again and every operation is looked at. What is named is the first whose inputs are numbers and
whose output is not: `log` of zero, a division, an overflow. (torch's anomaly mode names only what
fails backward, and only for NaN.)
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.autograd.graph import Node

from p2_nn_service.debugging.allowance import Allowance
from p2_nn_service.debugging.findings import Finding
from p2_nn_service.debugging.practice import loss_of, practise, warm
from p2_nn_service.debugging.subject import Subject
from p2_nn_service.debugging.tracing import Operation, Tracing
from p2_nn_service.training.chance import seed_of
from p2_nn_service.training.loop import Batch

CODE = "numbers"
N_STEPS = 40
HUGE = 1e3
"""A weight beyond it was driven there by the rate, not by the data."""
_MEANT = frozenset({"masked_fill", "where", "full", "full_like", "triu"})
"""What writes infinity on purpose, as an attention's mask does."""


@dataclass(frozen=True)
class BadOperation:
    """The first operation that made of numbers something that is none."""

    operation: Operation
    way: str
    """`forward` or `backward`."""
    made: str
    read: str
    """What it was given, in words."""

    def __str__(self) -> str:
        return f"{self.operation}, {self.way}: it made {self.made} of {self.read}"


def check_numbers(subject: Subject, time: Allowance) -> Finding:
    """Take the recipe's first steps and look for what is no number."""
    model, n_steps = subject.fresh(), 0
    for step in practise(model, subject, subject.batches(), time.steps(N_STEPS)):
        gradients = (p.grad for p in model.parameters() if p.grad is not None)
        if not (math.isfinite(step.loss) and _are_numbers(gradients)):
            seed = seed_of(subject.recipe.seed, step.number)
            return _told(step.number, model, first_bad(model, step.batch, seed))
        warm(step, subject, N_STEPS)
        n_steps += 1
    return Finding(
        code=CODE, severity="ok", figures={"steps": n_steps},
        verdict=f"No NaN and no infinity in {n_steps} steps of the recipe.",
    )  # fmt: skip


def first_bad(model: nn.Module, batch: Batch, seed: int = 0) -> BadOperation | None:
    """Go forward and backward once, looking at each operation; None when all made numbers."""
    bad: list[BadOperation] = []
    made_by: dict[Node, Operation] = {}

    def seen(operation: Operation, given: Sequence[Tensor], made: Sequence[Tensor]) -> None:
        for one in made:
            if one.grad_fn is not None:
                made_by.setdefault(one.grad_fn, operation)
        if operation.name.rstrip("_") in _MEANT or not _are_numbers(given):
            return
        if not _are_numbers(made):
            bad.append(BadOperation(operation, "forward", _worst(made), _extent(given)))

    with Tracing(model, seen):
        loss = loss_of(model, batch, seed)
    if bad and not math.isfinite(loss.item()):
        return bad[0]
    if loss.grad_fn is None:
        return None
    _watch_backward(loss.grad_fn, made_by, bad.append)
    bad.clear()
    loss.backward()
    return bad[0] if bad else None


def _watch_backward(
    last: Node, made_by: dict[Node, Operation], found: Callable[[BadOperation], None]
) -> None:
    """Look at what each node of the graph makes of the gradient that reaches it.

    A function may be several nodes, of which only the last is known: the others are its, too.
    """
    waiting, done = [(last, made_by.get(last, Operation("loss", "")))], set[Node]()
    while waiting:
        node, operation = waiting.pop()
        if node in done:
            continue
        done.add(node)
        node.register_hook(_watcher(operation, found))
        for before, _ in node.next_functions:
            if before is not None and before.name() != "torch::autograd::AccumulateGrad":
                waiting.append((before, made_by.get(before, operation)))


def _watcher(
    operation: Operation, found: Callable[[BadOperation], None]
) -> Callable[[Sequence[Tensor | None], Sequence[Tensor | None]], None]:
    def watch(made: Sequence[Tensor | None], given: Sequence[Tensor | None]) -> None:
        there = [one for one in given if one is not None]
        passed = [one for one in made if one is not None]
        if _are_numbers(there) and not _are_numbers(passed):
            found(BadOperation(operation, "backward", _worst(passed), _extent(there)))

    return watch


def _told(number: int, model: nn.Module, bad: BadOperation | None) -> Finding:
    largest = max(p.detach().abs().max().item() for p in model.parameters())
    figures = {"step": number + 1.0} | ({"largest_weight": largest} if largest < math.inf else {})
    if bad is None:
        return Finding(
            code=CODE, severity="problem", figures=figures,
            verdict=f"At step {number + 1} the loss or a gradient is no number, and none of the "
            "operations made it: it came in with the inputs or the weights.",
            next="See `inputs`; check what the network is initialised with.",
        )  # fmt: skip
    is_driven = not largest < HUGE
    return Finding(
        code=CODE, severity="problem", figures=figures,
        verdict=f"The first bad operation, at step {number + 1}: {bad}.",
        next=f"Weights have grown to {largest:.0e}: the learning rate is too high."
        if is_driven
        else "Keep its inputs where it is defined: add a small number before log, sqrt and "
        "division, or use a fused form (log_softmax, logsumexp, cross_entropy of logits).",
    )  # fmt: skip


def _are_numbers(tensors: Iterable[Tensor]) -> bool:
    return all(bool(one.isfinite().all()) for one in tensors)


def _worst(tensors: Sequence[Tensor]) -> str:
    is_nan = any(bool(one.isnan().any()) for one in tensors)
    return "NaN" if is_nan else "infinity"


def _extent(tensors: Sequence[Tensor]) -> str:
    filled = [one for one in tensors if one.numel()]
    if not filled:
        return "nothing"
    low = min(one.min().item() for one in filled)
    high = max(one.max().item() for one in filled)
    return f"numbers from {low:.3g} to {high:.3g}"
