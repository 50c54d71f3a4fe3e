"""Structured logs: readable on a terminal, JSON elsewhere; one trace id from service to service.

Configured once by a command or a service, never at import. Every library's log goes the same way.
Secrets and personal data are replaced before anything is written. Call `structlog.get_logger()`
anywhere; bind request-scoped values with `structlog.contextvars`.
"""

import logging
import logging.config
import re
import sys
from collections.abc import Iterable, Mapping
from typing import cast

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from common.settings import Settings

REDACTED = "[redacted]"
MAX_STRING = 2_000
"""A longer string in an event is cut: a log line is not where documents are kept."""

_SECRET_KEY = re.compile(
    r"(?i)(^|_|-)(authorization|api_?keys?|password|passwd|pwd|secrets?|tokens?|cookies?"
    r"|credentials?|private_?key|session|email|phone|ssn|address)($|_|-)"
)
_COUNTED = re.compile(r"(?i)^n_|_(count|ms|s|bytes|id)$")
_SECRET_TEXT = re.compile(
    r"(?i)\b(?:bearer|basic)\s+[\w.~+/=-]{6,}"  # an Authorization header
    r"|\b(?:sk|pk|rk|ghp|gho|hf|xox[abp])[-_][\w-]{10,}"  # keys by their well-known prefixes
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"  # user:password in a URL
    r"|\b[\w.+-]+@[\w-]+\.[\w.-]+\b"  # an e-mail address
)


_COLLECTIONS: tuple[type, ...] = (list, tuple, set, frozenset)


def redact(value: object, key: str = "") -> object:
    """Return `value` without secrets: by the name it stands under, and by what it looks like."""
    if key and _SECRET_KEY.search(key) and not _COUNTED.search(key) and value not in (None, ""):
        return REDACTED
    if isinstance(value, str):
        return _SECRET_TEXT.sub(REDACTED, value[:MAX_STRING])
    if isinstance(value, Mapping):
        return {str(name): redact(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, bytes | bytearray):
        return f"[{len(value)} bytes]"
    if isinstance(value, _COLLECTIONS):
        members: Iterable[object] = cast("Iterable[object]", value)
        return [redact(inner) for inner in members]
    return value


def redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Redact every field of an event (a structlog processor)."""
    return {name: redact(value, name) for name, value in event.items()}


def configure_logging(service: str, settings: Settings) -> None:
    """Send every event of this process to standard error in the chosen format.

    Calling it again replaces the former configuration.
    """
    is_console = settings.log_format == "console" or (
        settings.log_format == "auto" and sys.stderr.isatty()
    )

    def name_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        name_service,
    ]
    traceback: Processor = (
        structlog.processors.format_exc_info if is_console else structlog.processors.dict_tracebacks
    )
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
        if is_console
        else structlog.processors.JSONRenderer(default=str)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            traceback,
            redact_event,
            renderer,
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    _quiet_libraries(settings.log_level)


def _quiet_libraries(level: str) -> None:
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    if level != "debug":  # the service writes its own access event and its own ready line
        for name in ("uvicorn.error", "httpx", "httpx2", "mcp", "asyncio", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").disabled = True
