"""What is told of the models' insides."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MAX_TEXT = 4_000
MAX_SENTENCE = 1_000
MAX_ATTENDED = 48
"""Tokens of a sentence whose attention is shown: more are too small to see."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class TokensAsked(_Value):
    """`POST /v1/inside/tokens`."""

    text: Annotated[str, Field(max_length=MAX_TEXT)]


class Token(_Value):
    """A token: its number in the vocabulary, and its piece of text."""

    id: int
    text: str


class Tokenized(_Value):
    """A text as one model reads it."""

    model: str
    tokens: tuple[Token, ...]


class AttentionAsked(_Value):
    """`POST /v1/inside/attention`."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_SENTENCE)]
    layer: Annotated[int, Field(ge=1, description="From 1, next to the input.")] = 1


class Attention(_Value):
    """How far each token of a sentence looks at each other, in every head of one layer."""

    model: str
    tokens: tuple[str, ...]
    layer: int
    n_layers: int
    weights: tuple[tuple[tuple[float, ...], ...], ...] = Field(
        description="By head, by token that looks, by token looked at; each row sums to 1."
    )
    is_cut: bool = Field(description=f"Whether only the first {MAX_ATTENDED} tokens are shown.")


class Point(_Value):
    """A passage on the map."""

    passage_id: str
    document: int = Field(description="Index into the map's documents.")
    x: float
    y: float


class MapDocument(_Value):
    """A document whose passages are on the map."""

    id: str
    title: str


class MeaningMap(_Value):
    """A collection's passages in the plane that shows most of how they differ."""

    collection: str
    embedder: str
    documents: tuple[MapDocument, ...]
    points: tuple[Point, ...]
    n_passages: int = Field(description="Of the collection; a large one is shown in part.")
    shown_variance: float = Field(description="0..1: the plane's share of all differences.")


class Neighbour(_Value):
    """A passage that means nearly the same, by all dimensions."""

    passage_id: str
    cosine: float


class Placed(_Value):
    """A text on the map."""

    x: float
    y: float
    nearest: tuple[Neighbour, ...]


class NextAsked(_Value):
    """`POST /v1/inside/next`: a question, and how its answer begins."""

    prompt: Annotated[str, Field(min_length=1, max_length=MAX_TEXT)]
    answer: Annotated[str, Field(max_length=MAX_TEXT)] = ""


class Candidate(_Value):
    """A token that may come next."""

    text: str
    logprob: float = Field(description="At temperature 1.")


class NextTokens(_Value):
    """The likeliest next tokens, the likeliest first."""

    model: str
    candidates: tuple[Candidate, ...]
