"""The front door: the roadmap as a map, the live services, what this person has done, the guides.

Composes and answers; decides nothing. The page itself is in `home/` (start at `home.js`); what
it shows comes from `common.learn` and from `live.py`. Knows no project and starts no service:
the caller says which run. Next: `contracts.py` for what goes over the wire.
"""

import difflib
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

from anyio import to_thread
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from common.errors import DomainError, ProblemType
from common.learn.exercises import find_exercises
from common.learn.progress import Progress, ProgressError
from common.learn.roadmap import Roadmap, load_roadmap, weekly_checklist
from common.platform.states import ServiceState, UnreadableStateError
from common.service import create_service
from common.settings import Settings
from common.web.contracts import (
    CourseView,
    ExerciseView,
    GuideView,
    ProgressMark,
    ProgressView,
    ServicesView,
    WeekView,
)
from common.web.files import PageFiles
from common.web.guides import GuideNotFoundError, Guides, find_repository
from common.web.live import LiveServices

PAGE_DIR = Path(__file__).parent / "home"


class UnknownLineError(DomainError):
    """A tick for something that is neither a line of the roadmap nor an exercise here."""

    def __init__(self, item_id: str, known: Sequence[str]) -> None:
        self.item_id = item_id
        near = difflib.get_close_matches(item_id, known, n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]!r}?" if near else " GET /api/roadmap lists every id."
        super().__init__(f"The roadmap has no line or exercise {item_id!r}.{hint}")


PROBLEMS: Mapping[type[Exception], ProblemType] = {
    GuideNotFoundError: ProblemType(
        "guide-not-found", "There is no such guide", 404, "GET /guides/ lists the guides."
    ),
    ProgressError: ProblemType(
        "progress-unavailable",
        "Progress cannot be kept",
        503,
        "Check that the data directory can be written.",
    ),
    UnknownLineError: ProblemType(
        "unknown-line", "The roadmap has no such line", 404, "GET /api/roadmap lists every id."
    ),
    UnreadableStateError: ProblemType(
        "services-unknown",
        "Which services run cannot be read",
        503,
        "Delete the file that the answer names, then run `roadmap up` again.",
    ),
}


def create_home_app(
    settings: Settings,
    services: Callable[[], Sequence[ServiceState]],
    *,
    roadmap: Roadmap | None = None,
    repository: Path | None = None,
) -> FastAPI:
    """Build the home page's application.

    `services` tells, whenever it is asked, which services run and where. `roadmap` and
    `repository` default to the copy that travels with the package and to the checkout it runs
    from.
    """
    service = create_service(
        "home",
        settings,
        title="AI Roadmap",
        summary="The roadmap as a map, the live services, your progress and the guides.",
        version=version("ai-roadmap-common"),
    )
    live = service.owns(LiveServices(services))
    guides = Guides(repository or find_repository())
    course = Course(roadmap or load_roadmap(), guides)
    service.problems(PROBLEMS)
    service.mount(api_router(course, live, Progress(settings.data_dir)))
    service.mount(guides_router(guides))
    service.pages(PAGE_DIR)
    return service.app


class Course:
    """The roadmap as the page needs it: lines, weeks, installed exercises, guides."""

    def __init__(self, roadmap: Roadmap, guides: Guides) -> None:
        self.roadmap = roadmap
        self._guides = guides
        self.line_ids = frozenset(line.id for line in roadmap.lines)

    def view(self) -> CourseView:
        """Read exercises and guides from disk and put everything into one value."""
        weeks = weekly_checklist(self.roadmap)
        return CourseView(
            roadmap=self.roadmap,
            weeks=tuple(
                WeekView(number=w.number, phase=w.phase, lines=tuple(line.id for line in w.lines))
                for w in weeks
            ),
            exercises=tuple(
                ExerciseView(id=one.id, title=one.title, phase=one.phase)
                for one in find_exercises()
            ),
            guides=tuple(
                GuideView(page=page, title=title) for page, title in self._guides.titles().items()
            ),
        )

    def check(self, item_id: str) -> None:
        """Raise `UnknownLineError` unless the id is a line of the roadmap or an exercise."""
        if item_id in self.line_ids:
            return
        known = [*self.line_ids, *(one.id for one in find_exercises())]
        if item_id not in known:
            raise UnknownLineError(item_id, known)


def api_router(course: Course, live: LiveServices, progress: Progress) -> APIRouter:
    """Routes of the page's data: roadmap, services, progress."""
    router = APIRouter(prefix="/api", tags=["home"])

    @router.get("/roadmap")
    def read_roadmap() -> CourseView:
        """The whole roadmap with its weeks and the exercises that are installed."""
        return course.view()

    @router.get("/services")
    async def read_services() -> ServicesView:
        """Every service: its state, its address, its models."""
        return await live.look()

    @router.get("/progress")
    def read_progress() -> ProgressView:
        """What is done so far."""
        return ProgressView(done=progress.done())

    @router.put("/progress")
    def mark_progress(mark: ProgressMark) -> ProgressView:
        """Tick a line or an exercise, or take the tick back; twice is the same as once."""
        course.check(mark.id)
        progress.mark(mark.id, is_done=mark.is_done)
        return ProgressView(done=progress.done())

    return router


def guides_router(guides: Guides) -> APIRouter:
    """Routes of the guides: the list, each page, the pictures in them."""
    router = APIRouter(include_in_schema=False)
    pictures = PageFiles(guides.docs)

    @router.get("/guides")
    async def guides_slash() -> Response:
        return RedirectResponse("/guides/", status_code=308)

    @router.get("/guides/")
    def guide_list() -> Response:
        return HTMLResponse(guides.index_html())

    @router.get("/guides/{page:path}")
    async def guide(request: Request, page: str) -> Response:
        if guides.picture(page) is not None:
            return await pictures.answer(request, page)
        return HTMLResponse(await to_thread.run_sync(guides.page_html, page.strip("/")))

    return router
