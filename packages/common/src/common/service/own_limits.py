"""A route's dependency that gives its answer a time limit of its own.

For work that is longer than a question's, such as indexing. `guarding.py` keeps the limit.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from fastapi import Request

ALLOW = "common.allow"
"""Where the guard leaves, in a request's scope, what takes another limit for its answer."""


class AnswerLimit(NamedTuple):
    """How long a whole request's answer may take to begin, by which setting.

    `advice` is told when it did not: what became of the work, and what to do.
    """

    seconds: float
    setting: str
    advice: str = ""

    def exceeded(self) -> str:
        """Say that it was not kept."""
        said = f"No answer began within {self.seconds:g} s ({self.setting})."
        return f"{said} {self.advice}".rstrip()


def answers_within(limit: AnswerLimit) -> Callable[[Request], Awaitable[None]]:
    """Make the dependency; the time counts from when the request was read, not from before."""

    async def own_limit(request: Request) -> None:
        request.scope[ALLOW](limit)

    return own_limit
