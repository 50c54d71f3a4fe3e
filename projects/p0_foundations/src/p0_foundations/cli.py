"""The command `p0-foundations`: serves without a verb; `profile` and `compare` read files."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from common.service.command import run_command, service_command

from p0_foundations.errors import FoundationsError
from p0_foundations.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from p0_foundations.contracts import DriftReport, Profile

PROFILE_SUFFIX = ".json"
Encoding = Annotated[str, typer.Option(help="Of text files; empty is UTF-8.")]
Out = Annotated[
    list[Path] | None,
    typer.Option("--out", help="File to write, .html or .json by its ending; may repeat."),
]


def _create_app(settings: Settings) -> "FastAPI":
    from p0_foundations.api import create_app  # noqa: PLC0415 - a verb needs no server

    return create_app(settings)


app = service_command("p0-foundations", Settings, _create_app)


@app.command()
def profile(
    context: typer.Context,
    table: Annotated[Path, typer.Argument(help="CSV, TSV or Parquet.")],
    target: Annotated[str, typer.Option(help="Column to predict; finds what leaks it.")] = "",
    encoding: Encoding = "",
    out: Out = None,
) -> None:
    """Describe a table: what it holds and what to look at before using it."""
    _check_endings(out)
    found = _profile(context.obj, table, target=target, encoding=encoding)
    typer.echo(found.verdict)
    for finding in found.findings:
        typer.echo(f"  {finding.severity:8} {finding.message}")
    _write(found, out, title=table.name)


@app.command()
def compare(
    context: typer.Context,
    before: Annotated[Path, typer.Argument(help="The reference: a table, or a stored profile.")],
    after: Annotated[Path, typer.Argument(help="The later table, or its stored profile.")],
    encoding: Encoding = "",
    out: Out = None,
) -> None:
    """Say how a later table differs from a reference; exit code 1 when it drifted."""
    _check_endings(out)
    old = _profile(context.obj, before, encoding=encoding)
    report = old.drift(_profile(context.obj, after, encoding=encoding))
    typer.echo(report.verdict)
    for column in report.columns:
        if column.severity != "none":
            typer.echo(f"  {column.severity:8} {column.column}: {column.message}")
    _write(report, out, title=f"{before.name} → {after.name}")
    raise typer.Exit(code=int(report.has_drifted))


def _profile(settings: Settings, path: Path, *, target: str = "", encoding: str = "") -> "Profile":
    """Profile a table, or load a profile that was stored as JSON."""
    from p0_foundations.contracts import Profile  # noqa: PLC0415 - light, with the rest
    from p0_foundations.profiling import profile_frame  # noqa: PLC0415 - pandas at first use
    from p0_foundations.tables import read_table  # noqa: PLC0415 - pandas at first use

    if path.suffix == PROFILE_SUFFIX and path.is_file():
        return Profile.from_json(path.read_bytes())
    frame = read_table(
        path,
        encoding=encoding,
        max_columns=settings.max_columns,
        max_rows=settings.max_rows,
    )
    return profile_frame(frame, target=target or None)


def _check_endings(out: list[Path] | None) -> None:
    for path in out or []:
        if path.suffix not in {".html", ".json"}:
            raise FoundationsError(f"--out {path}: accepted endings are .html and .json")


def _write(found: "Profile | DriftReport", out: list[Path] | None, *, title: str) -> None:
    for path in out or []:
        text = found.to_html(title=title) if path.suffix == ".html" else found.to_json()
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise FoundationsError(f"cannot write {path}: {error.strerror}") from error
        typer.echo(f"written: {path}")


def main() -> None:
    """Run the command."""
    run_command(app)


if __name__ == "__main__":
    main()
