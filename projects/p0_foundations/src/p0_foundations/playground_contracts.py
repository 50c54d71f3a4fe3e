"""What the playground is asked and what it streams: the wire of a training, event by event.

A training is settled by its settings and its seed: asked again from a later step it gives the same
pictures, so a pause keeps nothing on the server and an address holds every state. Read next:
`playground.py`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_LAYERS = 3
MAX_NEURONS = 16
MAX_STEPS = 20_000
GRID = 40
"""Points along a side of the surface."""
NEURON_GRID = 12
"""Points along a side of a neuron's picture."""
EXTENT = 1.2
"""The square that is drawn reaches from minus this to this."""

Task = Literal["spirals", "ring", "xor", "clouds"]
Activation = Literal["tanh", "relu", "sigmoid"]
OptimiserName = Literal["gradient-descent", "momentum", "nesterov", "rmsprop", "adam"]
EndReason = Literal["finished", "diverged"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Training(_Value):
    """Everything that settles a training; the same values give the same pictures."""

    model_config = ConfigDict(strict=True)  # true is not 1

    task: Task = Field("spirals", description="Which points are to be told apart.")
    noise: float = Field(0.03, ge=0, le=0.5, description="Spread of the points around their shape.")
    hidden: tuple[Annotated[int, Field(ge=1, le=MAX_NEURONS)], ...] = Field(
        (8, 8),
        max_length=MAX_LAYERS,
        strict=False,  # JSON has lists
        description="Neurons of each hidden layer; none is a line.",
    )
    activation: Activation = "tanh"
    optimiser: OptimiserName = "adam"
    step_size: float = Field(0.03, gt=0, le=10, description="η, the size of a step.")
    weight_decay: float = Field(0.0, ge=0, le=1, description="λ of λ/2 |w|² added to the loss.")
    batch_size: int = Field(32, ge=1, le=300, description="Points that one step looks at.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Of the points, the weights, the order.")
    steps_per_frame: int = Field(10, ge=1, le=100, description="Steps between two pictures.")
    from_step: int = Field(
        0, ge=0, le=MAX_STEPS, description="First step that is pictured; what is before is redone."
    )
    max_steps: int = Field(
        5_000, ge=0, le=MAX_STEPS, description="Step at which the training ends."
    )


class Begin(_Value):
    """The first event: the points, and what the later numbers are about."""

    sizes: tuple[int, ...] = Field(description="Neurons of every layer, inputs and classes too.")
    n_parameters: int
    grid: int = Field(description="Points along a side of `surface`, row 0 at the bottom.")
    neuron_grid: int = Field(description="Points along a side of a neuron's picture.")
    extent: float = Field(description="The square reaches from minus this to this.")
    points: tuple[tuple[float, float, int], ...] = Field(description="x, y and class.")
    n_train: int = Field(description="The first so many points are trained on.")


class Anatomy(_Value):
    """What the network is made of at one step; sent with every few pictures."""

    weights: tuple[tuple[tuple[float, ...], ...], ...] = Field(
        description="One matrix a layer: from each input (row) to each neuron (column)."
    )
    biases: tuple[tuple[float, ...], ...]
    neurons: tuple[tuple[str, ...], ...] = Field(
        description="Base64 of bytes: each hidden neuron's answer over the square, 0 lowest."
    )


class Passed(_Value):
    """A step before the first that is pictured: enough for the curve."""

    step: int
    loss: float
    test_loss: float


class Picture(_Value):
    """Where the training stands after `step` steps; every number is finite."""

    step: int
    loss: float = Field(description="Mean cross-entropy of the training points.")
    test_loss: float = Field(description="The same of the points held back.")
    accuracy: float
    test_accuracy: float
    surface: str = Field(description="Base64 of grid x grid bytes: probability of class 1 x 255.")
    anatomy: Anatomy | None = None


class End(_Value):
    """The last event."""

    reason: EndReason
    step: int
    message: str
