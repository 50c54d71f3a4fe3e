"""The reader as it is trained: MiniLM with a LoRA adapter and two small heads. Torch and peft.

The span head marks where an answer begins and ends, with [CLS] for "no answer" (Devlin et al. 2019,
section 4.3); the other head says from [CLS] whether the passage holds the answer, or supports the
claim. LoRA (Hu et al. 2021) on every linear layer of the encoder; the base stays as it is.
"""

from pathlib import Path

import torch
from peft import PeftModel
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertConfig, BertModel
from typing_extensions import override

from p3_rag_chatbot.training.peft_adapters import with_lora

TARGETS = ("query", "key", "value", "dense")
N_HIDDEN = 384
MASKED = -1e4
SPAN_HEAD, ANSWERABLE_HEAD = "qa_outputs", "answerable"


class ReaderNetwork(nn.Module):
    """An encoder and its heads; `forward` gives start and end logits and the answerable logit."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.qa_outputs = nn.Linear(N_HIDDEN, 2)
        self.answerable = nn.Linear(N_HIDDEN, 1)

    @override
    def forward(self, ids: Tensor, mask: Tensor, types: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Take (n, T) each; return start (n, T), end (n, T), and answerable (n,) logits."""
        states = self.encoder(
            input_ids=ids, attention_mask=mask, token_type_ids=types
        ).last_hidden_state
        is_candidate = (types == 1) & (mask == 1)
        is_candidate[:, 0] = True
        spans = self.qa_outputs(states).float()
        spans = spans.masked_fill(~is_candidate.unsqueeze(-1), MASKED)
        return spans[..., 0], spans[..., 1], self.answerable(states[:, 0]).float().squeeze(-1)


def reader_loss(model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    """P2's objective: cross-entropy of both ends, and of whether the passage holds the answer."""
    ids, mask, types, starts, ends, holds, has_span = batch
    start, end, answerable = model(ids, mask, types)
    span = functional.cross_entropy(start, starts, reduction="none")
    span = (span + functional.cross_entropy(end, ends, reduction="none")) / 2
    held = functional.binary_cross_entropy_with_logits(answerable, holds, reduction="none")
    return (span * has_span + held).mean()


def make_network(weights: Path, *, rank: int, alpha: int, dropout: float = 0.0) -> ReaderNetwork:
    """Put an untrained adapter of that rank on the encoder in `weights`; 0 trains all of it."""
    encoder: nn.Module = base_encoder(weights)
    if rank:
        encoder = with_lora(encoder, TARGETS, rank=rank, alpha=alpha, dropout=dropout)
    return ReaderNetwork(encoder)


def base_encoder(weights: Path) -> BertModel:
    """Read the encoder from its folder (`config.json`, `model.safetensors`)."""
    config = BertConfig.from_json_file(str(weights / "config.json"))
    config._attn_implementation = "sdpa"  # noqa: SLF001 - the library's own switch
    model = BertModel(config, add_pooling_layer=False)
    state = load_file(str(weights / "model.safetensors"))
    known = {name: tensor for name, tensor in state.items() if not name.startswith("pooler.")}
    known.pop("embeddings.position_ids", None)
    model.load_state_dict(known)
    return model


def adapter_tensors(network: ReaderNetwork) -> dict[str, Tensor]:
    """Return what was learned, by the names that peft gives adapters, and the heads by theirs."""
    if not isinstance(network.encoder, PeftModel):
        raise TypeError("the network was trained whole: there is no adapter to write")
    found = {
        name.replace(".default", ""): tensor
        for name, tensor in network.encoder.state_dict().items()
        if "lora_" in name
    }
    for name in (SPAN_HEAD, ANSWERABLE_HEAD):
        head = network.get_submodule(name)
        found |= {f"{name}.{key}": value for key, value in head.state_dict().items()}
    return {name: tensor.detach().to(torch.float16).contiguous() for name, tensor in found.items()}
