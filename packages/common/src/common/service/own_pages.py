"""A route's dependency that refuses pages of other sites.

A service on this machine without keys is within reach of every page that its browser opens; what
changes something must not be done for them. Read next: `hosts.py`, for whom to believe.
"""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import Request

from common.errors import DomainError, ProblemType
from common.service.hosts import is_own_page
from common.settings import Settings


class OtherSiteError(DomainError):
    """A browser was made to ask this by a page of another site."""


OWN_PAGE_PROBLEMS: Mapping[type[Exception], ProblemType] = {
    OtherSiteError: ProblemType(
        "other-site", "Not for pages of other sites", 403, "ALLOWED_HOSTS lists whom to believe."
    )
}


def own_pages_only(
    settings: Settings, refusal: Callable[[str], DomainError] = OtherSiteError
) -> Callable[[Request], Awaitable[None]]:
    """Make the dependency; where API keys are set, a key proves that no other site asks.

    `refusal` makes the error of a route that has a name of its own for what it refuses.
    """

    async def own_page(request: Request) -> None:
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if settings.api_keys or is_own_page(host, origin, settings.allowed_hosts):
            return
        where = origin or host
        raise refusal(
            f"the request comes from a page of {where}; ALLOWED_HOSTS lists whom to believe"
        )

    return own_page
