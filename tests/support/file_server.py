"""A web server of files for tests of downloads: it knows ranges, and breaks off when told to."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from common.downloads import RemoteFile


class FileServer(ThreadingHTTPServer):
    """A web server that keeps files in memory, and breaks off as often as it is told to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Files)
        self.files: dict[str, bytes] = {}
        self.breaks_after: list[int] = []
        self.knows_ranges = True
        self.asked: list[str | None] = []

    def remote(self, name: str, content: bytes) -> RemoteFile:
        self.files[f"/{name}"] = content
        url = f"http://127.0.0.1:{self.server_port}/{name}"
        return RemoteFile(url, hashlib.sha256(content).hexdigest(), len(content))


class _Files(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.asked.append(asked)
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        is_part = asked is not None and self.server.knows_ranges
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if is_part else 0
        part = content[start:]
        self.send_response(206 if is_part else 200)
        self.send_header("Content-Length", str(len(part)))
        if is_part:
            end = len(content) - 1
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")
        self.end_headers()
        cut = self.server.breaks_after.pop(0) if self.server.breaks_after else len(part)
        self.wfile.write(part[:cut])

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving_files() -> Iterator[FileServer]:
    """Run a server without files until the block ends."""
    with FileServer() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()
