"""Failures on the wire: RFC 9457 problem details, and the base of errors meant for a person.

Knows no HTTP framework. Domain code raises its own errors; a service's `api.py` maps each to a
`ProblemType` in one table; clients turn problems back into `ProblemError`. Read next:
`service/problems.py`, which answers with them.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import override

PROBLEM_MEDIA_TYPE = "application/problem+json"


class DomainError(Exception):
    """Base of errors whose message is for the caller: what happened, which value, what to do.

    `fields` may name what was wrong in the input, field by field. Commands print the message in
    one line and exit with 2; services answer with the problem their table names.
    """

    fields: Sequence["FieldError"] = ()


class FieldError(BaseModel):
    """One field of the input that was refused."""

    model_config = ConfigDict(frozen=True)

    field: str = Field(description="Where it stands, such as `rows.0.age`.")
    message: str = Field(description="What was wrong.")
    accepted: str = Field(default="", description="What is accepted instead.")


class ProblemType(NamedTuple):
    """A kind of failure: the page `/problems/<slug>`, a short title, an HTTP status."""

    slug: str
    title: str
    status: int
    advice: str = ""

    @property
    def uri(self) -> str:
        """The problem's `type`: a page that the service itself serves; without a slug, none."""
        return f"/problems/{self.slug}" if self.slug else "about:blank"


class Problem(BaseModel):
    """Problem details (RFC 9457, section 3), with the ids that find the request in the logs."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int = Field(ge=100, le=599)
    detail: str = ""
    instance: str = ""
    request_id: str = ""
    trace_id: str = ""
    errors: list[FieldError] = Field(default_factory=list)


class ProblemError(Exception):
    """A problem as an exception: raised by clients for what a service answered.

    `headers` are sent along when a service itself raises it.
    """

    def __init__(self, problem: Problem, headers: dict[str, str] | None = None) -> None:
        self.problem = problem
        self.headers = dict(headers or {})
        super().__init__(problem.detail or problem.title)

    @override
    def __reduce__(self) -> tuple[type[Self], tuple[Problem, dict[str, str]]]:
        """Copy and pickle by what it was made from, not by its message."""
        return type(self), (self.problem, self.headers)


def problem_error(
    kind: ProblemType,
    detail: str,
    *,
    fields: Sequence[FieldError] = (),
    headers: dict[str, str] | None = None,
) -> ProblemError:
    """Make a `ProblemError` of a known kind."""
    problem = Problem(
        type=kind.uri, title=kind.title, status=kind.status, detail=detail, errors=list(fields)
    )
    return ProblemError(problem, headers)
