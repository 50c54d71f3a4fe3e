"""What travels: a run's record, a model's card (in the registry), and the answers (HTTP, MCP).

Nothing heavy is imported here: training writes these, serving and the page read them.
"""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["images", "series", "text"]
RunStatus = Literal["running", "finished", "interrupted", "failed"]
Variant = Literal["fp32", "bf16", "int8", "pruned", "distilled"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Estimate(_Value):
    """A figure with its 95 % interval."""

    value: float
    low: float
    high: float


# -------------------------------------------------------------------------------- a training run
class RunRecord(_Value):
    """`run.json` of a run folder: what is trained on what, how far it is, how good it became.

    Rewritten atomically at each epoch. `recipe` holds the recipe's fields as text.
    """

    id: str = Field(description="Name of the run's folder.")
    dataset: str
    source: str = Field(default="", description="Name or path that the data set is opened by.")
    dataset_fingerprint: str = ""
    kind: Kind = "images"
    model: str = Field(description="Preset that was trained, such as cnn.")
    classes: tuple[str, ...] = ()
    shape: tuple[int, ...] = Field(default=(), description="Of one example, channels first.")
    recipe: dict[str, str] = Field(default_factory=dict)
    status: RunStatus = "running"
    reason: str = Field(default="", description="Why it failed, or stopped early.")
    started_at: datetime
    epoch: int = Field(default=0, description="Whole epochs that are behind it.")
    epochs: int = Field(default=0, description="Epochs that the recipe asks for.")
    step: int = 0
    steps: int = Field(default=0, description="Steps that the recipe asks for.")
    n_parameters: int = 0
    n_flops: int = Field(default=0, description="Multiply-adds of one example, forward.")
    train_s: float = Field(default=0.0, description="Seconds of training, evaluation left out.")
    device: str = "cpu"
    precision: str = Field(default="fp32", description="Number format of products.")
    metrics: dict[str, float] = Field(
        default_factory=dict, description="Newest of each, such as held_out_accuracy."
    )
    published: str = Field(default="", description="Model and version in the registry, if any.")


class RunEvent(_Value):
    """A line of `events.jsonl` of a run folder: numbers at a step."""

    step: int
    epoch: float
    at_s: float = Field(description="Seconds since the run started.")
    values: dict[str, float]


# ------------------------------------------------------------------------------ a published model
class Measured(_Value):
    """One graph of a model: how good, how large, how quick; a point of the Pareto plot."""

    variant: Variant
    file: str
    accuracy: Estimate
    n_bytes: int
    n_parameters: int
    n_flops: int
    latency_ms: float = Field(description="Median of one image, one thread.")
    train_s: float
    note: str = ""


class Strangeness(_Value):
    """How inputs unlike training are told: from where on the graph's `strangeness` is too much."""

    threshold: float = Field(description="Images above it are strange; 95 % of held-out are not.")
    auroc: dict[str, float] = Field(
        default_factory=dict, description="Told from held-out images, by kind of stranger."
    )


class Mistake(_Value):
    """A held-out example that the model is surest and wrongest of; `png` is base64."""

    index: int
    truth: str
    said: str
    probability: float
    png: str = ""


class ModelCard(_Value):
    """`card.json` of a version: what it is for, how it was made, how good it is."""

    title: str
    dataset: str
    licence: str = ""
    classes: tuple[str, ...]
    shape: tuple[int, int, int] = Field(description="Channels, height and width of the input.")
    is_light_on_dark: bool | None = Field(
        description="Whether training images are light on a dark ground; null without a ground."
    )
    centre: bool = Field(default=False, description="Whether the thing fills the frame's middle.")
    margin: float = Field(
        default=0.0, description="Share of the frame that the thing leaves free on either side."
    )
    is_centred_by_mass: bool = Field(
        default=False, description="Whether its centre of mass is in the middle, not its outline's."
    )
    preset: str
    verdict: str
    metrics: dict[str, Estimate]
    temperature: float = Field(description="Divides the logits, so that probabilities are true.")
    strangeness: Strangeness
    variants: tuple[Measured, ...]
    confusion: tuple[tuple[int, ...], ...] = Field(description="Rows are truths, columns answers.")
    mistakes: tuple[Mistake, ...] = ()
    recipe: dict[str, str] = Field(default_factory=dict)
    run_id: str = ""
    data_fingerprint: str = ""
    limits: tuple[str, ...] = ()


# ---------------------------------------------------------------------------------- backprop seen
Activation = Literal["tanh", "relu"]
SmallLoss = Literal["cross_entropy", "squared_error"]
N_SMALL_NETWORKS = 3
"""How many small networks there are of each kind; `seed` tells which."""


class LocalDerivative(_Value):
    """How much a node moves when one of its inputs does: d(node)/d(input)."""

    to: str = Field(description="Id of the input; its gradient gets derivative x gradient.")
    derivative: float


class BackpropNode(_Value):
    """One number of the network, made by one operation."""

    id: str
    label: str
    op: str = Field(description="input, target, weight, or the operation: add, multiply, tanh, …")
    layer: int = Field(description="Its place from left to right; inputs stand further left.")
    value: float
    gradient: float = Field(description="d(loss)/d(this), by the autodiff of phase 0.")
    torch_gradient: float = Field(description="The same by torch.")
    inputs: tuple[str, ...] = ()
    local: tuple[LocalDerivative, ...] = Field(default=(), description="One for each input.")


class BackpropGraph(_Value):
    """A small network run forward and backward; nodes stand after their inputs, the loss last."""

    seed: int = 0
    activation: Activation
    loss_kind: SmallLoss
    inputs: dict[str, float] = Field(description="What it was given, by id of the node.")
    loss: float
    nodes: tuple[BackpropNode, ...]


class BackpropGraphs(_Value):
    """Every variation that can be asked for."""

    graphs: tuple[BackpropGraph, ...]


# --------------------------------------------------------------------------------------- answers
class ServedModel(_Value):
    """Which model answered."""

    name: str
    version: int
    alias: str
    variant: Variant = "fp32"


class Classification(_Value):
    """What one image is taken for."""

    label: str
    probability: float
    probabilities: dict[str, float]
    strangeness: float = Field(description="How unlike training, in standard deviations.")
    is_strange: bool = Field(description="Unlike what the model learned from: doubt the label.")
    preparation: tuple[str, ...] = Field(
        default=(), description="What was done to the image before the model saw it, in words."
    )
    saliency: tuple[tuple[float, ...], ...] | None = Field(
        default=None, description="Weight of each cell for the label, 0 to 1, rows from the top."
    )


class Classifications(_Value):
    """Answers in the order of the images."""

    id: str
    model: ServedModel
    classifications: tuple[Classification, ...]


class Prepared(_Value):
    """What the model would see of an image."""

    pixels: tuple[tuple[tuple[float, ...], ...], ...] = Field(
        description="Channels, rows from the top, columns; 0 to 1. POST /v1/classify takes them."
    )
    preparation: tuple[str, ...] = Field(
        default=(), description="What was done to the image to get there, in words."
    )


class PreparedImages(_Value):
    """Images as the model sees them, in their order."""

    images: tuple[Prepared, ...]


class ModelDescription(_Value):
    """The model that answers now; its card comes without the mistakes, which have a route."""

    model: ServedModel
    created_at: datetime
    card: ModelCard
    n_mistakes: int = Field(description="Held-out examples that GET /v1/model/mistakes shows.")
    code_revision: str
    trouble: str = Field(description="Why the alias's newest version does not answer, if so.")
