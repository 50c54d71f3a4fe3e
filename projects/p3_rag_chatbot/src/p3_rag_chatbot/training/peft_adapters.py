"""LoRA by peft: put on a network before it is trained, written as files after."""

import json
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from torch import Tensor, nn

from p3_rag_chatbot.peft_files import adapter_files, write_text


def with_lora(
    network: nn.Module,
    targets: Sequence[str],
    *,
    rank: int,
    alpha: int,
    dropout: float = 0.0,
    task: str | None = None,
) -> nn.Module:
    """Put an untrained adapter on the layers of those names; the network itself is frozen."""
    config = LoraConfig(
        r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=list(targets),
        task_type=task,
    )  # fmt: skip
    with warnings.catch_warnings():  # peft asks transformers by a name that it is leaving behind
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        return get_peft_model(network, config)


def write_peft(
    folder: Path,
    tensors: Mapping[str, Tensor],
    *,
    base: str,
    task: str,
    targets: Sequence[str],
    rank: int,
) -> None:
    """Write what peft reads, the tensors first; alpha is the rank, so that the scale is one."""
    folder.mkdir(parents=True, exist_ok=True)
    config_file, tensor_file = adapter_files(folder)
    partial = tensor_file.with_name(f"{tensor_file.name}.partial")
    save_file(dict(tensors), str(partial), metadata={"format": "pt"})
    partial.chmod(0o644)  # as any file; safetensors' are their owner's alone
    partial.replace(tensor_file)
    config = {
        "peft_type": "LORA",
        "task_type": task,
        "base_model_name_or_path": base,
        "r": rank,
        "lora_alpha": rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": list(targets),
        "inference_mode": True,
    }
    write_text(config_file, json.dumps(config, indent=2))
