"""The command `p0-foundations`: serves without a verb; `profile` and `compare` read files."""

from pathlib import Path
from typing import Annotated

import typer
from common.service.command import run_command, service_command

from p0_foundations.errors import TableError
from p0_foundations.settings import Settings

Table = Annotated[Path, typer.Argument(help="CSV, TSV or Parquet.")]
Out = Annotated[
    list[Path] | None,
    typer.Option("--out", help="Where to write; .html or .json by its ending; may repeat."),
]


def _create_app(settings: Settings):
    from p0_foundations.api import create_app  # noqa: PLC0415 - a verb needs no server

    return create_app(settings)


app = service_command("p0-foundations", Settings, _create_app)


@app.command()
def profile(
    context: typer.Context,
    table: Table,
    target: Annotated[str | None, typer.Option(help="Column to predict.")] = None,
    out: Out = None,
) -> None:
    """Describe a table: what it holds and what to look at before using it."""
    from p0_foundations.profile import profile_frame  # noqa: PLC0415 - pandas at first use
    from p0_foundations.tables import read_table  # noqa: PLC0415 - pandas at first use

    _check_endings(out)
    found = profile_frame(read_table(table, max_columns=context.obj.max_columns), target=target)
    typer.echo(found.verdict)
    for finding in found.findings:
        typer.echo(f"  {finding.severity:8} {finding.message}")
    for path in out or []:
        _write(path, found.to_html() if path.suffix == ".html" else found.to_json())


@app.command()
def compare(context: typer.Context, before: Table, after: Table, out: Out = None) -> None:
    """Say how a later table differs from a reference; exit code 1 when it drifted."""
    from p0_foundations.profile import profile_frame  # noqa: PLC0415 - pandas at first use
    from p0_foundations.report import drift_html  # noqa: PLC0415 - Matplotlib at first use
    from p0_foundations.tables import read_table  # noqa: PLC0415 - pandas at first use

    _check_endings(out)
    limit = context.obj.max_columns
    old, new = (profile_frame(read_table(p, max_columns=limit)) for p in (before, after))
    report = old.drift(new)
    typer.echo(report.verdict)
    for column in report.columns:
        if column.severity != "none":
            typer.echo(f"  {column.severity:8} {column.column}: {column.message}")
    for path in out or []:
        _write(path, drift_html(report) if path.suffix == ".html" else report.to_json())
    raise typer.Exit(code=int(report.has_drifted))


def _check_endings(out: list[Path] | None) -> None:
    for path in out or []:
        if path.suffix not in {".html", ".json"}:
            raise TableError(f"--out {path}: accepted endings are .html and .json")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise TableError(f"cannot write {path}: {error.strerror}") from error
    typer.echo(f"written: {path}")


def main() -> None:
    """Run the command."""
    run_command(app)


if __name__ == "__main__":
    main()
