"""Training an adapter of the generator: the recipe, the run, what is measured on the way."""

from collections.abc import Sequence
from pathlib import Path
from random import Random

import torch
from p2_nn_service import Fitted, Keeping, Recipe, RunFolder, Watcher, fit
from torch import nn

from p3_rag_chatbot.errors import DocumentError
from p3_rag_chatbot.training.chats import Chat, ChatBatches
from p3_rag_chatbot.training.generator_network import answer_loss, open_generator, with_adapter

N_HELD_OUT = 64

RECIPE = Recipe(
    epochs=1, batch_size=4, accumulate=4, learning_rate=1e-3, schedule="cosine", warm_up=0.05,
    clip_norm=1.0, channels_last=False,
)  # fmt: skip


def train_generator(
    chats: Sequence[Chat],
    weights: Path,
    *,
    run: RunFolder | None = None,
    recipe: Recipe = RECIPE,
    rank: int = 16,
    max_tokens: int = 768,
    watchers: Sequence[Watcher] = (),
    keeping: Keeping | None = None,
    resume: bool = False,
) -> Fitted:
    """Train the adapter; the record's `held_out_loss` is of conversations of unseen groups."""
    torch.manual_seed(recipe.seed)
    network, encode = open_generator(weights)
    network = with_adapter(network, rank=rank)
    train, held_out = split(chats, seed=recipe.seed)
    options = {"batch_size": recipe.batch_size, "max_tokens": max_tokens, "seed": recipe.seed}
    batches = ChatBatches(train, encode, **options)
    judged = ChatBatches(held_out, encode, **options)
    if not batches.coded or not judged.coded:
        raise DocumentError(
            "the examples", f"too few of at most {max_tokens} tokens: {len(batches.coded)}"
        )

    def evaluate(model: nn.Module) -> dict[str, float]:
        losses = [answer_loss(model, batch).item() for batch in judged.epoch(0)]
        return {"held_out_loss": sum(losses) / len(losses)}

    return fit(
        network, batches, answer_loss, recipe, run=run, evaluate=evaluate,
        judged_by="held_out_loss", watchers=watchers, keeping=keeping, resume=resume,
    )  # fmt: skip


def split(chats: Sequence[Chat], *, seed: int = 0) -> tuple[list[Chat], list[Chat]]:
    """Hold out whole groups, about `N_HELD_OUT` conversations or a tenth of them."""
    groups = sorted({one.group for one in chats})
    Random(seed).shuffle(groups)  # noqa: S311 - a split
    wanted = min(N_HELD_OUT, max(1, len(chats) // 10))
    held: set[str] = set()
    n_held = 0
    for group in groups[:-1]:
        if n_held >= wanted:
            break
        held.add(group)
        n_held += sum(one.group == group for one in chats)
    return (
        [one for one in chats if one.group not in held],
        [one for one in chats if one.group in held],
    )
