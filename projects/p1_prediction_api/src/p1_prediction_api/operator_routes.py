"""Routes for whoever runs a model: the truth, live scores, history, promote, roll back, the shadow.

Thin: parse, ask, answer. Moving the alias is refused to pages of other sites: a service on this
machine without keys is within reach of every page that its browser opens.
"""

from common.errors import ProblemType
from common.models.registry import (
    AliasMovedError,
    NoEarlierVersionError,
    RegistryError,
    VersionNotFoundError,
)
from common.service.hosts import is_believed_host, is_believed_origin
from fastapi import APIRouter, Depends, Request

from p1_prediction_api.contracts import (
    AliasMoved,
    ModelHistory,
    Promotion,
    TruthsStored,
    TruthsTold,
)
from p1_prediction_api.errors import (
    PromotionNotAllowedError,
    SwapNotSeenError,
    TruthError,
    UnservableVersionError,
)
from p1_prediction_api.feedback import Feedback
from p1_prediction_api.history import History
from p1_prediction_api.monitoring.contracts import LiveScores, ShadowComparison
from p1_prediction_api.scoreboard import Scoreboard
from p1_prediction_api.settings import Settings
from p1_prediction_api.shadow import Shadow

OPERATOR_PROBLEMS: dict[type[Exception], ProblemType] = {
    TruthError: ProblemType(
        "invalid-truths",
        "Some truths do not fit",
        422,
        "None was stored. `errors` names each; GET /v1/model shows the classes.",
    ),
    PromotionNotAllowedError: ProblemType(
        "promotion-not-allowed", "The alias is not moved here", 403, "Set P1_ALLOW_PROMOTION=true."
    ),
    UnservableVersionError: ProblemType(
        "unservable-version",
        "This version cannot answer",
        409,
        "The alias was not moved. Publish a version that loads, of the same table.",
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


def operator_router(
    settings: Settings, *, feedback: Feedback, scores: Scoreboard, history: History, shadow: Shadow
) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/v1", tags=["operations"])

    async def own_page(request: Request) -> None:
        _refuse_other_sites(request, settings)

    @router.post("/feedback")
    async def tell_truths(told: TruthsTold) -> TruthsStored:
        """Tell what predicted rows turned out to be; the answer comes when it is committed."""
        return await feedback.store(told.truths)

    @router.get("/live-scores")
    async def live_scores() -> LiveScores | None:
        """Score the version that answers now by the truths told so far; null until one is."""
        return await scores.now()

    @router.get("/history")
    async def show_history() -> ModelHistory:
        """List the versions of the served model and the moves of its alias."""
        return await history.show()

    @router.post("/promote", dependencies=[Depends(own_page)])
    async def promote(order: Promotion) -> AliasMoved:
        """Move the alias to a version; the answer comes when that version answers here."""
        return await history.promote(order)

    @router.post("/roll-back", dependencies=[Depends(own_page)])
    async def roll_back() -> AliasMoved:
        """Move the alias back; the answer comes when the earlier version answers here."""
        return await history.roll_back()

    @router.get("/shadow")
    async def compare_shadow() -> ShadowComparison | None:
        """Compare the candidate that answers unseen with the champion; null while none does."""
        return await shadow.compared()

    return router


def _refuse_other_sites(request: Request, settings: Settings) -> None:
    """Refuse what a browser was made to send by another site; a key proves that it was not."""
    host, origin = request.headers.get("host", ""), request.headers.get("origin")
    allowed = settings.allowed_hosts
    if settings.api_keys or (
        is_believed_host(host, allowed) and is_believed_origin(origin, host, allowed)
    ):
        return
    raise PromotionNotAllowedError(
        f"the request comes from a page of {origin or host}; ALLOWED_HOSTS lists whom to believe"
    )
