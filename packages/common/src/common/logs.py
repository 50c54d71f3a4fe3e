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
from functools import lru_cache
from typing import cast

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from common.request_ids import add_request_ids
from common.settings import Settings

REDACTED = "[redacted]"
MAX_STRING = 2_000
"""A longer string in an event is cut: a log line is not where documents are kept."""

MAX_DEPTH = 8
_OUR_OWN = frozenset({"timestamp", "level", "service", "trace_id", "span_id"})
"""Written by this module and the kit: nothing of a caller's to look for."""
_SECRET_KEY = re.compile(
    r"(?i)authorization|api[_-]?key|passw(or)?d|secret|token|cookie|credential|private[_-]?key"
    r"|(^|[_-])(pwd|session|e?-?mail|phone|ssn|address)($|[_-])"
)
_COUNTED = re.compile(r"(?i)^n_|_(count|ms|s|bytes|id)$")
_SECRET_TEXT = re.compile(
    r"(?i)\b(?:bearer|basic)\s+[\w.~+/=-]{6,}"  # an Authorization header
    r"|\b(?:[\w-]{0,40}(?:api[_-]?key|secret|token)|passw(?:or)?d|pwd)[\"']?\s*[=:]\s*[^\s&,;]{3,}"
    r"|\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?|\bAKIA[0-9A-Z]{16}\b"  # a JWT; an AWS key's id
    r"|\b(?:sk|pk|rk|ghp|gho|hf|xox[abp])[-_][\w-]{10,}"  # keys by their well-known prefixes
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"  # user:password in a URL
    r"|\b[\w.+-]{1,64}@[\w-]+\.[\w.-]+\b"  # an e-mail address
)


_COLLECTIONS: tuple[type, ...] = (list, tuple, set, frozenset)


def redact(value: object, key: str = "") -> object:
    """Return `value` without secrets: by the name it stands under, and by what it looks like."""
    return _redacted(value, key, MAX_DEPTH)


def _redacted(value: object, key: str, depth: int) -> object:
    if value is None or isinstance(value, bool):
        return value
    if key and _sounds_secret(key) and not _is_amount(key, value):
        return REDACTED
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        return _redacted_text(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{len(value)} bytes]"
    if depth == 0:
        return f"[{type(value).__name__}]"
    if isinstance(value, Mapping):
        return {
            _redacted_text(str(name)): _redacted(inner, str(name), depth - 1)
            for name, inner in value.items()
        }
    if isinstance(value, _COLLECTIONS):
        return _redacted_items(list(cast("Iterable[object]", value)), depth - 1)
    return _redacted_text(str(value))  # what JSON would write it as


def _redacted_items(items: list[object], depth: int) -> list[object]:
    if len(items) == 2 and isinstance(items[0], str):  # a pair, such as a header
        return [_redacted_text(items[0]), _redacted(items[1], items[0], depth)]
    return [_redacted(item, "", depth) for item in items]


@lru_cache(maxsize=1024)
def _sounds_secret(key: str) -> bool:
    return _SECRET_KEY.search(key) is not None


def _is_amount(key: str, value: object) -> bool:
    """Whether it is a count or a time that only sounds like a secret, such as `max_tokens`."""
    if isinstance(value, int | float):
        return key.lower().endswith("tokens") or _COUNTED.search(key) is not None
    return value == "" or key.lower().endswith("_id")


def _redacted_text(text: str) -> str:
    """Redact, then cut the middle: a traceback says most in its last lines."""
    if len(text) > 4 * MAX_STRING:  # bounds the search
        text = f"{text[: 2 * MAX_STRING]}{text[-2 * MAX_STRING :]}"
    text = _SECRET_TEXT.sub(REDACTED, text)
    if len(text) <= MAX_STRING:
        return text
    half = MAX_STRING // 2
    return f"{text[:half]} … {text[-half:]}"


def redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Redact every field of an event (a structlog processor)."""
    return {
        name: value if name in _OUR_OWN else redact(value, name) for name, value in event.items()
    }


class _Stderr:
    """Where a rendered event of our own goes: one line, one write, whoever else writes too."""

    def __init__(self, name: str = "") -> None:
        self.name = name

    def msg(self, line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    debug = info = warning = error = critical = exception = msg


def configure_logging(service: str, settings: Settings) -> None:
    """Send every event of this process to standard error in the chosen format.

    Our own events are rendered at once; those of libraries, which speak to `logging`, go through
    the same processors. Calling it again replaces the former configuration.
    """
    is_console = settings.log_format == "console" or (
        settings.log_format == "auto" and sys.stderr.isatty()
    )
    level = settings.log_level.upper()

    def name_event(logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("service", service)
        record = event.get("_record")
        name = record.name if isinstance(record, logging.LogRecord) else logger.name
        if name:
            event["logger"] = name
        return event

    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        add_request_ids,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        name_event,
    ]
    last: list[Processor] = [_traceback(is_console), redact_event, _renderer(is_console)]
    structlog.configure(
        processors=[structlog.stdlib.PositionalArgumentsFormatter(), *shared, *last],
        logger_factory=_Stderr,
        wrapper_class=structlog.make_filtering_bound_logger(level.lower()),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    _quiet_libraries(settings.log_level)


def _traceback(is_console: bool) -> Processor:
    """Render an exception without local variables, which are requests' bodies and keys."""
    if is_console:
        return structlog.processors.format_exc_info
    return structlog.processors.ExceptionRenderer(
        structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    )


def _renderer(is_console: bool) -> Processor:
    if is_console:
        return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    return structlog.processors.JSONRenderer(default=str)


def _quiet_libraries(level: str) -> None:
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    if level != "debug":  # the service writes its own access event and its own ready line
        for name in ("uvicorn.error", "httpx", "httpx2", "mcp", "asyncio", "alembic"):
            logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").disabled = True
