"""The command `p0-foundations`: serves without a verb; `profile` and `compare` read files.

`notebooks` hands the process over to JupyterLab.
"""

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from common.service.command import run_command, service_command

from p0_foundations.errors import FoundationsError
from p0_foundations.reading.schema import TableSchema, load_schema, schema_toml
from p0_foundations.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from p0_foundations.contracts import DriftReport, Profile

PROFILE_SUFFIX = ".json"
Encoding = Annotated[str, typer.Option(help="Of text files; empty is found.")]
Schema = Annotated[
    Path | None, typer.Option(help="TOML file that says how to read the table, where it is known.")
]
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
    table: Annotated[Path, typer.Argument(help="CSV, TSV, Parquet, JSON lines or Excel.")],
    target: Annotated[str, typer.Option(help="Column to predict; finds what leaks it.")] = "",
    encoding: Encoding = "",
    schema: Schema = None,
    write_schema: Annotated[
        Path | None, typer.Option(help="Write how it was read, to be changed and given back.")
    ] = None,
    show_rows: Annotated[
        int, typer.Option(min=0, max=100, help="Also keep so many first, last, repeated rows.")
    ] = 0,
    out: Out = None,
) -> None:
    """Describe a table: what it holds and what to look at before using it."""
    _check_endings(out)
    found = _profile(
        context.obj, table, target=target, encoding=encoding, schema=schema, n_shown_rows=show_rows
    )
    typer.echo(found.verdict)
    if found.reading is not None:
        typer.echo(f"  read as  {found.reading.summary}")
        if write_schema is not None:
            _save(write_schema, schema_toml(found.reading))
    for finding in found.findings:
        typer.echo(f"  {finding.severity:8} {finding.message}")
    _write(found, out, title=table.name)
    if not out:
        typer.echo("  the whole report: --out report.html, or .json to store and compare")


@app.command()
def compare(
    context: typer.Context,
    before: Annotated[Path, typer.Argument(help="The reference: a table, or a stored profile.")],
    after: Annotated[Path, typer.Argument(help="The later table, or its stored profile.")],
    encoding: Encoding = "",
    schema: Schema = None,
    out: Out = None,
) -> None:
    """Say how a later table differs from a reference; exit code 1 when it drifted."""
    _check_endings(out)
    old = _profile(context.obj, before, encoding=encoding, schema=schema)
    report = old.drift(_profile(context.obj, after, encoding=encoding, schema=schema))
    typer.echo(report.verdict)
    for column in report.columns:
        if column.severity != "none":
            typer.echo(f"  {column.severity:8} {column.column}: {column.message}")
    _write(report, out, title=f"{before.name} → {after.name}")
    raise typer.Exit(code=int(report.has_drifted))


@app.command()
def notebooks(
    context: typer.Context,
    port: Annotated[int | None, typer.Option(help="Port; without it the first free one.")] = None,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Open the notebooks in JupyterLab: your copies, which you may change."""
    from p0_foundations import jupyter  # noqa: PLC0415 - only this verb

    jupyter.check_installed()
    settings: Settings = context.obj
    folder = settings.data_dir / "notebooks" / "p0"
    n_new = jupyter.copy_notebooks(folder)
    configuration = settings.data_dir / "jupyter"
    jupyter.write_settings(configuration)
    typer.echo(f"notebooks: {folder} ({n_new} new; delete one to get it anew)")
    paths = [str(configuration), os.environ.get("JUPYTER_CONFIG_PATH", "")]
    environment = os.environ | {"JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, paths))}
    command = jupyter.lab_command(folder, host=settings.host, port=port, is_browser_wanted=browser)
    sys.stdout.flush()
    os.execve(command[0], command, environment)  # noqa: S606 - our interpreter; Ctrl-C is Jupyter's


def _profile(
    settings: Settings,
    path: Path,
    *,
    target: str = "",
    encoding: str = "",
    schema: Path | None = None,
    n_shown_rows: int = 0,
) -> "Profile":
    """Profile a table, or load a profile that was stored as JSON."""
    from p0_foundations.contracts import Profile  # noqa: PLC0415 - light, with the rest
    from p0_foundations.profiling import profile_frame  # noqa: PLC0415 - pandas at first use
    from p0_foundations.tables import Holding, open_table  # noqa: PLC0415 - pandas at first use

    if path.suffix == PROFILE_SUFFIX and path.is_file():
        return Profile.from_json(path.read_bytes())
    said = load_schema(schema) if schema is not None else TableSchema()
    if encoding:
        said = said.model_copy(update={"file": said.file.model_copy(update={"encoding": encoding})})
    holding = Holding(max_rows=settings.max_rows, max_columns=settings.max_columns)
    started, began = datetime.now(UTC), time.perf_counter()
    table = open_table(path, schema=said, holding=holding)
    found = profile_frame(
        table.frame, target=target or None, reading=table.reading, n_shown_rows=n_shown_rows
    )
    times = {"started_at": started, "seconds": round(time.perf_counter() - began, 3)}
    made = found.reproduction.model_copy(update=times) if found.reproduction else None
    return found.model_copy(update={"reproduction": made})


def _check_endings(out: list[Path] | None) -> None:
    for path in out or []:
        if path.suffix not in {".html", ".json"}:
            raise FoundationsError(f"--out {path}: accepted endings are .html and .json")


def _write(found: "Profile | DriftReport", out: list[Path] | None, *, title: str) -> None:
    for path in out or []:
        text = found.to_html(title=title) if path.suffix == ".html" else found.to_json()
        _save(path, text)


def _save(path: Path, text: str) -> None:
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
