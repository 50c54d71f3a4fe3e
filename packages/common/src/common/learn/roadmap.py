"""`roadmap.toml` as typed, frozen values: phases, their lines, what to skip, what comes out.

Knows nothing of pages, terminals or progress. Read `exercises` next.
"""

import tomllib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

FILE_NAME = "roadmap.toml"


class RoadmapError(Exception):
    """`roadmap.toml` is missing or does not say what a roadmap must say."""


class Status(StrEnum):
    """Whether a line of the roadmap runs here and now."""

    BUILT = "built"
    PLANNED = "planned"


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Line(_Row):
    """One line of a phase: a topic, a tool, a part of its project or an exit criterion.

    A built line names the `file` that shows it and the `command` that runs it; a planned one names
    neither. `exercises` are ids such as `p1/the-scaler-that-knew`.
    """

    id: str = Field(pattern=r"^p[0-5]\.[a-z0-9-]+$")
    text: str
    about: str = ""
    status: Status
    file: str = ""
    command: str = ""
    exercises: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _says_what_runs_only_when_it_runs(self) -> "Line":
        if self.status is Status.BUILT and not (self.file and self.command):
            raise ValueError(f"{self.id} is built, so it must name its file and its command")
        if self.status is Status.PLANNED and (self.file or self.command or self.exercises):
            raise ValueError(f"{self.id} is planned: it may not name a file, command or exercise")
        return self


class Resource(_Row):
    """Something to read or watch that others made."""

    id: str
    text: str
    note: str = ""


class Project(_Row):
    """What a phase builds, and the parts it must have."""

    id: str
    text: str
    parts: tuple[Line, ...]


class Phase(_Row):
    """One of the six phases. `service` is the script that starts what it builds."""

    number: int = Field(ge=0, le=5)
    title: str
    period: str
    n_weeks: int = Field(ge=1)
    goal: str
    service: str
    topics: tuple[Line, ...]
    tools: tuple[Line, ...]
    resources: tuple[Resource, ...]
    project: Project | None = None
    criteria: tuple[Line, ...]

    @property
    def slug(self) -> str:
        """The short name used in ids and commands, such as `p1`."""
        return f"p{self.number}"

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every line that can be built: topics, tools, parts of the project, exit criteria."""
        parts = self.project.parts if self.project else ()
        return (*self.topics, *self.tools, *parts, *self.criteria)

    @property
    def n_built(self) -> int:
        """How many of `lines` run here and now."""
        return sum(line.status is Status.BUILT for line in self.lines)

    @property
    def is_built(self) -> bool:
        """Whether at least one line of the phase runs; a page says how many."""
        return self.n_built > 0


class Principle(_Row):
    """A way of learning, and how this product practises it."""

    id: str
    text: str
    practice: str


class Skip(_Row):
    """What the roadmap leaves out, and what is done instead."""

    id: str
    text: str
    instead: str


class Outcome(_Row):
    """What a person can do in the end, and the exit criteria that add up to it."""

    id: str
    text: str
    criteria: tuple[str, ...]


class Roadmap(_Row):
    """The whole roadmap."""

    title: str
    audience: str
    promise: str
    advantages: tuple[str, ...]
    principles: tuple[Principle, ...]
    phases: tuple[Phase, ...]
    skips: tuple[Skip, ...]
    outcomes: tuple[Outcome, ...]

    @model_validator(mode="after")
    def _ids_are_unique_and_known(self) -> "Roadmap":
        ids = [line.id for line in self.lines]
        if repeated := {name for name in ids if ids.count(name) > 1}:
            raise ValueError(f"ids stand twice: {', '.join(sorted(repeated))}")
        known = {line.id for phase in self.phases for line in phase.criteria}
        for outcome in self.outcomes:
            if strangers := set(outcome.criteria) - known:
                raise ValueError(f"{outcome.id} names unknown criteria: {sorted(strangers)}")
        return self

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every line of every phase, in the roadmap's order."""
        return tuple(line for phase in self.phases for line in phase.lines)

    def phase(self, number: int) -> Phase:
        """Return phase `number` (0 to 5); `RoadmapError` when there is none."""
        for phase in self.phases:
            if phase.number == number:
                return phase
        raise RoadmapError(f"there is no phase {number}; phases are 0 to 5")


class Week(_Row):
    """One week of the checklist: its number from the start, its phase and what to finish in it."""

    number: int
    phase: int
    lines: tuple[Line, ...]


def load_roadmap(path: Path | None = None) -> Roadmap:
    """Read the roadmap from `path`, by default the copy that travels with this package.

    Raises `RoadmapError` naming the file and the first thing that is wrong with it.
    """
    source = path or Path(__file__).with_name(FILE_NAME)
    try:
        with source.open("rb") as file:
            return Roadmap.model_validate(tomllib.load(file))
    except OSError as error:
        raise RoadmapError(f"cannot read {source}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise RoadmapError(f"{source} is not a roadmap: {error}") from error


def weekly_checklist(roadmap: Roadmap) -> tuple[Week, ...]:
    """Spread each phase's lines evenly, in order, over its weeks; every line falls in one week."""
    return tuple(_weeks(roadmap))


def _weeks(roadmap: Roadmap) -> Iterator[Week]:
    first = 1
    for phase in roadmap.phases:
        lines, n_weeks = phase.lines, phase.n_weeks
        for index in range(n_weeks):
            start, stop = (len(lines) * k // n_weeks for k in (index, index + 1))
            yield Week(number=first + index, phase=phase.number, lines=lines[start:stop])
        first += n_weeks
