"""What the experiment plans and what it has found so far: one JSON file in its folder. No torch.

A measurement is kept as soon as it is made, so that a stopped experiment goes on.
"""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from p2_nn_service.errors import NetworkError
from p2_nn_service.language.kinds import BodyKind

FINDINGS_FILE = "findings.json"


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Wish(_Value):
    """What was asked for; an experiment that is gone on with must have been begun so."""

    text: str
    fingerprint: str
    minutes: float
    seed: int
    is_quick: bool


class Plan(_Value):
    """How much of each measurement fits the time, by the pace of this machine when it was made."""

    seeds: tuple[int, ...]
    n_parameters: int = Field(description="Of the Transformer; the others come within 5 % of it.")
    context: int = Field(description="Characters that the networks are trained to look back.")
    batch_size: int
    quality_steps: dict[BodyKind, int] = Field(description="As many as take the same time.")
    n_scored: int = Field(description="Held-out characters that a point of the curve is read on.")
    recall_delays: tuple[int, ...]
    recall_steps: int
    recall_parameters: int
    gradient_lengths: tuple[int, ...]
    pace_lengths: tuple[int, ...]
    pace_characters: int = Field(description="Characters of a step, however they are cut.")


class Point(_Value):
    """Where a run was after some training."""

    step: int
    train_s: float
    bits: float = Field(description="Bits for a held-out character.")


class Quality(_Value):
    """A network trained on the text."""

    kind: BodyKind
    seed: int
    n_parameters: int
    curve: tuple[Point, ...]


class Pace(_Value):
    """Seconds of a step, forward and backward, over the same characters in longer sequences."""

    kind: BodyKind
    length: int
    step_s: float


class Gradient(_Value):
    """How much of the loss's slope, at the last step, reaches the first input of a sequence."""

    kind: BodyKind
    seed: int
    length: int
    is_trained: bool
    norm: float


class Recall(_Value):
    """How much of what was shown is said after a delay."""

    kind: BodyKind
    seed: int
    delay: int
    n_parameters: int
    accuracy: float = Field(description="Share of symbols; an eighth by chance.")


class Findings(BaseModel):
    """Everything, as far as it has come."""

    wish: Wish
    plan: Plan
    machine: str
    quality: list[Quality] = Field(default_factory=list)
    paces: list[Pace] = Field(default_factory=list)
    gradients: list[Gradient] = Field(default_factory=list)
    recall: list[Recall] = Field(default_factory=list)
    verdict: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Read what a folder holds, or nothing; `NetworkError` when it cannot be read."""
        path = folder / FINDINGS_FILE
        if not path.exists():
            return None
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise NetworkError(f"{path} cannot be read; name another folder with --out") from error

    def keep(self, folder: Path) -> None:
        """Write it, atomically."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
            partial = folder / f"{FINDINGS_FILE}.partial"
            partial.write_text(self.model_dump_json(indent=2), encoding="utf-8")
            partial.replace(folder / FINDINGS_FILE)
        except OSError as error:
            raise NetworkError(f"cannot write to {folder}: {error.strerror or error}") from error
