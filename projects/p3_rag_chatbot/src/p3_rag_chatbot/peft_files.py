"""A LoRA adapter's folder as peft writes it: what is in its configuration that changes the sum."""

import math
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, PositiveInt, ValidationError

from p3_rag_chatbot.errors import WeightsError


class LoraConfig(BaseModel):
    """The part of `adapter_config.json` that merging and converting depend on."""

    r: PositiveInt
    lora_alpha: float
    use_rslora: bool = False
    use_dora: bool = False
    rank_pattern: Mapping[str, int] = {}
    alpha_pattern: Mapping[str, float] = {}

    @property
    def scale(self) -> float:
        """What B·A is multiplied by: alpha / r, or alpha / sqrt(r) (Kalajdzievski 2023)."""
        return self.lora_alpha / (math.sqrt(self.r) if self.use_rslora else self.r)

    @classmethod
    def read(cls, folder: Path) -> "LoraConfig":
        """Read a folder's configuration; raises `WeightsError` for one that is not plain LoRA."""
        path = adapter_files(folder)[0]
        try:
            config = cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error
        except ValidationError as error:
            raise WeightsError(f"{path} does not describe a LoRA adapter: {error}") from error
        if config.use_dora or config.rank_pattern or config.alpha_pattern:
            raise WeightsError(
                f"{path}: accepted is plain LoRA of one rank and alpha; rank_pattern, "
                "alpha_pattern and use_dora are not read"
            )
        return config


def adapter_files(folder: Path) -> tuple[Path, Path]:
    """Return where an adapter's configuration and its tensors lie."""
    return folder / "adapter_config.json", folder / "adapter_model.safetensors"


def write_text(path: Path, text: str) -> None:
    """Replace a small file, atomically."""
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(path)
