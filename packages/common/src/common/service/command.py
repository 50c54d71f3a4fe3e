"""A service's command: without a verb it serves; a project adds its own verbs.

Errors meant for a person are one line on standard error and exit code 2, never a traceback. So is
Ctrl-C, with exit code 130; a verb that knows more raises `KeyboardInterrupt` with a message: what
was being done, or what is kept.
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from typer.core import TyperGroup
from typing_extensions import override

from common.errors import DomainError, ProblemError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from common.settings import Settings

S = TypeVar("S", bound="Settings")


class _SaysWhatWasStopped(TyperGroup):
    """Says at Ctrl-C what was stopped; Typer makes it an exit code of 130, and no word."""

    @override
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            verb = [self.name, ctx.invoked_subcommand]
            words = [" ".join(filter(None, verb)), *map(str, stop.args)]
            sys.stderr.write(f"stopped: {', '.join(words)}\n")
            raise


def service_command(
    name: str,
    settings_class: type[S],
    create_app: "Callable[[S], FastAPI]",
    *,
    before_serving: Callable[[S], None] | None = None,
) -> typer.Typer:
    """Make the command `name`; verbs read the settings from `context.obj`.

    `before_serving` runs after the settings are read and before the app is made.
    """
    app = typer.Typer(
        name=name, cls=_SaysWhatWasStopped, invoke_without_command=True, no_args_is_help=False,
        add_completion=False, pretty_exceptions_enable=False,
    )  # fmt: skip

    @app.callback(help=f"Serve {name}; a verb does something else.")
    def main(
        context: typer.Context,
        host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
        port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.")] = None,
        data_dir: Annotated[Path | None, typer.Option(help="Where everything is kept.")] = None,
        show_settings: Annotated[
            bool, typer.Option("--show-settings", help="Print every setting and stop.")
        ] = False,
    ) -> None:
        given = {"host": host, "port": port, "data_dir": data_dir}
        settings = settings_class(**{k: v for k, v in given.items() if v is not None})
        context.obj = settings
        if show_settings:
            print_settings(settings)
            raise typer.Exit
        if context.invoked_subcommand is None:
            from common.service.run import bind, serve  # noqa: PLC0415 - a verb needs no server

            if before_serving is not None:
                settings.prepare_data_dir()  # what would stop the service is said before the work
                bind(settings.host, settings.port).close()
                before_serving(settings)
            serve(create_app, settings)

    return app


def run_command(app: typer.Typer, *, errors: Sequence[type[Exception]] = ()) -> NoReturn:
    """Run a command as a process: expected errors are one line and exit code 2.

    `errors` are types beside `DomainError` whose message is for the person.
    """
    expected: tuple[type[Exception], ...] = (DomainError, ProblemError, *errors)
    try:
        app(standalone_mode=True)
    except expected as error:
        fail(error)
    sys.exit(0)


def fail(error: Exception) -> NoReturn:
    """Print the error in one line on standard error and exit with 2."""
    line = " ".join(str(error).split())
    sys.stderr.write(f"error: {line}\n")
    sys.exit(2)


def print_settings(settings: "Settings") -> None:
    """Print every setting, its variable, value, default and meaning; secrets masked."""
    from common.settings import describe_settings  # noqa: PLC0415 - only when asked to print
    from common.terminal import print_table  # noqa: PLC0415 - only when asked to print

    rows = []
    for row in describe_settings(settings):
        changed = f" [{row.default or 'unset'} by default]" if row.value != row.default else ""
        rows.append((row.variable, row.value or "-", row.doc + changed))
    print_table(("variable", "value", "what it sets"), rows, whole={"variable"})
