"""The lab's abilities as MCP tools: tables come as CSV text, answers as short, typed values."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from p0_foundations.contracts import ColumnDrift, Finding, Profile
from p0_foundations.settings import Settings


class ColumnSummary(BaseModel):
    """One column in brief."""

    name: str
    kind: str
    missing_share: float
    n_unique: int
    mean: float | None
    most_frequent: str


class ProfileSummary(BaseModel):
    """A table in brief: what a reader needs before using it."""

    verdict: str
    n_rows: int
    findings: list[Finding]
    columns: list[ColumnSummary]


class DriftSummary(BaseModel):
    """How two tables differ, in brief."""

    verdict: str
    columns: list[ColumnDrift]


def table_tools(settings: Settings) -> tuple[Callable[..., BaseModel], ...]:
    """Make the tools; the settings bound what they take."""

    def profile_table(csv_text: str, target: str = "") -> ProfileSummary:
        """Profile a table given as CSV text: types, missing values, leaks, what to look at.

        Name the column to predict as `target` to look for columns that give it away.
        """
        return _summary(_profile(csv_text, target or None, settings))

    def compare_tables(before_csv: str, after_csv: str) -> DriftSummary:
        """Compare a later table with a reference, both as CSV text: which columns drifted."""
        before = _profile(before_csv, None, settings)
        report = before.drift(_profile(after_csv, None, settings))
        moved = [column for column in report.columns if column.severity != "none"]
        return DriftSummary(verdict=report.verdict, columns=moved)

    return (profile_table, compare_tables)


def _profile(csv_text: str, target: str | None, settings: Settings) -> Profile:
    from p0_foundations.profile import profile_frame  # noqa: PLC0415 - pandas at first use
    from p0_foundations.tables import read_table  # noqa: PLC0415 - pandas at first use

    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as file:
        file.write(csv_text)
        file.flush()
        frame = read_table(Path(file.name), max_columns=settings.max_columns, name="the CSV text")
    return profile_frame(frame, target=target)


def _summary(profile: Profile) -> ProfileSummary:
    columns = [
        ColumnSummary(
            name=column.name,
            kind=column.kind.value,
            missing_share=column.missing_share,
            n_unique=column.n_unique,
            mean=column.number.mean if column.number else None,
            most_frequent=column.top[0].value if column.top else "",
        )
        for column in profile.columns
    ]
    return ProfileSummary(
        verdict=profile.verdict,
        n_rows=profile.n_rows,
        findings=list(profile.findings),
        columns=columns,
    )
