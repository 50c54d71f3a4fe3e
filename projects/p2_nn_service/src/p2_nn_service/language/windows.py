"""Batches of a text: windows of `context` characters and one more, which is what comes next."""

from collections.abc import Iterator

import torch
from torch import Tensor

from p2_nn_service.errors import DatasetError
from p2_nn_service.language.texts import Symbols
from p2_nn_service.training.chance import generator_of
from p2_nn_service.training.loop import Batch


class Windows:
    """Shuffled windows of a text, a function of (seed, epoch, number of the batch).

    An epoch cuts the text anew, from a place of its own, and takes every window once, or the
    first `at_most` batches of them. What does not fill a last batch waits for another epoch.
    """

    def __init__(
        self, symbols: Symbols, context: int, batch_size: int, *, seed: int = 0, at_most: int = 0
    ) -> None:
        self.symbols, self.context, self.seed = torch.from_numpy(symbols), context, seed
        self.n_windows = (len(symbols) - context) // context
        if self.n_windows < 1:
            raise DatasetError(
                f"{len(symbols):,} characters to train on hold no window of {context} and a next "
                "one; lower the context"
            )
        self.batch_size = min(batch_size, self.n_windows)
        n = self.n_windows // self.batch_size
        self._n = min(at_most, n) if at_most else n

    def n_batches(self) -> int:
        """Count the batches of an epoch."""
        return self._n

    def epoch(self, epoch: int, *, start: int = 0) -> Iterator[Batch]:
        """Yield (windows,), int64 (batch_size, context + 1), from batch `start` on."""
        chance = generator_of(self.seed, epoch)
        spare = len(self.symbols) - 1 - self.n_windows * self.context
        first = int(torch.randint(spare + 1, (), generator=chance))
        order = torch.randperm(self.n_windows, generator=chance)
        steps = torch.arange(self.context + 1)
        for k in range(start, self._n):
            chosen = order[k * self.batch_size : (k + 1) * self.batch_size]
            yield (self.symbols[first + self.context * chosen[:, None] + steps],)


def scored_windows(symbols: Symbols, context: int) -> Tensor:
    """Cut a held-out text to windows (n, context + 1) of which the last half is scored.

    Windows overlap by half, so that every scored character has between `context / 2` and
    `context` characters before it, whatever the network.
    """
    if len(symbols) <= context:
        raise DatasetError(
            f"{len(symbols):,} characters held out are no window of {context}; lower the context"
        )
    return torch.from_numpy(symbols).unfold(0, context + 1, max(1, context // 2))
