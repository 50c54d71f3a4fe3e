"""What a log line holds, and what it never holds."""

import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog
from common.logs import MAX_STRING, REDACTED, configure_logging, redact
from common.settings import Settings
from hypothesis import given
from hypothesis import strategies as st

SECRET = "Zq9-planted-Zq9"
KEYS = (
    "authorization",
    "X-Api-Key",
    "accessToken",
    "db_password",
    "cookie",
    "client_secret",
    "pwd",
)


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], str]]:
    """What was written on standard error."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield lambda: capsys.readouterr().err
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


@given(
    key=st.sampled_from(KEYS),
    wrap=st.lists(st.sampled_from(["list", "dict", "pair"]), max_size=5),
    padding=st.text(max_size=20),
)
def test_a_secret_under_its_name_never_comes_out_however_deep_it_lies(
    key: str, wrap: list[str], padding: str
) -> None:
    value: object = {key: SECRET}
    for kind in wrap:
        value = {"list": [padding, value, 1], "dict": {"inner": value}, "pair": ("h", value)}[kind]
    assert SECRET not in repr(redact(value))


@pytest.mark.parametrize(
    "template",
    [
        "Bearer {}", "basic {}", "password={} tail", "https://x/?api_key={}&k=1", "sk-{}",
        "postgresql://me:{}@db/x", '{{"token": "{}"}}',
    ],
)  # fmt: skip
@given(before=st.text(st.characters(categories=["Zs", "Po"]), max_size=30))
def test_a_secret_is_known_by_its_shape_too(template: str, before: str) -> None:
    assert SECRET not in str(redact(f"{before} {template.format(SECRET)}"))
    assert SECRET not in str(redact(ValueError(template.format(SECRET))))


@given(key=st.sampled_from(["n_tokens", "max_tokens", "latency_ms", "status"]), n=st.integers())
def test_counts_and_times_stay(key: str, n: int) -> None:
    assert redact({key: n}) == {key: n}


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    shown = redact("begin" + "x" * 100_000 + "end")
    assert isinstance(shown, str)
    assert len(shown) <= MAX_STRING + 5
    assert shown.startswith("begin")
    assert shown.endswith("end")


def test_json_lines_name_the_service_and_the_request(lines: Callable[[], str]) -> None:
    configure_logging("toy", Settings(log_format="json"))
    with structlog.contextvars.bound_contextvars(request_id="r1", trace_id="t1", span_id="s1"):
        structlog.get_logger().info("retrieved", k=5, api_key=SECRET)
        logging.getLogger("a.library").warning("said %s", "something", extra={"token": SECRET})
    ours, theirs = (json.loads(line) for line in lines().splitlines())
    assert (ours["event"], ours["k"], ours["api_key"]) == ("retrieved", 5, REDACTED)
    assert (theirs["event"], theirs["token"]) == ("said something", REDACTED)
    for event in (ours, theirs):
        assert (event["service"], event["request_id"], event["trace_id"]) == ("toy", "r1", "t1")
        assert event["timestamp"].endswith("Z")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_local_variable(lines: Callable[[], str], log_format: str) -> None:
    configure_logging("toy", Settings(log_format=log_format))

    def fail() -> None:
        row = f"{SECRET}-{len(KEYS)}"
        raise LookupError(f"no such column in a row of {len(row)}")

    try:
        fail()
    except LookupError:
        structlog.get_logger().exception("failed")
    written = lines()
    assert "LookupError" in written
    assert SECRET not in written
