"""The registry over a real MLflow server, spoken to by REST: serving never imports MLflow.

A version's files go to the artifacts of a run of its own; then one call creates the model version,
which the server numbers in a transaction of its database, so that a version exists whole or not at
all. What MLflow has no place for (sha256, metrics, signature, …) is `manifest.json` beside the
files. Aliases are MLflow's own and are the truth; their moves are kept in a tag of the registered
model. MLflow cannot compare and set: `expected` is checked just before the move, and two movers at
the same instant may both succeed, the later one standing.
Source: MLflow REST API 2.0, "Model Registry" and "MLflow Artifacts".
"""

import io
import json
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
from pydantic import JsonValue, TypeAdapter, ValidationError

from common.models.local_files import VerifiedCache, copy_verified, describe_file, list_files
from common.models.registry import (
    AliasMove,
    AliasMovedError,
    AliasNotFoundError,
    CorruptModelError,
    ModelFile,
    ModelNotFoundError,
    ModelVersion,
    NoEarlierVersionError,
    RegistryUnavailableError,
    VersionNotFoundError,
    check_name,
    check_path,
    roll_back_target,
)

API = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
SOURCE_PREFIX = "mlflow-artifacts:/"
TIMEOUT_S = 30.0
MAX_KEPT_MOVES = 40
"""Older moves are dropped: a tag of MLflow holds a few thousand characters."""

_MOVES: TypeAdapter[list[AliasMove]] = TypeAdapter(list[AliasMove])
Answer = dict[str, Any]


class _NotFoundError(Exception):
    """The server has no such thing."""


class MLflowRegistry:
    """A `Registry` on an MLflow server at `url`; a token is taken from MLFLOW_TRACKING_TOKEN."""

    def __init__(self, url: str, *, cache_dir: Path) -> None:
        token = os.environ.get("MLFLOW_TRACKING_TOKEN", "")
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._url = url.rstrip("/")
        self._cache = VerifiedCache(cache_dir)
        self._known: dict[tuple[str, int], ModelVersion] = {}

    # ------------------------------------------------------------------------------ publishing
    def publish(
        self,
        model: str,
        files_dir: Path,
        *,
        metrics: Mapping[str, float] | None = None,
        signature: JsonValue = None,
        data_fingerprint: str = "",
        code_revision: str = "",
        description: str = "",
        tags: Mapping[str, str] | None = None,
        alias: str | None = None,
    ) -> ModelVersion:
        """See `Registry.publish`."""
        check_name(model, "the model name")
        if alias is not None:
            check_name(alias, "the alias")
        files = tuple(describe_file(files_dir / name, name) for name in list_files(files_dir))
        draft = ModelVersion(
            model=model,
            version=1,  # the server gives the real one
            created_at=datetime.now(UTC),
            files=files,
            metrics=dict(metrics or {}),
            signature=signature,
            data_fingerprint=data_fingerprint,
            code_revision=code_revision,
            description=description,
            tags=dict(tags or {}),
        )
        run_id, folder = self._start_run(model)
        for file in files:
            content = (files_dir / file.path).read_bytes()
            self._upload(f"{folder}/files/{file.path}", content)
        self._upload(f"{folder}/manifest.json", draft.model_dump_json().encode())
        self._create_model(model)
        made = self._post(
            "model-versions/create",
            {
                "name": model,
                "source": f"{SOURCE_PREFIX}{folder}",
                "run_id": run_id,
                "description": description[:5000],
                "tags": [{"key": k, "value": v} for k, v in draft.tags.items()],
            },
        )
        version = draft.model_copy(update={"version": int(made["model_version"]["version"])})
        self._finish_run(run_id, version)
        if alias is not None:
            self.promote(model, alias, version.version)
        return version

    def _start_run(self, model: str) -> tuple[str, str]:
        """Begin the run that owns the files; MLflow accepts no other source for a version."""
        try:
            found = self._get("experiments/get-by-name", {"experiment_name": model})
            experiment = found["experiment"]["experiment_id"]
        except _NotFoundError:
            experiment = self._post("experiments/create", {"name": model})["experiment_id"]
        started = {"experiment_id": experiment, "start_time": _now_ms(), "run_name": model}
        info = self._post("runs/create", started)["run"]["info"]
        source = f"{info['artifact_uri']}/model"
        if not source.startswith(SOURCE_PREFIX):
            raise RegistryUnavailableError(
                f"MLflow at {self._url} keeps artifacts at {source}, not behind its own server; "
                "start it with --artifacts-destination and without --default-artifact-root"
            )
        return str(info["run_id"]), source.removeprefix(SOURCE_PREFIX).lstrip("/")

    def _finish_run(self, run_id: str, version: ModelVersion) -> None:
        now = _now_ms()
        metrics: list[JsonValue] = [
            {"key": name, "value": value, "timestamp": now, "step": 0}
            for name, value in version.metrics.items()
        ]
        tag: JsonValue = {"key": "model_version", "value": str(version.version)}
        self._post("runs/log-batch", {"run_id": run_id, "metrics": metrics, "tags": [tag]})
        self._post("runs/update", {"run_id": run_id, "status": "FINISHED", "end_time": now})

    def _create_model(self, model: str) -> None:
        try:
            self._get("registered-models/get", {"name": model})
        except _NotFoundError:
            try:
                self._post("registered-models/create", {"name": model})
            except RegistryUnavailableError as error:
                if "already exists" not in str(error):
                    raise

    # --------------------------------------------------------------------------------- reading
    def resolve(self, model: str, reference: str | int) -> ModelVersion:
        """See `Registry.resolve`."""
        check_name(model, "the model name")
        if isinstance(reference, int) or reference.isdecimal():
            return self._version(model, int(reference))
        check_name(reference, "the alias")
        aliases = self.aliases(model)
        if reference not in aliases:
            raise AliasNotFoundError(model, reference, aliases)
        return self._version(model, aliases[reference])

    def fetch(self, version: ModelVersion) -> Path:
        """See `Registry.fetch`."""
        folder = self._folder(version.model, version.version)

        def copy(file: ModelFile, target: Path) -> None:
            self._read_verified(folder, version, file, target)

        return self._cache.folder(version, copy)

    def _read_verified(
        self, folder: str, version: ModelVersion, file: ModelFile, target: Path | None
    ) -> None:
        try:
            content = self._download(f"{folder}/files/{check_path(file.path)}")
        except _NotFoundError:
            raise CorruptModelError(
                version.model, version.version, file.path, "the file is missing"
            ) from None
        copy_verified(version, file, io.BytesIO(content), target)

    def models(self) -> list[str]:
        """See `Registry.models`."""
        names: list[str] = []
        token = ""
        while True:
            query = {"max_results": "200"} | ({"page_token": token} if token else {})
            page = self._get("registered-models/search", query)
            names += [one["name"] for one in page.get("registered_models", [])]
            token = page.get("next_page_token", "")
            if not token:
                return sorted(name for name in names if self._numbers(name))

    def versions(self, model: str) -> list[ModelVersion]:
        """See `Registry.versions`."""
        check_name(model, "the model name")
        numbers = self._numbers(model)
        if not numbers:
            raise ModelNotFoundError(model, self.models())
        return [self._version(model, number) for number in numbers]

    def aliases(self, model: str) -> dict[str, int]:
        """See `Registry.aliases`."""
        found = self._registered(check_name(model, "the model name"))
        pairs = found.get("aliases", [])
        return {one["alias"]: int(one["version"]) for one in pairs}

    def history(self, model: str, alias: str) -> list[AliasMove]:
        """See `Registry.history`; a move made by another tool shows as the newest one."""
        found = self._registered(check_name(model, "the model name"))
        aliases = {one["alias"]: int(one["version"]) for one in found.get("aliases", [])}
        if alias not in aliases:
            raise AliasNotFoundError(model, alias, aliases)
        return self._reconciled(found, alias, aliases[alias])

    def verify(self, model: str, version: int) -> None:
        """See `Registry.verify`."""
        found = self._version(model, version)
        folder = self._folder(model, version)
        for file in found.files:
            self._read_verified(folder, found, file, None)

    # --------------------------------------------------------------------------------- aliases
    def promote(
        self, model: str, alias: str, version: int, *, expected: int | None = None
    ) -> AliasMove:
        """See `Registry.promote`."""
        check_name(alias, "the alias")
        self._version(model, version)
        found = self._registered(model)
        aliases = {one["alias"]: int(one["version"]) for one in found.get("aliases", [])}
        previous = aliases.get(alias)
        if expected is not None and expected != (previous or 0):
            raise AliasMovedError(
                f"{model}@{alias} stands on {previous or 'nothing'}, not on {expected}"
            )
        moves = self._reconciled(found, alias, previous) if previous else []
        if previous == version:
            return moves[-1]
        move = AliasMove(version=version, previous=previous, moved_at=datetime.now(UTC))
        self._move(model, alias, [*moves, move])
        return move

    def roll_back(self, model: str, alias: str) -> AliasMove:
        """See `Registry.roll_back`."""
        moves = self.history(model, alias)
        target = roll_back_target(moves, self._numbers(model))
        if target is None:
            raise NoEarlierVersionError(
                f"{model}@{alias} stands on its first version; there is no earlier one"
            )
        move = AliasMove(
            version=target,
            previous=moves[-1].version,
            moved_at=datetime.now(UTC),
            is_roll_back=True,
        )
        self._move(model, alias, [*moves, move])
        return move

    def _move(self, model: str, alias: str, moves: list[AliasMove]) -> None:
        """Move the alias, which is the truth, then write its history."""
        self._post(
            "registered-models/alias",
            {"name": model, "alias": alias, "version": str(moves[-1].version)},
        )
        value = _MOVES.dump_json(moves[-MAX_KEPT_MOVES:]).decode()
        tag = {"name": model, "key": _moves_key(alias), "value": value}
        self._post("registered-models/set-tag", tag)

    @staticmethod
    def _reconciled(found: Answer, alias: str, version: int) -> list[AliasMove]:
        tags = {one["key"]: one.get("value", "") for one in found.get("tags", [])}
        try:
            moves = _MOVES.validate_json(tags.get(_moves_key(alias), "[]"))
        except ValidationError:
            moves = list[AliasMove]()
        if not moves or moves[-1].version != version:
            previous = moves[-1].version if moves else None
            moves.append(AliasMove(version=version, previous=previous, moved_at=datetime.now(UTC)))
        return moves

    # --------------------------------------------------------------------------------- pruning
    def prune(self, model: str, keep: int) -> list[int]:
        """See `Registry.prune`."""
        numbers = self._numbers(model)
        kept = set(numbers[-keep:] if keep > 0 else [])
        for alias in self.aliases(model):
            moves = self.history(model, alias)
            kept |= {moves[-1].version, roll_back_target(moves, numbers) or 0}
        removed = [number for number in numbers if number not in kept]
        for number in removed:
            folder = self._folder(model, number)
            files = self._version(model, number).files
            self._delete(f"{API}/model-versions/delete", {"name": model, "version": str(number)})
            for path in ("manifest.json", *(f"files/{file.path}" for file in files)):
                self._delete(f"{ARTIFACTS}/{quote(f'{folder}/{path}')}", None)
        return removed

    # ---------------------------------------------------------------------------------- server
    def _registered(self, model: str) -> Answer:
        try:
            found: Answer = self._get("registered-models/get", {"name": model})["registered_model"]
        except _NotFoundError:
            raise ModelNotFoundError(model, self.models()) from None
        return found

    def _numbers(self, model: str) -> list[int]:
        query = {"filter": f"name='{model}'", "max_results": "10000"}
        found = self._get("model-versions/search", query).get("model_versions", [])
        return sorted(int(one["version"]) for one in found)

    def _folder(self, model: str, number: int) -> str:
        try:
            query = {"name": model, "version": str(number)}
            found = self._get("model-versions/get", query)["model_version"]
        except _NotFoundError:
            known = self._numbers(model)
            if not known:
                raise ModelNotFoundError(model, self.models()) from None
            raise VersionNotFoundError(model, number, known) from None
        source = str(found.get("source", ""))
        if not source.startswith(SOURCE_PREFIX):
            raise CorruptModelError(model, number, "source", f"{source} was not published here")
        return source.removeprefix(SOURCE_PREFIX).lstrip("/")

    def _version(self, model: str, number: int) -> ModelVersion:
        if (model, number) in self._known:
            return self._known[model, number]
        folder = self._folder(model, number)
        try:
            draft = ModelVersion.model_validate_json(self._download(f"{folder}/manifest.json"))
        except _NotFoundError:
            raise CorruptModelError(model, number, "manifest.json", "it is missing") from None
        except ValidationError as error:
            raise CorruptModelError(model, number, "manifest.json", str(error)) from error
        found = draft.model_copy(update={"model": model, "version": number})
        self._known[model, number] = found
        return found

    def _upload(self, path: str, content: bytes) -> None:
        self._send("PUT", f"{ARTIFACTS}/{quote(path)}", content=content)

    def _download(self, path: str) -> bytes:
        return self._send("GET", f"{ARTIFACTS}/{quote(path)}").content

    def _get(self, path: str, query: Mapping[str, str]) -> Answer:
        answer: Answer = self._send("GET", f"{API}/{path}", params=dict(query)).json()
        return answer

    def _post(self, path: str, body: Mapping[str, JsonValue]) -> Answer:
        answer: Answer = self._send("POST", f"{API}/{path}", json=dict(body)).json()
        return answer

    def _delete(self, path: str, body: Mapping[str, JsonValue] | None) -> None:
        content = None if body is None else json.dumps(dict(body)).encode()
        headers = {"Content-Type": "application/json"} if content else {}
        try:
            self._send("DELETE", path, content=content, headers=headers)
        except _NotFoundError:
            return

    def _client(self) -> httpx2.Client:
        """Make a client for one call: calls are rare, and nobody has to close the registry."""
        return httpx2.Client(base_url=self._url, timeout=TIMEOUT_S, headers=self._headers)

    def _send(self, method: str, path: str, **arguments: Any) -> httpx2.Response:
        try:
            with self._client() as client:
                response = client.request(method, path, **arguments)
        except httpx2.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise RegistryUnavailableError(f"MLflow at {self._url}: {reason}") from error
        if response.status_code == 404 or "RESOURCE_DOES_NOT_EXIST" in response.text[:300]:
            raise _NotFoundError(path)
        if response.is_error:
            raise RegistryUnavailableError(
                f"MLflow at {self._url} answered {response.status_code} to {method} {path}: "
                f"{response.text[:200]}"
            )
        return response


def _now_ms() -> int:
    return int(time.time() * 1000)


def _moves_key(alias: str) -> str:
    return f"ai-roadmap.moves.{alias}"
