"""The program of `trained-network.md`: from the first batch to production, then failures."""

# A guide claims with assert, starts our own service, imports where a reader meets it, and prints:
# ruff: noqa: E402, S101, S603, T201

import atexit
import os
import re
import signal
import subprocess
import sys
import tempfile

import httpx2

home = tempfile.TemporaryDirectory(prefix="trained-")
os.environ["ROADMAP_DATA_DIR"] = f"{home.name}/data"
os.environ["ROADMAP_LOG_LEVEL"] = "error"
os.environ["P2_MODEL"] = "digits"
os.environ["P2_PUBLISH_BUILTIN"] = "false"
os.environ["OMP_NUM_THREADS"] = "1"  # sums in one order: equal below means equal to the bit
os.chdir(home.name)

# --- pictures ---
from pathlib import Path

import numpy as np
from p0_foundations import load_digits
from p2_nn_service import open_dataset
from PIL import Image

digits = load_digits()
for k, (pixels, label) in enumerate(zip(digits.pixels, digits.labels, strict=True)):
    folder = Path("digits", str(label))
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.round(255 * pixels).astype(np.uint8)).save(folder / f"{k:04}.png")

dataset = open_dataset("digits")
print(f"{len(dataset)} pictures in {len(dataset.classes)} classes; {dataset.notes[0]}")
# --- end ---

# --- first-loss ---
import math

import torch
from p2_nn_service.debugging.subject import of_classifier
from p2_nn_service.training.recipes import recipe_for
from torch.nn import functional

subject = of_classifier(dataset, "cnn-tiny", recipe_for("cnn-tiny"))
x, labels = subject.sample(subject.training, 32)
network = subject.fresh()
first = functional.cross_entropy(network(x), labels).item()
print(f"loss {first:.2f}; knowing nothing has ln(10) = {math.log(10):.2f}")
# --- end ---
assert abs(first - math.log(10)) < 0.5


# --- by-heart ---
def by_heart(network: torch.nn.Module, *, n_steps: int, every: int) -> float:
    """Learn the thirty-two by heart, saying how it goes; return the last loss."""
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    for step in range(n_steps + 1):
        said = network(x)
        loss = functional.cross_entropy(said, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % every == 0:
            n_right = int((said.argmax(1) == labels).sum())
            print(f"step {step:3}: loss {loss.item():.3f}, {n_right} of 32 right")
    return loss.item()


known = by_heart(network, n_steps=100, every=50)
# --- end ---
assert known < 0.05


# --- softmax ---
from dataclasses import replace


class Careful(torch.nn.Module):
    """Ends in probabilities, as a classifier ought to, one would think."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.inner = subject.make(seed)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a probability for each class."""
        return torch.softmax(self.inner(x), dim=1)


careful = Careful(seed=0)
known = by_heart(careful, n_steps=300, every=100)
# --- end ---
least = math.log(math.e + 9) - 1
assert least <= known < least + 0.1
assert (careful(x).argmax(1) == labels).float().mean() > 0.9

# --- examine ---
from p2_nn_service import examine

report = examine(replace(subject, make=Careful))
print(report.verdict)
print(report.findings[0].next)
# --- end ---
assert report.findings[0].code == "overfit-a-batch"

# --- labels ---
chance = np.random.default_rng(0)
mistaken = dataset.labels.copy()
rows = chance.choice(len(dataset), 180, replace=False)
mistaken[rows] = (mistaken[rows] + chance.integers(1, 10, 180)) % 10
careless = replace(dataset, labels=mistaken, fingerprint="")

report = examine(of_classifier(careless, "cnn-tiny", recipe_for("cnn-tiny")))
print(report.verdict)
suspects = next(one for one in report.findings if one.code == "labels").suspects
for one in suspects[:3]:
    truth = dataset.classes[dataset.labels[one.row]]
    print(f"row {one.row}: labelled {one.label}, taken for {one.said}, was {truth}")
# --- end ---
assert sum(one.row in rows for one in suspects) > 0.8 * len(suspects)

# --- train ---
from p2_nn_service.settings import Settings
from p2_nn_service.tracking.folder import FolderSink
from p2_nn_service.training.classifying import ClassifierRun, train_classifier

settings = Settings()


def train(preset: str, source: str = "digits", **changes: object) -> ClassifierRun:
    """Train a preset by its own recipe, so far as it suits so few and so small pictures."""
    recipe = replace(recipe_for(preset), epochs=10, batch_size=50, augment=(), precision="fp32")
    return train_classifier(
        open_dataset(source), preset, replace(recipe, **changes),
        settings=settings, source=source, sinks=[FolderSink(settings)],
    )  # fmt: skip


runs = {preset: train(preset) for preset in ("perceptron", "mlp", "cnn-tiny", "cnn-quick")}
for preset, run in runs.items():
    print(f"{preset:10} {run.record.metrics['held_out_accuracy']:.1%}")
# --- end ---
assert runs["cnn-tiny"].record.metrics["held_out_accuracy"] > 0.95

# --- compare ---
from p2_nn_service.comparing.table import compare_runs
from p2_nn_service.comparing.variants import measure_variants

measure_variants(runs["cnn-quick"])
found = compare_runs(settings.data_dir)
print(found.verdict)
for k, row in enumerate(found.rows):
    mark = "*" if k in found.efficient["n_flops"] else " "
    print(
        f"{mark} {row.model:10} {row.variant:9} {row.accuracy:6.1%} {row.n_parameters:7,} "
        f"parameters {row.n_flops:9,} multiply-adds"
    )
# --- end ---
assert len(found.rows) == 8

# --- publish ---
from p2_nn_service.publishing.publish import publish

version = publish(runs["cnn-tiny"], model="digits", alias="champion", settings=settings)
names = ", ".join(sorted(one.path for one in version.files))
print(f"{version.model} version {version.version}: {names}")
print(version.description)
# --- end ---
service = subprocess.Popen(
    [sys.executable, "-m", "p2_nn_service.cli", "--port", "0"], stdout=subprocess.PIPE, text=True
)
atexit.register(service.kill)  # it does not outlive a claim that fails
assert service.stdout is not None
address = re.search(r"http://\S+:\d+", service.stdout.readline())
assert address is not None
client = httpx2.Client(base_url=address[0], timeout=60)


# --- classify ---
from io import BytesIO


def classify(picture: Image.Image, **query: object) -> dict:
    """Ask about one picture, sent as a PNG file; return its classification."""
    file = BytesIO()
    picture.save(file, "png")
    headers = {"content-type": "image/png"}
    answer = client.post("/v1/classify", content=file.getvalue(), headers=headers, params=query)
    return answer.raise_for_status().json()["classifications"][0]


held_out = runs["cnn-tiny"].held_out
unseen = Image.fromarray(held_out.inputs[60, 0])
truth = held_out.classes[held_out.labels[60]]
answer = classify(unseen, top=2)
print(f"a {truth}:", answer["probabilities"], f"strange: {answer['is_strange']}")
# --- end ---
assert answer["label"] == truth

# --- saliency ---
shades = "·░▒▓█"
weights = np.array(classify(unseen, saliency=True)["saliency"])
for seen, spoke in zip(np.asarray(unseen) / 255, weights, strict=True):
    print(*("".join(2 * shades[round(4 * one)] for one in row) for row in (seen, spoke)), sep=" | ")
# --- end ---
assert weights.max() == 1

# --- paper ---
from PIL import ImageDraw


def seven(ink: int, ground: int) -> Image.Image:
    """Draw a seven."""
    sheet = Image.new("L", (300, 300), ground)
    ImageDraw.Draw(sheet).line([(60, 40), (240, 40), (130, 270)], fill=ink, width=40)
    return sheet


noise = np.random.default_rng(1).integers(0, 256, (8, 8), dtype=np.uint8)
strangers = {
    "chalk on slate": seven(ink=255, ground=0),
    "ink on paper": seven(ink=0, ground=255),
    "noise": Image.fromarray(noise),
}
for name, picture in strangers.items():
    answer = classify(picture)
    said = f"{answer['label']} ({answer['probability']:.0%})"
    print(f"{name}: {said}, strange: {answer['is_strange']} {answer['preparation']}")
# --- end ---
assert answer["is_strange"]
assert classify(strangers["ink on paper"])["is_strange"]

# --- refused ---
file = BytesIO()
unseen.save(file, "png")
torn = file.getvalue()[:60]
refused = client.post("/v1/classify", content=torn, headers={"content-type": "image/png"})
print(refused.status_code, refused.json()["title"])
print(refused.json()["detail"])
# --- end ---
assert refused.status_code == 422

# --- swap ---
version = publish(runs["cnn-quick"], model="digits", alias="candidate", settings=settings)
client.post("/v1/promote", json={"version": version.version}).raise_for_status()
print("serves version", client.get("/v1/model").json()["model"]["version"])
client.post("/v1/roll-back").raise_for_status()
print("serves version", client.get("/v1/model").json()["model"]["version"])
# --- end ---
assert client.get("/v1/model").json()["model"]["version"] == 1

# --- foreign ---
Path("evens").mkdir()
for label in "02468":
    Path("evens", label).symlink_to(Path("digits", label).resolve())
other = publish(
    train("perceptron", "evens", epochs=2), model="digits", alias=None, settings=settings
)
refused = client.post("/v1/promote", json={"version": other.version}).json()
print(refused["status"], refused["title"])
print(refused["detail"])
# --- end ---
assert client.get("/v1/model").json()["model"]["version"] == 1

# --- killed ---
command = (
    "train --dataset digits --model cnn-tiny --epochs 30 --batch-size 50 --augment= "
    "--precision fp32 --checkpoint-s 0.5 --track="
)
training = subprocess.Popen(
    [sys.executable, "-m", "p2_nn_service.cli", *command.split()], stderr=subprocess.DEVNULL
)
before = {run.record.id for run in runs.values()}
told: dict = {"epoch": 0}
while told["epoch"] < 5 and training.poll() is None:
    newest = client.get("/v1/runs").json()["runs"][0]
    told = newest if newest["model"] == "cnn-tiny" and newest["id"] not in before else told
training.kill()  # kill -9: nothing of it runs any more
training.wait()
told = client.get(f"/v1/runs/{told['id']}").json()
print(f"{told['status']} after {told['epoch']} of {told['epochs']} epochs: {told['reason']}")
# --- end ---
assert told["status"] == "interrupted"

# --- resumed ---
from p2_nn_service.training.classifying import resume_classifier

resumed = resume_classifier(told["id"], settings=settings)
whole = train("cnn-tiny", epochs=30)
pairs = zip(resumed.network.parameters(), whole.network.parameters(), strict=True)
print("the same weights, to the bit:", all(torch.equal(one, other) for one, other in pairs))
# --- end ---
assert all(
    torch.equal(one, whole.network.state_dict()[name])
    for name, one in resumed.network.state_dict().items()
)

client.close()
service.send_signal(signal.SIGTERM)
service.wait(30)
home.cleanup()
