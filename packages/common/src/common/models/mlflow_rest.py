"""The registry over a real MLflow server, spoken to by REST: serving never imports MLflow.

A version's files go to the artifacts of a run of its own; then one call creates the model version,
which the server numbers in a transaction of its database, so that a version exists whole or not at
all: a publish that fails before it leaves a run and files that no version names. What MLflow has no
place for (sha256, metrics, signature, …) is `manifest.json` beside the files. Aliases are MLflow's
own and are the truth; their moves are kept in a tag of the registered model.

MLflow cannot compare and set, and has no lock: `expected` is checked just before the move, and two
movers at the same instant may both succeed, the later one standing. An alias never names a version
that was pruned, for MLflow refuses to set it and removes it together with its version; but what is
promoted in the moment in which it is pruned takes the alias with it. Prune when nothing promotes
old versions.
Source: MLflow REST API 2.0, "Model Registry" and "MLflow Artifacts".
"""

import contextlib
import io
import math
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue, TypeAdapter, ValidationError

from common.models.local_files import VerifiedCache, copy_verified, describe_file, list_files
from common.models.mlflow_http import TIMEOUT_S, Answer, MLflowServer, NotThereError
from common.models.registry import (
    AliasMove,
    AliasMovedError,
    AliasNotFoundError,
    CorruptModelError,
    ModelFile,
    ModelNotFoundError,
    ModelVersion,
    RegistryUnavailableError,
    VersionNotFoundError,
    check_name,
    check_path,
    roll_back_move,
    roll_back_target,
)

SOURCE_PREFIX = "mlflow-artifacts:/"
MAX_KEPT_MOVES = 40
"""Older moves are dropped: a tag of MLflow holds a few thousand characters."""

_MOVES: TypeAdapter[list[AliasMove]] = TypeAdapter(list[AliasMove])


class MLflowRegistry:
    """A `Registry` on an MLflow server at `url`; see `MLflowServer` for token and time limit."""

    def __init__(self, url: str, *, cache_dir: Path, timeout_s: float = TIMEOUT_S) -> None:
        self._server = MLflowServer(url, timeout_s=timeout_s)
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
            self._server.upload(f"{folder}/files/{file.path}", content)
        self._server.upload(f"{folder}/manifest.json", draft.model_dump_json().encode())
        self._finish_run(run_id, draft.metrics)
        self._create_model(model)
        version = self._create_version(draft, run_id, folder)
        if alias is not None:
            try:
                self.promote(model, alias, version.version)
            except RegistryUnavailableError as error:
                self._settle(version, alias, error)
        return version

    def _create_version(self, draft: ModelVersion, run_id: str, folder: str) -> ModelVersion:
        """Make the version visible: the last call of a publish, but for the alias."""
        body: dict[str, JsonValue] = {
            "name": draft.model,
            "source": f"{SOURCE_PREFIX}{folder}",
            "run_id": run_id,
            "description": draft.description[:5000],
            "tags": [{"key": k, "value": v} for k, v in draft.tags.items()],
        }
        made = self._server.post("model-versions/create", body, "model_version")
        return draft.model_copy(update={"version": int(made["version"])})

    def _settle(self, version: ModelVersion, alias: str, error: RegistryUnavailableError) -> None:
        """Take back a version whose alias could not be moved, unless it did move after all."""
        model, number = version.model, version.version
        try:
            if self.aliases(model).get(alias) == number:
                return  # only the answer was lost
            self._delete_version(model, number)
        except RegistryUnavailableError:
            raise RegistryUnavailableError(
                f"{error}; {model} version {number} is published, but whether {alias} stands on "
                "it is not known: look when the server is back, and promote it"
            ) from None
        raise error

    def _start_run(self, model: str) -> tuple[str, str]:
        """Begin the run that owns the files; MLflow accepts no other source for a version."""
        try:
            query = {"experiment_name": model}
            found = self._server.get("experiments/get-by-name", query, "experiment")
        except NotThereError:
            found = self._server.post("experiments/create", {"name": model})
        experiment = found["experiment_id"]
        started = {"experiment_id": experiment, "start_time": _now_ms(), "run_name": model}
        info = self._server.post("runs/create", started, "run")["info"]
        source = f"{info['artifact_uri']}/model"
        if not source.startswith(SOURCE_PREFIX):
            raise RegistryUnavailableError(
                f"MLflow at {self._server.url} keeps artifacts at {source}, not behind its own "
                "server; start it with --artifacts-destination and without --default-artifact-root"
            )
        return str(info["run_id"]), source.removeprefix(SOURCE_PREFIX).lstrip("/")

    def _finish_run(self, run_id: str, values: Mapping[str, float]) -> None:
        now = _now_ms()
        metrics: list[JsonValue] = [
            {"key": name, "value": value, "timestamp": now, "step": 0}
            for name, value in values.items()
            if math.isfinite(value)  # JSON has no word for the others; the manifest has them
        ]
        self._server.post("runs/log-batch", {"run_id": run_id, "metrics": metrics})
        done = {"run_id": run_id, "status": "FINISHED", "end_time": now}
        self._server.post("runs/update", done)

    def _create_model(self, model: str) -> None:
        try:
            self._server.get("registered-models/get", {"name": model})
        except NotThereError:
            try:
                self._server.post("registered-models/create", {"name": model})
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
            content = self._server.download(f"{folder}/files/{check_path(file.path)}")
        except NotThereError:
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
            page = self._server.get("registered-models/search", query)
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
        move = roll_back_move(model, alias, moves, self._numbers(model))
        self._move(model, alias, [*moves, move])
        return move

    def _move(self, model: str, alias: str, moves: list[AliasMove]) -> None:
        """Write down the move, then make it: until the second call nothing has happened."""
        value = _MOVES.dump_json(moves[-MAX_KEPT_MOVES:]).decode()
        tag = {"name": model, "key": _moves_key(alias), "value": value}
        self._server.post("registered-models/set-tag", tag)
        number = moves[-1].version
        try:
            self._server.post(
                "registered-models/alias",
                {"name": model, "alias": alias, "version": str(number)},
            )
        except NotThereError:  # pruned since it was looked at
            raise VersionNotFoundError(model, number, self._numbers(model)) from None

    @staticmethod
    def _reconciled(found: Answer, alias: str, version: int) -> list[AliasMove]:
        """Return the moves as written, made to end where the alias stands."""
        tags = {one["key"]: one.get("value", "") for one in found.get("tags", [])}
        try:
            moves = _MOVES.validate_json(tags.get(_moves_key(alias), "[]"))
        except ValidationError:
            moves = list[AliasMove]()
        if len(moves) > 1 and moves[-1].version != version == moves[-2].version:
            moves.pop()  # written down, and never made
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
        removed = []
        for number in numbers:
            # asked again for each: somebody may promote meanwhile
            if number not in kept and number not in self.aliases(model).values():
                with contextlib.suppress(VersionNotFoundError):  # somebody else prunes, too
                    self._remove(model, number)
                    removed.append(number)
        return removed

    def _remove(self, model: str, number: int) -> None:
        folder = self._folder(model, number)
        files = self._version(model, number).files
        self._delete_version(model, number)
        for path in ("manifest.json", *(f"files/{file.path}" for file in files)):
            self._server.delete_artifact(f"{folder}/{path}")

    def _delete_version(self, model: str, number: int) -> None:
        self._server.delete("model-versions/delete", {"name": model, "version": str(number)})
        self._known.pop((model, number), None)

    # ---------------------------------------------------------------------------------- server
    def _registered(self, model: str) -> Answer:
        try:
            return self._server.get("registered-models/get", {"name": model}, "registered_model")
        except NotThereError:
            raise ModelNotFoundError(model, self.models()) from None

    def _numbers(self, model: str) -> list[int]:
        query = {"filter": f"name='{model}'", "max_results": "10000"}
        found = self._server.get("model-versions/search", query).get("model_versions", [])
        return sorted(int(one["version"]) for one in found)

    def _folder(self, model: str, number: int) -> str:
        try:
            query = {"name": model, "version": str(number)}
            found = self._server.get("model-versions/get", query, "model_version")
        except NotThereError:
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
            draft = ModelVersion.model_validate_json(
                self._server.download(f"{folder}/manifest.json")
            )
        except NotThereError:
            raise CorruptModelError(model, number, "manifest.json", "it is missing") from None
        except ValidationError as error:
            raise CorruptModelError(model, number, "manifest.json", str(error)) from error
        found = draft.model_copy(update={"model": model, "version": number})
        self._known[model, number] = found
        return found


def _now_ms() -> int:
    return int(time.time() * 1000)


def _moves_key(alias: str) -> str:
    return f"ai-roadmap.moves.{alias}"
