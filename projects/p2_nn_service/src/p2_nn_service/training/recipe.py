"""How a network is trained, as one frozen value; what a run records and a resume compares.

Each field is an option of `train`, with the words that stand here. No torch. Read next:
`recipes.py`, the recipe that was found best for each preset.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any, Literal, get_args, get_type_hints

from p2_nn_service.errors import RecipeError

OptimiserName = Literal["sgd", "adamw", "muon"]
ScheduleName = Literal["constant", "linear", "cosine", "one_cycle"]
Precision = Literal["auto", "fp32", "bf16"]
PRESET_NAMES = (
    "perceptron", "mlp", "cnn-tiny", "cnn-quick", "cnn", "cnn-strong", "rnn", "lstm",
    "transformer", "transformer-patches",
)  # fmt: skip
"""What `models/building.py` builds; here, where no torch is loaded."""
AUGMENTATIONS = ("flip", "shift", "rotate", "cutout", "noise")


@dataclass(frozen=True)
class Recipe:
    """What a run does.

    Batches are counted over all processes: `batch_size` examples make one pass, `accumulate` passes
    one step of the optimiser.
    """

    epochs: Annotated[int, "Passes over the training part."] = 5
    batch_size: Annotated[int, "Examples of a pass, over all processes."] = 500
    learning_rate: Annotated[float, "Highest rate of the optimiser."] = 1e-3
    optimiser: Annotated[OptimiserName, "muon: orthogonal steps, adamw for vectors."] = "adamw"
    rest_learning_rate: Annotated[float, "Highest rate of what muon leaves to adamw."] = 2e-3
    weight_decay: Annotated[float, "Share of a weight taken off, times the rate, a step."] = 0.0
    schedule: Annotated[ScheduleName, "How the rate falls after it has risen."] = "cosine"
    warm_up: Annotated[float, "Share of all steps over which the rate rises."] = 0.1
    label_smoothing: Annotated[float, "Share of each label spread over all classes."] = 0.0
    augment: Annotated[tuple[str, ...], "Of flip, shift, rotate, cutout, noise; by comma."] = ()
    small_first: Annotated[float, "Share of all steps that see images at 5/7 of their size."] = 0.0
    average_decay: Annotated[float, "Decay a step of the weights' moving average; 0: none."] = 0.0
    clip_norm: Annotated[float, "Longest gradient, as a Euclidean norm; 0: any."] = 0.0
    accumulate: Annotated[int, "Passes whose gradients make one step."] = 1
    precision: Annotated[Precision, "auto: bf16 where this machine multiplies it faster."] = "auto"
    channels_last: Annotated[bool, "Lay images out with channels innermost."] = True
    patience: Annotated[int, "Epochs without a better score until it stops; 0: all epochs."] = 0
    seed: Annotated[int, "Seed of the split, the weights, the batches and dropout."] = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "accumulate"):
            self._demand(name, getattr(self, name) >= 1, "1 or more")
        for name in ("learning_rate", "rest_learning_rate"):
            self._demand(name, 0 < getattr(self, name) < 1e3, "above 0")
        for name in ("warm_up", "label_smoothing", "average_decay", "small_first"):
            self._demand(name, 0 <= getattr(self, name) < 1, "0 to below 1")
        for name in ("weight_decay", "clip_norm", "patience", "seed"):
            self._demand(name, getattr(self, name) >= 0, "0 or more")
        for name, kind in get_type_hints(type(self)).items():
            if choices := [one for one in get_args(kind) if isinstance(one, str)]:
                self._demand(name, getattr(self, name) in choices, ", ".join(choices))
        for one in self.augment:
            if one not in AUGMENTATIONS:
                accepted = ", ".join(AUGMENTATIONS)
                raise RecipeError(f"augment names {one!r}; accepted: {accepted}")

    def _demand(self, name: str, is_right: bool, accepted: str) -> None:
        if not is_right:
            raise RecipeError(f"{name} is {getattr(self, name)}; accepted: {accepted}")

    def as_text(self) -> dict[str, str]:
        """Return the fields as text, for a record."""
        return {
            name: ",".join(value) if isinstance(value, tuple) else str(value)
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_text(cls, texts: Mapping[str, str]) -> "Recipe":
        """Read what `as_text` wrote; a field that is not there takes its default.

        Raises `RecipeError` for a text that is no value of its field.
        """
        kinds = get_type_hints(cls)
        known = {name: text for name, text in texts.items() if name in kinds}
        return cls(**{name: _read(name, kinds[name], text) for name, text in known.items()})

    def differences(self, other: "Recipe") -> list[str]:
        """Name the fields in which the two differ."""
        return [f.name for f in fields(self) if getattr(self, f.name) != getattr(other, f.name)]


def _read(name: str, kind: object, text: str) -> Any:
    try:
        if kind is bool:
            return {"True": True, "False": False}[text]
        if kind is int:
            return int(text)
        if kind is float:
            return float(text)
    except (ValueError, KeyError):
        raise RecipeError(f"{name} is {text!r}, which it cannot be") from None
    if kind == tuple[str, ...]:
        return tuple(one.strip() for one in text.replace(" ", ",").split(",") if one.strip())
    return text
