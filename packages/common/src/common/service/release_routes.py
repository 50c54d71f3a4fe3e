"""Routes that show a served model's versions and move its alias: history, promote, roll back.

Thin: parse, ask `common.models.releases`, answer. Moving the alias is refused to pages of other
sites: a service on this machine without keys is within reach of every page that its browser opens.
"""

from collections.abc import Mapping

from fastapi import APIRouter, Depends

from common.errors import ProblemType
from common.models.following import Loaded
from common.models.registry import (
    AliasMovedError,
    NoEarlierVersionError,
    RegistryError,
    VersionNotFoundError,
)
from common.models.releases import (
    AliasMoved,
    ModelHistory,
    Promotion,
    PromotionNotAllowedError,
    Releases,
    SwapNotSeenError,
    UnservableVersionError,
)
from common.service.own_pages import own_pages_only
from common.settings import Settings

RELEASE_PROBLEMS: Mapping[type[Exception], ProblemType] = {
    PromotionNotAllowedError: ProblemType(
        "promotion-not-allowed",
        "The alias is not moved here",
        403,
        "Set ALLOW_PROMOTION=true, with the service's prefix.",
    ),
    UnservableVersionError: ProblemType(
        "unservable-version",
        "This version cannot answer",
        409,
        "The alias was not moved. Publish a version that loads and takes the same inputs.",
    ),
    SwapNotSeenError: ProblemType(
        "swap-not-seen",
        "The alias was moved, and the version does not answer yet",
        503,
        "GET /v1/model says what answers and why.",
    ),
    AliasMovedError: ProblemType(
        "alias-moved", "Somebody moved the alias", 409, "Look at GET /v1/history again."
    ),
    NoEarlierVersionError: ProblemType(
        "no-earlier-version", "There is nothing to roll back to", 409, "See GET /v1/history."
    ),
    VersionNotFoundError: ProblemType(
        "no-such-version", "There is no such version", 404, "GET /v1/history lists every version."
    ),
    RegistryError: ProblemType(
        "registry-trouble", "The registry cannot do it", 503, "Try again; `detail` says why."
    ),
}


def release_router(settings: Settings, releases: Releases[Loaded]) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/v1", tags=["operations"])
    guarded = [Depends(own_pages_only(settings, PromotionNotAllowedError))]

    @router.get("/history")
    async def show_history() -> ModelHistory:
        """List the versions of the served model and the moves of its alias."""
        return await releases.show()

    @router.post("/promote", dependencies=guarded)
    async def promote(order: Promotion) -> AliasMoved:
        """Move the alias to a version; the answer comes when that version answers here."""
        return await releases.promote(order)

    @router.post("/roll-back", dependencies=guarded)
    async def roll_back() -> AliasMoved:
        """Move the alias back; the answer comes when the earlier version answers here."""
        return await releases.roll_back()

    return router
