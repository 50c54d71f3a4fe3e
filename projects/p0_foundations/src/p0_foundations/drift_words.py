"""A drift report in words: one sentence a column, one verdict. Knows no test."""

from collections.abc import Sequence

from p0_foundations.contracts import ColumnDrift, ColumnProfile, DriftReport, Kind, names_of
from p0_foundations.findings import quoted


def column_message(
    drift: ColumnDrift,
    before: ColumnProfile,
    after: ColumnProfile,
    *,
    is_moved: bool,
    is_gapped: bool,
) -> str:
    """Say how a column moved."""
    parts = []
    if drift.severity == "strong" and before.kind is not after.kind and drift.test == "none":
        parts.append(f"was {before.kind}, is {after.kind}")
    if is_moved:
        parts.append(_movement(before, after))
    if is_gapped:
        parts.append(f"missing {drift.missing_before:.1%} → {drift.missing_after:.1%}")
    if drift.new_values:
        names = [value.value for value in drift.new_values]
        parts.append(f"new value{'s' if len(names) > 1 else ''} {quoted(names)}")
    if parts:
        return "; ".join(parts)
    if before.kind is Kind.DATETIME and after.kind is Kind.DATETIME:
        now, then = (f"{_day(one.first)} to {_day(one.last)}" for one in (after, before))
        return f"covers {now}; before, {then}"
    return "not compared: it names rows" if before.kind is Kind.ID else "no change that shows"


def _movement(before: ColumnProfile, after: ColumnProfile) -> str:
    if before.kind in {Kind.NUMBER, Kind.TEXT} and before.number and after.number:
        what = "length" if before.kind is Kind.TEXT else "median"
        one, other = before.number.median, after.number.median
        if one != other:
            return f"{what} {_short(one)} → {_short(other)}"
        one, other = before.number.mean, after.number.mean
        return f"mean {_short(one)} → {_short(other)}"
    value, one, other = _most_moved(before, after)
    return f"{value} {one:.1%} → {other:.1%}"


def _most_moved(before: ColumnProfile, after: ColumnProfile) -> tuple[str, float, float]:
    """Find the value whose share moved most."""
    one = {v.value: v.n / max(before.n_present, 1) for v in before.top}
    other = {v.value: v.n / max(after.n_present, 1) for v in after.top}
    values = sorted(set(one) | set(other))
    moved = max(values, key=lambda v: abs(other.get(v, 0.0) - one.get(v, 0.0)))
    return f"'{moved}'", one.get(moved, 0.0), other.get(moved, 0.0)


def _short(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"


def _day(moment: str) -> str:
    return moment[:10]


def report_verdict(report: DriftReport) -> str:
    """Sum a report up in a sentence or two."""
    strong, moderate, slight = (
        names_of(report.columns, (grade,)) for grade in ("strong", "moderate", "slight")
    )
    parts = [
        *_clause(report.removed, "gone"),
        *_clause(report.added, "new"),
        *_clause(strong, "moved strongly"),
        *_clause(moderate, "moved"),
    ]
    counted = f"{len(report.columns):,} column{'' if len(report.columns) == 1 else 's'} compared"
    if not report.n_before or not report.n_after:
        parts = ["one of the tables has no rows", *parts]
    if parts:
        text = "; ".join(parts)
        return f"{text[0].upper()}{text[1:]}. {counted}."
    if slight:
        return f"No notable drift: {quoted(slight)} moved slightly, but beyond chance. {counted}."
    return f"No drift: what differs is what chance gives. {counted}."


def _clause(names: Sequence[str], what: str) -> list[str]:
    return [f"{quoted(names)} {what}"] if names else []
