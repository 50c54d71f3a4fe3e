"""When a call may be repeated, and how long it waits first."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest
from common.service.client import ServiceClient, UnreachableError
from common.service.retries import RetryPolicy, is_repeatable, retry_after_s
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "get"])
def test_idempotent_methods_may_be_repeated(method: str) -> None:
    assert is_repeatable(method, {})


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_others_may_be_repeated_only_with_a_key_in_any_spelling(method: str) -> None:
    assert not is_repeatable(method, {"Content-Type": "application/json"})
    assert is_repeatable(method, {"idempotency-KEY": "order-7"})


@given(
    attempt=st.integers(0, 1000),
    share=st.floats(0, 1),
    asked_s=st.floats(0, 1e6),
    cap_s=st.floats(0.1, 60),
)
def test_the_wait_is_never_less_than_asked_nor_more_than_the_cap_above_it(
    attempt: int, share: float, asked_s: float, cap_s: float
) -> None:
    policy = RetryPolicy(cap_s=cap_s, draw=lambda low, high: low + share * (high - low))
    assert asked_s <= policy.delay_s(attempt, asked_s) <= asked_s + cap_s


def test_the_ceiling_doubles_from_try_to_try() -> None:
    policy = RetryPolicy(base_s=0.1, cap_s=1.0, draw=lambda _low, high: high)
    assert [policy.delay_s(attempt) for attempt in range(5)] == [0.1, 0.2, 0.4, 0.8, 1.0]


def test_retry_after_is_read_as_seconds_or_as_a_date() -> None:
    later = format_datetime(NOW + timedelta(seconds=90), usegmt=True)
    earlier = format_datetime(NOW - timedelta(seconds=90), usegmt=True)
    assert retry_after_s("7", NOW) == 7
    assert retry_after_s(later, NOW) == 90
    assert retry_after_s(earlier, NOW) == 0


@given(st.text(max_size=40))
def test_no_retry_after_header_can_break_the_caller(header: str) -> None:
    assert retry_after_s(header, NOW) >= 0


class RefusingTransport(httpx2.AsyncBaseTransport):
    """Refuses so many connections, then answers."""

    def __init__(self, n_refusals: int) -> None:
        self.n_refusals = n_refusals
        self.n_calls = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.n_calls += 1
        if self.n_calls <= self.n_refusals:
            raise httpx2.ConnectError("refused", request=request)
        return httpx2.Response(200, json={"n_calls": self.n_calls})


def client_over(transport: RefusingTransport, waits_s: list[float]) -> ServiceClient:
    def draw(low: float, high: float) -> float:
        waits_s.append(high)
        return 0.0

    http = httpx2.AsyncClient(transport=transport, base_url="http://toy")
    return ServiceClient(http, name="toy", timeout_s=20, retries=RetryPolicy(3, draw=draw))


@pytest.mark.anyio
async def test_a_refused_connection_is_tried_again_with_growing_patience() -> None:
    transport, waits_s = RefusingTransport(2), list[float]()
    assert await client_over(transport, waits_s).get("/") == {"n_calls": 3}
    assert waits_s == [0.1, 0.2]


@pytest.mark.anyio
async def test_a_post_whose_connection_was_refused_is_not_tried_again() -> None:
    transport = RefusingTransport(1)
    with pytest.raises(UnreachableError):
        await client_over(transport, []).post("/", {})
    assert transport.n_calls == 1


@pytest.mark.anyio
async def test_a_body_that_can_be_read_once_is_sent_once() -> None:
    async def parts() -> AsyncGenerator[bytes]:
        yield b"once"

    transport = RefusingTransport(1)
    with pytest.raises(UnreachableError):
        await client_over(transport, []).request("PUT", "/", parts())
    assert transport.n_calls == 1
