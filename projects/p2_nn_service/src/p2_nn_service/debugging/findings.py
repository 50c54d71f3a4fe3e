"""What the debugger says: findings with a verdict in words, what to draw of them, the report.

Values alone, no torch: the command prints them, `--json` writes them, `drawing.py` draws them.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Severity = Literal["ok", "warning", "problem"]
_ORDER: dict[Severity, int] = {"problem": 0, "warning": 1, "ok": 2}


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Lines(_Value):
    """Curves over one axis; `marks` are upright lines with a name."""

    kind: Literal["lines"] = "lines"
    title: str
    x_title: str
    y_title: str
    x: tuple[float, ...]
    curves: dict[str, tuple[float, ...]]
    marks: dict[str, float] = Field(default_factory=dict)
    is_x_log: bool = False
    is_y_log: bool = False


class Bars(_Value):
    """A figure for each layer or class, in their order."""

    kind: Literal["bars"] = "bars"
    title: str
    y_title: str
    bars: dict[str, float]
    is_y_log: bool = False


class Histograms(_Value):
    """A histogram for each layer: `counts` of the bins between `edges`."""

    kind: Literal["histograms"] = "histograms"
    title: str
    x_title: str
    edges: tuple[float, ...]
    counts: dict[str, tuple[float, ...]]


class Thumbnails(_Value):
    """Images (rows of grey or colour values, 0 to 255) with a caption each."""

    kind: Literal["thumbnails"] = "thumbnails"
    title: str
    images: tuple[tuple[tuple[tuple[int, ...], ...], ...], ...] = Field(
        description="Height, width, channels."
    )
    captions: tuple[str, ...]


Drawing = Lines | Bars | Histograms | Thumbnails


class Suspect(_Value):
    """An example whose label may be wrong."""

    row: int = Field(description="Position in the data set, from 0.")
    label: str
    said: str = Field(description="What a network that never saw this example takes it for.")
    probability: float = Field(description="Of what it said.")


class Finding(_Value):
    """What one check found."""

    code: str
    severity: Severity
    verdict: str
    figures: dict[str, float] = Field(default_factory=dict)
    next: str = Field(default="", description="What to do about it.")
    drawings: tuple[Drawing, ...] = ()
    suspects: tuple[Suspect, ...] = ()


class LeftOut(_Value):
    """A check that was not done, and why."""

    code: str
    reason: str


class Report(_Value):
    """Everything that was found, the most severe first."""

    subject: str
    verdict: str
    findings: tuple[Finding, ...]
    left_out: tuple[LeftOut, ...] = ()
    seconds: float

    @property
    def has_problem(self) -> bool:
        """Whether something stands in the way of learning."""
        return any(one.severity == "problem" for one in self.findings)


def ranked(findings: list[Finding]) -> tuple[Finding, ...]:
    """Order by severity, otherwise as found."""
    return tuple(sorted(findings, key=lambda one: _ORDER[one.severity]))


def sum_up(findings: tuple[Finding, ...], n_left_out: int) -> str:
    """Say in a sentence or two how it stands; `findings` are ranked."""
    problems = [one for one in findings if one.severity == "problem"]
    warnings = [one for one in findings if one.severity == "warning"]
    undone = f" {_counted(n_left_out, 'check')} not done." if n_left_out else ""
    if problems:
        more = f" {len(problems) - 1} more to mend." if len(problems) > 1 else ""
        return f"Something is broken. {problems[0].verdict}{more}{undone}"
    if warnings:
        more = f" {len(warnings) - 1} more to look at." if len(warnings) > 1 else ""
        return f"It learns; look at this. {warnings[0].verdict}{more}{undone}"
    if not findings:
        return f"Nothing is known.{undone}"
    return f"Nothing wrong was found in {_counted(len(findings), 'check')}.{undone}"


def _counted(n: int, thing: str) -> str:
    return f"{n} {thing}{'' if n == 1 else 's'}"
