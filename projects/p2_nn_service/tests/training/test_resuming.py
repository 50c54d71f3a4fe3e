"""A run that is killed, stopped or damaged goes on as if nothing had been."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from p2_nn_service.contracts import RunRecord
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.errors import CheckpointError, RunBusyError, TrainingError
from p2_nn_service.runs import RunFolder
from p2_nn_service.settings import Settings
from p2_nn_service.training.checkpoints import Checkpoints, seal, trainer_of, unseal
from p2_nn_service.training.classifying import (
    ClassifierRun,
    load_classifier,
    resume_classifier,
    train_classifier,
)
from p2_nn_service.training.loop import Keeping
from p2_nn_service.training.recipe import Recipe
from p2_nn_service.training.watching import Watcher

RECIPE = Recipe(
    epochs=3, batch_size=9, accumulate=2, learning_rate=0.02, optimiser="muon", clip_norm=1.0,
    augment=("shift", "flip", "noise"), average_decay=0.9, label_smoothing=0.1, precision="fp32",
)  # fmt: skip
EVERY_STEP = Keeping(every_s=0, every_steps=1)

TRAINER = """
import json, os, signal, sys
from pathlib import Path
import numpy as np
import torch
from p2_nn_service.data.datasets import Dataset
from p2_nn_service.settings import Settings
from p2_nn_service.training.classifying import train_classifier
from p2_nn_service.training.loop import Keeping
from p2_nn_service.training.recipe import Recipe
from p2_nn_service.training.watching import Watcher

class KilledAt(Watcher):
    def stepped(self, step, loss, model, optimiser):
        if step == 10:
            os.kill(os.getpid(), signal.SIGKILL)

torch.set_num_threads(1)
examples = np.load(sys.argv[1])
squares = Dataset("squares", examples["inputs"], examples["labels"], ("l", "m", "r"))
recipe = Recipe.from_text(json.loads(sys.argv[2]))
train_classifier(squares, "cnn", recipe, settings=Settings(data_dir=Path(sys.argv[3])),
                 keeping=Keeping(every_s=0, every_steps=1), sinks=[KilledAt()])
"""


def train(dataset: Dataset, at: Path, recipe: Recipe = RECIPE, **more: object) -> ClassifierRun:
    settings = Settings(data_dir=at)
    return train_classifier(dataset, "cnn", recipe, settings=settings, **more)


def weights(run: ClassifierRun) -> dict[str, torch.Tensor]:
    return run.network.state_dict()


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def the_run(at: Path) -> RunFolder:
    return RunFolder(next((at / "runs").iterdir()))


@pytest.fixture(scope="module")
def whole(squares: Dataset, tmp_path_factory: pytest.TempPathFactory) -> ClassifierRun:
    """The run that went on from its beginning to its end."""
    torch.set_num_threads(1)
    return train(squares, tmp_path_factory.mktemp("whole"))


def killed_in_training(squares: Dataset, at: Path) -> subprocess.CompletedProcess[str]:
    """Train in a process of its own, which is gone after step 10 of 18."""
    examples = at.with_suffix(".npz")
    np.savez(examples, inputs=squares.inputs, labels=squares.labels)
    recipe = json.dumps(RECIPE.as_text())
    command = [sys.executable, "-c", TRAINER, str(examples), recipe, str(at)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.slow
def test_a_run_killed_in_mid_epoch_ends_with_the_bits_of_one_that_was_not(
    squares: Dataset, whole: ClassifierRun, tmp_path: Path
) -> None:
    killed = killed_in_training(squares, tmp_path / "killed")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    folder = the_run(tmp_path / "killed")
    record = folder.read()
    assert (record.status, record.epoch) == ("interrupted", 1), "its process is gone"
    settings = Settings(data_dir=tmp_path / "killed")
    resumed = resume_classifier(record.id, settings=settings, dataset=squares)
    assert resumed.record.step == whole.record.step == 18
    assert resumed.record.metrics == whole.record.metrics
    assert same(weights(resumed), weights(whole))
    assert same(weights(load_classifier(record.id, settings=settings, dataset=squares)),
                weights(whole))  # fmt: skip


class AskedAt(Watcher):
    """Sends this process a signal after a step."""

    def __init__(self, step: int, number: signal.Signals) -> None:
        self.step, self.number = step, number

    def stepped(self, step: int, loss: float, model: torch.nn.Module, optimiser: object) -> None:
        if step == self.step:
            signal.raise_signal(self.number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_asked_to_stop_it_keeps_the_step_and_can_go_on(
    number: signal.Signals, squares: Dataset, whole: ClassifierRun, tmp_path: Path
) -> None:
    before = signal.getsignal(number)
    train(squares, tmp_path, keeping=EVERY_STEP, sinks=[AskedAt(10, number)])
    stopped = the_run(tmp_path).read()
    assert (stopped.status, stopped.step) == ("interrupted", 11)
    assert signal.getsignal(number) is before
    settings = Settings(data_dir=tmp_path)
    resumed = resume_classifier(stopped.id, settings=settings, dataset=squares)
    assert same(weights(resumed), weights(whole))


def test_when_the_newest_checkpoint_is_corrupt_the_one_before_it_is_gone_on_from(
    squares: Dataset, tmp_path: Path
) -> None:
    whole = train(squares, tmp_path, keeping=EVERY_STEP)
    newest = max((whole.folder.path / "checkpoints").iterdir())
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    settings = Settings(data_dir=tmp_path)
    resumed = resume_classifier(whole.record.id, settings=settings, dataset=squares)
    assert same(weights(resumed), weights(whole))


def test_with_no_whole_checkpoint_it_says_what_is_wrong_with_each(
    squares: Dataset, tmp_path: Path
) -> None:
    run = train(squares, tmp_path, keeping=EVERY_STEP)
    first, second = sorted((run.folder.path / "checkpoints").iterdir())
    first.write_bytes(first.read_bytes()[:500])
    second.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"is no checkpoint of ours.*is corrupt"):
        resume_classifier(run.record.id, settings=Settings(data_dir=tmp_path), dataset=squares)


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    seal({"record": RunRecord.model_construct}, path)
    with pytest.raises(CheckpointError, match="holds more than weights and numbers"):
        unseal(path)


FULL_DISK = """
import resource, sys
from pathlib import Path
import torch
from p2_nn_service.errors import TrainingError
from p2_nn_service.training.checkpoints import Checkpoints
checkpoints = Checkpoints(Path(sys.argv[1]))
checkpoints.save({"weights": torch.zeros(100)}, 1)
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))
try:
    checkpoints.save({"weights": torch.zeros(100_000)}, 2)
except TrainingError as error:
    print(error)
"""


def test_a_disk_that_fills_up_in_mid_checkpoint_leaves_the_last_good_one(tmp_path: Path) -> None:
    """The kernel refuses to let the file grow, as on a full disk, after half of it is written."""
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "cannot write" in done.stdout, done.stderr
    assert "File too large; what was written before it is whole" in done.stdout
    assert [path.name for path in (tmp_path / "checkpoints").iterdir()] == ["step-00000001.ckpt"]
    state, wrong = Checkpoints(tmp_path).newest()
    assert torch.equal(state["weights"], torch.zeros(100))
    assert wrong == []


HOLDER = """
import sys
from pathlib import Path
from p2_nn_service.training.checkpoints import trainer_of
with trainer_of(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_two_trainers_of_one_folder_are_one_too_many(squares: Dataset, tmp_path: Path) -> None:
    run = train(squares, tmp_path)
    command = [sys.executable, "-c", HOLDER, str(run.folder.path)]
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        before = run.folder.read()
        with pytest.raises(RunBusyError, match=f"by another process .process {other.pid}."):
            resume_classifier(run.record.id, settings=Settings(data_dir=tmp_path), dataset=squares)
        assert run.folder.read() == before
        other.kill()
    with trainer_of(run.folder.path):
        """Its lock is gone with it, though it was killed."""


@pytest.mark.parametrize(
    ("keeping", "what"),
    [(EVERY_STEP, "a weight is no number"), (Keeping(every_s=0), "the loss is nan at step 9")],
)
def test_what_is_no_number_ends_it_names_the_step_and_is_not_kept(
    keeping: Keeping, what: str, squares: Dataset, tmp_path: Path
) -> None:
    recipe = Recipe(epochs=2, batch_size=18, learning_rate=0.01, precision="fp32")
    more = {"keeping": keeping, "sinks": [Poison(8)]}
    with pytest.raises(TrainingError, match=f"{what}.*lower learning_rate .now 0.01"):
        train(squares, tmp_path, recipe, **more)
    folder = the_run(tmp_path)
    assert folder.read().status == "failed"
    assert "training diverged" in folder.read().reason
    state, wrong = Checkpoints(folder.path).newest()
    assert wrong == []
    assert all(value.isfinite().all() for value in state["model"].values())


class Poison(Watcher):
    """Makes a weight no number after a step, as an overflow would."""

    def __init__(self, step: int) -> None:
        self.step = step

    def stepped(self, step: int, loss: float, model: torch.nn.Module, optimiser: object) -> None:
        if step == self.step:
            with torch.no_grad():
                next(model.parameters()).fill_(torch.nan)


def test_a_run_is_gone_on_with_as_it_was_begun(squares: Dataset, tmp_path: Path) -> None:
    run = train(squares, tmp_path)
    path = run.folder.path / "run.json"
    told = json.loads(path.read_text())
    told["recipe"]["learning_rate"] = "0.5"
    path.write_text(json.dumps(told))
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(CheckpointError, match=r"another recipe .learning_rate."):
        resume_classifier(run.record.id, settings=settings, dataset=squares)
    fewer = squares.take(slice(0, 90))
    with pytest.raises(CheckpointError, match="has changed since run"):
        resume_classifier(run.record.id, settings=settings, dataset=fewer)
    with pytest.raises(TrainingError, match="holds a run already; go on with --resume"):
        train(squares, tmp_path, folder=run.folder)
