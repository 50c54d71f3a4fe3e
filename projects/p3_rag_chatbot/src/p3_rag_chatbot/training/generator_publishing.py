"""A trained adapter of the generator as files: peft's form, llama.cpp's form, its card."""

from pathlib import Path

from torch import nn

from p3_rag_chatbot.generating.adapters import write_gguf
from p3_rag_chatbot.peft_files import write_text
from p3_rag_chatbot.training.cards import Card
from p3_rag_chatbot.training.generator_network import TARGETS, TASK, adapter_tensors
from p3_rag_chatbot.training.peft_adapters import write_peft


def write_generator_adapter(folder: Path, network: nn.Module, card: Card, *, rank: int) -> None:
    """Write peft's two files and `card.json`, and beside the folder `NAME.gguf`."""
    write_peft(
        folder, adapter_tensors(network), base="HuggingFaceTB/SmolLM2-135M-Instruct", task=TASK,
        targets=TARGETS, rank=rank,
    )  # fmt: skip
    write_gguf(folder, folder.with_suffix(".gguf"))
    write_text(folder / "card.json", card.model_dump_json(indent=2))
