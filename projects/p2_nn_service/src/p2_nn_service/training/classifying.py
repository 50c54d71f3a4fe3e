"""Training a classifier on a data set: what `train`, the debugger and publishing go through.

Read next: `examples.py`, which makes batches of a data set, and `loop.py`, which trains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from p2_nn_service.contracts import RunRecord
from p2_nn_service.data.datasets import Dataset, check_classes, open_dataset
from p2_nn_service.errors import CheckpointError, TrainingError
from p2_nn_service.models.building import build
from p2_nn_service.models.flops import multiply_adds
from p2_nn_service.models.inputs import Task
from p2_nn_service.models.network import Network
from p2_nn_service.runs import RunFolder, find_run, new_run_id, runs_dir
from p2_nn_service.settings import Settings
from p2_nn_service.training.checkpoints import seal, unseal
from p2_nn_service.training.distributed import best_device, who
from p2_nn_service.training.examples import ExampleBatches, Scaling, classification, measuring
from p2_nn_service.training.loop import Keeping, fit
from p2_nn_service.training.recipe import Recipe
from p2_nn_service.training.watching import Watcher

HELD_OUT = 0.1
NETWORK_FILE = "network.ckpt"


@dataclass(frozen=True)
class ClassifierRun:
    """A classifier, what it was trained on and what was held out from it."""

    record: RunRecord
    network: Network
    scaling: Scaling
    training: Dataset
    held_out: Dataset
    folder: RunFolder


def train_classifier(
    dataset: Dataset,
    preset: str,
    recipe: Recipe,
    *,
    settings: Settings,
    source: str = "",
    sinks: Sequence[Watcher] = (),
    keeping: Keeping | None = None,
    folder: RunFolder | None = None,
    resume: bool = False,
) -> ClassifierRun:
    """Train a preset on nine tenths of a data set, measured on the tenth after each epoch.

    `source` is what opens the data set again, for a resume. The run is kept in `folder`, else in a
    new one in the data directory. Raises what `fit` raises, and `DatasetError` for a data set that
    cannot be trained on.
    """
    check_classes(dataset.name, dataset.classes, dataset.labels)
    training, held_out = dataset.split(HELD_OUT, seed=recipe.seed)
    task = Task(dataset.shape, len(dataset.classes))
    network, scaling, device = (
        build(preset, task, seed=recipe.seed),
        Scaling.of(training),
        best_device(),
    )
    folder = folder or new_folder(settings.data_dir, preset, dataset.name)
    record = folder.read() if resume else _record(folder, dataset, preset, source)
    record = record.model_copy(update={"n_flops": multiply_adds(network, dataset.shape)})
    fitted = fit(
        network,
        ExampleBatches(training, scaling, recipe, device),
        classification(recipe.label_smoothing),
        recipe,
        run=folder,
        record=record,
        evaluate=measuring(held_out, scaling, device),
        watchers=sinks,
        device=device,
        keeping=keeping,
        resume=resume,
    )
    network.eval()
    run = ClassifierRun(fitted.record, network, scaling, training, held_out, folder)
    if fitted.is_finished and who().is_first:
        _keep_network(run)
    return run


def resume_classifier(
    run_id: str,
    *,
    settings: Settings,
    dataset: Dataset | None = None,
    sinks: Sequence[Watcher] = (),
    keeping: Keeping | None = None,
) -> ClassifierRun:
    """Go on with a run from its newest whole checkpoint, to the very weights it would have had.

    `dataset` spares opening it anew. Raises `RunNotFoundError`, what `train_classifier` raises,
    and `CheckpointError` when the data set is no longer what it was.
    """
    folder = find_run(settings.data_dir, run_id)
    record = folder.read()
    dataset = _same_dataset(record, dataset, settings)
    recipe = Recipe.from_text(record.recipe)
    return train_classifier(
        dataset, record.model, recipe, settings=settings, source=record.source, sinks=sinks,
        keeping=keeping, folder=folder, resume=True,
    )  # fmt: skip


def load_classifier(
    run_id: str, *, settings: Settings, dataset: Dataset | None = None
) -> ClassifierRun:
    """Return a finished run with its network, in evaluation mode, on the processor.

    Raises `RunNotFoundError`, `CheckpointError` when the network's file is damaged, and
    `TrainingError` when the run is not finished.
    """
    folder = find_run(settings.data_dir, run_id)
    record = folder.read()
    check_classifies(record)
    path = folder.path / NETWORK_FILE
    if not path.is_file():
        raise TrainingError(
            f"run {run_id} is {record.status} and has no network yet; go on with "
            f"`p2-nn-service train --resume {run_id}`"
        )
    state = unseal(path)
    network = build(record.model, Task(record.shape, len(record.classes)))
    network.load_state_dict(state["weights"])
    dataset = _same_dataset(record, dataset, settings)
    seed = Recipe.from_text(record.recipe).seed
    training, held_out = dataset.split(HELD_OUT, seed=seed)
    scaling = Scaling(tuple(state["mean"]), tuple(state["std"]))
    return ClassifierRun(record, network.eval(), scaling, training, held_out, folder)


def _keep_network(run: ClassifierRun) -> None:
    """Write the final weights, on the processor, and what inputs are normalised by."""
    weights = {name: value.cpu() for name, value in run.network.state_dict().items()}
    state = {"weights": weights, "mean": list(run.scaling.mean), "std": list(run.scaling.std)}
    seal(state, run.folder.path / NETWORK_FILE)


def _record(folder: RunFolder, dataset: Dataset, preset: str, source: str) -> RunRecord:
    return RunRecord(
        id=folder.path.name,
        dataset=dataset.name,
        source=source or dataset.name,
        dataset_fingerprint=dataset.fingerprint,
        kind=dataset.kind,
        model=preset,
        classes=dataset.classes,
        shape=dataset.shape,
        started_at=datetime.now(UTC),
    )


def new_folder(data_dir: Path, preset: str, name: str) -> RunFolder:
    """Make a folder of a name of its own; all processes of a run agree on it."""
    processes = who()
    run_id = ""
    if processes.is_first:
        base, n = new_run_id(preset, name), 1
        run_id = base
        runs_dir(data_dir).mkdir(parents=True, exist_ok=True)
        while True:
            try:
                (runs_dir(data_dir) / run_id).mkdir()
                break
            except FileExistsError:
                n += 1
                run_id = f"{base}-{n}"
    return RunFolder(runs_dir(data_dir) / processes.from_first(run_id))


def check_classifies(record: RunRecord) -> None:
    """Refuse a run that is a language model, saying which command has it."""
    if record.kind == "text":
        raise TrainingError(
            f"run {record.id} is a language model: `p2-nn-service language train --resume` goes on "
            f"with one, `p2-nn-service language write {record.id}` lets it write"
        )


def _same_dataset(record: RunRecord, dataset: Dataset | None, settings: Settings) -> Dataset:
    dataset = dataset or open_dataset(record.source or record.dataset, settings)
    if dataset.fingerprint != record.dataset_fingerprint:
        raise CheckpointError(
            f"the data set {record.source or record.dataset} has changed since run {record.id} "
            "began; begin a new run"
        )
    return dataset
