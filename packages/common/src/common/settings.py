"""Settings of every process: environment and `.env` into one typed, documented, frozen value.

Shared fields are read from the project's own variable first (`P1_PORT`), then from the shared one
(`ROADMAP_PORT`); arguments given in code win over both, `.env` in the working directory comes
last. A variable with one of these prefixes that names no field is refused, with the nearest name.
A project subclasses with `model_config = settings_config("P1_")` and adds its own fields.
"""

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic_settings
from dotenv import dotenv_values
from platformdirs import user_data_dir
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from typing_extensions import override

from common.errors import DomainError

SHARED_PREFIX = "ROADMAP_"
ENV_FILE = ".env"
SECRET_MASK = "********"  # noqa: S105 - what is shown instead of a secret


class SettingsError(DomainError):
    """A setting is unknown or its value is not accepted; the message names the variable."""


def settings_config(prefix: str) -> SettingsConfigDict:
    """Return the `model_config` of a project's Settings; `prefix` is such as `P1_`."""
    return SettingsConfigDict(env_prefix=prefix, frozen=True, extra="forbid")


class Settings(BaseSettings):
    """What every service reads. Times are in seconds, sizes in bytes."""

    model_config = settings_config(SHARED_PREFIX)

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 for every one.")
    port: int = Field(0, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    data_dir: Path = Field(
        default_factory=lambda: Path(user_data_dir("ai-roadmap")),
        description="Where everything is kept: models, databases, progress.",
        json_schema_extra={"default_text": "the platform's data directory"},
    )
    datasets_dir: Path | None = Field(
        None,
        validation_alias="ROADMAP_DATASETS",
        description="Folder with data sets, looked at before any download.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least severe event that is logged."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="How events are written; auto is console on a terminal, else JSON."
    )
    registry: str = Field(
        "",
        description="Model registry: a folder, an object-store URL or mlflow+http://host:port; "
        "empty is the folder `models` in the data directory.",
    )
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL URL; empty is an SQLite file in the data directory."
    )
    api_keys: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="SHA-256 hex digests of the accepted API keys, separated by commas; "
        "empty leaves the service open.",
        json_schema_extra={"is_secret": True},
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Public host names this service is reached by, for /mcp; * for every one."
    )
    max_body_bytes: int = Field(
        10 * 1024 * 1024, ge=1, description="Largest request body, in bytes."
    )
    request_timeout_s: float = Field(
        30.0,
        gt=0,
        allow_inf_nan=False,
        description="Longest time from a whole request to the beginning of its answer, in seconds.",
    )
    body_timeout_s: float = Field(
        30.0,
        gt=0,
        allow_inf_nan=False,
        description="Longest time for a request's body to arrive, in seconds.",
    )
    header_timeout_s: float = Field(
        10.0,
        gt=0,
        allow_inf_nan=False,
        description="Longest time for a request's headers to arrive, in seconds.",
    )
    shutdown_grace_s: float = Field(
        20.0,
        ge=0,
        allow_inf_nan=False,
        description="Time that requests in flight get to finish at shutdown, in seconds.",
    )
    max_in_flight: int = Field(
        1024, ge=1, description="Most requests at once; beyond it the answer is 503."
    )
    otlp_endpoint: str | None = Field(
        None, description="OTLP/HTTP address that traces are sent to; empty sends none."
    )

    def __init__(self, **values: Any) -> None:
        _refuse_unknown(type(self))
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise SettingsError(_explain(error, type(self))) from None
        except pydantic_settings.SettingsError as error:  # a list or object that is not JSON
            raise SettingsError(f"{error}; accepted: JSON") from None

    @field_validator("data_dir", "datasets_dir")
    @classmethod
    def _expand_home(cls, value: Path | None) -> Path | None:
        return value.expanduser() if value else value

    @field_validator("api_keys", "allowed_hosts", mode="before")
    @classmethod
    def _split_at_commas(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("api_keys")
    @classmethod
    def _are_digests(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for digest in value:
            if len(digest) != 64 or set(digest.lower()) - set("0123456789abcdef"):
                raise ValueError("accepted: SHA-256 digests of 64 hex digits, never the key itself")
        return tuple(digest.lower() for digest in value)

    @field_validator("otlp_endpoint", "datasets_dir", "database_url", mode="before")
    @classmethod
    def _empty_is_unset(cls, value: object) -> object:
        return None if value == "" else value

    @override
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        own = settings_cls.model_config.get("env_prefix", "")
        prefixes = dict.fromkeys((own, SHARED_PREFIX))
        environments: tuple[Mapping[str, str | None], ...] = (os.environ, _env_file())
        sources = (
            _PrefixSource(settings_cls, prefix, environment)
            for environment in environments
            for prefix in prefixes
        )
        return (init_settings, *sources)

    @property
    def registry_location(self) -> str:
        """The registry's location with the default filled in."""
        return self.registry or str(self.data_dir / "models")

    def prepare_data_dir(self) -> Path:
        """Create the data directory and prove that it can be written; `SettingsError` if not."""
        probe = self.data_dir / ".writable"
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"")
            probe.unlink(missing_ok=True)
        except OSError as error:
            raise SettingsError(
                f"the data directory {self.data_dir} cannot be written: {error.strerror}; "
                f"name another with --data-dir or {SHARED_PREFIX}DATA_DIR"
            ) from error
        return self.data_dir


class _PrefixSource(EnvSettingsSource):
    """One environment read with one prefix; the shared prefix sets only the shared fields."""

    def __init__(
        self, settings_cls: type[BaseSettings], prefix: str, environment: Mapping[str, str | None]
    ) -> None:
        self._is_shared = prefix == SHARED_PREFIX
        self._environment = environment
        super().__init__(settings_cls, env_prefix=prefix)

    @override
    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in self._environment.items()}

    @override
    def __call__(self) -> dict[str, object]:
        found: dict[str, object] = super().__call__()
        if not self._is_shared:
            return found
        shared = set(Settings.model_fields) | {"ROADMAP_DATASETS"}
        return {name: value for name, value in found.items() if name in shared}


@dataclass(frozen=True)
class SettingRow:
    """One setting as a person reads it; secrets are masked."""

    name: str
    variable: str
    value: str
    default: str
    doc: str


def describe_settings(settings: Settings) -> list[SettingRow]:
    """List every setting with the variable that sets it, its value, default and meaning."""
    rows = []
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        shown = SECRET_MASK if value and _is_secret(field) else _text(value)
        variable = _variable(name, field, type(settings))
        rows.append(SettingRow(name, variable, shown, _default(field), field.description or ""))
    return rows


def _variable(name: str, field: FieldInfo, owner: type[Settings]) -> str:
    if isinstance(field.validation_alias, str):
        return field.validation_alias
    own = owner.model_config.get("env_prefix", "")
    return f"{SHARED_PREFIX if name in Settings.model_fields else own}{name}".upper()


def _set_by(name: str, field: FieldInfo, owner: type[Settings]) -> str:
    """Name the variable that the value came from, as far as one is set."""
    own = f"{owner.model_config.get('env_prefix', '')}{name}".upper()
    is_own = any(own in {key.upper() for key in place} for place in (os.environ, _env_file()))
    return own if is_own else _variable(name, field, owner)


def _is_secret(field: FieldInfo) -> bool:
    extra = field.json_schema_extra
    is_marked = isinstance(extra, dict) and bool(extra.get("is_secret"))
    return is_marked or "SecretStr" in str(field.annotation)


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    return str(value)


def _default(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "default_text" in extra:
        return str(extra["default_text"])
    return "" if field.default is PydanticUndefined else _text(field.default)


def _env_file() -> dict[str, str | None]:
    path = Path(ENV_FILE)
    return dotenv_values(path) if path.is_file() else {}


def _known_variables(owner: type[Settings]) -> set[str]:
    own = owner.model_config.get("env_prefix", "")
    known = {f"{own}{name}".upper() for name in owner.model_fields}
    known |= {f"{SHARED_PREFIX}{name}".upper() for name in Settings.model_fields}
    known |= {_variable(name, field, owner) for name, field in owner.model_fields.items()}
    return known


def _refuse_unknown(owner: type[Settings]) -> None:
    own = owner.model_config.get("env_prefix", "")
    known = _known_variables(owner)
    places: tuple[tuple[str, Iterable[str]], ...] = (("", os.environ), (ENV_FILE, _env_file()))
    for place, names in places:
        for name in names:
            if name.upper().startswith((own, SHARED_PREFIX)) and name.upper() not in known:
                near = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.0)
                where = f" in {place}" if place else ""
                raise SettingsError(f"unknown setting {name}{where}; did you mean {near[0]}?")


def _explain(error: ValidationError, owner: type[Settings]) -> str:
    lines = []
    for item in error.errors(include_url=False):
        name = str(item["loc"][0]) if item["loc"] else ""
        field = owner.model_fields.get(name)
        if field is None:
            near = difflib.get_close_matches(name, owner.model_fields, n=1, cutoff=0.0)
            lines.append(f"unknown setting {name}; did you mean {near[0]}?")
            continue
        value = "" if _is_secret(field) else f"={_text(item['input'])[:80]}"
        message = item["msg"].removeprefix("Value error, ")
        lines.append(f"{_set_by(name, field, owner)}{value}: {message}")
    return "; ".join(lines)
