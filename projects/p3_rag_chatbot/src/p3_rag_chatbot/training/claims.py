"""Claims that a passage supports or not, made from the passages and questions themselves.

A generated sentence is checked against its passage by what the reader learns here: a sentence of
the passage, whole or shortened, is supported; with another name or number in it, it is not; nor is
a sentence of another passage. A question with its answer is supported, with another answer not.
"""

import re
from collections.abc import Sequence
from random import Random

from p3_rag_chatbot.sentences import sentence_spans
from p3_rag_chatbot.training.examples import Example
from p3_rag_chatbot.training.refusals import NAME, NUMBER

_CLAUSE_END = re.compile(r",\s+(?=(?:and|but|which|who|while|although|because|where|when)\b)")
LEAST_WORDS = 6


def made_claims(examples: Sequence[Example], *, n: int, seed: int = 0) -> list[Example]:
    """Make about `n` claims, near half of them supported, from answerable questions."""
    chance = Random(seed)  # noqa: S311 - a choice of examples
    answerable = [one for one in examples if one.start >= 0 and one.is_question]
    by_group: dict[str, list[Example]] = {}
    for one in answerable:
        by_group.setdefault(one.group, []).append(one)
    kinds = (_copied, _copied, _changed, _changed, _elsewhere, _answered, _answered_wrongly)
    found: list[Example] = []
    while len(found) < n and answerable:
        one = chance.choice(answerable)
        made = chance.choice(kinds)(one, by_group[one.group], chance)
        if made is not None:
            found.append(made)
    return found


def _claim(example: Example, text: str, *, holds: bool) -> Example:
    return Example(text.strip(), example.passage, group=example.group, is_claim=True, holds=holds)


def _sentence(passage: str, chance: Random) -> str | None:
    fit = [
        passage[a:b]
        for a, b in sentence_spans(passage)
        if passage[a:b].count(" ") + 1 >= LEAST_WORDS
    ]
    return chance.choice(fit) if fit else None


def _copied(
    example: Example,
    rivals: Sequence[Example],  # noqa: ARG001 - one signature for all kinds
    chance: Random,
) -> Example | None:
    """A sentence of the passage, sometimes only until its last clause."""
    text = _sentence(example.passage, chance)
    if text is None:
        return None
    clauses = [one.start() for one in _CLAUSE_END.finditer(text)]
    if clauses and chance.random() < 0.4 and text[: clauses[-1]].count(" ") >= LEAST_WORDS:
        text = text[: clauses[-1]] + "."
    return _claim(example, text, holds=True)


def _changed(example: Example, rivals: Sequence[Example], chance: Random) -> Example | None:
    """A sentence of the passage with another name or number of the article in it."""
    text = _sentence(example.passage, chance)
    if text is None:
        return None
    for pattern in chance.sample((NAME, NUMBER), 2):
        own = pattern.findall(text)
        other = chance.choice(rivals).passage + " " + example.passage
        choices = sorted(set(pattern.findall(other)) - set(own))
        if own and choices:
            old = chance.choice(own)
            return _claim(example, text.replace(old, chance.choice(choices), 1), holds=False)
    return None


def _elsewhere(example: Example, rivals: Sequence[Example], chance: Random) -> Example | None:
    """A sentence of another passage of the article."""
    other = chance.choice(rivals).passage
    text = _sentence(other, chance)
    if other == example.passage or text is None or text in example.passage:
        return None
    return _claim(example, text, holds=False)


def _answered(
    example: Example,
    rivals: Sequence[Example],  # noqa: ARG001 - one signature for all kinds
    chance: Random,  # noqa: ARG001 - one signature for all kinds
) -> Example | None:
    """A question and its answer."""
    return _claim(example, f"{example.question} {example.answer}.", holds=True)


def _answered_wrongly(
    example: Example, rivals: Sequence[Example], chance: Random
) -> Example | None:
    """A question and the answer to another one, best of the same passage."""
    same = [one for one in rivals if one.passage == example.passage]
    other = chance.choice(same if len(same) > 1 and chance.random() < 0.7 else rivals).answer
    right = {one.lower() for one in example.accepted}
    if any(other.lower() in one or one in other.lower() for one in right):
        return None
    return _claim(example, f"{example.question} {other}.", holds=False)
