"""Networks that say which character comes next: recurrent ones and a causal Transformer.

One shell, three bodies: numbers of characters (n, steps) become vectors (n, steps, width), the body
lets each step know of those before it, a linear layer reads what comes next. Networks are compared
at one number of parameters, so a body is as wide as that number allows.
"""

from bisect import bisect_left
from functools import cache

import torch
from torch import Tensor, nn
from typing_extensions import override

from p2_nn_service.errors import RecipeError
from p2_nn_service.language.kinds import KINDS, BodyKind
from p2_nn_service.models.building import n_parameters
from p2_nn_service.models.transformer import Block

N_LAYERS = 2
N_HEADS = 4
_START: dict[BodyKind, float] = {"rnn": 1.0, "lstm": 1.0, "transformer": 0.1}
"""Spread of embeddings at the start, the best of 0.02, 0.1 and 1 for each kind; a Transformer's
positions have the same, so that neither hides the other."""
_NEAR = 0.2
"""By which share the parameters of a network may miss the number asked for."""


class Recurrent(nn.Module):
    """Layers of an Elman network or an LSTM: what is known goes from step to step, in its state."""

    def __init__(self, kind: BodyKind, width: int) -> None:
        super().__init__()
        make = nn.LSTM if kind == "lstm" else nn.RNN
        self.cell = make(width, width, N_LAYERS, batch_first=True)
        if kind == "lstm":
            for name, parameter in self.cell.named_parameters():
                if name.startswith("bias_ih"):  # the gates stand in the order i, f, g, o
                    with torch.no_grad():
                        parameter[width : 2 * width].fill_(1.0)

    @override
    def forward(self, x: Tensor) -> Tensor:
        states, _ = self.cell(x)
        return states


class Causal(nn.Module):
    """Transformer blocks in which a step looks at itself and at all before it, at once."""

    def __init__(self, width: int, context: int) -> None:
        super().__init__()
        self.positions = nn.Parameter(_START["transformer"] * torch.randn(1, context, width))
        self.blocks = nn.Sequential(
            *(Block(width, N_HEADS, 0.0, is_causal=True) for _ in range(N_LAYERS))
        )
        self.norm = nn.LayerNorm(width)

    @override
    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.blocks(x + self.positions[:, : x.shape[1]]))


class LanguageNetwork(nn.Module):
    """Symbols (n, steps), at most `context` of them, to logits of each next one (n, steps, k)."""

    def __init__(self, kind: BodyKind, n_symbols: int, width: int, context: int) -> None:
        super().__init__()
        self.kind: BodyKind = kind
        self.width, self.context = width, context
        self.embedding = nn.Embedding(n_symbols, width)
        nn.init.normal_(self.embedding.weight, std=_START[kind])
        self.body = Causal(width, context) if kind == "transformer" else Recurrent(kind, width)
        self.head = nn.Linear(width, n_symbols)

    def read(self, embedded: Tensor) -> Tensor:
        """Return the logits for symbols that are vectors already: (n, steps, width)."""
        return self.head(self.body(embedded))

    @override
    def forward(self, symbols: Tensor) -> Tensor:
        return self.read(self.embedding(symbols))


def build_language(
    kind: str, n_symbols: int, *, context: int, n_wanted: int, seed: int = 0
) -> LanguageNetwork:
    """Make a network of about `n_wanted` parameters, its weights drawn from `seed`.

    A Transformer's width is a multiple of its heads; the others come as near as one unit allows.
    Raises `RecipeError` for an unknown kind, or when no width comes near the number.
    """
    known = next((one for one in KINDS if one == kind), None)
    if known is None:
        raise RecipeError(f"there is no language network {kind!r}; accepted: {', '.join(KINDS)}")
    if context < 1:
        raise RecipeError(f"context is {context}; accepted: 1 or more characters")
    width = _width_for(known, n_symbols, context, n_wanted)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LanguageNetwork(known, n_symbols, width, context)


def _width_for(kind: BodyKind, n_symbols: int, context: int, n_wanted: int) -> int:
    """Return the width whose network comes nearest to the number of parameters."""
    step = N_HEADS if kind == "transformer" else 1
    widths = range(step, 4096, step)
    at = bisect_left(widths, n_wanted, key=lambda w: _count(kind, n_symbols, w, context))
    near = widths[max(0, at - 1) : at + 1]
    found = min(near, key=lambda w: abs(_count(kind, n_symbols, w, context) - n_wanted))
    count = _count(kind, n_symbols, found, context)
    if abs(count - n_wanted) > _NEAR * n_wanted:
        raise RecipeError(
            f"no {kind} that reads {n_symbols} different characters, {context} at a time, has "
            f"about {n_wanted:,} parameters; the nearest has {count:,}"
        )
    return found


@cache
def _count(kind: BodyKind, n_symbols: int, width: int, context: int) -> int:
    with torch.device("meta"):
        return n_parameters(LanguageNetwork(kind, n_symbols, width, context))
