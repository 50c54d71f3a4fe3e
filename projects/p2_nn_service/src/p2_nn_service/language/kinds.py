"""The kinds of network that read a text, by name. No torch."""

from typing import Literal, get_args

BodyKind = Literal["rnn", "lstm", "transformer"]
KINDS: tuple[BodyKind, ...] = get_args(BodyKind)
