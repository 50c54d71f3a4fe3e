"""Which function a request wants, or that none of those offered does.

Evidence for a function: how near its name, description and parameters are to the request as
vectors, which rare words they share, whether both do the same kind of thing (`actions.py`), how
much of what the function requires the request says (`filling.py`), and, where there is a reader,
whether it finds the request to want the function. The evidence is weighed twice: to order the
functions that are offered, and to say whether the first is wanted at all.
"""

import math
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from threading import Lock

import numpy as np

from p3_rag_chatbot.ports import Embedder, Reader, Vectors
from p3_rag_chatbot.reading.asking import asks_function, in_words
from p3_rag_chatbot.retrieval.terms import terms
from p3_rag_chatbot.tool_calling.actions import agreement
from p3_rag_chatbot.tool_calling.filling import ArgumentFiller, Filled
from p3_rag_chatbot.tool_calling.finding import Said
from p3_rag_chatbot.tool_calling.schemas import Function

MAX_EMBEDDED = 1_500
"""Characters of a request that are embedded."""
N_LOOKED_INTO = 12
"""Functions whose arguments are tried; the others are too far off."""
FOREIGN_SHARE, NEUTRAL = 0.3, 0.3
N_REMEMBERED = 4_096
_GENERAL = frozenset(
    terms(
        "please get show tell give want need like specified value string number format example use"
    )
)
"""Stems that requests and descriptions share whatever they are about."""


@dataclass(frozen=True)
class Evidence:
    """What speaks for a function; each about 0 to 1, `action` -1 to 1."""

    likeness: float
    action: float
    missing: float
    said: float
    rare_words: float
    parameter_words: float
    covered: float
    claim: float = 0.0


@dataclass(frozen=True)
class Weighing:
    """Weights of the evidence, and what is added."""

    weights: Evidence
    constant: float = 0.0

    def of(self, evidence: Evidence) -> float:
        """Return the weighted sum."""
        pairs = zip(astuple(self.weights), astuple(evidence), strict=True)
        return self.constant + sum(weight * value for weight, value in pairs)


ORDER = Weighing(Evidence(14.7, 2.2, -2.5, 4.2, 3.5, 2.8, 11.8))
FIT = Weighing(Evidence(6.3, 0.2, -7.0, 1.5, 0.0, 2.5, 0.0), -1.6)
"""Fitted on the development slice of `benchmarks/rag_tools.py` (`--fit`); from 0 on it is wanted.

The claim weighs nothing yet: the reader's support is measured for it there (`--claims`).
"""


@dataclass(frozen=True)
class Candidate:
    """A function with its arguments, its place among the others, and whether it is wanted."""

    function: Function
    filled: Filled
    evidence: Evidence
    order: float
    fit: float


class Chooser:
    """Orders functions by what speaks for them."""

    def __init__(
        self,
        embedder: Embedder,
        tries: ArgumentFiller,
        reader: Reader | None = None,
        *,
        order: Weighing = ORDER,
        fit: Weighing = FIT,
    ) -> None:
        self.embedder, self.reader, self.tries = embedder, reader, tries
        self.order, self.fit = order, fit
        self._vectors = _Remembered(embedder)

    def ranked(self, said: Said, functions: Sequence[Function]) -> list[Candidate]:
        """Return the functions that are near enough to be looked into, the best first."""
        if not functions:
            return []
        likeness = self._likeness(said, functions)
        near = [int(at) for at in np.argsort(-likeness)[:N_LOOKED_INTO]]
        shared = _Shared(said.text, functions)
        claims = self._claims(said, [functions[at] for at in near])
        found: list[Candidate] = []
        for at, claim in zip(near, claims, strict=True):
            function = functions[at]
            filled = self.tries.fill(said, function)
            evidence = Evidence(
                likeness=float(likeness[at]),
                action=agreement(function, said.text),
                missing=len(filled.missing) / 4,
                said=min(filled.n_said, 4) / 4,
                rare_words=shared.rare(at),
                parameter_words=shared.of_parameters(at),
                covered=shared.covered(at),
                claim=claim,
            )
            found.append(
                Candidate(
                    function, filled, evidence, self.order.of(evidence), self.fit.of(evidence)
                )
            )
        return sorted(found, key=lambda one: -one.order)

    def _likeness(self, said: Said, functions: Sequence[Function]) -> Vectors:
        """Return the mean cosine of each function's four readings to the request."""
        texts = [text for one in functions for text in _readings(one)]
        request = self.embedder.embed([said.text[:MAX_EMBEDDED]])[0]
        likeness = (self._vectors.of(texts) @ request).reshape(len(functions), -1).mean(axis=1)
        n_foreign = sum(not letter.isascii() for letter in said.text)
        # the embedder knows English: of other scripts it can say nothing
        is_foreign = n_foreign > len(said.text) * FOREIGN_SHARE
        return np.maximum(likeness, NEUTRAL) if is_foreign else likeness

    def _claims(self, said: Said, functions: Sequence[Function]) -> list[float]:
        weighs = self.order.weights.claim or self.fit.weights.claim
        if self.reader is None or not weighs:
            return [0.0] * len(functions)
        pairs = [(asks_function(one.name, one.description), said.text) for one in functions]
        return self.reader.support(pairs)


def _readings(function: Function) -> tuple[str, ...]:
    name, told = in_words(function.name), function.description or in_words(function.name)
    parameters = ", ".join(in_words(one.name) for one in function.parameters)
    return name, told, f"{name}: {told}", f"{name}: {told} ({parameters})"


class _Remembered:
    """Vectors of texts that come again: a client sends the same tools with each request."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = Lock()

    def of(self, texts: Sequence[str]) -> Vectors:
        with self._lock:
            known = {text: self._known[text] for text in texts if text in self._known}
        new = list(dict.fromkeys(text for text in texts if text not in known))
        if new:
            known |= dict(zip(new, self._embedder.embed(new), strict=True))
        with self._lock:
            for text in texts:
                self._known[text] = known[text]
                self._known.move_to_end(text)
            while len(self._known) > N_REMEMBERED:
                self._known.popitem(last=False)
        return np.stack([known[text] for text in texts])


def _stems(text: str) -> frozenset[str]:
    return frozenset(terms(text)) - _GENERAL


class _Shared:
    """Stems that a request shares with each function; rare ones are those few functions have."""

    def __init__(self, text: str, functions: Sequence[Function]) -> None:
        self._request = _stems(text)
        self._told = [_stems(f"{in_words(one.name)} {one.description}") for one in functions]
        self._of_parameters = [
            _stems(
                " ".join(
                    f"{in_words(p.name)} {' '.join(map(str, p.choices[:50]))}"
                    for p in one.parameters
                )
            )
            for one in functions
        ]
        self._counts = Counter(stem for told in self._told for stem in told)
        self._n = len(functions)

    def rare(self, at: int) -> float:
        return sum(
            math.log((self._n + 1) / self._counts[stem]) if self._n > 1 else 1.0
            for stem in self._told[at] & self._request
        ) / 5  # fmt: skip

    def of_parameters(self, at: int) -> float:
        return len(self._of_parameters[at] & self._request) / 4

    def covered(self, at: int) -> float:
        known = self._told[at] | self._of_parameters[at]
        return len(self._request & known) / max(1, len(self._request))
