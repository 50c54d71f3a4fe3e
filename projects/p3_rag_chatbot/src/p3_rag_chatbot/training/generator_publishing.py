"""A trained adapter of the generator as files: peft's form, llama.cpp's form, its card."""

import json
from pathlib import Path

from safetensors.torch import save_file
from torch import nn

from p3_rag_chatbot.generating.adapters import write_gguf
from p3_rag_chatbot.training.cards import Card
from p3_rag_chatbot.training.generator_network import TARGETS, adapter_tensors


def write_generator_adapter(folder: Path, network: nn.Module, card: Card, *, rank: int) -> None:
    """Write peft's two files and `card.json`, and beside the folder `NAME.gguf`."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "adapter_model.safetensors.partial"
    save_file(adapter_tensors(network), str(partial), metadata={"format": "pt"})
    partial.replace(folder / "adapter_model.safetensors")
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "r": rank,
        "lora_alpha": rank,
        "lora_dropout": 0.0,
        "bias": "none",
        "target_modules": list(TARGETS),
        "inference_mode": True,
    }
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
    write_gguf(folder, folder.with_suffix(".gguf"))
    (folder / "card.json").write_text(card.model_dump_json(indent=2) + "\n")
