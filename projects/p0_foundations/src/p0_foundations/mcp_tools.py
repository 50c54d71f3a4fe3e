"""The lab's abilities as MCP tools: tables come as CSV text, answers as short, typed values.

A tool reads no file of the server: what it shall look at is in the call, bounded in size.
"""

from collections.abc import Awaitable, Callable

from pydantic import BaseModel, Field

from p0_foundations.contracts import ColumnDrift, Finding, Kind, Predictor, Profile
from p0_foundations.workbench import Workbench

N_PREDICTORS = 10


class ColumnSummary(BaseModel):
    """One column in brief."""

    name: str
    kind: Kind
    missing_share: float = Field(description="0 to 1")
    n_unique: int
    mean: float | None = None
    median: float | None = None
    most_frequent: str = ""


class ProfileSummary(BaseModel):
    """A table in brief: what a reader needs before using it."""

    verdict: str
    n_rows: int
    findings: list[Finding]
    columns: list[ColumnSummary]
    predictors: list[Predictor]


class DriftSummary(BaseModel):
    """How two tables differ, in brief."""

    verdict: str
    has_drifted: bool
    added: list[str]
    removed: list[str]
    columns: list[ColumnDrift] = Field(description="The columns that moved, most severe first.")


def table_tools(workbench: Workbench) -> tuple[Callable[..., Awaitable[BaseModel]], ...]:
    """Make the tools over a workbench."""

    async def profile_table(csv_text: str, target: str = "") -> ProfileSummary:
        """Profile a table given as CSV text with a header: types, missing values, what to look at.

        Name the column to predict as `target` to learn which columns give it away (leak).
        """
        return _brief(
            await workbench.profile_text(csv_text, name="csv_text", target=target or None)
        )

    async def compare_tables(before_csv: str, after_csv: str) -> DriftSummary:
        """Compare a later table with a reference, both as CSV text: which columns drifted."""
        before = await workbench.profile_text(before_csv, name="before_csv")
        after = await workbench.profile_text(after_csv, name="after_csv")
        report = await workbench.compare(before, after)
        return DriftSummary(
            verdict=report.verdict,
            has_drifted=report.has_drifted,
            added=list(report.added),
            removed=list(report.removed),
            columns=[column for column in report.columns if column.severity != "none"],
        )

    return (profile_table, compare_tables)


def _brief(profile: Profile) -> ProfileSummary:
    columns = [
        ColumnSummary(
            name=column.name,
            kind=column.kind,
            missing_share=column.missing_share,
            n_unique=column.n_unique,
            mean=column.number.mean if column.number and column.kind is Kind.NUMBER else None,
            median=column.number.median if column.number and column.kind is Kind.NUMBER else None,
            most_frequent=column.top[0].value if column.top else "",
        )
        for column in profile.columns
    ]
    return ProfileSummary(
        verdict=profile.verdict,
        n_rows=profile.n_rows,
        findings=list(profile.findings),
        columns=columns,
        predictors=list(profile.predictors[:N_PREDICTORS]),
    )
