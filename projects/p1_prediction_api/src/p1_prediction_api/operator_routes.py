"""Routes for whoever runs a model: the truth, live scores, the shadow. Thin: parse, ask, answer."""

from common.errors import ProblemType
from fastapi import APIRouter

from p1_prediction_api.contracts import TruthsStored, TruthsTold
from p1_prediction_api.errors import TruthError
from p1_prediction_api.feedback import Feedback
from p1_prediction_api.monitoring.contracts import LiveScores, ShadowComparison
from p1_prediction_api.scoreboard import Scoreboard
from p1_prediction_api.shadow import Shadow

OPERATOR_PROBLEMS: dict[type[Exception], ProblemType] = {
    TruthError: ProblemType(
        "invalid-truths",
        "Some truths do not fit",
        422,
        "None was stored. `errors` names each; GET /v1/model shows the classes.",
    ),
}


def operator_router(*, feedback: Feedback, scores: Scoreboard, shadow: Shadow) -> APIRouter:
    """Make the routes."""
    router = APIRouter(prefix="/v1", tags=["operations"])

    @router.post("/feedback")
    async def tell_truths(told: TruthsTold) -> TruthsStored:
        """Tell what predicted rows turned out to be; the answer comes when it is committed."""
        return await feedback.store(told.truths)

    @router.get("/live-scores")
    async def live_scores() -> LiveScores | None:
        """Score the version that answers now by the truths told so far; null until one is."""
        return await scores.now()

    @router.get("/shadow")
    async def compare_shadow() -> ShadowComparison | None:
        """Compare the candidate that answers unseen with the champion; null while none does."""
        return await shadow.compared()

    return router
