"""A suite: what is measured, and the gates it must pass before something may be released.

    name = "churn model"
    [[cases]]
    name = "held-out customers"
    kind = "classification"
    data = "held_out.jsonl"          # beside the suite's file
    [[cases.gates]]
    metric = "roc_auc"
    at_least = 0.80                  # on = "interval": its lower bound; "value": the figure alone

A gate is held against the worse end of the interval unless it says `on = "value"`: a small sample
must not pass by luck. `run_suite` measures the cases from their files, or by a function that asks
a live model. Knows no report; read next `reports.py` and `cases.py`.
"""

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from typing_extensions import override

from common.evaluation.cases import CaseKind, measure_file
from common.evaluation.estimates import Direction, Estimate, EvaluationError
from common.evaluation.metrics import Metrics, Resampling

ExitCode: TypeAlias = Literal[0, 1, 2]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Gate(_Strict):
    """A bound that a metric must keep."""

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    on: Literal["interval", "value"] = "interval"

    @model_validator(mode="after")
    def _has_one_bound(self) -> "Gate":
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError("accepted: one of at_least and at_most")
        return self

    def check(self, estimate: Estimate) -> "GateResult":
        """Hold an estimate to the bound."""
        if self.at_least is not None:
            held = estimate.low if self.on == "interval" else estimate.value
            return GateResult(gate=self, held=held, is_passed=held >= self.at_least)
        held = estimate.high if self.on == "interval" else estimate.value
        return GateResult(gate=self, held=held, is_passed=held <= (self.at_most or 0.0))

    @override
    def __str__(self) -> str:
        sign, bound = ("≥", self.at_least) if self.at_least is not None else ("≤", self.at_most)
        what = self.metric
        if self.on == "interval":
            what = f"{'lower' if sign == '≥' else 'upper'} bound of {self.metric}"
        return f"{what} {sign} {bound:g}"


class GateResult(_Strict):
    """What a gate was held against, and whether it passed."""

    gate: Gate
    held: float
    is_passed: bool


class Case(_Strict):
    """One set of examples, how it is measured, and its gates."""

    name: str
    kind: CaseKind
    data: Path | None = Field(None, description="JSON Lines, relative to the suite's file.")
    metrics: tuple[str, ...] | None = Field(None, description="Those measured; all when unset.")
    ks: tuple[int, ...] = Field((1, 5, 10), description="Depths of the retrieval metrics.")
    gates: tuple[Gate, ...] = ()


class Suite(_Strict):
    """Cases that are measured together; names are unique."""

    name: str
    description: str = ""
    level: float = Field(0.95, gt=0, lt=1)
    method: Literal["percentile", "basic", "bca"] = "percentile"
    n_resamples: int = Field(2000, ge=100)
    seed: int = 0
    cases: tuple[Case, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_unique(self) -> "Suite":
        names = [case.name for case in self.cases]
        if len(set(names)) < len(names):
            raise ValueError(f"cases share a name: {sorted(names)}")
        return self

    @property
    def resampling(self) -> Resampling:
        """How the suite's intervals are made."""
        return Resampling(self.method, self.level, self.n_resamples, self.seed)


class CaseResult(_Strict):
    """A case's figures and gates, or why it could not be measured."""

    name: str
    n: int = 0
    estimates: dict[str, Estimate] = Field(default_factory=dict)
    directions: dict[str, Direction] = Field(default_factory=dict)
    gates: tuple[GateResult, ...] = ()
    error: str = ""

    @property
    def is_passed(self) -> bool:
        """Whether it was measured and every gate held."""
        return not self.error and all(gate.is_passed for gate in self.gates)


class SuiteResult(_Strict):
    """What a suite found."""

    suite: str
    description: str = ""
    measured_at: datetime
    cases: tuple[CaseResult, ...]

    @property
    def is_passed(self) -> bool:
        """Whether every case passed."""
        return all(case.is_passed for case in self.cases)

    @property
    def exit_code(self) -> ExitCode:
        """For CI: 0 passed, 1 a gate failed, 2 a case could not be measured."""
        if any(case.error for case in self.cases):
            return 2
        return 0 if self.is_passed else 1


def load_suite(path: Path) -> Suite:
    """Read a suite from TOML; the data files of its cases are taken from its folder."""
    try:
        suite = Suite.model_validate(tomllib.loads(path.read_text()))
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"the suite {path} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise EvaluationError(f"{path} is no TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the suite"
        raise EvaluationError(f"{path}: {where}: {first['msg']}") from error
    placed = tuple(
        case.model_copy(update={"data": path.parent / case.data}) if case.data else case
        for case in suite.cases
    )
    return suite.model_copy(update={"cases": placed})


def run_suite(suite: Suite, measure: Callable[[Case], Metrics] | None = None) -> SuiteResult:
    """Measure every case and hold its gates; a case that fails does not stop the others.

    `measure` asks a live model; without it each case's data file is read.
    """

    def from_file(case: Case) -> Metrics:
        if case.data is None:
            raise EvaluationError(f"the case {case.name!r} names no data file")
        return measure_file(
            case.kind, case.data, metrics=case.metrics, ks=case.ks, resampling=suite.resampling
        )

    return SuiteResult(
        suite=suite.name,
        description=suite.description,
        measured_at=datetime.now(UTC),
        cases=tuple(_run(case, measure or from_file) for case in suite.cases),
    )


def _run(case: Case, measure: Callable[[Case], Metrics]) -> CaseResult:
    try:
        found = measure(case)
        gates = tuple(gate.check(found[gate.metric]) for gate in case.gates)
    except EvaluationError as error:
        return CaseResult(name=case.name, error=str(error))
    return CaseResult(
        name=case.name, n=found.n, estimates=dict(found.estimates),
        directions=dict(found.directions), gates=gates,
    )  # fmt: skip
