"""Training the reader: the data it learns from, what is held out, how it is measured.

Held out are whole articles of SQuAD 2.0, chosen by the seed: the figure that is reported is of
questions about articles that were never seen.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import torch
from common.evaluation.answers import token_f1
from p2_nn_service import Fitted, Keeping, Recipe, RunFolder, Watcher, fit
from sklearn.metrics import roc_auc_score
from tokenizers import Tokenizer
from torch import Tensor, nn

from p3_rag_chatbot.errors import DocumentError
from p3_rag_chatbot.training import examples as reading
from p3_rag_chatbot.training.claims import made_claims
from p3_rag_chatbot.training.examples import Example
from p3_rag_chatbot.training.reader_batches import Cutting, ReaderBatches, as_batch
from p3_rag_chatbot.training.reader_network import make_network, reader_loss
from p3_rag_chatbot.training.slots import read_sealtools, read_sgd_slots

HELD_OUT_ARTICLES = 4
MAX_ANSWER_TOKENS = 30
SETS = {"squad11_dev_rest": 1, "squadshifts_new_wiki": 1, "squadshifts_reddit": 2,
        "squadshifts_amazon_reviews": 2, "policyqa_train": 2}  # fmt: skip
"""Sets in SQuAD's form, and of how many questions one is learned from."""
QAMR_EVERY = 3
N_MADE_CLAIMS, N_MADE_HELD_OUT = 14_000, 400
RANK = 32
N_PARTS = 6


@dataclass(frozen=True)
class ReaderData:
    """Examples to train on, and the held-out ones that tell how good the reader is."""

    train: list[Example]
    held_out: list[Example]
    claims_held_out: list[Example]


def open_data(datasets: Path, *, seed: int = 0) -> ReaderData:
    """Read what is there of the sets that the reader learns from; see the model card for them."""
    qa, grounding = datasets / "qa", datasets / "grounding"
    natural = _squad2(qa, seed)
    train = list(natural[0])
    for name, every in SETS.items():
        train += _if_there(qa / f"{name}.json", reading.read_squad)[::every]
    for path in sorted((qa / "subjqa").glob("*-train.csv")):
        train += [one for one in reading.read_subjqa(path) if len(one.passage) < 1_000]
    sentences = qa / "qamr" / "data-wiki-sentences.tsv"
    for name in ("filtered-dev", "filtered-test"):
        easy = _if_there(
            qa / "qamr" / f"{name}.tsv", lambda path: reading.read_qamr(path, sentences)
        )
        train += easy[::QAMR_EVERY]  # many and easy: a third of them teaches as much
    train += _if_there(datasets / "tools" / "sgd_slot_spans.jsonl", read_sgd_slots)[::2]
    seal = datasets / "tools" / "sealtools" / "Seal-Tools_Dataset"
    train += read_sealtools(seal, seed=seed) if seal.is_dir() else []
    claims = _if_there(grounding / "covidfact.jsonl", reading.read_covidfact)
    claims += _if_there(grounding / "healthver_dev.csv", reading.read_healthver)
    groups = sorted({one.group for one in claims})
    is_held = {group for group in groups if Random(group).random() < 0.1}  # noqa: S311 - a split
    kept, held = reading.split_by_group(claims, is_held.__contains__)
    made = made_claims([one for one in train if "squad" in one.group], n=N_MADE_CLAIMS, seed=seed)
    held += made_claims(natural[1], n=N_MADE_HELD_OUT, seed=seed)
    return ReaderData(train + kept + made, natural[1], held)


def _squad2(qa: Path, seed: int) -> tuple[list[Example], list[Example]]:
    path = qa / "squad2_dev_part.json"
    if not path.is_file():
        raise DocumentError(
            str(path), "not there; name the folder of data sets with ROADMAP_DATASETS"
        )
    examples = reading.read_squad(path)
    groups = sorted({one.group for one in examples})
    held = set(Random(seed).sample(groups, HELD_OUT_ARTICLES))  # noqa: S311 - a split
    train, held_out = reading.split_by_group(examples, held.__contains__)
    # questions that annotators made unanswerable are few and the hardest: they count threefold
    return train + 2 * [one for one in train if not one.holds] + train, held_out


def _if_there(path: Path, read: Callable[[Path], list[Example]]) -> list[Example]:
    return read(path) if path.is_file() else []


RECIPE = Recipe(
    epochs=2 * N_PARTS, batch_size=48, learning_rate=1.2e-3, schedule="cosine", warm_up=0.03,
    weight_decay=0.01, clip_norm=1.0, average_decay=0.998, channels_last=False,
)  # fmt: skip


def train_reader(
    data: ReaderData,
    weights: Path,
    *,
    run: RunFolder | None = None,
    recipe: Recipe = RECIPE,
    rank: int = RANK,
    cutting: Cutting = Cutting(),  # noqa: B008 - frozen
    watchers: Sequence[Watcher] = (),
    keeping: Keeping | None = None,
    resume: bool = False,
    n_judged: int = 800,
    start: Mapping[str, Tensor] | None = None,
) -> Fitted:
    """Train the adapter, from `start` if it is given.

    The record's `held_out_f1` is of `n_judged` questions at each epoch.
    """
    torch.manual_seed(recipe.seed)
    network = make_network(weights, rank=rank, alpha=rank)
    if start is not None:
        network.load_state_dict(start)
    tokenizer = Tokenizer.from_file(str(weights / "tokenizer.json"))
    batches = ReaderBatches(
        data.train, tokenizer, batch_size=recipe.batch_size, cutting=cutting, n_parts=N_PARTS,
        seed=recipe.seed,
    )  # fmt: skip
    judged = Random(0).sample(data.held_out, min(n_judged, len(data.held_out)))  # noqa: S311

    def evaluate(model: nn.Module) -> dict[str, float]:
        found = {f"held_out_{k}": v for k, v in measure(model, tokenizer, judged).items()}
        claims = measure_claims(model, tokenizer, data.claims_held_out)
        return found | {f"held_out_{k}": v for k, v in claims.items()}

    return fit(
        network, batches, reader_loss, recipe, run=run, evaluate=evaluate,
        judged_by="held_out_f1", watchers=watchers, keeping=keeping, resume=resume,
    )  # fmt: skip


# ------------------------------------------------------------------------------------- measuring
@dataclass(frozen=True)
class Answered:
    """What the network says of a question: its best span, and how it compares with none."""

    text: str
    difference: float  # of the best span's logits over those of no answer
    answerable: float


def measure(model: nn.Module, tokenizer: Tokenizer, asked: Sequence[Example]) -> dict[str, float]:
    """Measure as SQuAD 2.0 does: best F1 over thresholds, F1 when made to answer, AUROC."""
    answers = answer_all(model, tokenizer, asked)
    score = np.array([one.difference + one.answerable for one in answers])
    right = np.array([token_f1(a.text, q.accepted) for a, q in zip(answers, asked, strict=True)])
    is_held = np.array([one.holds for one in asked])
    found = {"forced_f1": float(right[is_held].mean())}
    if is_held.all():
        return found | {"f1": found["forced_f1"]}
    order = np.argsort(-score)
    gained = np.where(is_held[order], right[order], 0.0)
    refused = (~is_held).sum() - np.concatenate([[0], np.cumsum(~is_held[order])])
    total = np.concatenate([[0.0], np.cumsum(gained)]) + refused
    auroc = float(roc_auc_score(is_held, score))
    return found | {"f1": float(total.max() / len(asked)), "auroc": auroc}


def measure_claims(
    model: nn.Module, tokenizer: Tokenizer, claims: Sequence[Example]
) -> dict[str, float]:
    """Measure how well supported claims are told from others, as AUROC."""
    if len({one.holds for one in claims}) < 2:
        return {}
    score = [one.answerable for one in answer_all(model, tokenizer, claims)]
    return {"claims_auroc": float(roc_auc_score([one.holds for one in claims], score))}


def answer_all(
    model: nn.Module, tokenizer: Tokenizer, asked: Sequence[Example], *, batch_size: int = 32
) -> list[Answered]:
    """Answer questions with the network, in their order."""
    tokenizer.enable_truncation(384, strategy="only_second")
    codes = tokenizer.encode_batch([(one.question, one.passage) for one in asked])
    order = sorted(range(len(asked)), key=lambda at: len(codes[at].ids))
    found: list[Answered] = [Answered("", 0.0, 0.0)] * len(asked)
    for first in range(0, len(order), batch_size):
        some = order[first : first + batch_size]
        ids, mask, types, *_ = as_batch([codes[at] for at in some], [asked[at] for at in some])
        start, end, answerable = model(ids, mask, types)
        for row, at in enumerate(some):
            first_token, last_token, difference = best_span(start[row].numpy(), end[row].numpy())
            offsets = codes[at].offsets
            text = asked[at].passage[offsets[first_token][0] : offsets[last_token][1]]
            found[at] = Answered(text, difference, float(answerable[row]))
    return found


def best_span(start: np.ndarray, end: np.ndarray) -> tuple[int, int, float]:
    """Return the likeliest span of at most 30 tokens, and by how much it beats none ([CLS])."""
    tokens = np.arange(len(start))
    length = tokens[None, :] - tokens[:, None]
    scores = np.where(
        (length >= 0) & (length < MAX_ANSWER_TOKENS), start[:, None] + end[None, :], -np.inf
    )
    scores[0, :] = -np.inf
    at = int(scores.argmax())
    first, last = divmod(at, len(end))
    return first, last, float(scores[first, last] - start[0] - end[0])
