"""What a person should look at, in words, worst first; and the verdict above a profile."""

from collections.abc import Iterable, Sequence

from p0_foundations.contracts import Association, ColumnProfile, Finding, Kind, Predictor

SEVERITY = {"problem": 0, "warning": 1, "note": 2}
NEAR_CONSTANT_SHARE = 0.995
MANY_MISSING_SHARE = 0.3
TWIN_CORRELATION = 0.99
RARE_CLASS_SHARE = 0.05


def find(
    columns: Sequence[ColumnProfile],
    associations: Sequence[Association],
    predictors: Sequence[Predictor],
    *,
    n_rows: int,
    n_duplicate_rows: int,
    twins: Sequence[tuple[str, str]],
    target: str | None,
) -> tuple[Finding, ...]:
    """Collect every finding, ordered by severity and then by column."""
    found = [
        *_of_table(n_rows, n_duplicate_rows, twins),
        *(finding for column in columns for finding in _of_column(column)),
        *_of_relations(associations, predictors, twins),
        *_of_target(columns, target),
    ]
    return tuple(sorted(found, key=lambda one: SEVERITY[one.severity]))


def verdict(n_rows: int, n_columns: int, findings: Sequence[Finding]) -> str:
    """Say in one or two sentences what stands above the figures."""
    size = f"{n_rows:,} rows and {n_columns:,} columns"
    problems = [one for one in findings if one.severity == "problem"]
    warned = [one for one in findings if one.severity == "warning"]
    if problems:
        return f"{size}. Look first: {problems[0].message}"
    if warned:
        return f"{size}, usable with care. {warned[0].message}"
    return f"{size}; nothing stands out against using them."


def _of_table(
    n_rows: int, n_duplicates: int, twins: Sequence[tuple[str, str]]
) -> Iterable[Finding]:
    if n_rows == 0:
        yield Finding(severity="problem", code="no-rows", message="The table has no rows.")
    if n_duplicates:
        share = n_duplicates / n_rows
        yield Finding(
            severity="warning" if share > 0.01 else "note",
            code="duplicate-rows",
            message=f"{n_duplicates:,} rows ({share:.1%}) repeat an earlier row; a random split "
            "would put copies on both sides.",
        )
    for a, b in twins:
        yield Finding(
            severity="warning",
            code="duplicate-columns",
            columns=(a, b),
            message=f"{a} and {b} hold the same values; keep one.",
        )


def _of_column(column: ColumnProfile) -> Iterable[Finding]:
    name, names = column.name, (column.name,)

    def finding(severity: str, code: str, message: str) -> Finding:
        return Finding.model_validate(
            {"severity": severity, "code": code, "columns": names, "message": message}
        )

    if column.kind is Kind.EMPTY and column.n_rows:
        yield finding("warning", "empty", f"{name} holds no value at all.")
        return
    if column.kind is Kind.CONSTANT:
        yield finding("warning", "constant", f"{name} holds one value only: it tells nothing.")
        return
    if column.kind is Kind.ID:
        yield finding("note", "id-like", f"{name} identifies rows; a model would memorise it.")
    elif column.top and column.top[0].n >= NEAR_CONSTANT_SHARE * (column.n_rows - column.n_missing):
        yield finding("note", "near-constant", f"{name} is nearly always {column.top[0].value}.")
    if column.missing_share >= MANY_MISSING_SHARE:
        text = f"{name} is missing in {column.missing_share:.0%} of the rows."
        yield finding("warning", "many-missing", text)
    if column.missing_spellings:
        spelled = ", ".join(one.value for one in column.missing_spellings)
        n = sum(one.n for one in column.missing_spellings)
        yield finding("note", "spelled-missing", f"{name} spells {n:,} missing cells as {spelled}.")
    for sentinel in column.suspected_missing:
        text = f"{name} holds {sentinel.value} {sentinel.n:,} times: does it mean missing?"
        yield finding("warning", "suspected-missing", text)
    if column.number is not None and column.number.n_infinite:
        text = f"{name} holds {column.number.n_infinite:,} infinite values."
        yield finding("warning", "infinite", text)


def _of_relations(
    associations: Sequence[Association],
    predictors: Sequence[Predictor],
    twins: Sequence[tuple[str, str]],
) -> Iterable[Finding]:
    for one in predictors:
        if one.is_suspect:
            yield Finding(
                severity="problem",
                code="leak-suspect",
                columns=(one.column,),
                message=f"{one.column} alone gives the target away ({one.measure} "
                f"{one.power:.2f}): is it known before the outcome is?",
            )
    known = {frozenset(pair) for pair in twins}
    for one in associations:
        is_near = one.measure == "pearson" and abs(one.value) >= TWIN_CORRELATION
        if is_near and frozenset((one.a, one.b)) not in known:
            yield Finding(
                severity="note",
                code="redundant",
                columns=(one.a, one.b),
                message=f"{one.a} and {one.b} say nearly the same (correlation {one.value:.3f}).",
            )


def _of_target(columns: Sequence[ColumnProfile], target: str | None) -> Iterable[Finding]:
    column = next((one for one in columns if one.name == target), None)
    if column is None:
        return
    if column.n_missing:
        yield Finding(
            severity="warning",
            code="missing-target",
            columns=(column.name,),
            message=f"The target is missing in {column.n_missing:,} rows; they teach nothing.",
        )
    n_known = column.n_rows - column.n_missing
    is_class = column.kind in {Kind.CATEGORY, Kind.BOOLEAN} or column.n_unique == 2
    if is_class and column.top and column.n_unique <= len(column.top):
        rarest = column.top[-1]
        if rarest.n < RARE_CLASS_SHARE * n_known:
            yield Finding(
                severity="note",
                code="imbalanced-target",
                columns=(column.name,),
                message=f"Class {rarest.value} has {rarest.n:,} of {n_known:,} rows: accuracy "
                "alone would mislead.",
            )
