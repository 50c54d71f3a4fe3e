"""Routes that bring documents in: files of a form, or web addresses; progress as it comes.

With `Accept: text/event-stream` each document is an event as it is done, and the last event is the
report, or an `error`'s problem details; else the answer is the report, within `P3_INDEX_TIMEOUT_S`.
When that is over, or the client leaves, indexing ends between two documents.
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from common.errors import DomainError, FieldError
from common.service.own_limits import AnswerLimit, answers_within
from fastapi import APIRouter, Depends, Path, Request, UploadFile
from pydantic import BaseModel, Field
from starlette.responses import Response

from p3_rag_chatbot.callers import key_digest
from p3_rag_chatbot.contracts import COLLECTION_NAME
from p3_rag_chatbot.errors import DocumentError, RequestError
from p3_rag_chatbot.ingestion.fetching import Fetcher
from p3_rag_chatbot.ingestion.indexing import Indexer
from p3_rag_chatbot.ingestion.loading import RawDocument
from p3_rag_chatbot.ingestion.progress import IndexEvent, IndexReport
from p3_rag_chatbot.ingestion.sources import Corpus, corpus_of, uploads
from p3_rag_chatbot.leaving import EventStream, unless_left
from p3_rag_chatbot.library.library import Library
from p3_rag_chatbot.library_problems import LIBRARY_PROBLEMS
from p3_rag_chatbot.settings import Settings
from p3_rag_chatbot.stream_problems import stream_problem

Name = Annotated[str, Path(pattern=COLLECTION_NAME)]
EVENTS = "text/event-stream"
WHAT_IS_KEPT = (
    "Each document that was indexed by then is kept whole; the same request goes on with the rest. "
    f"With `Accept: {EVENTS}` there is no limit."
)


class WebPages(BaseModel):
    """`POST /v1/collections/{name}/pages`."""

    urls: Annotated[tuple[str, ...], Field(min_length=1, max_length=100)]


def index_router(
    library: Callable[[], Library],
    indexer: Callable[[], Indexer],
    settings: Settings,
    own_page: Callable[..., object],
) -> APIRouter:
    """Make the routes; `own_page` is the dependency that refuses pages of other sites."""
    router = APIRouter(prefix="/v1/collections/{name}", tags=["documents"])
    limit = AnswerLimit(settings.index_timeout_s, "P3_INDEX_TIMEOUT_S", WHAT_IS_KEPT)
    guarded = [Depends(own_page), Depends(answers_within(limit))]
    turn = CapacityLimiter(1)  # who waits for the indexer holds no thread that others could use

    async def indexed(request: Request, name: str, corpus: Corpus) -> Response:
        shown = library().visible_to(key_digest(request, settings))
        await to_thread.run_sync(shown.collection, name)
        run = _Run(indexer(), name, corpus, request.url.path, turn)
        if EVENTS in request.headers.get("accept", ""):
            return EventStream(run.events())
        report = await unless_left(request.receive, run.report())
        return Response(report.model_dump_json(), media_type="application/json")

    @router.post("/documents", response_model=IndexReport, dependencies=guarded)
    async def upload(request: Request, name: Name, files: list[UploadFile]) -> Response:
        """Index files: documents, or ZIP archives of them, as a form's `files`."""
        if not files:
            raise RequestError([FieldError(field="files", message="none came", accepted="1 file")])
        raw = [
            RawDocument(one.filename or "upload", await one.read(), one.content_type or "")
            for one in files
        ]
        return await indexed(request, name, uploads(raw, settings))

    @router.post("/pages", response_model=IndexReport, dependencies=guarded)
    async def index_pages(request: Request, name: Name, asked: WebPages) -> Response:
        """Index web pages and sitemaps of the hosts that the settings allow."""
        for at, url in enumerate(asked.urls):
            if not url.startswith(("https://", "http://")):
                accepted = "an address that begins with https:// or http://"
                raise RequestError(
                    [FieldError(field=f"urls.{at}", message="is none", accepted=accepted)]
                )
        return await indexed(request, name, corpus_of(asked.urls, settings, Fetcher(settings)))

    return router


class _Run:
    """One run of the indexer in a thread, watched from the event loop."""

    def __init__(
        self,
        indexer: Indexer,
        collection: str,
        corpus: Corpus,
        path: str,
        turn: CapacityLimiter,
    ) -> None:
        self._indexer, self._collection, self._corpus = indexer, collection, corpus
        self._path, self._turn = path, turn
        self._stop = threading.Event()

    async def report(self, tell: Callable[[IndexEvent], None] = lambda _: None) -> IndexReport:
        """Run to the end; when cancelled, the run ends between two documents."""
        try:
            return await to_thread.run_sync(
                lambda: self._indexer.index(
                    self._collection, self._corpus, tell=tell, stop=self._stop
                ),
                abandon_on_cancel=True,
                limiter=self._turn,
            )
        finally:
            self._stop.set()

    async def events(self) -> AsyncGenerator[str]:
        """Yield `document` events, and `report` or `error` as the last."""
        loop = asyncio.get_running_loop()
        told: asyncio.Queue[IndexEvent | None] = asyncio.Queue()

        def tell(event: IndexEvent) -> None:
            loop.call_soon_threadsafe(told.put_nowait, event)

        running = asyncio.create_task(self.report(tell))
        running.add_done_callback(lambda _: told.put_nowait(None))
        try:
            while (event := await told.get()) is not None:
                yield _event("document", event.model_dump_json())
            yield _event("report", (await running).model_dump_json())
        except DomainError as error:
            problem = stream_problem(error, LIBRARY_PROBLEMS, DocumentError, self._path)
            yield _event("error", problem.model_dump_json())
        finally:
            self._stop.set()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


def _event(kind: str, data: str) -> str:
    return f"event: {kind}\ndata: {data}\n\n"
