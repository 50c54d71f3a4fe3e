"""Two profiles compared: which columns moved, by how much, and whether it can be chance.

Every column that both tables have gets at most two tests: its distribution (Kolmogorov-Smirnov for
numbers, chi-squared for categories) and its share of missing cells (chi-squared). All p-values of
a report are corrected together (Benjamini-Hochberg), so that the chance of any alarm on identical
distributions is `alpha`, however many columns there are. What is significant is then graded by its
size, because with a million rows every difference is significant:

    strong    PSI >= 0.25 or KS distance >= 0.25, or the missing share moved by 20 points
    moderate  PSI >= 0.1  or KS distance >= 0.1,  or the missing share moved by 5 points
    slight    significant, but smaller

The PSI has its expectation under no change, (bins - 1)(1/n + 1/m), taken off. Ids are not compared
and dates only described: both are expected to move. Read next: `sketches.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from p0_foundations.contracts import (
    ColumnDrift,
    ColumnProfile,
    DriftReport,
    DriftSeverity,
    Kind,
    NumberStats,
    Profile,
    ValueCount,
)
from p0_foundations.drift_words import column_message, report_verdict
from p0_foundations.sketches import Floats, decile_counts, largest_gap

STRONG, MODERATE = 0.25, 0.1
MISSING_STRONG, MISSING_MODERATE = 0.2, 0.05
MIN_EXPECTED = 5.0
N_NEW_VALUES = 20
REST = "(all other values)"
_SEVERITY_ORDER = {"strong": 0, "moderate": 1, "slight": 2, "none": 3}


@dataclass(frozen=True)
class _Test:
    name: str
    statistic: float | None = None
    p_value: float | None = None
    psi: float | None = None
    new_values: tuple[ValueCount, ...] = ()


_NO_TEST = _Test("none")


def compare_profiles(before: Profile, after: Profile, *, alpha: float = 0.01) -> DriftReport:
    """Compare a later table's profile with the reference's; see the module for the grades."""
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha}: a false-alarm rate between 0 and 1 is accepted")
    later = {column.name: column for column in after.columns}
    pairs = [(one, later[one.name]) for one in before.columns if one.name in later]
    known = {one.name for one in before.columns}
    tests = [_test(one, other) for one, other in pairs]
    gaps = [_missing_p(one, other) for one, other in pairs]
    every = [test.p_value for test in tests] + gaps
    adjusted = benjamini_hochberg(every)
    columns = [
        _graded(pair, test, p, p_missing, alpha)
        for pair, test, p, p_missing in zip(
            pairs, tests, adjusted[: len(pairs)], adjusted[len(pairs) :], strict=True
        )
    ]
    columns.sort(key=lambda column: (_SEVERITY_ORDER[column.severity], -(column.psi or 0.0)))
    report = DriftReport(
        verdict="",
        alpha=alpha,
        n_tests=sum(p is not None for p in every),
        n_before=before.n_rows,
        n_after=after.n_rows,
        added=tuple(column.name for column in after.columns if column.name not in known),
        removed=tuple(column.name for column in before.columns if column.name not in later),
        retyped=tuple(one.name for one, other in pairs if is_retyped(one, other)),
        columns=tuple(columns),
    )
    return report.model_copy(update={"verdict": report_verdict(report)})


def form_of(column: ColumnProfile) -> str:
    """Say what a column's values are compared as: numbers, moments, texts or nothing."""
    if column.kind is Kind.EMPTY:
        return "nothing"
    if column.kind is Kind.DATETIME:
        return "moments"
    return "numbers" if column.number is not None and column.kind is not Kind.TEXT else "texts"


def is_retyped(before: ColumnProfile, after: ColumnProfile) -> bool:
    """Whether a column holds another type of value than before; empty is no type."""
    forms = {form_of(before), form_of(after)} - {"nothing"}
    return len(forms) > 1


def _test(before: ColumnProfile, after: ColumnProfile) -> _Test:
    form = form_of(before)
    if form != form_of(after) or form in {"nothing", "moments"} or Kind.ID in (
        before.kind, after.kind,
    ):  # fmt: skip
        return _NO_TEST
    is_named = before.kind in {Kind.CATEGORY, Kind.BOOLEAN, Kind.CODE}
    if is_named and after.top:
        return _test_counts(before, after)
    if before.number is not None and after.number is not None:
        return _test_numbers(before.number, after.number)
    return _NO_TEST


def _test_numbers(before: NumberStats, after: NumberStats) -> _Test:
    """Test by Kolmogorov-Smirnov, two-sided, p-value as `scipy.stats.ks_2samp(method="asymp")`."""
    n, m = before.sketch.n, after.sketch.n
    distance = largest_gap(before.sketch, after.sketch)
    p_value = float(stats.kstwo.sf(distance, np.round(n * m / (n + m)))) if min(n, m) > 1 else 1.0
    psi = stability_index(*decile_counts(before.sketch, after.sketch))
    return _Test("kolmogorov-smirnov", distance, min(1.0, max(0.0, p_value)), psi)


def _test_counts(before: ColumnProfile, after: ColumnProfile) -> _Test:
    """Test frequencies by chi-squared; what one side did not keep, or is rare, shares a cell."""
    one, other, new = _aligned(before, after)
    pooled = _without_rare(np.array([one, other], dtype=np.float64))
    if pooled.shape[1] < 2:
        return _Test("chi-squared", 0.0, 1.0, 0.0, new)
    found = stats.chi2_contingency(pooled, correction=False)
    psi = stability_index(pooled[0], pooled[1])
    return _Test("chi-squared", float(found.statistic), float(found.pvalue), psi, new)


def _aligned(
    before: ColumnProfile, after: ColumnProfile
) -> tuple[list[int], list[int], tuple[ValueCount, ...]]:
    one = {value.value: value.n for value in before.top}
    other = {value.value: value.n for value in after.top}
    known_before = set(one) | (set(other) if before.has_all_values else set())
    known_after = set(other) | (set(one) if after.has_all_values else set())
    shared = sorted(known_before & known_after)
    counts_before = [one.get(value, 0) for value in shared]
    counts_after = [other.get(value, 0) for value in shared]
    new = [v for v in after.top if v.value not in one] if before.has_all_values else []
    rest = before.n_present - sum(counts_before), after.n_present - sum(counts_after)
    if any(rest):
        counts_before.append(rest[0])
        counts_after.append(rest[1])
    return counts_before, counts_after, tuple(new[:N_NEW_VALUES])


def _without_rare(table: Floats) -> Floats:
    """Pool the cells whose expected count is below five in either row, rarest first."""
    totals = table.sum(axis=0)
    if not totals.sum():
        return table[:, :0]
    expected = totals * table.sum(axis=1).min() / totals.sum()
    is_rare = expected < MIN_EXPECTED
    if not is_rare.any():
        return table
    kept, rare = table[:, ~is_rare], table[:, is_rare].sum(axis=1, keepdims=True)
    return np.hstack([kept, rare]) if rare.sum() else kept


def _missing_p(before: ColumnProfile, after: ColumnProfile) -> float | None:
    missing = np.array([before.n_missing, after.n_missing], dtype=np.float64)
    rows = np.array([before.n_rows, after.n_rows], dtype=np.float64)
    if not rows.all() or not missing.any() or (missing == rows).all():
        return None
    table = np.array([missing, rows - missing])
    smallest = rows.min() * min(table.sum(axis=1)) / rows.sum()
    if smallest < MIN_EXPECTED:
        return float(stats.fisher_exact(table.astype(np.int64)).pvalue)
    return float(stats.chi2_contingency(table, correction=False).pvalue)


def stability_index(before: np.ndarray, after: np.ndarray) -> float:
    """Return the PSI of two rows of counts, less its expectation when nothing changed; at least 0.

    sum((q - p) ln(q / p)), half a count in empty cells; under no change about
    (bins - 1)(1/n + 1/m).
    """
    p, q = np.maximum(before, 0.5), np.maximum(after, 0.5)
    n, m = p.sum(), q.sum()
    p, q = p / n, q / m
    index = float(((q - p) * np.log(q / p)).sum())
    return max(0.0, index - (len(p) - 1) * (1 / n + 1 / m))


def benjamini_hochberg(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust p-values for their number (Benjamini and Hochberg 1995); None stays None."""
    tested = [k for k, p in enumerate(p_values) if p is not None]
    if not tested:
        return list(p_values)
    raw = np.array([p_values[k] for k in tested], dtype=np.float64)
    adjusted = stats.false_discovery_control(raw, method="bh")
    found: list[float | None] = [None] * len(p_values)
    for k, p in zip(tested, adjusted, strict=True):
        found[k] = float(p)
    return found


def _graded(
    pair: tuple[ColumnProfile, ColumnProfile],
    test: _Test,
    p_adjusted: float | None,
    p_missing: float | None,
    alpha: float,
) -> ColumnDrift:
    before, after = pair
    severity = _severity(before, after, test, p_adjusted, p_missing, alpha=alpha)
    drift = ColumnDrift.model_validate(
        {
            "column": before.name,
            "kind": before.kind,
            "severity": severity,
            "message": "",
            "test": test.name,
            "statistic": test.statistic,
            "p_value": test.p_value,
            "p_adjusted": p_adjusted,
            "psi": test.psi,
            "missing_before": before.missing_share,
            "missing_after": after.missing_share,
            "missing_p_adjusted": p_missing,
            "new_values": test.new_values,
            "n_before": before.n_present,
            "n_after": after.n_present,
        }
    )
    is_moved = p_adjusted is not None and p_adjusted < alpha
    is_gapped = p_missing is not None and p_missing < alpha
    message = column_message(drift, before, after, is_moved=is_moved, is_gapped=is_gapped)
    return drift.model_copy(update={"message": message})


def _severity(
    before: ColumnProfile,
    after: ColumnProfile,
    test: _Test,
    p_adjusted: float | None,
    p_missing: float | None,
    *,
    alpha: float,
) -> DriftSeverity:
    if is_retyped(before, after):
        return "strong"
    grades: list[DriftSeverity] = ["none"]
    if p_adjusted is not None and p_adjusted < alpha:
        distance = (test.statistic or 0.0) if test.name == "kolmogorov-smirnov" else 0.0
        grades.append(_size(max(test.psi or 0.0, distance), MODERATE, STRONG))
    if p_missing is not None and p_missing < alpha:
        moved = abs(after.missing_share - before.missing_share)
        grades.append(_size(moved, MISSING_MODERATE, MISSING_STRONG))
    return min(grades, key=lambda grade: _SEVERITY_ORDER[grade])


def _size(value: float, moderate: float, strong: float) -> DriftSeverity:
    if value >= strong:
        return "strong"
    return "moderate" if value >= moderate else "slight"
