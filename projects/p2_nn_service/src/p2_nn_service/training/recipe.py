"""How a network is trained, as one frozen value; what a run records and a resume compares."""

from dataclasses import asdict, dataclass, fields
from typing import Literal

from p2_nn_service.errors import RecipeError

OptimiserName = Literal["sgd", "adamw", "muon"]
ScheduleName = Literal["constant", "cosine", "one_cycle", "linear"]
Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True)
class Recipe:
    """What a run does; every field is a command-line option of `train`.

    Batches are counted over all processes: `batch_size` examples make one pass, `accumulate` passes
    one step of the optimiser.
    """

    epochs: int = 5
    batch_size: int = 500
    learning_rate: float = 1e-3
    optimiser: OptimiserName = "adamw"
    weight_decay: float = 0.0
    schedule: ScheduleName = "cosine"
    warm_up: float = 0.1
    """Share of all steps over which the rate rises to `learning_rate`."""
    label_smoothing: float = 0.0
    augment: tuple[str, ...] = ()
    """Of `flip`, `shift`, `rotate`, `cutout`, `noise`; done on whole batches."""
    average_decay: float = 0.0
    """Decay of the exponential moving average of the weights a step; 0 keeps none."""
    clip_norm: float = 0.0
    """Longest gradient, as a Euclidean norm; 0 clips nothing."""
    accumulate: int = 1
    precision: Precision = "auto"
    """bf16 autocast where the processor multiplies it faster than fp32 (`auto` measures)."""
    channels_last: bool = True
    patience: int = 0
    """Epochs without a better held-out score after which training stops; 0 goes on to the end."""
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "accumulate"):
            if getattr(self, name) < 1:
                raise RecipeError(f"{name} is {getattr(self, name)}; accepted: 1 or more")
        if not 0 < self.learning_rate < 1e3:
            raise RecipeError(f"learning_rate is {self.learning_rate}; accepted: above 0")
        shares = ("warm_up", "label_smoothing", "average_decay")
        for name in shares:
            if not 0 <= getattr(self, name) < 1:
                raise RecipeError(f"{name} is {getattr(self, name)}; accepted: 0 to below 1")
        for name in ("weight_decay", "clip_norm", "patience"):
            if getattr(self, name) < 0:
                raise RecipeError(f"{name} is {getattr(self, name)}; accepted: 0 or more")

    def as_text(self) -> dict[str, str]:
        """Return the fields as text, for a record."""
        return {
            name: " ".join(value) if isinstance(value, tuple) else str(value)
            for name, value in asdict(self).items()
        }

    def differences(self, other: "Recipe") -> list[str]:
        """Name the fields in which the two differ."""
        return [f.name for f in fields(self) if getattr(self, f.name) != getattr(other, f.name)]
