"""A small server that speaks the part of Pinecone's HTTP contract that is used here.

Upsert, delete and query of an index's data plane, by namespace, with `$in` filters and exact cosine
scores; whoever sends another key than `KEY` is refused, as there.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

KEY = "pinecone-key-of-the-test"
Namespaces = dict[str, dict[str, dict[str, Any]]]


class _Handler(BaseHTTPRequestHandler):
    namespaces: Namespaces

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.headers.get("api-key") != KEY:
            self._answer(401, {"message": "Invalid API key"})
            return
        vectors = self.namespaces[body.get("namespace", "")]
        work = {
            "/vectors/upsert": _upsert,
            "/vectors/delete": _delete,
            "/query": _query,
        }[self.path]
        self._answer(200, work(vectors, body))

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, status: int, answer: object) -> None:
        sent = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)


def _upsert(vectors: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    vectors |= {one["id"]: one for one in body["vectors"]}
    return {"upsertedCount": len(body["vectors"])}


def _delete(vectors: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    for one in list(vectors) if body.get("deleteAll") else body["ids"]:
        vectors.pop(one, None)
    return {}


def _query(vectors: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    asked = np.array(body["vector"])
    matches = []
    for one in vectors.values():
        wanted = (body.get("filter") or {}).items()
        if all(one["metadata"].get(key) in test["$in"] for key, test in wanted):
            values = np.array(one["values"])
            length = np.linalg.norm(values) * np.linalg.norm(asked)
            score = float(values @ asked / max(length, 1e-12))
            matches.append({"id": one["id"], "score": score, "metadata": one["metadata"]})
    matches.sort(key=lambda match: -match["score"])
    return {"matches": matches[: body["topK"]], "namespace": body.get("namespace", "")}


@contextmanager
def running_pinecone() -> Iterator[str]:
    """Serve an empty index on a free port; yield its address."""
    handler = type("Handler", (_Handler,), {"namespaces": defaultdict(dict)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
