"""What a person should look at in a table, most severe first, and the verdict above it all.

Reads the described columns; knows no data. The thresholds are here, each with its reason.
"""

from collections.abc import Iterator, Sequence

from p0_foundations.contracts import Association, ColumnProfile, Finding, Kind, Predictor
from p0_foundations.reading.decisions import Reading

MUCH_MISSING, SOME_MISSING = 0.4, 0.05
NEARLY_CONSTANT = 0.995
MANY_DUPLICATES = 0.01
SKEWED = 3.0
NEARLY_THE_SAME = 0.98
RARE_CLASS = 0.05
N_NAMED = 4
_ORDER = {"problem": 0, "warning": 1, "note": 2}


def quoted(names: Sequence[str]) -> str:
    """Name a few columns in a sentence."""
    shown = ", ".join(f"'{name}'" for name in names[:N_NAMED])
    return shown if len(names) <= N_NAMED else f"{shown} and {len(names) - N_NAMED:,} more"


def _s(names: Sequence[str]) -> str:
    """The ending of a verb whose subject is these columns."""
    return "s" if len(names) == 1 else ""


def column_findings(columns: Sequence[ColumnProfile]) -> Iterator[Finding]:
    """Find what single columns show; one finding for all columns that show the same."""
    yield from _missing_findings(columns)
    yield from _value_findings(columns)
    if names := [c.name for c in columns if c.kind is Kind.ID]:
        text = f"{quoted(names)} only name{_s(names)} the rows: leave out of any model"
        yield Finding(severity="note", code="id-like", columns=tuple(names), message=text)
    if names := [c.name for c in columns if c.kind is Kind.CODE]:
        text = f"{quoted(names)}: whole numbers of few values; a category or a count?"
        yield Finding(severity="note", code="code-or-count", columns=tuple(names), message=text)
    many = [c.name for c in columns if c.kind is Kind.CATEGORY and c.n_unique > 50]
    if many:
        text = f"{quoted(many)} ha{'s' if len(many) == 1 else 've'} more than 50 categories"
        yield Finding(severity="note", code="many-categories", columns=tuple(many), message=text)


def _missing_findings(columns: Sequence[ColumnProfile]) -> Iterator[Finding]:
    if names := [c.name for c in columns if c.kind is Kind.EMPTY]:
        text = f"{quoted(names)} hold{_s(names)} no value at all"
        yield Finding(severity="warning", code="empty", columns=tuple(names), message=text)
    filled = [c for c in columns if c.kind is not Kind.EMPTY]
    for c in sorted(filled, key=lambda c: -c.missing_share):
        if c.missing_share >= SOME_MISSING:
            severity = "warning" if c.missing_share >= MUCH_MISSING else "note"
            text = f"'{c.name}' misses {c.missing_share:.0%} of its values"
            yield Finding(severity=severity, code="missing", columns=(c.name,), message=text)
    for c in columns:
        for one in c.suspected_missing:
            text = f"'{c.name}' holds {one.value} {one.n:,} times, far from all else: missing?"
            yield Finding(severity="warning", code="sentinel", columns=(c.name,), message=text)
        if c.missing_spellings:
            spelled = ", ".join(f"{s.value!r} ({s.n:,})" for s in c.missing_spellings[:N_NAMED])
            text = f"'{c.name}' spells missing as {spelled}"
            yield Finding(severity="note", code="spelled-missing", columns=(c.name,), message=text)


def _value_findings(columns: Sequence[ColumnProfile]) -> Iterator[Finding]:
    if names := [c.name for c in columns if c.is_constant and c.n_rows > 1]:
        text = f"{quoted(names)} hold{_s(names)} one value alone"
        yield Finding(severity="warning", code="constant", columns=tuple(names), message=text)
    for c in columns:
        share = c.top[0].n / c.n_present if c.top and c.n_present else 0.0
        if share >= NEARLY_CONSTANT and not c.is_constant:
            text = f"'{c.name}' is {c.top[0].value} in {share:.1%} of the rows"
            yield _one("note", "near-constant", c, text)
        if c.number is not None and c.number.n_infinite:
            text = f"'{c.name}' holds {c.number.n_infinite:,} infinite values"
            yield _one("warning", "infinite", c, text)
        if len(c.types) > 1:
            mixed = ", ".join(f"{t.n:,} {t.value}" for t in c.types[:N_NAMED])
            yield _one("warning", "mixed-types", c, f"'{c.name}' mixes types: {mixed}")
        if c.n_unparsed:
            what = "dates" if c.kind is Kind.DATETIME else "numbers"
            text = f"'{c.name}' holds {c.n_unparsed:,} texts among its {what}; taken as missing"
            yield _one("warning", "unparsed", c, text)
        if c.kind is Kind.NUMBER and c.number is not None and abs(c.number.skew) > SKEWED:
            where = "large" if c.number.skew > 0 else "small"
            text = f"'{c.name}' has a long tail of {where} values (skew {c.number.skew:.1f})"
            yield _one("note", "skewed", c, text)


def _one(severity: str, code: str, column: ColumnProfile, message: str) -> Finding:
    return Finding.model_validate(
        {"severity": severity, "code": code, "columns": (column.name,), "message": message}
    )


def table_findings(n_rows: int, n_columns: int, n_duplicates: int) -> Iterator[Finding]:
    """Find what the table shows as a whole."""
    if n_columns == 0:
        yield Finding(severity="problem", code="no-columns", message="The table has no columns")
    elif n_rows == 0:
        yield Finding(severity="problem", code="no-rows", message="The table has no rows")
    if n_duplicates:
        is_many = n_duplicates >= MANY_DUPLICATES * n_rows
        text = f"{n_duplicates:,} rows repeat an earlier one ({n_duplicates / n_rows:.1%})"
        severity = "warning" if is_many else "note"
        yield Finding(severity=severity, code="duplicate-rows", message=text)


def renaming_findings(renamed: Sequence[str]) -> Iterator[Finding]:
    """Find columns that had to be told apart by a number."""
    if renamed:
        text = f"Several columns share a name; told apart as {quoted(renamed)}"
        yield Finding(
            severity="problem", code="duplicate-names", columns=tuple(renamed), message=text
        )


def reading_findings(reading: Reading | None) -> Iterator[Finding]:
    """Find what was decided while reading that a person should confirm."""
    if reading is None:
        return
    for text in reading.row_cautions:
        yield Finding(severity="warning", code="rows-not-read", message=_capital(text))
    for text in reading.file_cautions:
        yield Finding(severity="warning", code="how-it-was-read", message=_capital(text))
    for column in reading.columns:
        if column.doubt:
            text = f"'{column.name}': {column.doubt}"
            yield Finding(severity="warning", code="doubtful", columns=(column.name,), message=text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def relation_findings(pairs: Sequence[Association]) -> Iterator[Finding]:
    """Find columns that say nearly the same."""
    seen = set()
    for pair in pairs:
        if abs(pair.value) >= NEARLY_THE_SAME and (pair.a, pair.b) not in seen:
            seen.add((pair.a, pair.b))
            text = f"'{pair.a}' and '{pair.b}' say nearly the same ({_named(pair)})"
            yield Finding(severity="note", code="redundant", columns=(pair.a, pair.b), message=text)


def _named(pair: Association) -> str:
    name = {"cramers_v": "Cramér's V", "correlation_ratio": "correlation ratio"}
    return f"{name.get(pair.measure, pair.measure.capitalize())} {pair.value:.2f}"


def target_findings(target: ColumnProfile, rated: Sequence[Predictor]) -> Iterator[Finding]:
    """Find what is wrong with the target, and what gives it away."""
    name = target.name
    if target.kind in {Kind.EMPTY, Kind.ID, Kind.TEXT} or target.n_unique < 2:
        why = "only one value" if target.n_unique == 1 else f"no classes or numbers ({target.kind})"
        yield _one("problem", "unusable-target", target, f"The target '{name}' has {why}")
    if target.n_missing:
        text = f"The target '{name}' misses {target.n_missing:,} values: those rows teach nothing"
        yield _one("warning", "target-missing", target, text)
    for one in rated:
        if one.is_suspect:
            yield Finding(
                severity="problem",
                code="leak-suspect",
                columns=(one.column,),
                message=_leak(one, name),
            )
    if target.kind in {Kind.CATEGORY, Kind.BOOLEAN, Kind.CODE} and target.n_unique > 1:
        rarest = target.top[-1]
        if target.has_all_values and rarest.n < RARE_CLASS * target.n_present:
            text = f"The class {rarest.value} of '{name}' is rare: {rarest.n:,} rows"
            yield _one("note", "rare-class", target, text)


def _leak(one: Predictor, target: str) -> str:
    if one.is_copy:
        return f"'{one.column}' is the target '{target}' under another name"
    figure = {"gini": "Gini", "brier_skill": "Brier skill", "r2": "R²"}[one.measure]
    return (
        f"'{one.column}' alone predicts '{target}' with {figure} {one.power:.2f}: was it known "
        "before the target was?"
    )


def ranked(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Order findings by severity, otherwise as found."""
    return tuple(sorted(findings, key=lambda finding: _ORDER[finding.severity]))


def verdict(n_rows: int, n_columns: int, findings: Sequence[Finding]) -> str:
    """Sum a table up in a sentence or two."""
    size = f"{n_rows:,} row{'' if n_rows == 1 else 's'} × {n_columns:,} columns"
    problems = [f for f in findings if f.severity == "problem"]
    warnings = [f for f in findings if f.severity == "warning"]
    if problems:
        more = f" And {len(problems) - 1} more." if len(problems) > 1 else ""
        return f"Not ready to use: {_ended(problems[0].message)}{more} {size}."
    if warnings:
        more = f" {len(warnings) - 1} more to look at." if len(warnings) > 1 else ""
        return f"Usable with care: {_ended(warnings[0].message)}{more} {size}."
    return f"Nothing stands in the way of using it. {size}."


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith("?") else f"{sentence}."
