"""`finetune reader|grounded|tools`: from data to an adapter's folder, in a run that can go on.

The adapter is written to `<data_dir>/adapters/<name>`, from where the service takes it before the
one that comes with it; its card says what it was trained on and how good it is.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import torch
from common.models.tracking import record_run
from p2_nn_service import Fitted, Recipe, RunFolder, Watcher
from tokenizers import Tokenizer

from p3_rag_chatbot.embedding.minilm import MINILM, find_minilm
from p3_rag_chatbot.errors import DocumentError
from p3_rag_chatbot.generating.generator_weights import SMOLLM2, published
from p3_rag_chatbot.settings import Settings
from p3_rag_chatbot.training import generator_training, reader_training
from p3_rag_chatbot.training.cards import Card
from p3_rag_chatbot.training.chats import Chat
from p3_rag_chatbot.training.examples import Example, read_own
from p3_rag_chatbot.training.generator_publishing import write_generator_adapter
from p3_rag_chatbot.training.grounded_examples import grounded_chats
from p3_rag_chatbot.training.orders import Order, run_of
from p3_rag_chatbot.training.reader_network import ReaderNetwork, adapter_tensors
from p3_rag_chatbot.training.reader_publishing import calibrate, write_reader
from p3_rag_chatbot.training.sources import described
from p3_rag_chatbot.training.tool_examples import read_tool_tasks, tool_chats

N_GROUNDED, N_TOOLS = 1_000, 4_000
"""Conversations; an epoch of either is at most an hour on two cores."""


@dataclass(frozen=True)
class Finetuned:
    """The run, and where its adapter lies; None when it was interrupted."""

    fitted: Fitted
    folder: Path | None
    card: Card | None


def finetune(order: Order, settings: Settings, watchers: Sequence[Watcher] = ()) -> Finetuned:
    """Train as ordered; an order that resumes a run is one that `as_begun` returned.

    Raises `DocumentError` for data, P2's errors for the training.
    """
    return FINETUNES[order.name](order, settings, watchers)


def _reader(order: Order, settings: Settings, watchers: Sequence[Watcher]) -> Finetuned:
    own = read_own(order.own) if order.own else []
    weights = find_minilm(settings.data_dir, settings.embedder_weights)
    data = reader_training.open_data(_datasets(settings))
    data = replace(data, train=data.train + own)
    rank = order.rank or reader_training.RANK
    run = run_of(order, settings)
    fitted = reader_training.train_reader(
        data, weights.tensors.parent, run=run,
        recipe=_recipe(reader_training.RECIPE, order, run), rank=rank, watchers=watchers,
        resume=bool(order.resume),
    )  # fmt: skip
    network = fitted.model
    if not fitted.is_finished or not isinstance(network, ReaderNetwork):
        return Finetuned(fitted, None, None)
    network.eval()
    tokenizer = Tokenizer.from_file(str(weights.tokenizer))
    with torch.no_grad():
        found = reader_training.measure(network, tokenizer, data.held_out)
        found |= reader_training.measure_claims(network, tokenizer, data.claims_held_out)
        calibration = calibrate(network, tokenizer, data.held_out, data.claims_held_out)
    tensors = adapter_tensors(network)
    card = _card(
        order, fitted, data.train, metrics=found, rank=rank,
        n_parameters=sum(one.numel() for one in tensors.values()),
        purpose="marks the span that answers, or says that a text does not hold the answer; "
        "says whether a text supports a claim",
        base="all-MiniLM-L6-v2", base_sha256=MINILM.files[0].sha256,
        held_out=f"{len(data.held_out)} questions of SQuAD 2.0 articles that were not trained on",
    )  # fmt: skip
    folder = _folder(order, settings)
    write_reader(folder, network, calibration, card, rank=rank)
    _track(settings, card)
    return Finetuned(fitted, folder, card)


def _grounded(order: Order, settings: Settings, watchers: Sequence[Watcher]) -> Finetuned:
    own = read_own(order.own) if order.own else []
    data = reader_training.open_data(_datasets(settings))
    examples = [one for one in data.train if one.group.startswith("squad")]
    chats = grounded_chats(examples + own, n=N_GROUNDED)
    return _generator(
        order, settings, watchers, chats, recipe=generator_training.RECIPE, rank=16,
        purpose="answers from numbered passages, and cites them",
        held_out="conversations over articles that were not trained on",
    )  # fmt: skip


def _tools(order: Order, settings: Settings, watchers: Sequence[Watcher]) -> Finetuned:
    if order.own:
        raise DocumentError(
            str(order.own), "is of questions over passages, which `tools` does not learn from"
        )
    folder = _datasets(settings) / "tools"
    tasks = read_tool_tasks(folder)
    if not tasks:
        raise DocumentError(
            str(folder), "holds neither sealtools, nestful nor sgd_slot_spans.jsonl"
        )
    return _generator(
        order, settings, watchers, tool_chats(tasks, n=N_TOOLS),
        recipe=generator_training.RECIPE, rank=8,
        purpose="fills a function's arguments with what a request says, and leaves out the rest",
        held_out="calls of requests that were not trained on",
    )  # fmt: skip


def _generator(
    order: Order,
    settings: Settings,
    watchers: Sequence[Watcher],
    chats: Sequence[Chat],
    *,
    recipe: Recipe,
    rank: int,
    purpose: str,
    held_out: str,
) -> Finetuned:
    """Train an adapter of the generator on conversations, and write it with its card."""
    rank = order.rank or rank
    run = run_of(order, settings)
    fitted = generator_training.train_generator(
        chats, published(settings), run=run, recipe=_recipe(recipe, order, run),
        rank=rank, watchers=watchers, resume=bool(order.resume),
    )  # fmt: skip
    if not fitted.is_finished:
        return Finetuned(fitted, None, None)
    folder = _folder(order, settings)
    card = _card(
        order, fitted, chats, rank=rank, metrics=dict(fitted.record.metrics),
        n_parameters=sum(p.numel() for p in fitted.model.parameters() if p.requires_grad),
        purpose=purpose, base="SmolLM2-135M-Instruct", base_sha256=SMOLLM2.files[0].sha256,
        held_out=held_out,
    )  # fmt: skip
    write_generator_adapter(folder, fitted.model, card, rank=rank)
    _track(settings, card)
    return Finetuned(fitted, folder, card)


FINETUNES: dict[str, Callable[[Order, Settings, Sequence[Watcher]], Finetuned]] = {
    "reader": _reader,
    "grounded": _grounded,
    "tools": _tools,
}


def _datasets(settings: Settings) -> Path:
    if settings.datasets_dir is None:
        raise DocumentError(
            "the training data", "name the folder of data sets with ROADMAP_DATASETS"
        )
    return settings.datasets_dir


def _recipe(recipe: Recipe, order: Order, run: RunFolder) -> Recipe:
    """Return the recipe that was ordered; of a run that goes on, the one it was begun with."""
    if order.resume:
        return Recipe.from_text(run.read().recipe)
    return replace(recipe, epochs=order.epochs) if order.epochs else recipe


def _folder(order: Order, settings: Settings) -> Path:
    return order.to or settings.data_dir / "adapters" / order.name


def _card(
    order: Order,
    fitted: Fitted,
    examples: Sequence[Example | Chat],
    *,
    purpose: str,
    base: str,
    base_sha256: str,
    rank: int,
    n_parameters: int,
    held_out: str,
    metrics: dict[str, float],
) -> Card:
    return Card(
        name=order.name,
        purpose=purpose,
        base=base,
        base_sha256=base_sha256,
        rank=rank,
        n_parameters=n_parameters,
        recipe=fitted.record.recipe,
        data=described(Counter(one.group.partition("/")[0] for one in examples)),
        held_out=held_out,
        metrics={name: round(value, 4) for name, value in metrics.items()},
        limits=_TOOLS_LIMITS if order.name == "tools" else _READING_LIMITS,
        trained_at=datetime.now(UTC).replace(microsecond=0),
        command=f"p3-rag-chatbot finetune {order.name}",
    )


_READING_LIMITS = (
    "English; trained on encyclopaedic text, reviews and posts, and short requests.",
    "A model of its size is misled by paraphrase and by questions that need two passages.",
)
_TOOLS_LIMITS = (
    "English; trained on requests of one or two sentences, a function at a time.",
    "A model of its size may take any word of a request for an argument that was not said.",
)


def _track(settings: Settings, card: Card) -> None:
    record_run(
        settings.data_dir, experiment=f"p3-{card.name}", run_name=card.name,
        params=card.recipe | {"rank": str(card.rank), "base": card.base},
        metrics=card.metrics, tags={"purpose": card.purpose},
    )  # fmt: skip
