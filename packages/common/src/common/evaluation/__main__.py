"""`python -m common.evaluation suite.toml --report report.html`: run a suite in CI.

Exits with 0 when every gate held, 1 when one failed, 2 when something could not be measured.
"""

from pathlib import Path
from typing import Annotated

import typer

from common.evaluation.estimates import EvaluationError
from common.evaluation.reports import log_to_mlflow, to_markdown, write_report
from common.evaluation.suites import load_suite, run_suite


def evaluate(
    suite: Annotated[Path, typer.Argument(help="The suite, in TOML.")],
    report: Annotated[
        list[Path] | None, typer.Option(help="Where to write: .md, .html or .json; repeatable.")
    ] = None,
    track_in: Annotated[
        Path | None, typer.Option(help="Data directory whose MLflow store records the run.")
    ] = None,
) -> None:
    """Measure a suite's cases and hold their gates."""
    try:
        result = run_suite(load_suite(suite))
        for path in report or ():
            write_report(result, path)
    except (EvaluationError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error
    if track_in is not None:
        log_to_mlflow(result, track_in)
    typer.echo(to_markdown(result))
    raise typer.Exit(result.exit_code)


if __name__ == "__main__":
    typer.run(evaluate)
