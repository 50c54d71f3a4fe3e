"""A LoRA adapter, as peft writes it, and what it changes in the weights: W + s·B·A.

Hu et al. 2021, "LoRA" (arXiv:2106.09685), section 4.1: the change of a weight matrix W (out, in) is
the product of B (out, r) and A (r, in), scaled by alpha / r. Merged, it costs nothing to run.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from common.models.weights import WeightsError
from pydantic import BaseModel, PositiveInt, ValidationError

from p3_rag_chatbot.embedding.tensor_files import Tensor, Tensors, read_tensors

_FACTOR = re.compile(r"(?:^|\.)(encoder\.layer\.\d+\..+)\.lora_([AB])\.(?:default\.)?weight$")
_PREFIX = "base_model.model."


class _Config(BaseModel):
    """The part of peft's `adapter_config.json` that merging depends on."""

    r: PositiveInt
    lora_alpha: float
    use_rslora: bool = False
    rank_pattern: dict[str, int] = {}
    alpha_pattern: dict[str, float] = {}
    use_dora: bool = False


@dataclass(frozen=True)
class Adapter:
    """Low-rank changes of a model's weights, and what was trained beside them (its heads)."""

    deltas: Mapping[str, Tensor]
    """By the weight's name, such as `encoder.layer.0.attention.self.query.weight`."""
    others: Mapping[str, Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, tensors: Tensors, scale: float) -> "Adapter":
        """Pair the factors of each weight; `scale` is alpha / r. Raises `WeightsError`."""
        factors: dict[str, dict[str, Tensor]] = {}
        others = {}
        for name, tensor in tensors.items():
            matched = _FACTOR.search(name)
            if matched:
                factors.setdefault(matched[1], {})[matched[2]] = tensor
            else:
                others[_plain(name)] = tensor
        return cls(
            {f"{name}.weight": _product(name, pair) * scale for name, pair in factors.items()},
            others,
        )

    @classmethod
    def read(cls, folder: Path) -> "Adapter":
        """Read `adapter_config.json` and `adapter_model.safetensors`; raises `WeightsError`."""
        path, tensors = adapter_files(folder)
        try:
            config = _Config.model_validate_json(path.read_bytes())
        except OSError as error:
            raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from error
        except ValidationError as error:
            raise WeightsError(f"{path} does not describe a LoRA adapter: {error}") from error
        if config.rank_pattern or config.alpha_pattern or config.use_dora:
            raise WeightsError(
                f"{path}: accepted is plain LoRA of one rank and alpha; rank_pattern, "
                "alpha_pattern and use_dora are not merged"
            )
        rank = config.r**0.5 if config.use_rslora else config.r
        return cls.of(read_tensors(tensors), config.lora_alpha / rank)

    def merged_into(self, tensors: Tensors) -> dict[str, Tensor]:
        """Return the tensors with each change added, and the heads; raises `WeightsError`."""
        whole = dict(tensors)
        for name, delta in self.deltas.items():
            weight = tensors.get(name)
            if weight is None or weight.shape != delta.shape:
                found = "there is none" if weight is None else f"the model's is {weight.shape}"
                raise WeightsError(
                    f"the adapter changes {name} of shape {delta.shape}; {found}: it was trained "
                    "on another model"
                )
            whole[name] = weight + delta
        return whole | dict(self.others)


def adapter_files(folder: Path) -> tuple[Path, Path]:
    """Return where an adapter's configuration and its tensors lie."""
    return folder / "adapter_config.json", folder / "adapter_model.safetensors"


def _product(name: str, pair: Mapping[str, Tensor]) -> Tensor:
    a, b = pair.get("A"), pair.get("B")
    if a is None or b is None or b.ndim != 2 or a.ndim != 2 or b.shape[1] != a.shape[0]:
        raise WeightsError(f"the adapter's factors of {name} do not fit each other")
    return b @ a


def _plain(name: str) -> str:
    """Return a head's own name: without peft's prefix and its word for a trained copy."""
    return name.removeprefix(_PREFIX).replace(".modules_to_save.default.", ".")
