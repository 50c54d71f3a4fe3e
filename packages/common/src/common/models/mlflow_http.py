"""The calls to an MLflow server, and its failures said in one way.

Whatever keeps the server from answering as MLflow does (nobody listens, silence, 500, a page of
HTML) is `RegistryUnavailableError` with the address, what came back and what to do. That something
does not exist is `NotThereError`, which `mlflow_rest.py` turns into what it means. Knows nothing of
models and versions.
"""

import json
import os
import ssl
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote

import httpx2
from pydantic import JsonValue

from common.models.registry import RegistryUnavailableError

API = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
TIMEOUT_S = 30.0

Answer = dict[str, Any]


class NotThereError(Exception):
    """The server has no such thing."""


class MLflowServer:
    """The server at `url`; a token is taken from MLFLOW_TRACKING_TOKEN.

    `timeout_s` limits how long a call waits for the connection, and for each piece of an answer.
    """

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        token = os.environ.get("MLFLOW_TRACKING_TOKEN", "")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.url = url.rstrip("/")
        self._timeout_s = timeout_s

    def get(self, path: str, query: Mapping[str, str], key: str = "") -> Answer:
        """Ask the API; with `key`, return what the answer holds there."""
        return self._decoded(self._send("GET", f"{API}/{path}", params=dict(query)), key)

    def post(self, path: str, body: Mapping[str, JsonValue], key: str = "") -> Answer:
        """Tell the API; with `key`, return what the answer holds there."""
        return self._decoded(self._send("POST", f"{API}/{path}", json=dict(body)), key)

    def delete(self, path: str, body: Mapping[str, JsonValue]) -> None:
        """Delete what the body names, if it is there."""
        content = json.dumps(dict(body)).encode()
        headers = {"Content-Type": "application/json"}
        try:
            self._send("DELETE", f"{API}/{path}", content=content, headers=headers)
        except NotThereError:
            return

    def upload(self, path: str, content: bytes) -> None:
        """Write an artifact."""
        self._send("PUT", f"{ARTIFACTS}/{quote(path)}", content=content)

    def download(self, path: str) -> bytes:
        """Read an artifact."""
        return self._send("GET", f"{ARTIFACTS}/{quote(path)}").content

    def delete_artifact(self, path: str) -> None:
        """Delete an artifact, if it is there."""
        try:
            self._send("DELETE", f"{ARTIFACTS}/{quote(path)}")
        except NotThereError:
            return

    def _client(self) -> httpx2.Client:
        """Make a client for one call: calls are rare, and nobody has to close the registry."""
        return httpx2.Client(
            base_url=self.url, timeout=self._timeout_s, headers=self._headers, verify=self._trust
        )

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        """Load the certificates once: to do so for each call took longer than the call."""
        return httpx2.create_ssl_context()

    def _send(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        try:
            with self._client() as client:
                response = client.request(method, path, **arguments)
        except httpx2.TimeoutException:
            raise RegistryUnavailableError(
                f"MLflow at {self.url} gave no answer to {method} {path} within "
                f"{self._timeout_s:g} s; see whether the server is overloaded, and try again"
            ) from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise RegistryUnavailableError(
                f"MLflow at {self.url} cannot be reached: {str(error) or type(error).__name__}; "
                "start the server, or correct the address of the registry"
            ) from None
        if not response.is_success:
            self._refuse(response, method, path)
        return response

    def _refuse(self, response: httpx2.Response, method: str, path: str) -> None:
        code, message = _said(response)
        is_artifact = path.startswith(ARTIFACTS)  # a proxy may say 404 in words of its own
        if code == "RESOURCE_DOES_NOT_EXIST" or (is_artifact and response.status_code == 404):
            raise NotThereError(path)
        todo = "look into the server's log, and try again"
        if response.status_code in (401, 403):
            todo = "set MLFLOW_TRACKING_TOKEN to a token that may do this"
        elif response.is_redirect or response.status_code == 404:
            todo = "is this the address of an MLflow server?"
        raise RegistryUnavailableError(
            f"MLflow at {self.url} answered {response.status_code} to {method} {path}"
            f"{message and ': ' + message}; {todo}"
        )

    def _decoded(self, response: httpx2.Response, key: str) -> Answer:
        try:
            answer = response.json()
            found = answer[key] if key else answer
        except (ValueError, KeyError, TypeError):
            found = None
        if not isinstance(found, dict):
            kind = response.headers.get("content-type", "something without a type")
            raise RegistryUnavailableError(
                f"{self.url} answered {kind} to {response.request.method} "
                f"{response.request.url.path}, not what MLflow answers; "
                "is this the address of an MLflow server?"
            )
        return found


def _said(response: httpx2.Response) -> tuple[str, str]:
    """Return MLflow's own code and message, or the beginning of a text that is not HTML."""
    try:
        said = response.json()
        return str(said.get("error_code", "")), str(said.get("message", ""))[:200]
    except (ValueError, AttributeError):
        is_html = "html" in response.headers.get("content-type", "")
        return "", "" if is_html else " ".join(response.text[:200].split())
