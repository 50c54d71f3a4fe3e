"""`/docs`: the API's documentation, offline. Swagger UI comes from a wheel, not a CDN."""

from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse, Response

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>{title}: API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="docs"></div><script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script></body></html>"""
_START = """SwaggerUIBundle({url: "/openapi.json", dom_id: "#docs", deepLinking: true,
  tryItOutEnabled: true, validatorUrl: null, syntaxHighlight: false});"""
_ONE_DAY = {"Cache-Control": "public, max-age=86400"}


def docs_router(app: FastAPI) -> APIRouter:
    """Make `/docs` and the files it loads."""
    from common.web.files import PageFiles  # noqa: PLC0415 - breaks the cycle web -> service -> web

    router = APIRouter(include_in_schema=False)
    files = PageFiles(_swagger_directory())

    @router.get("/docs")
    async def docs() -> Response:
        return HTMLResponse(_PAGE.format(title=app.title))

    @router.get("/docs/start.js")
    async def start() -> Response:
        return Response(_START, media_type="text/javascript", headers=_ONE_DAY)

    @router.get("/docs/{path:path}")
    async def asset(request: Request, path: str) -> Response:
        return await files.answer(request, path, caching=_ONE_DAY["Cache-Control"])

    return router


def _swagger_directory() -> Path:
    spec = find_spec("swagger_ui_bundle")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("swagger-ui-bundle is a requirement of ai-roadmap-common")
    scripts = sorted(Path(spec.origin).parent.rglob("swagger-ui-bundle.js"))
    return scripts[-1].parent
