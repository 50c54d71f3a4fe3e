"""When two short answers say the same, as SQuAD defines it: exact match and token F1.

Text alone, without statistics, so that what serves may compare answers too. Read next:
`answers.py`.
"""

import re
import string
from collections import Counter
from collections.abc import Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalise_answer(text: str) -> str:
    """Lowercase; drop punctuation, articles and extra space."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split())


def exact_match(predicted: str, accepted: Sequence[str]) -> float:
    """Return 1 when the prediction is an accepted answer, both normalised; none accepts ''."""
    answer = normalise_answer(predicted)
    return float(any(answer == normalise_answer(one) for one in _or_none(accepted)))


def token_f1(predicted: str, accepted: Sequence[str]) -> float:
    """Return the best F1 over shared tokens; 1 or 0 where either side has none."""
    return max(
        _f1(normalise_answer(predicted), normalise_answer(one)) for one in _or_none(accepted)
    )


def _or_none(accepted: Sequence[str]) -> Sequence[str]:
    real = [one for one in accepted if normalise_answer(one)]
    return real or [""]


def _f1(predicted: str, accepted: str) -> float:
    ours, theirs = predicted.split(), accepted.split()
    if not ours or not theirs:
        return float(ours == theirs)
    shared = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * shared / (len(ours) + len(theirs))
