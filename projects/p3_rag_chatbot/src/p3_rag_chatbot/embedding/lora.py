"""A LoRA adapter, as peft writes it, and what it changes in the weights: W + s·B·A.

Hu et al. 2021, "LoRA" (arXiv:2106.09685), section 4.1: the change of a weight matrix W (out, in) is
the product of B (out, r) and A (r, in), scaled by alpha / r. Merged, it costs nothing to run.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from common.models.weights import WeightsError

from p3_rag_chatbot.embedding.tensor_files import Tensor, Tensors, read_tensors
from p3_rag_chatbot.peft_files import LoraConfig, adapter_files

_FACTOR = re.compile(r"(?:^|\.)(encoder\.layer\.\d+\..+)\.lora_([AB])\.(?:default\.)?weight$")
_PREFIX = "base_model.model."


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
        config = LoraConfig.read(folder)
        return cls.of(read_tensors(adapter_files(folder)[1]), config.scale)

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


def _product(name: str, pair: Mapping[str, Tensor]) -> Tensor:
    a, b = pair.get("A"), pair.get("B")
    if a is None or b is None or b.ndim != 2 or a.ndim != 2 or b.shape[1] != a.shape[0]:
        raise WeightsError(f"the adapter's factors of {name} do not fit each other")
    return b @ a


def _plain(name: str) -> str:
    """Return a head's own name: without peft's prefix and its word for a trained copy."""
    return name.removeprefix(_PREFIX).replace(".modules_to_save.default.", ".")
