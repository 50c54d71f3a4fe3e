"""Problem details of an answer that has begun as a stream: they come as its last event."""

from collections.abc import Mapping

from common.errors import DomainError, Problem, ProblemType
from common.request_ids import request_ids


def stream_problem(
    error: DomainError,
    known: Mapping[type[Exception], ProblemType],
    otherwise: type[Exception],
    path: str,
) -> Problem:
    """Say an error as the `known` problem of its nearest kind, else as that of `otherwise`."""
    kind = next((known[one] for one in type(error).__mro__ if one in known), known[otherwise])
    ids = request_ids()
    return Problem(
        type=kind.uri,
        title=kind.title,
        status=kind.status,
        detail=str(error),
        instance=path,
        request_id=ids.get("request_id", ""),
        trace_id=ids.get("trace_id", ""),
        errors=list(error.fields),
    )
