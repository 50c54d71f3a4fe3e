"""Conversations that a generator learns to finish: a prompt, and the answer that is wanted.

Text becomes tokens by the model's own template (ChatML); the loss is on the answer alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

import torch
from torch import Tensor

Batch = tuple[Tensor, ...]
IGNORED = -100
"""A target that has no loss (torch's own mark)."""
POOL_BATCHES = 16


class Encodes(Protocol):
    """What is needed of a tokenizer of transformers."""

    def __call__(self, text: str) -> dict[str, list[int]]:
        """Return `input_ids`."""
        ...


@dataclass(frozen=True)
class Chat:
    """A conversation and its answer; `group` is never split between training and held out."""

    system: str
    user: str
    answer: str
    group: str = ""

    @property
    def prompt(self) -> str:
        """The conversation as the model reads it."""
        return (
            f"<|im_start|>system\n{self.system}<|im_end|>\n"
            f"<|im_start|>user\n{self.user}<|im_end|>\n<|im_start|>assistant\n"
        )


class ChatBatches:
    """P2's `Batches` over conversations: (ids, mask, targets), sorted by length within pools.

    A conversation longer than `max_tokens` is left out: cut, its answer would not follow from it.
    """

    def __init__(
        self,
        chats: Sequence[Chat],
        encode: Encodes,
        *,
        batch_size: int,
        max_tokens: int = 768,
        seed: int = 0,
    ) -> None:
        coded = [_coded(one, encode) for one in chats]
        self.coded = [one for one in coded if len(one[0]) <= max_tokens]
        self.n_left_out = len(coded) - len(self.coded)
        self.batch_size, self.seed = batch_size, seed

    def n_batches(self) -> int:
        """Count the whole batches of an epoch."""
        return max(1, len(self.coded) // self.batch_size)

    def epoch(self, epoch: int, *, start: int = 0) -> Iterator[Batch]:
        """Yield an epoch's batches from number `start` on."""
        chance = Random(f"{self.seed}/{epoch}")  # noqa: S311 - a shuffle
        order = chance.sample(range(len(self.coded)), len(self.coded))
        in_pool = POOL_BATCHES * self.batch_size
        groups: list[list[int]] = []
        for first in range(0, self.n_batches() * self.batch_size, in_pool):
            pool = sorted(order[first : first + in_pool], key=lambda at: len(self.coded[at][0]))
            cut = [pool[at : at + self.batch_size] for at in range(0, len(pool), self.batch_size)]
            chance.shuffle(cut)
            groups += cut
        for group in groups[start : self.n_batches()]:
            yield as_batch([self.coded[at] for at in group])


def _coded(chat: Chat, encode: Encodes) -> tuple[list[int], int]:
    """Return the tokens of prompt and answer, and how many are the prompt's."""
    prompt = encode(chat.prompt)["input_ids"]
    return prompt + encode(f"{chat.answer}<|im_end|>")["input_ids"], len(prompt)


def as_batch(coded: Sequence[tuple[list[int], int]]) -> Batch:
    """Pad on the right to the longest; targets are the tokens of the answers."""
    longest = max(len(ids) for ids, _ in coded)
    ids, mask = (torch.zeros(len(coded), longest, dtype=torch.long) for _ in range(2))
    targets = torch.full((len(coded), longest), IGNORED)
    for row, (one, n_prompt) in enumerate(coded):
        ids[row, : len(one)] = torch.tensor(one)
        mask[row, : len(one)] = 1
        targets[row, n_prompt : len(one)] = torch.tensor(one[n_prompt:])
    return ids, mask, targets
