"""Training on Fashion-MNIST: the standard tutorial loop, our small CNN, LSTM and Transformer.

    ROADMAP_DATASETS=... uv run --group dev python benchmarks/nn.py [--only quick cnn] [--out FILE]

Contenders, all on the training part with the same tenth held out (seed 0), single view:
`tutorial` is the loop that courses teach (two convolutions, a PIL image at a time through a
DataLoader, fp32, batches of 64, Adam; 5 epochs, the best counts). `quick` is our CNN of half the
width for four epochs; it and the tutorial take turns, an epoch each, so that both meet the same
machine; its time is to be at most a sixth of the tutorial's. `cnn` is the small CNN with its own
recipe, to reach 93.5 % within 240 s; `lstm` and `transformer` read the images as rows, to reach
90 %; `strong` aims at 94.5 % and runs only when named, on a GPU or with patience. Each result is
added to FILE as soon as it is there, and contenders that are in it are not run again. `wall_s` is
training alone, `cpu_s` the processor time of all threads. On a shared machine compare `cpu_s`, and
ratios of one run.
"""

import argparse
import json
import platform
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from p2_nn_service.contracts import RunRecord
from p2_nn_service.data.datasets import Dataset, open_dataset
from p2_nn_service.settings import Settings
from p2_nn_service.training.classifying import HELD_OUT, train_classifier
from p2_nn_service.training.memory import keep_freed_memory
from p2_nn_service.training.recipes import recipe_for
from p2_nn_service.training.watching import Watcher
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset
from typing_extensions import override

TUTORIAL_EPOCHS = 5
PRESETS = {"cnn": "cnn", "lstm": "lstm", "transformer": "transformer", "strong": "cnn-strong"}
DEFAULT = ("quick", "cnn", "lstm", "transformer")

Result = dict[str, Any]


@dataclass(frozen=True)
class Epoch:
    """What an epoch reached, and the seconds of training up to it."""

    accuracy: float
    wall_s: float
    cpu_s: float


class Pictures(TorchDataset[tuple[Tensor, int]]):
    """A picture at a time: array to PIL image to normalised tensor, as tutorials have it."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    @override
    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        picture = Image.fromarray(self.dataset.inputs[index, 0])
        pixels = torch.from_numpy(np.array(picture, copy=True))[None].contiguous()
        return (pixels.float().div(255) - 0.5) / 0.5, int(self.dataset.labels[index])


def tutorial_network() -> nn.Module:
    """Make the two-convolution network of the tutorials."""
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Dropout(0.25), nn.Flatten(), nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(128, 10),
    )  # fmt: skip


def tutorial(training: Dataset, held_out: Dataset) -> Iterator[Epoch]:
    """Train as tutorials do; yields after each epoch."""
    torch.manual_seed(0)
    model = tutorial_network()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    batches = DataLoader(Pictures(training), batch_size=64, shuffle=True)
    judged = DataLoader(Pictures(held_out), batch_size=1000)
    wall_s = cpu_s = 0.0
    for _ in range(TUTORIAL_EPOCHS):
        wall, cpu = time.perf_counter(), time.process_time()
        model.train()
        for x, labels in batches:
            optimiser.zero_grad()
            functional.cross_entropy(model(x), labels).backward()
            optimiser.step()
        wall_s += time.perf_counter() - wall
        cpu_s += time.process_time() - cpu
        model.eval()
        with torch.no_grad():
            n_right = sum(int((model(x).argmax(1) == labels).sum()) for x, labels in judged)
        yield Epoch(n_right / len(held_out), wall_s, cpu_s)


class Turns(Watcher):
    """Notes each epoch of ours, then lets the other contender have one."""

    def __init__(self, other: Iterator[Epoch]) -> None:
        self.other, self.ours, self.theirs = other, list[Epoch](), list[Epoch]()

    @override
    def started(self, record: RunRecord) -> None:
        self.cpu_s, self.since = 0.0, time.process_time()

    @override
    def stepped(self, step: int, loss: float, model: nn.Module, optimiser: Optimizer) -> None:
        self.cpu_s += time.process_time() - self.since
        self.since = time.process_time()

    @override
    def epoch_ended(self, record: RunRecord, metrics: dict[str, float]) -> None:
        self.ours.append(Epoch(metrics["held_out_accuracy"], record.train_s, self.cpu_s))
        say("ours", self.ours[-1])
        self.take_turn()
        self.since = time.process_time()

    def take_turn(self) -> bool:
        """Let the other train an epoch; false when it has ended."""
        for epoch in self.other:
            self.theirs.append(epoch)
            say("tutorial", epoch)
            return True
        return False


def say(name: str, epoch: Epoch) -> None:
    """Print where a contender is."""
    print(
        f"  {name}: {epoch.accuracy:.2%} after {epoch.wall_s:.1f} s "
        f"({epoch.cpu_s:.1f} s of processor)",
        flush=True,
    )


def train(dataset: Dataset, preset: str, other: Iterator[Epoch], **changes: Any) -> Turns:
    """Train a preset with its recipe, taking turns with another contender."""
    turns = Turns(other)
    recipe = replace(recipe_for(preset, dataset.name), **changes)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        train_classifier(dataset, preset, recipe, settings=settings, sinks=[turns])
    return turns


def quick(dataset: Dataset) -> Result:
    """Ours for four epochs beside the tutorial's five."""
    training, held_out = dataset.split(HELD_OUT, seed=0)
    turns = train(dataset, "cnn-quick", tutorial(training, held_out))
    while turns.take_turn():
        pass
    best, ours = max(turns.theirs, key=lambda epoch: epoch.accuracy), turns.ours[-1]
    return {
        "accuracy": ours.accuracy,
        "wall_s": ours.wall_s,
        "cpu_s": ours.cpu_s,
        "tutorial_accuracy": best.accuracy,
        "tutorial_wall_s": turns.theirs[-1].wall_s,
        "tutorial_cpu_s": turns.theirs[-1].cpu_s,
        "share_of_wall": ours.wall_s / turns.theirs[-1].wall_s,
        "share_of_cpu": ours.cpu_s / turns.theirs[-1].cpu_s,
        "share_of_cpu_to_its_best": ours.cpu_s / best.cpu_s,
    }


def alone(dataset: Dataset, preset: str) -> Result:
    """Train one of ours with its own recipe."""
    ours = train(dataset, preset, iter(())).ours[-1]
    return {"accuracy": ours.accuracy, "wall_s": ours.wall_s, "cpu_s": ours.cpu_s}


def main() -> None:
    """Run the contenders that are asked for and not yet in the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=("quick", *PRESETS), default=DEFAULT)
    parser.add_argument("--out", type=Path, default=Path("nn-training.json"))
    asked = parser.parse_args()
    keep_freed_memory()
    dataset = open_dataset("fashion-mnist")
    found: dict[str, Result] = json.loads(asked.out.read_text()) if asked.out.exists() else {}
    machine = f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads"
    for name in asked.only:
        if name in found:
            print(f"{name}: in {asked.out} already")
            continue
        print(f"{name} …", flush=True)
        result = quick(dataset) if name == "quick" else alone(dataset, PRESETS[name])
        found[name] = {**result, "machine": machine}
        asked.out.write_text(json.dumps(found, indent=2))
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
