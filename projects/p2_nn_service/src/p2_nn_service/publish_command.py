"""The work behind `p2-nn-service publish`: find the run, publish it, say what came of it."""

from pathlib import Path

import typer

from p2_nn_service.contracts import ModelCard
from p2_nn_service.errors import TrainingError
from p2_nn_service.publishing.publish import publish, write_version
from p2_nn_service.runs import list_runs
from p2_nn_service.settings import Settings
from p2_nn_service.training.classifying import load_classifier


def carry_out_publish(
    run_id: str, *, model: str, alias: str, to: Path | None, settings: Settings
) -> None:
    """Publish a run to the registry, or write its files to a folder, and say how good it is."""

    def report(what: str) -> None:
        typer.echo(f"  {what}", err=True)

    run = load_classifier(run_id or _newest(settings), settings=settings)
    if to is not None:
        to.mkdir(parents=True, exist_ok=True)
        _tell(write_version(run, to, settings=settings, report=report))
        typer.echo(f"written to {to}")
        return
    version = publish(
        run, model=model or settings.model, alias=alias or None, settings=settings, report=report
    )
    typer.echo(version.description)
    named = f"{version.model} version {version.version}"
    typer.echo(f"published as {named}{f', alias {alias}' if alias else ''}")


def _newest(settings: Settings) -> str:
    for record in list_runs(settings.data_dir):
        if record.status == "finished" and record.kind != "text":
            return record.id
    raise TrainingError("there is no finished run yet; begin with `p2-nn-service train`")


def _tell(card: ModelCard) -> None:
    typer.echo(card.verdict)
    for one in card.variants:
        typer.echo(
            f"  {one.variant}: {one.accuracy.value:.2%}, {one.n_bytes:,} bytes, "
            f"{one.latency_ms:.3f} ms an image; {one.note}"
        )
