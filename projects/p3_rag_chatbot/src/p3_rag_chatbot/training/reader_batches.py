"""Batches for the reader: cut, tokenised and sorted by length; the same ones for the same epoch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import torch
from tokenizers import Encoding, Tokenizer
from torch import Tensor

from p3_rag_chatbot.sentences import sentence_spans
from p3_rag_chatbot.training.examples import Example
from p3_rag_chatbot.training.refusals import Refusals

Batch = tuple[Tensor, ...]
POOL_BATCHES = 48
"""Batches whose examples are sorted by length together, so that little is padded."""


@dataclass(frozen=True)
class Cutting:
    """How examples vary from epoch to epoch.

    Of the answerable questions `refusal_share` are asked a second time without an answer. A share
    `short_share` of the passages is cut to whole sentences of at most `short_words` words, which
    makes an epoch quicker and answers stand anywhere.
    """

    max_tokens: int = 320
    refusal_share: float = 0.5
    short_share: float = 0.75
    short_words: int = 70


class ReaderBatches:
    """P2's `Batches` over examples: (ids, mask, types, start, end, holds, has_span) of each.

    An epoch of the loop is one of `n_parts` parts of a pass over the examples, so that a long pass
    is judged and kept on its way.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        tokenizer: Tokenizer,
        *,
        batch_size: int = 32,
        cutting: Cutting = Cutting(),
        n_parts: int = 1,
        seed: int = 0,
    ) -> None:
        self.examples, self.tokenizer, self.cutting = list(examples), tokenizer, cutting
        self.refusals = Refusals([one for one in examples if not one.is_claim])
        self.batch_size, self.n_parts, self.seed = batch_size, n_parts, seed
        tokenizer.enable_truncation(cutting.max_tokens, strategy="only_second")
        tokenizer.no_padding()
        answerable = [
            at for at, one in enumerate(self.examples) if one.start >= 0 and one.is_question
        ]
        n_refused = round(len(answerable) * cutting.refusal_share)
        self.n_items = len(self.examples) + n_refused
        self.answerable, self.n_refused = answerable, n_refused

    def n_batches(self) -> int:
        """Count the whole batches of an epoch; what is left over waits for another shuffle."""
        return max(1, self.n_items // (self.batch_size * self.n_parts))

    def epoch(self, epoch: int, *, start: int = 0) -> Iterator[Batch]:
        """Yield an epoch's batches from number `start` on."""
        number, part = divmod(epoch, self.n_parts)
        chance = Random(f"{self.seed}/{number}")  # noqa: S311 - a shuffle
        items = [(at, False) for at in range(len(self.examples))]
        items += [(at, True) for at in chance.sample(self.answerable, self.n_refused)]
        chance.shuffle(items)
        items = items[part * self.n_batches() * self.batch_size :]
        in_pool = POOL_BATCHES * self.batch_size
        for first in range(0, self.n_batches() * self.batch_size, in_pool):
            size = min(in_pool, self.n_batches() * self.batch_size - first)
            n_batches = max(1, size // self.batch_size)
            behind = first // self.batch_size
            if behind + n_batches <= start:
                continue
            pool = self._pool(items[first : first + size], epoch, behind)
            yield from pool[max(0, start - behind) :]

    def _pool(self, items: Sequence[tuple[int, bool]], epoch: int, behind: int) -> list[Batch]:
        made = [self._made(at, is_refused, epoch) for at, is_refused in items]
        codes = self.tokenizer.encode_batch([(one.question, one.passage) for one in made])
        order = sorted(range(len(made)), key=lambda at: len(codes[at].ids))
        size = self.batch_size
        groups = [order[at : at + size] for at in range(0, len(order), size)]
        Random(f"{self.seed}/{epoch}/{behind}").shuffle(groups)  # noqa: S311 - a shuffle
        return [
            as_batch([codes[at] for at in group], [made[at] for at in group]) for group in groups
        ]

    def _made(self, at: int, is_refused: bool, epoch: int) -> Example:
        chance = Random(f"{self.seed}/{epoch}/{at}/{is_refused}")  # noqa: S311 - a choice
        example = self.examples[at]
        if is_refused:
            example = self.refusals.make(example, chance) or example
        if chance.random() < self.cutting.short_share:
            example = cut_short(example, self.cutting.short_words, chance)
        return example


def cut_short(example: Example, n_words: int, chance: Random) -> Example:
    """Cut the passage to neighbouring whole sentences that hold the answer, up to `n_words`.

    A question without an answer keeps its passage: the words that mislead may stand anywhere.
    """
    if example.start < 0:
        return example
    spans = sentence_spans(example.passage)
    first = next((k for k, (_, end) in enumerate(spans) if end > example.start), None)
    if first is None:
        return example
    last = next((k for k, (_, end) in enumerate(spans) if end >= example.end), len(spans) - 1)
    counted = [example.passage[a:b].count(" ") + 1 for a, b in spans]
    left = n_words - sum(counted[first : last + 1])
    while True:
        grown = [k for k in (first - 1, last + 1) if 0 <= k < len(spans) and counted[k] <= left]
        if not grown:
            break
        k = chance.choice(grown)
        first, last, left = min(first, k), max(last, k), left - counted[k]
    start, end = spans[first][0], max(spans[last][1], example.end)
    return example.over(example.passage[start:end], example.start - start)


def as_batch(codes: Sequence[Encoding], examples: Sequence[Example]) -> Batch:
    """Pad encodings to the longest; targets of what was cut off are those of no answer."""
    longest = max(len(code.ids) for code in codes)
    ids, mask, types = (torch.zeros(len(codes), longest, dtype=torch.long) for _ in range(3))
    starts, ends, holds, spans = (torch.zeros(len(codes)) for _ in range(4))
    for row, (code, one) in enumerate(zip(codes, examples, strict=True)):
        n = len(code.ids)
        ids[row, :n] = torch.tensor(code.ids)
        mask[row, :n] = 1
        types[row, :n] = torch.tensor(code.type_ids)
        first = code.char_to_token(one.start, 1) if one.start >= 0 else None
        last = code.char_to_token(one.end - 1, 1) if one.start >= 0 else None
        is_whole = first is not None and last is not None
        starts[row], ends[row] = (first, last) if is_whole else (0, 0)
        holds[row] = float(one.holds and (one.is_claim or is_whole))
        spans[row] = float(not one.is_claim)
    return ids, mask, types, starts.long(), ends.long(), holds, spans
