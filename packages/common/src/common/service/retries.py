"""When a call may be sent again, and after how long: idempotent calls only, full jitter.

Jitter after Brooker, "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015), full variant;
Retry-After after RFC 9110, section 10.2.3. It does no I/O and no waiting. Read next: `client.py`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
RETRYABLE_STATUSES = frozenset({429, 502, 503, 504})
IDEMPOTENCY_HEADER = "Idempotency-Key"


def is_repeatable(method: str, headers: Mapping[str, str]) -> bool:
    """Whether sending the call twice does no more than sending it once."""
    if method.upper() in IDEMPOTENT_METHODS:
        return True
    return any(name.lower() == IDEMPOTENCY_HEADER.lower() for name in headers)


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how patiently a repeatable call is tried again."""

    n_retries: int = 2
    base_s: float = 0.1
    cap_s: float = 5.0
    draw: Callable[[float, float], float] = random.uniform

    def delay_s(self, attempt: int, retry_after_s: float = 0.0) -> float:
        """Choose the wait before retry number `attempt` (from 0): jitter on top of Retry-After."""
        ceiling_s = min(self.cap_s, self.base_s * 2.0**attempt)
        return retry_after_s + self.draw(0.0, ceiling_s)


def retry_after_s(header: str | None, now: datetime | None = None) -> float:
    """Read a Retry-After header, seconds or a date, as seconds from now; unreadable is 0."""
    if header is None:
        return 0.0
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return 0.0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())
