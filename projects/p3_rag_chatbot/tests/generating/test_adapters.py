"""LoRA adapters: converted, they change llama.cpp's probabilities as they change torch's."""

import json
from pathlib import Path

import numpy as np
import pytest
from gguf import GGUFReader
from gguf.quants import dequantize
from p3_rag_chatbot.errors import WeightsError
from p3_rag_chatbot.generating.adapters import Heads, adapters_in, write_gguf
from p3_rag_chatbot.generating.engine import EmbeddedModel
from p3_rag_chatbot.generating.generator_weights import generator_weights
from p3_rag_chatbot.settings import Settings

from .asking import pieces_of, question

LAYERS = {
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj", "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}  # fmt: skip


def torch_model(weights: Path):
    """Build the model in torch from the file that llama.cpp reads."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        hidden_size=576, intermediate_size=1536, num_hidden_layers=30, num_attention_heads=9,
        num_key_value_heads=3, vocab_size=49152, rope_theta=100000.0, rms_norm_eps=1e-5,
        max_position_embeddings=8192, tie_word_embeddings=True,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    state = {}
    for tensor in GGUFReader(weights).tensors:
        numbers = dequantize(tensor.data, tensor.tensor_type).reshape(tensor.shape[::-1])
        heads = {"attn_q": 9, "attn_k": 3}.get(tensor.name.split(".")[-2])
        if heads:  # llama.cpp's order of rows, back to that of the paper
            pairs = numbers.reshape(heads, -1, 2, numbers.shape[1])
            numbers = pairs.swapaxes(1, 2).reshape(numbers.shape)
        state[torch_name(tensor.name)] = torch.from_numpy(np.array(numbers))
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model.load_state_dict(state)
    return model.eval()


def torch_name(name: str) -> str:
    first, *rest = name.split(".")
    if first == "blk":
        return f"model.layers.{rest[0]}.{LAYERS[rest[1]]}.weight"
    return {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}[first] + ".weight"


@pytest.mark.slow
@pytest.mark.timeout(900)  # torch on a busy machine
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")  # peft's own call
@pytest.mark.anyio
async def test_probabilities_are_those_of_torch_with_and_without_the_adapter(
    data_dir: Path, tmp_path: Path
) -> None:
    import torch
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    torch.set_num_threads(1)
    recipe = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False)
    weights = generator_weights(Settings(data_dir=data_dir))
    adapted = get_peft_model(torch_model(weights), recipe).eval()
    adapted.save_pretrained(tmp_path / "peft")
    write_gguf(tmp_path / "peft", tmp_path / "gguf" / "noise.gguf")
    settings = Settings(
        data_dir=data_dir, generator_adapters=tmp_path / "gguf", n_threads=1, max_chats=2
    )
    told = {}
    async with EmbeddedModel(settings) as model:
        await model.loaded()
        ids = [number for number, _ in model.tokens(model.prompt(question()))]
        for adapter in ("noise", None):
            request = question(
                adapter=adapter, logprobs=True, top_logprobs=5, max_tokens=1, logit_bias={"2": -100}
            )
            first, *_ = await pieces_of(model, request)
            told[adapter] = {
                model.tokens(top.token)[0][0]: top.logprob for top in first.logprobs[0].top_logprobs
            }
    with torch.no_grad():
        noisy = adapted(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
        with adapted.disable_adapter():
            plain = adapted(torch.tensor([ids])).logits[0, -1].log_softmax(-1)
    assert max(abs(plain[k] - noisy[k]).item() for k in told[None]) > 1, "the adapter does much"
    for expected, found in ((noisy, told["noise"]), (plain, told[None])):
        assert max(abs(expected[k].item() - value) for k, value in found.items()) < 0.35


def peft_folder(folder: Path, tensors: dict[str, np.ndarray], **config: object) -> Path:
    from safetensors.numpy import save_file

    folder.mkdir()
    save_file(tensors, folder / "adapter_model.safetensors")
    told = {"r": 2, "lora_alpha": 4, **config}
    (folder / "adapter_config.json").write_text(json.dumps(told))
    return folder


QUERY = "base_model.model.model.layers.0.self_attn.q_proj.lora_{}.weight"


def test_rows_of_queries_are_put_in_the_order_of_the_rotation(tmp_path: Path) -> None:
    rows = np.arange(8, dtype=np.float32).reshape(8, 1) @ np.ones((1, 2), np.float32)
    factors = {QUERY.format("A"): np.ones((2, 6), np.float32), QUERY.format("B"): rows}
    folder = peft_folder(tmp_path / "a", factors, use_rslora=True)
    made = GGUFReader(write_gguf(folder, tmp_path / "a.gguf", Heads(n_queries=2, n_keys=1)))
    by_name = {tensor.name: tensor.data for tensor in made.tensors}
    assert by_name["blk.0.attn_q.weight.lora_b"][:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    assert by_name["blk.0.attn_q.weight.lora_a"].shape == (2, 6)
    alpha = made.fields["adapter.lora.alpha"].contents()
    assert alpha / 2 == pytest.approx(4 / 2**0.5), "rank-stabilised: alpha over the root of r"


@pytest.mark.parametrize(
    ("name", "config", "words"),
    [
        ("base_model.model.lm_head.lora_A.weight", {}, "only the linear layers"),
        (QUERY.format("B"), {}, "another model's adapter"),
        (QUERY.format("A"), {"use_dora": True}, "use_dora"),
        (QUERY.format("A"), {"rank_pattern": {"q_proj": 8}}, "plain LoRA of one rank"),
        (QUERY.format("A"), {"r": 0}, "does not describe"),
    ],
)
def test_what_cannot_be_converted_is_refused_and_nothing_is_left(
    tmp_path: Path, name: str, config: dict, words: str
) -> None:
    folder = peft_folder(tmp_path / "a", {name: np.ones((7, 2), np.float32)}, **config)
    with pytest.raises(WeightsError, match=words):
        write_gguf(folder, tmp_path / "made" / "a.gguf")
    assert not (tmp_path / "made").exists()


def test_adapters_are_found_by_name_and_one_s_own_goes_first(tmp_path: Path) -> None:
    for place in ("ours/tools.gguf", "ours/grounded.gguf", "own/tools.gguf", "own/note.txt"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        (tmp_path / place).touch()
    found = adapters_in(tmp_path / "ours", tmp_path / "own", tmp_path / "missing")
    assert found == {
        "grounded": tmp_path / "ours/grounded.gguf",
        "tools": tmp_path / "own/tools.gguf",
    }
