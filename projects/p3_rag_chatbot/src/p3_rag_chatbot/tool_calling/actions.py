"""What kind of doing a request asks for and a function does: to find, to book, to delete.

Two functions over the same things differ by it, and their vectors hardly do.
"""

import re
from functools import lru_cache

from p3_rag_chatbot.reading.asking import in_words
from p3_rag_chatbot.tool_calling.schemas import Function

ACTIONS: dict[str, str] = {
    "find": "find search look lookup locate browse discover explore seek filter query looking "
    "searching searches finds interested suggest recommend available availability",
    "get": "get retrieve fetch show list tell give provide check see view display what which who "
    "when where how know read obtain retrieves fetches returns gets provides checks details",
    "book": "book reserve buy purchase order schedule rent reservation appointment books reserves "
    "purchases orders buying booking scheduling",
    "create": "create add make new register insert generate open start set build compose write "
    "creates adds registers generates setup submit record log save append",
    "change": "update change modify edit set rename move switch adjust alter replace updates "
    "modifies changes convert swap exchange",
    "delete": "delete remove cancel clear drop erase unsubscribe destroy deletes removes cancels",
    "send": "send email mail message transfer pay share forward text post notify sends transfers "
    "reply payment publish",
    "request": "request ask demand requests invoice charge",
    "play": "play stream watch listen plays streams pause resume",
    "compute": "calculate compute sum multiply divide add subtract estimate solve convert count "
    "calculates computes product average determine factorial area evaluate",
    "run": "run execute launch open start command runs executes perform call invoke stop shut turn",
    "translate": "translate translation translates",
}
_KINDS: dict[str, frozenset[str]] = {}
for _kind, _listed in ACTIONS.items():
    for _word in _listed.split():
        _KINDS[_word] = _KINDS.get(_word, frozenset()) | {_kind}
_WORD = re.compile(r"[a-z]+")
_NEAR = {frozenset({"find", "get"}), frozenset({"run", "create"}), frozenset({"create", "change"})}


@lru_cache(maxsize=4096)
def actions_of(function: Function) -> frozenset[str]:
    """Return what a function does, by the verbs of its name, else of its description."""
    name = [_KINDS[word] for word in _WORD.findall(in_words(function.name)) if word in _KINDS]
    if name:
        return frozenset().union(*name)
    told = _WORD.findall(function.description.lower())[:3]
    return frozenset().union(*(_KINDS[word] for word in told if word in _KINDS))


def asked_actions(text: str) -> frozenset[str]:
    """Return what a request asks for, by its first verbs."""
    found = [_KINDS[word] for word in _WORD.findall(text.lower()) if word in _KINDS]
    return frozenset().union(*found[:4])


def agreement(function: Function, text: str) -> float:
    """Return 1 where request and function do the same, 0 where one does not say, else -1."""
    does, asked = actions_of(function), asked_actions(text)
    if not does or not asked:
        return 0.0
    if does & asked:
        return 1.0
    if any(frozenset({a, b}) in _NEAR for a in does for b in asked):
        return 0.5
    return -1.0
