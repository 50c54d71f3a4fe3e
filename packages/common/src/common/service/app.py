"""`create_service`: an app that has what every service of the house needs.

Health, readiness, version, metrics, problem pages, API docs that work offline, ids, logs, limits,
keys, security headers, MCP tools and a page. A project's `api.py` adds its routes and the resources
it owns. No I/O before the lifespan. Read next: `guarding.py`, `observing.py`, `run.py`.
"""

from collections.abc import AsyncGenerator, Awaitable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from anyio import to_thread
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send
from typing_extensions import override

from common.errors import PROBLEM_MEDIA_TYPE, FieldError, Problem, ProblemType
from common.service.bodies import RefuseConstants
from common.service.docs import docs_router
from common.service.guarding import Guard
from common.service.health import health_router
from common.service.hot import Endpoint, HotRoute, HotRoutes, TypedEndpoint
from common.service.observing import Observe
from common.service.problems import INVALID, ProblemTable
from common.settings import Settings
from common.telemetry import Telemetry

if TYPE_CHECKING:
    from common.service.tools import Tool
    from common.web.files import PageFiles

Resource = TypeVar("Resource", bound=AbstractAsyncContextManager[object])


@runtime_checkable
class HasReadiness(Protocol):
    """A resource that `/readyz` asks; None means ready, a text says what it waits for."""

    def not_ready(self) -> str | None:
        """Say what is missing, or nothing."""


@runtime_checkable
class HasNotes(Protocol):
    """A resource that `/readyz` asks what is amiss though it can answer; None means nothing."""

    def ready_but(self) -> str | None:
        """Say what is amiss, or nothing."""


def create_service(
    name: str, settings: Settings, *, title: str, summary: str, version: str
) -> "Service":
    """Make a service; `name` is its script's, such as `p1-prediction-api`."""
    return Service(name, settings, title=title, summary=summary, version=version)


class _KitApp(FastAPI):
    """FastAPI within the kit's layers, which are outermost: a hot route passes no others."""

    kit: ASGIApp

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.kit(scope, receive, send)

    async def serve_plainly(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve what reached FastAPI itself (ASGI)."""
        await super().__call__(scope, receive, send)


class Service:
    """An app under construction; hand out `app` once everything is added."""

    def __init__(
        self, name: str, settings: Settings, *, title: str, summary: str, version: str
    ) -> None:
        self.name = name
        self.settings = settings
        self.telemetry = Telemetry(name, otlp_endpoint=settings.otlp_endpoint)
        self._resources: list[AbstractAsyncContextManager[object]] = []
        self._pages: PageFiles | None = None
        self._tool_functions: list[Tool] = []
        self.is_running = False
        self.app = _KitApp(
            title=title,
            summary=summary,
            version=version,
            lifespan=self._lifespan,
            docs_url=None,
            redoc_url=None,
            responses={"default": _PROBLEM_ANSWER, 422: _PROBLEM_ANSWER},
        )
        self.app.state.service_name = name
        self._problems = ProblemTable(self.app)
        self.app.include_router(health_router(self, self._problems))
        self.app.include_router(docs_router(self.app))
        self._machine_routes = tuple(self.app.routes)
        self.app.router.default = self._answer_page
        self._hot: dict[str, HotRoute] = {}
        routes = HotRoutes(
            RefuseConstants(self.app.serve_plainly), self._hot, self.app.exception_handlers
        )
        guarded = Guard(routes, settings=settings, is_open_page=self._is_answered_by_page)
        self.app.kit = Observe(guarded, telemetry=self.telemetry)

    def owns(self, resource: Resource) -> Resource:
        """Open `resource` when the app starts, in order of ownership; close it in reverse."""
        self._resources.append(resource)
        return resource

    def mount(self, router: APIRouter) -> None:
        """Add the routes of a router."""
        self.app.include_router(router)

    def hot_route(self, path: str, endpoint: Endpoint) -> None:
        """Answer POST at `path` without FastAPI's work; declare the same path with `mount`.

        The endpoint refuses NaN and Infinity itself: for other routes the kit does.
        """

        def untyped(body: bytes, _content_type: str) -> Awaitable[bytes]:
            return endpoint(body)

        self._hot[path] = HotRoute(path, untyped)

    def hot_typed_route(
        self, path: str, endpoint: TypedEndpoint, media_types: Collection[str]
    ) -> None:
        """Do so for bodies of these types and requests without a query; others go to FastAPI."""
        self._hot[path] = HotRoute(path, endpoint, frozenset(one.encode() for one in media_types))

    def problems(self, table: Mapping[type[Exception], ProblemType]) -> None:
        """Answer each of these exceptions with its problem; `error.fields` names fields."""
        self._problems.add(table)
        self._expected = (*self._expected, *table)

    def tools(self, *functions: "Tool") -> None:
        """Publish plain typed functions as MCP tools at `/mcp`; call it once."""
        from common.service.tools import mount_tools  # noqa: PLC0415 - only where tools are

        self.owns(
            mount_tools(
                self.app,
                self.name,
                functions,
                expected_errors=self._expected,
                allowed_hosts=self.settings.allowed_hosts,
                is_keyed=bool(self.settings.api_keys),
                max_body_bytes=self.settings.max_body_bytes,
            )
        )

    def pages(self, directory: Path) -> None:
        """Serve the static page in `directory` at `/`, with the design system at `/design/`."""
        from common.web import PageFiles, mount_design  # noqa: PLC0415 - only where a page is

        mount_design(self.app)
        self._pages = PageFiles(directory)

    def waiting_for(self) -> list[str]:
        """List what keeps the service from being ready; empty when it is."""
        if not self.is_running:
            return ["the service is starting or stopping"]
        asked = (r.not_ready() for r in self._resources if isinstance(r, HasReadiness))
        return [reason for reason in asked if reason]

    def ready_but(self) -> list[str]:
        """List what is amiss though the service answers."""
        asked = (r.ready_but() for r in self._resources if isinstance(r, HasNotes))
        return [note for note in asked if note]

    _expected: tuple[type[Exception], ...] = ()

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncGenerator[None]:
        # Routes are tried in order: those of the project first, they are what is asked most.
        self.app.router.routes.sort(key=self._machine_routes.__contains__)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(to_thread.run_sync, self.telemetry.close)
            for resource in self._resources:
                await stack.enter_async_context(resource)
            self.is_running = True
            try:
                yield
            finally:
                self.is_running = False

    def _is_page_file(self, scope: Scope) -> bool:
        if self._pages is None or scope["type"] != "http" or scope["method"] not in _PAGE_METHODS:
            return False
        return self._pages.find(scope["path"].lstrip("/")) is not None

    def _is_answered_by_page(self, scope: Scope) -> bool:
        """Whether a request ends in `_answer_page`: a route, which is tried first, needs a key.

        A file's name alone does not tell: `/rows/../app.js` names one, and a route may take it.
        """
        if not self._is_page_file(scope):
            return False
        return all(route.matches(scope)[0] is Match.NONE for route in self.app.router.routes)

    async def _answer_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what no route took: a file of the page, else the router's own refusal."""
        if self._pages is None or not self._is_page_file(scope):
            await self.app.router.not_found(scope, receive, send)
            return
        scope["route"] = _PAGE_ROUTE
        path = scope["path"].lstrip("/")
        response: Response = await self._pages.answer(Request(scope, receive), path)
        await response(scope, receive, send)


class _PageRoute:
    path = "(page)"


_PAGE_ROUTE = _PageRoute()
_PAGE_METHODS = frozenset({"GET", "HEAD"})
_PROBLEM_EXAMPLE = {
    "type": INVALID.uri,
    "title": INVALID.title,
    "status": INVALID.status,
    "detail": "rows.0.age: Input should be greater than or equal to 0.",
    "instance": "/v1/predict",
    "request_id": "6f1c2b7a90d34e58",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "errors": [
        {
            "field": "rows.0.age",
            "message": "Input should be greater than or equal to 0",
            "accepted": "at least 0",
        }
    ],
}


def _problem_schema() -> dict[str, object]:
    """Make a schema that refers to nothing: `$defs` would not be found inside OpenAPI."""
    schema = Problem.model_json_schema()
    schema["properties"]["errors"]["items"] = schema.pop("$defs")[FieldError.__name__]
    return schema


_PROBLEM_ANSWER: dict[str, object] = {
    "description": "Problem details (RFC 9457)",
    "content": {PROBLEM_MEDIA_TYPE: {"schema": _problem_schema(), "example": _PROBLEM_EXAMPLE}},
}
