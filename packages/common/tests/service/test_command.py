"""What a service's command says when it is stopped in the middle of a verb."""

import pytest
import typer
from common.service.command import service_command
from common.settings import Settings
from fastapi import FastAPI
from typer.testing import CliRunner


def stopped_with(interrupt: KeyboardInterrupt) -> typer.Typer:
    app = service_command("toy", Settings, lambda settings: FastAPI())

    @app.command()
    def count() -> None:
        raise interrupt

    return app


@pytest.mark.parametrize(
    ("interrupt", "line"),
    [
        (KeyboardInterrupt(), "stopped: toy count\n"),
        (KeyboardInterrupt("after 3 of 5"), "stopped: toy count, after 3 of 5\n"),
    ],
)
def test_ctrl_c_is_one_line_that_says_what_was_stopped(
    interrupt: KeyboardInterrupt, line: str
) -> None:
    done = CliRunner().invoke(stopped_with(interrupt), ["count"])
    assert (done.exit_code, done.stderr, done.stdout) == (130, line, "")
