"""Questions that look answerable and are not, made from questions that are.

Four kinds, after what annotators of SQuAD 2.0 did (Rajpurkar et al. 2018, table 1): the nearest
passage of the same article instead of the right one; the right passage without the sentence that
answers; another name or number of the passage in the question's place; the question turned round
by a negation or an antonym. Some few stay answerable by chance: that is the noise of the method.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from p3_rag_chatbot.sentences import sentence_spans
from p3_rag_chatbot.training.examples import Example

_WORD = re.compile(r"\w+")
NAME = re.compile(r"(?<!^)(?<![.!?] )\b[A-Z][\w’'-]+(?: (?:of |the |and )?[A-Z][\w’'-]+)*")
NUMBER = re.compile(r"\b\d[\d,.]*\d\b|\b\d\b")
_NO_NAME_WORDS = """
    January February March April May June July August September October November December
    Monday Tuesday Wednesday Thursday Friday Saturday Sunday The This That These Those It He
    She They His Her Their In On At By For From With And But As If When While After Before I
"""
_NO_NAME = frozenset(_NO_NAME_WORDS.split())
_AUXILIARY = re.compile(
    r"\b(is|are|was|were|does|do|did|has|have|had|can|could|will|would|should)\b", re.IGNORECASE
)
_ANTONYMS = (
    ("more", "less"), ("most", "least"), ("first", "last"), ("before", "after"),
    ("larger", "smaller"), ("largest", "smallest"), ("higher", "lower"), ("highest", "lowest"),
    ("best", "worst"), ("better", "worse"), ("increase", "decrease"), ("increased", "decreased"),
    ("north", "south"), ("northern", "southern"), ("east", "west"), ("eastern", "western"),
    ("male", "female"), ("men", "women"), ("won", "lost"), ("win", "lose"), ("began", "ended"),
    ("begin", "end"), ("start", "end"), ("started", "ended"), ("early", "late"), ("old", "new"),
    ("older", "younger"), ("oldest", "youngest"), ("long", "short"), ("longest", "shortest"),
    ("major", "minor"), ("majority", "minority"), ("maximum", "minimum"), ("always", "never"),
    ("all", "none"), ("many", "few"), ("positive", "negative"), ("public", "private"),
    ("allowed", "forbidden"), ("accept", "reject"), ("accepted", "rejected"), ("found", "lost"),
    ("strong", "weak"), ("stronger", "weaker"), ("rich", "poor"), ("open", "closed"),
    ("gained", "lost"), ("created", "destroyed"), ("built", "demolished"), ("born", "killed"),
    ("internal", "external"), ("successful", "failed"), ("common", "rare"), ("light", "dark"),
    ("hot", "cold"), ("right", "left"), ("upper", "lower"), ("inside", "outside"),
    ("opposed", "supported"), ("support", "oppose"), ("agree", "disagree"), ("easy", "hard"),
    ("rise", "fall"), ("rose", "fell"), ("bought", "sold"), ("arrived", "departed"),
    ("like", "dislike"), ("love", "hate"), ("liked", "disliked"), ("good", "bad"),
    ("modern", "ancient"), ("rural", "urban"), ("enemy", "ally"), ("peace", "war"),
)  # fmt: skip
_OPPOSITE = {a: b for pair in _ANTONYMS for a, b in (pair, pair[::-1])}


class Refusals:
    """Makes refusals; knows every passage of a group, to take rivals and names from."""

    def __init__(self, examples: Sequence[Example]) -> None:
        passages: dict[str, dict[str, None]] = defaultdict(dict)
        for one in examples:
            passages[one.group].setdefault(one.passage)
        self.passages = {group: list(texts) for group, texts in passages.items()}
        self.words = {
            text: Counter(_WORD.findall(text.lower()))
            for texts in self.passages.values()
            if len(texts) > 1
            for text in texts
        }

    def make(self, example: Example, chance: Random) -> Example | None:
        """Return an unanswerable form of an answerable question, or none where no kind fits."""
        kinds = [self.elsewhere, self.without_its_sentence, self.swapped, self.turned]
        chance.shuffle(kinds)
        for kind in kinds:
            if (made := kind(example, chance)) is not None:
                return made
        return None

    def elsewhere(self, example: Example, chance: Random) -> Example | None:
        """Ask it of one of the article's three passages that share most words with it."""
        rivals = self.passages.get(example.group, [])
        if len(rivals) < 2:
            return None
        asked = set(_WORD.findall(example.question.lower()))
        some = rivals if len(rivals) <= 30 else chance.sample(rivals, 30)
        answer = example.answer.lower()
        fit = [text for text in some if text != example.passage and answer not in text.lower()]
        fit.sort(key=lambda text: -sum(word in self.words[text] for word in asked))
        return _unanswerable(example, passage=chance.choice(fit[:3])) if fit else None

    def without_its_sentence(self, example: Example, chance: Random) -> Example | None:  # noqa: ARG002 - one signature for all kinds
        """Take the sentence that answers out of the passage."""
        spans = sentence_spans(example.passage)
        left = [(a, b) for a, b in spans if b <= example.start or a >= example.end]
        text = " ".join(example.passage[a:b] for a, b in left)
        if len(left) < 2 or len(left) == len(spans) or example.answer.lower() in text.lower():
            return None
        return _unanswerable(example, passage=text)

    def swapped(self, example: Example, chance: Random) -> Example | None:
        """Put another name or number of the passage in the place of one in the question."""
        for pattern in chance.sample((NAME, NUMBER), 2):
            asked = [one for one in pattern.findall(example.question) if one in example.passage]
            other = sorted(set(pattern.findall(example.passage)))
            other = [
                one
                for one in other
                if one not in example.question
                and one not in example.answer
                and one.split()[0] not in _NO_NAME
            ]
            if asked and other:
                old = chance.choice(asked)
                question = example.question.replace(old, chance.choice(other), 1)
                return _unanswerable(example, question=question)
        return None

    def turned(self, example: Example, chance: Random) -> Example | None:
        """Turn the question round: an antonym where it has one, else a negation."""
        words = example.question.split(" ")
        places = [at for at, word in enumerate(words) if word.lower() in _OPPOSITE]
        if places:
            at = chance.choice(places)
            words[at] = _OPPOSITE[words[at].lower()]
            return _unanswerable(example, question=" ".join(words))
        auxiliary = _AUXILIARY.search(example.question)
        if auxiliary is None or chance.random() < 0.5:
            return None
        return _unanswerable(example, question=_negated(example.question, auxiliary, chance))


def _negated(question: str, auxiliary: re.Match[str], chance: Random) -> str:
    """Negate an auxiliary: `n't`, `not` or `never`, so that no one word tells."""
    until, behind = question[: auxiliary.end()], question[auxiliary.end() :]
    if chance.random() < 0.4 and auxiliary[0].lower() not in {"can", "will"}:
        return f"{until}n't{behind}"
    return f"{until} {'never' if chance.random() < 0.4 else 'not'}{behind}"


def _unanswerable(example: Example, *, question: str = "", passage: str = "") -> Example:
    return replace(
        example, question=question or example.question, passage=passage or example.passage,
        start=-1, end=-1, accepted=(), holds=False,
    )  # fmt: skip
