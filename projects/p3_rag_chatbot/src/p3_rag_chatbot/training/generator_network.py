"""The generator as it is trained: SmolLM2 out of its GGUF file, with a LoRA adapter.

LoRA (Hu et al. 2021) on every linear layer of the decoder. Needs transformers and peft.
"""

from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging

from p3_rag_chatbot.training.chats import IGNORED
from p3_rag_chatbot.training.peft_adapters import with_lora

TASK = "CAUSAL_LM"
TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def open_generator(weights: Path) -> tuple[nn.Module, Any]:
    """Read the network and its tokenizer from a GGUF file, its numbers as float32, silently.

    The bar over a GGUF file's tensors is tqdm's own, which transformers' switch does not reach and
    tqdm's only before it is first imported.
    """
    logging.disable_progress_bar()
    folder, name = str(weights.parent), weights.name
    with redirect_stderr(StringIO()):
        tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
        network = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
    network.config.use_cache = False
    return network, tokenizer


def with_adapter(network: nn.Module, *, rank: int) -> nn.Module:
    """Put an untrained adapter of that rank on the network; 0 trains all of it."""
    if not rank:
        return network
    return with_lora(network, TARGETS, rank=rank, alpha=rank, task=TASK)


def answer_loss(model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """P2's objective: cross-entropy of the answers' tokens, each answer weighing the same.

    Only positions that predict an answer's token reach the output layer, which is the widest.
    """
    ids, mask, targets = batch
    wanted = targets[:, 1:] != IGNORED
    states = _decoder(model)(input_ids=ids, attention_mask=mask).last_hidden_state[:, :-1]
    logits: Tensor = _causal(model).lm_head(states[wanted]).float()
    losses = functional.cross_entropy(logits, targets[:, 1:][wanted], reduction="none")
    n_each = wanted.sum(1).clamp(min=1)
    share = (1.0 / n_each).unsqueeze(1).expand_as(wanted)[wanted]
    return (losses * share).sum() / len(ids)


def _causal(model: nn.Module) -> Any:
    return model.get_base_model() if isinstance(model, PeftModel) else model


def _decoder(model: nn.Module) -> nn.Module:
    return _causal(model).model


def adapter_tensors(model: nn.Module) -> dict[str, Tensor]:
    """Return the adapter's tensors in half precision, by the names that peft gives them."""
    return {
        name.replace(".default", ""): tensor.detach().to(torch.float16).contiguous()
        for name, tensor in model.state_dict().items()
        if "lora_" in name
    }
