"""Names that a question writes as code, and the texts that hold them.

A reader that learned from prose does not tell `P3_RERANKER` from `P3_N_CANDIDATES` in a table of
settings: both are a few strange word pieces. Whoever writes a name as code means that very name.
"""

import re
from functools import lru_cache

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


def speaks_of(text: str, names: frozenset[str]) -> bool:
    """Whether a text holds one of the names."""
    return any(_whole(name).search(text) for name in names)


@lru_cache(maxsize=256)
def _whole(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
