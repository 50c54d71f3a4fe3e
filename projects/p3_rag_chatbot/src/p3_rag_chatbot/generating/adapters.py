"""LoRA adapters of the generator: found by name, and written as llama.cpp reads them.

peft trains an adapter and keeps it as safetensors; llama.cpp wants GGUF, with the rows of queries
and keys in the order of its rotary embedding. Hu et al. 2021, "LoRA" (arXiv:2106.09685): the change
of a weight is alpha / r · B · A. Read next: `embedding/lora.py`, the same for the embedder.
"""

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gguf import GGUFWriter

from p3_rag_chatbot.embedding.tensor_files import Tensor, read_tensors
from p3_rag_chatbot.errors import WeightsError
from p3_rag_chatbot.peft_files import LoraConfig, adapter_files

BUILTIN_DIR = Path(__file__).parent.parent / "adapters"
_FACTOR = re.compile(r"layers\.(\d+)\.(?:self_attn|mlp)\.(\w+)\.lora_([AB])\.(?:default\.)?weight$")
_NAMES = {
    "q_proj": "attn_q",
    "k_proj": "attn_k",
    "v_proj": "attn_v",
    "o_proj": "attn_output",
    "gate_proj": "ffn_gate",
    "up_proj": "ffn_up",
    "down_proj": "ffn_down",
}


@dataclass(frozen=True)
class Heads:
    """How many attention heads a model has; SmolLM2-135M's by default."""

    n_queries: int = 9
    n_keys: int = 3


def adapters_in(*folders: Path) -> dict[str, Path]:
    """Find adapters by name: each `NAME.gguf`; a later folder's goes before an earlier one's."""
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.gguf"))}


def write_gguf(peft_folder: Path, target: Path, heads: Heads | None = None) -> Path:
    """Convert peft's adapter to GGUF (float16), whole or not at all; raises `WeightsError`."""
    config = LoraConfig.read(peft_folder)
    heads = heads or Heads()
    factors = {}
    for name, tensor in read_tensors(adapter_files(peft_folder)[1]).items():
        factors.update(_factor(name, tensor, heads))
    alpha = config.scale * config.r  # llama.cpp divides by the rank
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, made = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}-")
        os.close(handle)
        try:
            _write(Path(made), factors, alpha)
            Path(made).chmod(0o644)  # as any file; a temporary one is its owner's alone
            Path(made).replace(target)
        finally:
            Path(made).unlink(missing_ok=True)
    except OSError as error:
        raise WeightsError(f"{target} cannot be written: {error.strerror or error}") from error
    return target


def _factor(name: str, tensor: Tensor, heads: Heads) -> dict[str, Tensor]:
    matched = _FACTOR.search(name)
    if matched is None or matched[2] not in _NAMES:
        raise WeightsError(
            f"the adapter changes {name}; only the linear layers of attention and MLP are converted"
        )
    layer, kind, factor = matched.groups()
    if factor == "B" and kind in {"q_proj", "k_proj"}:
        tensor = _for_rotation(tensor, heads.n_queries if kind == "q_proj" else heads.n_keys)
    return {f"blk.{layer}.{_NAMES[kind]}.weight.lora_{factor.lower()}": tensor}


def _for_rotation(rows: Tensor, n_heads: int) -> Tensor:
    """Order rows (heads · d, r) as llama.cpp rotates them: neighbours, where peft has halves."""
    if len(rows) % (2 * n_heads):
        raise WeightsError(f"{len(rows)} rows are not {n_heads} heads: another model's adapter")
    halves = rows.reshape(n_heads, 2, -1, rows.shape[1])
    return halves.swapaxes(1, 2).reshape(rows.shape)


def _write(path: Path, factors: Mapping[str, Tensor], alpha: float) -> None:
    writer = GGUFWriter(path, "llama")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", alpha)
    for name, factor in factors.items():
        writer.add_tensor(name, np.ascontiguousarray(factor, dtype=np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
