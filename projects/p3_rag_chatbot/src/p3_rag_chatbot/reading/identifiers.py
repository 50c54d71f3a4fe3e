"""Names that a question writes as code, and the sentences that speak of them.

A reader that learned from prose does not tell `P3_RERANKER` from `P3_N_CANDIDATES` in a table of
settings: both are a few strange word pieces. Whoever writes a name as code means that very name.
"""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_CODE = re.compile(
    r"`(?P<quoted>[^`\n]+)`"
    r"|(?<![\w/-])(?P<flag>--[a-z][\w-]*\w)"
    r"|(?<![\w-])(?P<path>/\w[\w.-]*(?:/[\w{}.-]*\w[}]?)+)"
    r"|(?<!\w)(?P<snake>\w*[^\W_]_[^\W_]\w*|__[^\W_]\w*__)",
)


def identifiers(question: str) -> frozenset[str]:
    """Return the names in a question that are written as code.

    They are in backticks, flags (`--port`), paths (`/v1/models`) or joined by underscores.
    """
    found = (one[one.lastgroup or 0] for one in _CODE.finditer(question))
    return frozenset(name.strip() for name in found if name.strip())


def holds(text: str, names: frozenset[str]) -> bool:
    """Whether all names stand in a text, each as a whole: `P3_PORT` is not in `P3_PORTS`."""
    return all(_whole(name).search(text) for name in names)


def speaking(
    passage: str, starts: Sequence[int], names: frozenset[str]
) -> NDArray[np.bool_] | None:
    """Say of each sentence, given where they begin, whether it speaks of a name; None: no matter.

    Those do that hold one, and the sentence behind, which may go on about it ("It is 30 s"), but
    not the row behind a row. It is no matter where the passage holds none or nothing is named.
    """
    if not names:
        return None
    ends = [*starts[1:], len(passage)]
    sentences = [passage[start:end] for start, end in zip(starts, ends, strict=True)]
    patterns = [_whole(name) for name in names]
    held = np.array([any(one.search(text) for one in patterns) for text in sentences])
    if not held.any():
        return None
    goes_on = np.array([False, *(not text.endswith("\n") for text in sentences[:-1])])
    return held | (np.roll(held, 1) & goes_on)


def _whole(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
