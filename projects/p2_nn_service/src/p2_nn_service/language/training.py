"""Training a language model through the loop that trains everything here, and getting it back.

A run is a run like any other: its folder, checkpoints, resume, trackers, the page. Read next:
`sampling.py`, which lets a trained network write.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import torch
from torch import Tensor, nn
from torch.nn import functional

from p2_nn_service.contracts import RunRecord
from p2_nn_service.errors import CheckpointError, RecipeError, TrainingError
from p2_nn_service.language.networks import LanguageNetwork, build_language
from p2_nn_service.language.texts import Text
from p2_nn_service.language.windows import Windows, scored_windows
from p2_nn_service.runs import RunFolder, find_run
from p2_nn_service.settings import Settings
from p2_nn_service.training.checkpoints import seal, unseal
from p2_nn_service.training.distributed import best_device, who
from p2_nn_service.training.loop import Batch, Evaluate, Keeping, fit
from p2_nn_service.training.recipe import Recipe
from p2_nn_service.training.watching import Watcher

LANGUAGE_FILE = "language.ckpt"
RECIPE = Recipe(
    epochs=5, batch_size=64, learning_rate=3e-3, weight_decay=0.01, clip_norm=1.0,
    channels_last=False,
)  # fmt: skip
_OF_PICTURES = ("augment", "small_first", "label_smoothing")
_N_SCORED = 128
"""Windows in one call of the network when a text is scored."""


@dataclass(frozen=True)
class LanguageRun:
    """A language model, the characters it knows, and how it was trained."""

    record: RunRecord
    network: LanguageNetwork
    characters: str
    folder: RunFolder


@dataclass(frozen=True)
class Shape:
    """Which network: its kind, the characters it sees at once, about how many parameters."""

    kind: str = "transformer"
    context: int = 128
    n_parameters: int = 400_000


def next_symbol(model: nn.Module, batch: Batch) -> Tensor:
    """Return the mean cross-entropy, in nats, of what comes next at every step of the windows."""
    (windows,) = batch
    logits = model(windows[:, :-1]).float()
    return functional.cross_entropy(logits.flatten(0, 1), windows[:, 1:].flatten())


def scoring(windows: Tensor, device: torch.device) -> Evaluate:
    """Return what measures `held_out_bits` a character, `_loss` in nats and `_accuracy`.

    The last half of each window is scored: see `scored_windows`.
    """

    def evaluate(model: nn.Module) -> dict[str, float]:
        nats, n_right, n_scored = 0.0, 0, 0
        for part in windows.split(_N_SCORED):
            logits = model(part[:, :-1].to(device)).float().cpu()
            half = logits.shape[1] - max(1, logits.shape[1] // 2)
            said, truth = logits[:, half:].flatten(0, 1), part[:, half + 1 :].flatten()
            nats += functional.cross_entropy(said, truth, reduction="sum").item()
            n_right += int((said.argmax(1) == truth).sum())
            n_scored += len(truth)
        loss = nats / n_scored
        return {
            "held_out_bits": loss / math.log(2),
            "held_out_loss": loss,
            "held_out_accuracy": n_right / n_scored,
        }

    return evaluate


def train_language(
    text: Text,
    shape: Shape,
    recipe: Recipe,
    *,
    folder: RunFolder,
    source: str = "",
    sinks: Sequence[Watcher] = (),
    keeping: Keeping | None = None,
    resume: bool = False,
) -> LanguageRun:
    """Train on all but the last tenth of a text, which it is measured on after each epoch.

    Raises what `fit` raises, and `DatasetError` or `RecipeError` for a text, a shape or a recipe
    that cannot be.
    """
    ignored = [name for name in recipe.differences(RECIPE) if name in _OF_PICTURES]
    if ignored:
        raise RecipeError(f"{', '.join(ignored)} cannot be had with text: it is for labelled data")
    device = best_device()
    network = build_language(
        shape.kind, len(text.characters), context=shape.context, n_wanted=shape.n_parameters,
        seed=recipe.seed,
    )  # fmt: skip
    windows = Windows(text.learned, shape.context, recipe.batch_size, seed=recipe.seed)
    held_out = scored_windows(text.held_out, shape.context)
    record = folder.read() if resume else _record(folder, text, shape, source)
    fitted = fit(
        network, windows, next_symbol, recipe, run=folder, record=record,
        evaluate=scoring(held_out, device), judged_by="held_out_loss", watchers=sinks,
        device=device, keeping=keeping, resume=resume,
    )  # fmt: skip
    run = LanguageRun(fitted.record, network.eval(), text.characters, folder)
    if fitted.is_finished and who().is_first:
        weights = {name: value.cpu() for name, value in network.state_dict().items()}
        state = {"weights": weights, "characters": text.characters}
        seal(state, folder.path / LANGUAGE_FILE)
    return run


def resumed_shape(record: RunRecord, text: Text) -> Shape:
    """Return the shape of a run that is gone on with; `CheckpointError` if its text has changed.

    The very number of parameters that a run has finds its width again.
    """
    if record.dataset_fingerprint != text.fingerprint:
        raise CheckpointError(
            f"the text {record.source} has changed since run {record.id} began; begin a new run"
        )
    return Shape(record.model, record.shape[0], record.n_parameters)


def load_language(run_id: str, *, settings: Settings) -> LanguageRun:
    """Return a finished run with its network, in evaluation mode, on the processor.

    Raises `RunNotFoundError`, `CheckpointError` when the network's file is damaged, and
    `TrainingError` when the run is not finished, or is no language model.
    """
    folder = find_run(settings.data_dir, run_id)
    record = folder.read()
    path = folder.path / LANGUAGE_FILE
    if not path.is_file():
        what = f"is {record.status}" if record.kind == "text" else "is no language model"
        raise TrainingError(
            f"run {run_id} {what}; `p2-nn-service language train` makes one that can write"
        )
    state = unseal(path)
    characters = str(state["characters"])
    network = build_language(
        record.model, len(characters), context=record.shape[0], n_wanted=record.n_parameters
    )
    network.load_state_dict(state["weights"])
    return LanguageRun(record, network.eval(), characters, folder)


def _record(folder: RunFolder, text: Text, shape: Shape, source: str) -> RunRecord:
    return RunRecord(
        id=folder.path.name,
        dataset=text.name,
        source=source or text.name,
        dataset_fingerprint=text.fingerprint,
        kind="text",
        model=shape.kind,
        classes=tuple(text.characters),
        shape=(shape.context,),
        n_parameters=shape.n_parameters,
        started_at=datetime.now(UTC),
    )
