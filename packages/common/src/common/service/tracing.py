"""The W3C trace context of the current request, as headers for the next call.

Taken from the OpenTelemetry span when tracing runs, else from the trace id that the service kit
binds to the log context; so the id is the same from the first service to the last, traced or not.
It never imports OpenTelemetry by itself. Source: W3C Trace Context, section 3.2.
"""

from __future__ import annotations

import re
import secrets
import sys

from common.request_ids import request_ids

TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")
SPAN_ID = re.compile(r"(?!0{16})[0-9a-f]{16}")


def trace_headers() -> dict[str, str]:
    """Describe the current trace for the next service; empty when there is none."""
    carrier: dict[str, str] = {}
    if "opentelemetry.sdk.trace" in sys.modules:  # somebody configured tracing in this process
        from opentelemetry.propagate import inject  # noqa: PLC0415 - free when OTLP is off

        inject(carrier)
    if "traceparent" not in carrier:
        ids = request_ids()
        trace_id, span_id = ids.get("trace_id", ""), ids.get("span_id", "")
        if TRACE_ID.fullmatch(trace_id):
            parent_id = span_id if SPAN_ID.fullmatch(span_id) else secrets.token_hex(8)
            # Flag 01: nobody decided against recording, so the next service may trace.
            carrier["traceparent"] = f"00-{trace_id}-{parent_id}-01"
    return carrier
