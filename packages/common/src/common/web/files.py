"""Static files of a page and of the design system, with validators a browser can use.

Every answer carries an ETag made from the content and `Cache-Control: no-cache`: the browser
keeps the file and asks whether it changed (304, no body), so an upgrade shows at once and nothing
needs a hashed name or a build. Plotly.js is 4.8 MB and comes from the installed `plotly` wheel;
it may be kept a day without asking. Knows no page. Next: `design/` for what is served.
"""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from anyio import to_thread
from fastapi import APIRouter, FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

DESIGN_DIR = Path(__file__).parent / "design"
PLOTLY_PATH = "plotly.min.js"
REVALIDATE = "no-cache"
ONE_DAY = "public, max-age=86400"
MIN_GZIP_BYTES = 1024
MEDIA_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".html": "text/html",
    ".json": "application/json",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file as it goes over the wire: bytes, their gzip where that is shorter, and the ETag."""

    content: bytes
    packed: bytes | None
    etag: str
    media_type: str


class PageFiles:
    """The files of one directory, read once and again when they change on disk.

    `extra` names single files that live elsewhere. A path that leaves the directory is not found.
    """

    def __init__(self, directory: Path, *, extra: Mapping[str, Path] | None = None) -> None:
        self._directory = directory.resolve()
        self._extra = dict(extra or {})
        self._kept: dict[Path, tuple[tuple[int, int], StoredFile]] = {}

    def find(self, path: str) -> Path | None:
        """Resolve a request path to a file inside the directory, or to an extra file."""
        if path in self._extra:
            return self._extra[path]
        try:
            target = (self._directory / (path or "index.html")).resolve()
            is_there = target.is_relative_to(self._directory) and target.is_file()
        except (OSError, ValueError):  # a name no file system can hold
            return None
        return target if is_there else None

    async def answer(self, request: Request, path: str, *, caching: str = REVALIDATE) -> Response:
        """Answer with the file, with 304 when the caller has it, or raise a 404."""
        target = self.find(path)
        if target is None:
            raise HTTPException(404, f"There is no file {path!r} on this page.")
        stored = await to_thread.run_sync(self._load, target)
        headers = {"ETag": stored.etag, "Cache-Control": caching, "Vary": "Accept-Encoding"}
        if stored.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        body = stored.content
        if stored.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            body = stored.packed
            headers["Content-Encoding"] = "gzip"
        return Response(body, media_type=stored.media_type, headers=headers)

    def _load(self, target: Path) -> StoredFile:
        stat = target.stat()
        stamp = (stat.st_mtime_ns, stat.st_size)
        kept = self._kept.get(target)
        if kept is None or kept[0] != stamp:
            kept = (stamp, store(target))
            self._kept[target] = kept
        return kept[1]


def store(target: Path) -> StoredFile:
    """Read a file and prepare both of its wire forms."""
    content = target.read_bytes()
    packed = gzip.compress(content, 6, mtime=0) if len(content) > MIN_GZIP_BYTES else None
    guessed = mimetypes.guess_type(target.name)[0] or "application/octet-stream"
    return StoredFile(
        content=content,
        packed=packed if packed is not None and len(packed) < len(content) else None,
        etag=f'"{hashlib.sha256(content).hexdigest()[:20]}"',
        media_type=MEDIA_TYPES.get(target.suffix, guessed),
    )


def plotly_file() -> Path | None:
    """Find Plotly.js in the installed `plotly` wheel without importing it; None without it."""
    spec = find_spec("plotly")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        target = Path(folder) / "package_data" / PLOTLY_PATH
        if target.is_file():
            return target
    return None


def design_router() -> APIRouter:
    """Routes of the design system: `GET /design/{path}`."""
    router = APIRouter(include_in_schema=False)
    plotly = plotly_file()
    files = PageFiles(DESIGN_DIR, extra={PLOTLY_PATH: plotly} if plotly else {})

    @router.api_route("/design/{path:path}", methods=["GET", "HEAD"])
    async def design_file(request: Request, path: str) -> Response:
        caching = ONE_DAY if path == PLOTLY_PATH else REVALIDATE
        return await files.answer(request, path, caching=caching)

    return router


def mount_design(app: FastAPI) -> None:
    """Serve the design system at `/design/`; a second call changes nothing."""
    if getattr(app.state, "has_design", False):
        return
    app.state.has_design = True
    app.include_router(design_router())
