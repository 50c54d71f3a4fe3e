"""How strongly the words around a mention say that it is a parameter's value."""

import re
from collections.abc import Sequence

from p3_rag_chatbot.tool_calling.mentions import Mention
from p3_rag_chatbot.tool_calling.roles import are_alike, cues_of, told_words_of, words_of
from p3_rag_chatbot.tool_calling.schemas import Parameter

_WORD = re.compile(r"\w+(?:['’]\w+)?|[$€£]|[.?!;,](?=\s|$)")
BEFORE, AFTER = 5, 4
NAME, CUE, TOLD = 0.7, 0.5, 0.2
"""Weights of a word of the parameter's name, of a cue, and of its description."""
MORE = 0.15
"""Weight of each further word of the parameter's name."""
_BEHIND = 0.6
"""What is left where the word stands behind a mention that is no number."""
_FADE = 0.8
"""What is left of a weight a word further away."""


class Announcements:
    """The words before and after each mention of a request."""

    def __init__(self, text: str) -> None:
        self._words = [(m.start(), m.end(), m[0].lower()) for m in _WORD.finditer(text)]
        self._near: dict[tuple[int, int], tuple[list[str], list[str]]] = {}

    def of(self, mention: Mention, parameter: Parameter) -> float:
        """Return the weight of the best word before or after a mention; 0 where there is none."""
        at = (mention.start, mention.end)
        if at not in self._near:
            self._near[at] = (_before(mention, self._words), _after(mention, self._words))
        before, after = self._near[at]
        names, cues, told = words_of(parameter), cues_of(parameter), told_words_of(parameter)
        best, said = 0.0, set[str]()
        for words, is_before in ((before, True), (after, False)):
            for distance, word in enumerate(words):
                fade = _FADE**distance
                if not is_before and mention.kind != "number":
                    fade *= _BEHIND
                if any(are_alike(one, word) for one in names):
                    said.add(word)
                    best = max(best, NAME * fade)
                elif any(one == word or (len(one) > 3 and word.startswith(one)) for one in cues):
                    is_near = is_before or len(word) > 3
                    best = max(best, CUE * fade * fade if is_near else 0.0)
                elif any(are_alike(one, word) for one in told):
                    best = max(best, TOLD * fade)
        return best + MORE * max(0, len(said) - 1)


def _before(mention: Mention, words: Sequence[tuple[int, int, str]]) -> list[str]:
    """Return the words before a mention, the nearest first, to the end of the sentence before."""
    found: list[str] = []
    for _, _, word in reversed([one for one in words if one[1] <= mention.start]):
        if word in ".?!;" or len(found) == BEFORE:
            break
        if word != ",":
            found.append(word)
    return found


def _after(mention: Mention, words: Sequence[tuple[int, int, str]]) -> list[str]:
    found: list[str] = []
    for _, _, word in (one for one in words if one[0] >= mention.end):
        if word in ".?!;," or len(found) == AFTER:
            break
        found.append(word)
    return found
