"""Drift between two profiles: how far each column moved, and whether that is more than chance.

Numbers: Kolmogorov–Smirnov on the kept quantiles. Categories: chi-squared on counts, rare levels
merged. Missing cells: chi-squared. All p-values of a report are adjusted together (Benjamini and
Hochberg, 1995). The size of a move is the population stability index (PSI) over the reference's
deciles or levels; 0.1 and 0.25 are its customary thresholds. A column drifts when it is both
larger than chance and large enough to matter: with a million rows everything differs.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from p0_foundations.contracts import ColumnDrift, ColumnProfile, DriftReport, Kind, Profile
from p0_foundations.contracts import ValueCount as Count

Floats = NDArray[np.float64]
Test = Literal["kolmogorov-smirnov", "chi-squared", "none"]

ALPHA = 0.01
MODERATE_PSI = 0.1
STRONG_PSI = 0.25
MISSING_SHIFT = 0.05
"""A change of the share of missing cells below this is not called drift."""
MAX_EFFECTIVE_ROWS = 10_000
"""Beyond it the kept quantiles, not the rows, limit what a test can resolve."""
MIN_EXPECTED = 5.0
COMPARED = {Kind.NUMBER, Kind.CATEGORY, Kind.BOOLEAN}


class _Moved(NamedTuple):
    psi: float | None
    test: Test
    statistic: float | None
    p_value: float | None
    p_missing: float
    new_values: tuple[Count, ...] = ()


def compare_profiles(before: Profile, after: Profile) -> DriftReport:
    """Compare a later table with a reference, column by column."""
    old = {column.name: column for column in before.columns}
    new = {column.name: column for column in after.columns}
    shared = [name for name in old if name in new]
    retyped = tuple(name for name in shared if not _is_comparable(old[name], new[name]))
    pairs = [(old[name], new[name]) for name in shared if name not in retyped]
    moved = [_compare(a, b) for a, b in pairs]
    adjusted = _adjust([p for one in moved for p in (one.p_value, one.p_missing)])
    columns = tuple(
        _judge(a, b, one, adjusted[2 * k], adjusted[2 * k + 1])
        for k, ((a, b), one) in enumerate(zip(pairs, moved, strict=True))
    )
    report = DriftReport(
        n_before=before.n_rows,
        n_after=after.n_rows,
        added=tuple(name for name in new if name not in old),
        removed=tuple(name for name in old if name not in new),
        retyped=retyped,
        columns=tuple(sorted(columns, key=lambda one: -(one.psi or 0.0))),
    )
    return report.model_copy(update={"verdict": _verdict(report)})


def _is_comparable(a: ColumnProfile, b: ColumnProfile) -> bool:
    loose = {Kind.EMPTY, Kind.CONSTANT}
    wordy = {Kind.CATEGORY, Kind.TEXT, Kind.ID, Kind.BOOLEAN}
    is_same = a.kind is b.kind or bool(loose & {a.kind, b.kind})
    return is_same or {a.kind, b.kind} <= wordy or {a.kind, b.kind} <= {Kind.NUMBER, Kind.ID}


def _compare(a: ColumnProfile, b: ColumnProfile) -> _Moved:
    missing = [[a.n_missing, a.n_rows - a.n_missing], [b.n_missing, b.n_rows - b.n_missing]]
    p_missing = _chi_squared(np.array(missing, dtype=np.float64))[1]
    if a.number is not None and b.number is not None and Kind.ID not in {a.kind, b.kind}:
        quantiles = np.array(a.number.quantiles), np.array(b.number.quantiles)
        n = a.n_rows - a.n_missing, b.n_rows - b.n_missing
        distance, p_value = _kolmogorov_smirnov(*quantiles, *n)
        psi = _psi(*_decile_shares(*quantiles), *n)
        return _Moved(psi, "kolmogorov-smirnov", distance, p_value, p_missing)
    if Kind.CATEGORY in {a.kind, b.kind} or Kind.BOOLEAN in {a.kind, b.kind}:
        table, fresh = _level_table(a, b)
        statistic, p_value = _chi_squared(table)
        totals = table.sum(axis=1)
        shares = table / np.maximum(totals, 1)[:, None]
        psi = _psi(shares[0], shares[1], int(totals[0]), int(totals[1]))
        return _Moved(psi, "chi-squared", statistic, p_value, p_missing, fresh)
    return _Moved(None, "none", None, None, p_missing)


def _cdf(quantiles: Floats, at: Floats, side: Literal["left", "right"]) -> Floats:
    return np.searchsorted(quantiles, at, side=side) / max(len(quantiles), 1)


def _kolmogorov_smirnov(a: Floats, b: Floats, n_a: int, n_b: int) -> tuple[float, float]:
    """Return the distance and its p-value; the quantiles stand for `n_a` and `n_b` values."""
    if not len(a) or not len(b):
        return 0.0, 1.0
    points = np.union1d(a, b)
    gap = np.abs(_cdf(a, points, "right") - _cdf(b, points, "right"))
    distance = float(gap.max())
    n_a, n_b = min(n_a, MAX_EFFECTIVE_ROWS), min(n_b, MAX_EFFECTIVE_ROWS)
    effective = max(1, round(n_a * n_b / (n_a + n_b)))
    resolution = sum(1 / len(q) for q, n in ((a, n_a), (b, n_b)) if len(q) < n)
    p_value = float(stats.kstwo.sf(max(0.0, distance - resolution), effective))
    return distance, p_value


def _decile_shares(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    edges = np.unique(np.quantile(a, np.linspace(0, 1, 11)[1:-1])) if len(a) else np.zeros(0)
    shares = []
    for values in (a, b):
        counts = np.bincount(np.searchsorted(edges, values, "left"), minlength=len(edges) + 1)
        shares.append(counts / max(len(values), 1))
    return shares[0], shares[1]


def _psi(p: Floats, q: Floats, n_p: int, n_q: int) -> float:
    """Return the PSI with half a count added to each bin, less what chance alone would give."""
    if not n_p or not n_q:
        return 0.0
    p = (p * n_p + 0.5) / (n_p + 0.5 * len(p))
    q = (q * n_q + 0.5) / (n_q + 0.5 * len(q))
    expected_by_chance = (len(p) - 1) * (1 / n_p + 1 / n_q)
    return max(0.0, float(((p - q) * np.log(p / q)).sum()) - expected_by_chance)


def _level_table(a: ColumnProfile, b: ColumnProfile) -> tuple[Floats, tuple[Count, ...]]:
    """Count the shared levels and the rest; levels unseen before are told apart."""
    old = {one.value: one.n for one in a.top}
    new = {one.value: one.n for one in b.top}
    knows_all = a.n_unique <= len(a.top)
    fresh = tuple(one for one in b.top if knows_all and one.value not in old)
    levels = list(dict.fromkeys([*old, *(one.value for one in fresh)]))
    counts = np.array([[side.get(v, 0) for v in levels] for side in (old, new)], dtype=np.float64)
    present = np.array([a.n_rows - a.n_missing, b.n_rows - b.n_missing], dtype=np.float64)
    rest = np.maximum(present - counts.sum(axis=1), 0)
    return np.column_stack([counts, rest]), fresh


def _chi_squared(table: Floats) -> tuple[float, float]:
    total = table.sum()
    if total == 0 or (table.sum(axis=1) == 0).any():
        return 0.0, 1.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    is_rare = expected.min(axis=0) < MIN_EXPECTED
    merged = np.column_stack([table[:, ~is_rare], table[:, is_rare].sum(axis=1)])
    merged = merged[:, merged.sum(axis=0) > 0]
    if merged.shape[1] < 2:
        return 0.0, 1.0
    found = stats.chi2_contingency(merged, correction=False)
    return float(found.statistic), float(found.pvalue)


def _adjust(p_values: list[float | None]) -> list[float | None]:
    known = [(k, p) for k, p in enumerate(p_values) if p is not None]
    if not known:
        return p_values
    adjusted = stats.false_discovery_control([p for _, p in known], method="bh")
    found = dict(zip((k for k, _ in known), (float(p) for p in adjusted), strict=True))
    return [found.get(k) for k in range(len(p_values))]


def _judge(
    a: ColumnProfile, b: ColumnProfile, moved: _Moved, p: float | None, p_missing: float | None
) -> ColumnDrift:
    psi = moved.psi or 0.0
    is_beyond_chance = p is not None and p < ALPHA
    shift = b.missing_share - a.missing_share
    has_missing_shift = (p_missing or 1.0) < ALPHA and abs(shift) >= MISSING_SHIFT
    severity: Literal["none", "moderate", "strong"] = "none"
    words = []
    if is_beyond_chance and psi >= MODERATE_PSI:
        severity = "strong" if psi >= STRONG_PSI else "moderate"
        words.append(f"its distribution moved (PSI {psi:.2f}{_medians(a, b)})")
    if has_missing_shift:
        severity = "strong" if abs(shift) >= 3 * MISSING_SHIFT else severity
        severity = "moderate" if severity == "none" else severity
        words.append(f"missing went from {a.missing_share:.0%} to {b.missing_share:.0%}")
    if moved.new_values:
        severity = "moderate" if severity == "none" else severity
        words.append("new values: " + ", ".join(one.value for one in moved.new_values[:5]))
    return ColumnDrift(
        column=a.name,
        kind=a.kind,
        severity=severity,
        psi=moved.psi,
        test=moved.test,
        statistic=moved.statistic,
        p_value=moved.p_value,
        p_adjusted=p,
        missing_before=a.missing_share,
        missing_after=b.missing_share,
        new_values=moved.new_values,
        message="; ".join(words),
    )


def _medians(a: ColumnProfile, b: ColumnProfile) -> str:
    if a.number is None or b.number is None:
        return ""
    old, new = (float(np.median(side.number.quantiles)) for side in (a, b) if side.number)
    return f", median {old:.4g} to {new:.4g}"


def _verdict(report: DriftReport) -> str:
    strong = [one for one in report.columns if one.severity == "strong"]
    moderate = [one for one in report.columns if one.severity == "moderate"]
    parts = [
        f"{label}: {', '.join(names)}"
        for label, names in (
            ("columns missing now", report.removed),
            ("columns not known before", report.added),
            ("columns of another kind now", report.retyped),
        )
        if names
    ]
    if strong or moderate:
        worst = (strong or moderate)[0]
        parts.insert(
            0,
            f"{len(strong)} of {len(report.columns)} columns drifted strongly, {len(moderate)} "
            f"moderately; most of all {worst.column}: {worst.message}",
        )
    if not parts:
        return f"No drift shown in {len(report.columns)} columns."
    return ". ".join(parts) + "."
