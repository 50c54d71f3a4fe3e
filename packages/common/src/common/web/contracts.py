"""What the home page and its browser side say to each other.

Wire models only. Next: `home.py` for the routes that speak them.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from common.learn.roadmap import Roadmap


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WeekView(_Wire):
    """One week of the checklist; `lines` are ids of the roadmap's lines."""

    number: int
    phase: int
    lines: tuple[str, ...]


class ExerciseView(_Wire):
    """An exercise that is installed here."""

    id: str
    title: str
    phase: int


class GuideView(_Wire):
    """A guide to read: its address below `/guides/` and its first heading."""

    page: str
    title: str


class CourseView(_Wire):
    """The roadmap with its weeks, and the exercises and guides at hand."""

    roadmap: Roadmap
    weeks: tuple[WeekView, ...]
    exercises: tuple[ExerciseView, ...]
    guides: tuple[GuideView, ...]


class ModelView(_Wire):
    """A model that a service answers with."""

    name: str
    version: str


ServiceCondition = Literal["ready", "waiting", "gone", "failed", "off", "planned"]
"""Ready; starting or not ready; no answer; given up on; installed, not started; not built yet."""


class ServiceView(_Wire):
    """One of the six services as the page shows it."""

    name: str
    phase: int
    title: str
    script: str
    state: ServiceCondition
    detail: str = ""
    url: str | None = None
    page: str | None = None
    docs: str | None = None
    version: str | None = None
    n_restarts: int = 0
    models: tuple[ModelView, ...] = ()


class ServicesView(_Wire):
    """Every service, and when it was asked."""

    checked_at: datetime
    services: tuple[ServiceView, ...]


class ProgressView(_Wire):
    """What this person has done: id of a line or an exercise, and when."""

    done: dict[str, datetime]


class ProgressMark(_Wire):
    """One tick, set or taken back."""

    id: str = Field(max_length=120, examples=["p1.evaluation"])
    is_done: bool = Field(examples=[True])
