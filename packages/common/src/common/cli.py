"""The `roadmap` command: starts the house, looks after it, opens the course.

Importing this module loads Typer and nothing else: each verb imports what it needs when it runs,
so that `roadmap --help` answers at once. It decides nothing itself. Read next: `platform/up.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from common.settings import Settings

USAGE_ERROR = 2
UNHEALTHY = 1
PASSED_ON = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": list[str](),
}
"""Arguments of a verb that a whole command of its own understands, `--help` included."""

app = typer.Typer(
    name="roadmap",
    no_args_is_help=True,
    rich_markup_mode=None,  # drawing the help with rich takes longer than everything else together
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", help="Where everything is kept; default: the platform's own place."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


@app.callback(invoke_without_command=True, no_args_is_help=True)
def roadmap(
    is_version_wanted: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.")
    ] = False,
) -> None:
    """The AI Learning Roadmap as running software: start it, watch it, learn with it."""
    if is_version_wanted:
        from importlib.metadata import version  # noqa: PLC0415 - --help must not load it

        typer.echo(f"roadmap {version('ai-roadmap-common')}")
        raise typer.Exit


@app.command()
def up(
    services: Annotated[
        list[str] | None,
        typer.Argument(
            help="Such as p1 p3, or p1:9001 to name its port; all that are installed when none is."
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(help="Port of the home page.", min=0, max=65535, show_default="8000"),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    data_dir: DataDir = None,
    free_ports: Annotated[
        bool, typer.Option("--free-ports", help="Let every service take any free port.")
    ] = False,
) -> None:
    """Start the home page and services, until Ctrl-C."""
    from common.platform.up import Plan, choose, named_ports, run_up  # noqa: PLC0415 - --help must not load it

    plan = Plan(
        services=choose(services or ()),
        data_dir=_settings(data_dir).prepare_data_dir(),
        host=host,
        home_port=port,
        takes_free_ports=free_ports,
        named_ports=named_ports(services or ()),
    )
    raise typer.Exit(run_up(plan))


@app.command()
def status(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Show every service: where, ready or why not.

    Exit code 1 when one that should run does not.
    """
    import asyncio  # noqa: PLC0415 - --help must not load it

    from common.platform.status import look, show  # noqa: PLC0415 - --help must not load it
    from common.terminal import console  # noqa: PLC0415 - --help must not load it

    report = asyncio.run(look(_settings(data_dir).data_dir))
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        show(report, console())
    raise typer.Exit(0 if report.is_ok else UNHEALTHY)


@app.command()
def doctor(data_dir: DataDir = None, as_json: AsJson = False) -> None:
    """Check what is here and how to get the rest.

    Exit code 1 when something that is needed is broken.
    """
    import os  # noqa: PLC0415 - --help must not load it

    from common.platform.doctor import examine, show  # noqa: PLC0415 - --help must not load it
    from common.terminal import console  # noqa: PLC0415 - --help must not load it

    diagnosis = examine(_settings(data_dir), os.environ)
    if as_json:
        typer.echo(diagnosis.model_dump_json(indent=2))
    else:
        show(diagnosis, console())
    raise typer.Exit(0 if diagnosis.is_ok else UNHEALTHY)


@app.command(context_settings=PASSED_ON)
def models(context: typer.Context) -> None:
    """Look after the model registry.

    Verbs: list, show, promote, rollback, verify, prune.
    """
    from common.platform.models_command import app as models_app  # noqa: PLC0415 - see above

    _pass_on(models_app, context)


@app.command(context_settings=PASSED_ON)
def exercises(context: typer.Context) -> None:
    """Work on the exercises.

    Verbs: list, start, check, hint, solution.
    """
    from common.learn.command import app as exercises_app  # noqa: PLC0415 - see above

    _pass_on(exercises_app, context)


@app.command(context_settings=PASSED_ON)
def checklist(context: typer.Context) -> None:
    """Show the weekly checklist, with what is done."""
    from common.learn.command import checklist as show_checklist  # noqa: PLC0415 - see above

    checklist_app = typer.Typer(pretty_exceptions_enable=False)
    checklist_app.command()(show_checklist)
    _pass_on(checklist_app, context)


def _pass_on(command: typer.Typer, context: typer.Context) -> None:
    command(args=context.args, prog_name=f"roadmap {context.info_name}")


def _settings(data_dir: Path | None) -> Settings:
    from common.settings import Settings as Shared  # noqa: PLC0415 - --help must not load it

    return Shared() if data_dir is None else Shared(data_dir=data_dir.absolute())


def main() -> None:
    """Run the command; whatever goes wrong is one line on standard error and exit code 2."""
    try:
        app(prog_name="roadmap")
    except Exception as error:  # noqa: BLE001 - the outermost edge: a person sees no traceback
        typer.echo(f"roadmap: {_in_one_line(error)}", err=True)
        sys.exit(USAGE_ERROR)


def _in_one_line(error: Exception) -> str:
    from common.errors import DomainError  # noqa: PLC0415 - --help must not load it

    reason = " ".join(str(error).split())
    if isinstance(error, DomainError):
        return reason
    import tempfile  # noqa: PLC0415 - only for what nobody expected
    import traceback  # noqa: PLC0415 - only for what nobody expected

    with tempfile.NamedTemporaryFile(
        "w", prefix="roadmap-", suffix=".txt", delete=False, encoding="utf-8"
    ) as report:
        traceback.print_exception(error, file=report)
    return f"{type(error).__name__}: {reason} (an error of ours; the details are in {report.name})"


if __name__ == "__main__":
    main()
