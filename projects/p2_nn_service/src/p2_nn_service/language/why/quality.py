"""Bits for a held-out character, as training goes: LSTM and Transformer, given the same time."""

from datetime import UTC, datetime

from typing_extensions import override

from p2_nn_service.contracts import RunEvent, RunRecord
from p2_nn_service.language.kinds import BodyKind
from p2_nn_service.language.networks import LanguageNetwork, build_language
from p2_nn_service.language.texts import Text
from p2_nn_service.language.training import next_symbol, scoring
from p2_nn_service.language.why.findings import Plan, Point, Quality
from p2_nn_service.language.windows import Windows, scored_windows
from p2_nn_service.runs import RunFolder
from p2_nn_service.training.checkpoints import Checkpoints
from p2_nn_service.training.distributed import best_device
from p2_nn_service.training.loop import Fitted, fit
from p2_nn_service.training.recipe import Recipe
from p2_nn_service.training.watching import Watcher

N_POINTS = 12


class Curve(Watcher):
    """Keeps a point at the end of each epoch among the events of the run's folder."""

    def __init__(self, folder: RunFolder) -> None:
        self.folder = folder

    @override
    def epoch_ended(self, record: RunRecord, metrics: dict[str, float]) -> None:
        values = {**metrics, "train_s": record.train_s}
        at_s = (datetime.now(UTC) - record.started_at).total_seconds()
        self.folder.append(
            RunEvent(step=record.step, epoch=float(record.epoch), at_s=at_s, values=values)
        )

    def points(self) -> tuple[Point, ...]:
        """Return the points, of steps that were repeated the later."""
        found = {
            event.step: Point(
                step=event.step,
                train_s=event.values["train_s"],
                bits=event.values["held_out_bits"],
            )
            for event in self.folder.events()
        }
        return tuple(found[step] for step in sorted(found))


def network_of(text: Text, plan: Plan, kind: BodyKind, seed: int) -> LanguageNetwork:
    """Make the network that is compared, of as many parameters as the others."""
    return build_language(
        kind, len(text.characters), context=plan.context, n_wanted=plan.n_parameters, seed=seed
    )


def measure_quality(
    text: Text, plan: Plan, kind: BodyKind, seed: int, folder: RunFolder
) -> tuple[Quality, LanguageNetwork]:
    """Train one network, or go on with it, and read its curve; returns it trained.

    A constant rate and averaged weights, so that the curve is fair wherever it is read: a falling
    rate would flatter the end of each run alone. Raises `KeyboardInterrupt` when asked to stop;
    the run's folder keeps what it has.
    """
    network = network_of(text, plan, kind, seed)
    windows = Windows(
        text.learned, plan.context, plan.batch_size, seed=seed,
        at_most=max(1, plan.quality_steps[kind] // N_POINTS),
    )  # fmt: skip
    recipe = Recipe(
        epochs=max(1, plan.quality_steps[kind] // windows.n_batches()),
        batch_size=plan.batch_size, learning_rate=3e-3, weight_decay=0.01, schedule="constant",
        warm_up=0.02, clip_norm=1.0, average_decay=0.98, precision="fp32", channels_last=False,
        seed=seed,
    )  # fmt: skip
    curve = Curve(folder)
    held_out = scored_windows(text.held_out[: plan.n_scored], plan.context)
    fitted = fit(
        network, windows, next_symbol, recipe, run=folder, record=_record(folder, text, kind, plan),
        evaluate=scoring(held_out, best_device()),
        judged_by="held_out_loss", watchers=[curve], resume=bool(Checkpoints(folder.path)),
    )  # fmt: skip
    must_be_whole(fitted)
    n_parameters = fitted.record.n_parameters
    found = Quality(kind=kind, seed=seed, n_parameters=n_parameters, curve=curve.points())
    return found, network.eval().cpu()


def must_be_whole(fitted: Fitted) -> None:
    """Pass a request to stop on, where the loop has ended between two steps for it."""
    if not fitted.is_finished:
        raise KeyboardInterrupt


def _record(folder: RunFolder, text: Text, kind: BodyKind, plan: Plan) -> RunRecord:
    return RunRecord(
        id=folder.path.name, dataset=text.name, dataset_fingerprint=text.fingerprint, kind="text",
        model=kind, classes=tuple(text.characters), shape=(plan.context,),
        started_at=datetime.now(UTC),
    )  # fmt: skip
