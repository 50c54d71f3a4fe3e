"""All checks, in the order of an expert: the data, the start, what flows, one batch, the rate.

`examine` keeps to its time: each check gets its part of what is left, one that saw too little is
told as left out, and Ctrl-C ends with what is known.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from p2_nn_service.debugging.allowance import Allowance, CannotTellError
from p2_nn_service.debugging.findings import Finding, LeftOut, Report, ranked, sum_up
from p2_nn_service.debugging.flow import check_flow
from p2_nn_service.debugging.inputs import check_inputs
from p2_nn_service.debugging.labels import check_labels
from p2_nn_service.debugging.leaks import check_alone, check_shuffled
from p2_nn_service.debugging.numbers import check_numbers
from p2_nn_service.debugging.overfitting import check_overfitting
from p2_nn_service.debugging.rates import check_rate
from p2_nn_service.debugging.repeats import check_repeats
from p2_nn_service.debugging.starting import check_start
from p2_nn_service.debugging.subject import Subject
from p2_nn_service.debugging.units import check_units
from p2_nn_service.debugging.updates import check_updates

Check = Callable[[Subject, Allowance], Finding]


@dataclass(frozen=True)
class Listed:
    """A check with its code, what a person reads while it runs, and its weight in time."""

    code: str
    words: str
    run: Check
    weight: float


CHECKS: tuple[Listed, ...] = (
    Listed("inputs", "input statistics", check_inputs, 1),
    Listed("repeats", "examples on both sides", check_repeats, 1),
    Listed("one-value-tells", "a value that tells all", check_alone, 2),
    Listed("loss-at-start", "loss before the first step", check_start, 1),
    Listed("gradient-flow", "gradients of each layer", check_flow, 1),
    Listed("numbers", "NaN and infinity", check_numbers, 5),
    Listed("overfit-a-batch", "one batch by heart", check_overfitting, 10),
    Listed("units", "units that do no work", check_units, 5),
    Listed("update-ratio", "step over weight", check_updates, 5),
    Listed("learning-rate", "learning-rate range test", check_rate, 20),
    Listed("shuffled-labels", "shuffled-label control", check_shuffled, 15),
    Listed("labels", "labels that may be wrong", check_labels, 35),
)

Progress = Callable[[str, float], None]
"""Is given what is being done, and the share of the whole that is done."""


def _nobody(_: str, __: float) -> None:
    """Is not interested."""


def examine(
    subject: Subject,
    *,
    seconds: float = float("inf"),
    checks: Sequence[Listed] = CHECKS,
    told: Progress = _nobody,
    clock: Callable[[], float] = time.monotonic,
) -> Report:
    """Run the checks and sum up what they found."""
    began, whole = clock(), Allowance(seconds, clock=clock)
    findings: list[Finding] = []
    left_out: list[LeftOut] = []
    for k, check in enumerate(checks):
        rest = sum(one.weight for one in checks[k:])
        part = whole.part(check.weight / rest, _telling(check, k / len(checks), told, len(checks)))
        try:
            findings.append(check.run(subject, part))
        except CannotTellError as error:
            left_out.append(LeftOut(code=check.code, reason=str(error)))
        except KeyboardInterrupt:
            left_out += [LeftOut(code=one.code, reason="stopped before") for one in checks[k:]]
            break
    in_order = ranked(findings)
    return Report(
        subject=subject.name, verdict=sum_up(in_order, len(left_out)), findings=in_order,
        left_out=tuple(left_out), seconds=clock() - began,
    )  # fmt: skip


def _telling(check: Listed, done: float, told: Progress, n: int) -> Callable[[float], None]:
    return lambda share: told(check.words, done + share / n)
