"""Routes that find: search, passages by their ids; and what readers think of answers.

Thin: parse, ask the searcher or the library in a thread, answer.
"""

from collections.abc import Callable
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request

from p3_rag_chatbot.callers import key_digest
from p3_rag_chatbot.contracts import Feedback, Passage, SearchAnswer, SearchRequest
from p3_rag_chatbot.library.library import Library
from p3_rag_chatbot.retrieval.search import Searcher
from p3_rag_chatbot.settings import Settings


def search_router(
    library: Callable[[], Library],
    searcher: Callable[[], Searcher],
    settings: Settings,
    own_page: Callable[..., object],
) -> APIRouter:
    """Make the routes; `own_page` is the dependency that refuses pages of other sites."""
    router = APIRouter(prefix="/v1", tags=["search"])

    def seen(request: Request) -> Library:
        return library().visible_to(key_digest(request, settings))

    Seen = Annotated[Library, Depends(seen)]

    @router.get("/passages")
    async def read_passages(
        shown: Seen,
        id: Annotated[list[str], Query(max_length=100)],  # noqa: A002 - on the wire
    ) -> tuple[Passage, ...]:
        """Read passages by their ids; those that are gone are left out."""
        return tuple(await to_thread.run_sync(shown.passages, id))

    @router.post("/search")
    async def search(shown: Seen, asked: SearchRequest) -> SearchAnswer:
        """Search a collection: words and meaning, fused."""
        return await to_thread.run_sync(lambda: searcher().search(asked, library=shown))

    @router.post("/feedback", status_code=204, dependencies=[Depends(own_page)])
    async def tell(shown: Seen, said: Feedback) -> None:
        """Keep what a reader thought of an answer."""
        await to_thread.run_sync(shown.store_feedback, said)

    @router.get("/feedback")
    async def list_feedback(
        shown: Seen, limit: Annotated[int, Query(ge=1, le=1000)] = 100
    ) -> tuple[Feedback, ...]:
        """List feedback, the latest first."""
        return tuple(await to_thread.run_sync(lambda: shown.feedback(limit=limit)))

    return router
