"""The graph computes what the reference implementation does, whole, with an adapter, and open."""

from pathlib import Path

import numpy as np
import pytest
import torch
from common.models.weights import WeightsError
from common.serving import OnnxModel
from p3_rag_chatbot.embedding.graph_cache import load_graph
from p3_rag_chatbot.embedding.graph_form import ANSWERABLE, EMBEDDING, END, START, GraphForm
from p3_rag_chatbot.embedding.minilm import MiniLM, find_minilm
from p3_rag_chatbot.training.reader_network import ReaderNetwork, adapter_tensors, make_network
from safetensors.torch import save_file

# peft asks transformers by a name that it will drop
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")

Batch = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> MiniLM:
    return find_minilm(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture(scope="module")
def network(minilm: MiniLM) -> ReaderNetwork:
    """A reader with an adapter and heads of random numbers."""
    torch.manual_seed(0)
    made = make_network(minilm.tensors.parent, rank=4, alpha=8).eval()
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.05)
    return made


@pytest.fixture(scope="module")
def adapter(network: ReaderNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapter")
    whole = {name: tensor.float() for name, tensor in adapter_tensors(network).items()}
    state = network.state_dict()
    exact = {name: state[f"encoder.{_in_state(name)}"] for name in whole if "lora_" in name}
    heads = {name: state[name] for name in whole if "lora_" not in name}
    save_file(exact | heads, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text('{"r": 4, "lora_alpha": 8}')
    return folder


def _in_state(name: str) -> str:
    return name.replace(".lora_A.weight", ".lora_A.default.weight").replace(
        ".lora_B.weight", ".lora_B.default.weight"
    )


def batch(lengths: tuple[int, ...], seed: int = 0) -> Batch:
    """Random words in two segments, padded to the longest."""
    chance = np.random.default_rng(seed)
    n, longest = len(lengths), max(lengths)
    mask = (np.arange(longest) < np.array(lengths)[:, None]).astype(np.int64)
    ids = chance.integers(1000, 30_000, (n, longest)) * mask
    ids[:, 0] = 101
    types = (np.arange(longest) >= 5).astype(np.int64) * mask
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}


def as_torch(given: Batch) -> tuple[torch.Tensor, ...]:
    names = ("input_ids", "attention_mask", "token_type_ids")
    return tuple(torch.tensor(given[name]) for name in names)


def reference_embedding(network: ReaderNetwork, given: Batch) -> np.ndarray:
    ids, mask, types = as_torch(given)
    encoder = network.encoder.get_base_model()
    with torch.no_grad(), network.encoder.disable_adapter():
        states = encoder(ids, attention_mask=mask, token_type_ids=types).last_hidden_state
    total = (states * mask.unsqueeze(-1)).sum(1)
    return torch.nn.functional.normalize(total).numpy()


@pytest.mark.parametrize("lengths", [(7,), (40, 40, 40), (12, 128, 33), (512, 9)])
def test_the_graph_embeds_as_torch_does(
    lengths: tuple[int, ...], minilm: MiniLM, graphs: Path, network: ReaderNetwork
) -> None:
    given = batch(lengths)
    found = load_graph(minilm, GraphForm("embedding"), graphs).run(given)[EMBEDDING]
    np.testing.assert_allclose(found, reference_embedding(network, given), atol=1e-5)


def test_without_padding_the_graph_embeds_the_same(
    minilm: MiniLM, graphs: Path, network: ReaderNetwork
) -> None:
    given = batch((60, 60))
    mask = given.pop("attention_mask")
    form = GraphForm("embedding", is_padded=False)
    found = load_graph(minilm, form, graphs).run(given)[EMBEDDING]
    expected = reference_embedding(network, given | {"attention_mask": mask})
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("lengths", [(40, 40), (40, 21, 33)])
def test_an_adapter_and_heads_answer_as_peft_does(
    lengths: tuple[int, ...], minilm: MiniLM, graphs: Path, network: ReaderNetwork, adapter: Path
) -> None:
    given = batch(lengths, seed=1)
    with torch.no_grad():
        expected = [one.numpy() for one in network(*as_torch(given))]
    padded = load_graph(minilm, GraphForm("spans"), graphs, adapter=adapter)
    compare_spans(padded, given, expected)
    if len(set(lengths)) == 1:
        del given["attention_mask"]
        form = GraphForm("spans", is_padded=False)
        compare_spans(load_graph(minilm, form, graphs, adapter=adapter), given, expected)


def compare_spans(model: OnnxModel, given: Batch, expected: list[np.ndarray]) -> None:
    found = model.run(given)
    for name, reference in zip((START, END, ANSWERABLE), expected, strict=True):
        np.testing.assert_allclose(found[name], reference, atol=2e-5)


def test_an_open_graph_shows_the_states_and_attentions_of_torch(
    minilm: MiniLM, graphs: Path, network: ReaderNetwork
) -> None:
    given = batch((20, 31))
    ids, mask, types = as_torch(given)
    encoder = network.encoder.get_base_model()
    encoder.set_attn_implementation("eager")
    with torch.no_grad(), network.encoder.disable_adapter():
        seen = encoder(ids, mask, types, output_hidden_states=True, output_attentions=True)
    encoder.set_attn_implementation("sdpa")
    found = load_graph(minilm, GraphForm("none", is_open=True), graphs).run(given)
    states = torch.stack(seen.hidden_states, 1).numpy()
    attentions = torch.stack(seen.attentions, 1).numpy()
    np.testing.assert_allclose(found["hidden_states"], states, atol=2e-5)
    np.testing.assert_allclose(found["attentions"], attentions, atol=1e-5)
    np.testing.assert_allclose(found["attentions"].sum(-1), 1, atol=1e-5)


def test_eight_bits_stay_near_the_whole_precision(minilm: MiniLM, graphs: Path) -> None:
    given = batch((64, 64, 64))
    whole, eighth = (
        load_graph(minilm, GraphForm("embedding", precision), graphs).run(given)[EMBEDDING]
        for precision in ("fp32", "int8")
    )
    assert (whole * eighth).sum(axis=1).min() > 0.97
    sizes = {path.name[:14]: path.stat().st_size for path in (graphs / "graphs").iterdir()}
    assert sizes["embedding-int8"] < 0.3 * sizes["embedding-fp32"]


def test_a_graph_is_built_once_and_again_when_it_was_damaged(
    minilm: MiniLM, tmp_path: Path
) -> None:
    form = GraphForm("embedding", "int8")
    load_graph(minilm, form, tmp_path)
    built = next((tmp_path / "graphs").iterdir())
    made_at = built.stat().st_mtime_ns
    load_graph(minilm, form, tmp_path)
    assert built.stat().st_mtime_ns == made_at
    content = built.read_bytes()
    built.write_bytes(content[:1000])
    load_graph(minilm, form, tmp_path)
    assert built.read_bytes() == content


def test_a_folder_that_cannot_keep_the_graph_is_named(minilm: MiniLM, tmp_path: Path) -> None:
    (tmp_path / "graphs").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"graphs cannot keep a model of .* bytes: .*--data-dir"):
        load_graph(minilm, GraphForm("embedding", "int8"), tmp_path)


def test_an_adapter_of_another_model_is_refused(minilm: MiniLM, tmp_path: Path) -> None:
    name = "base_model.model.encoder.layer.0.attention.self.query"
    factors = {
        f"{name}.lora_A.weight": torch.ones(2, 100),
        f"{name}.lora_B.weight": torch.ones(100, 2),
    }
    save_file(factors, tmp_path / "adapter_model.safetensors")
    (tmp_path / "adapter_config.json").write_text('{"r": 2, "lora_alpha": 2}')
    with pytest.raises(WeightsError, match=r"\(100, 100\).*trained on another model"):
        load_graph(minilm, GraphForm("embedding"), tmp_path, adapter=tmp_path)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("{", "does not describe a LoRA adapter"),
        ('{"r": 0, "lora_alpha": 8}', "does not describe a LoRA adapter"),
        ('{"r": 4, "lora_alpha": 8, "use_dora": true}', "are not read"),
        ('{"r": 4, "lora_alpha": 8, "rank_pattern": {"query": 8}}', "are not read"),
    ],
)
def test_an_adapter_that_cannot_be_merged_is_refused(
    config: str, said: str, minilm: MiniLM, adapter: Path, tmp_path: Path
) -> None:
    (tmp_path / "adapter_config.json").write_text(config)
    tensors = (adapter / "adapter_model.safetensors").read_bytes()
    (tmp_path / "adapter_model.safetensors").write_bytes(tensors)
    with pytest.raises(WeightsError, match=said):
        load_graph(minilm, GraphForm("spans"), tmp_path, adapter=tmp_path)


def test_a_missing_head_is_named(minilm: MiniLM, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no tensor qa_outputs\.weight"):
        load_graph(minilm, GraphForm("spans"), tmp_path)
