"""Source code of any language: functions and classes are its headings, found by their first lines.

What stands right above a definition (comments, decorators, attributes) belongs to it.
"""

import re

from p3_rag_chatbot.ingestion.documents import DocumentBuilder, clean
from p3_rag_chatbot.ingestion.loaders.encodings import decode
from p3_rag_chatbot.ingestion.loaders.limits import Limits

_MODIFIERS = (
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|override|"
    r"virtual|inline|extern|unsafe|sealed|partial|open|data|pub(?:\([a-z]+\))?)\s+)*"
)
_DEFINITION = re.compile(
    rf"^(?P<indent>[ \t]*){_MODIFIERS}"
    r"(?P<kind>def|class|function\*?|func|fn|fun|sub|procedure|interface|struct|enum|trait|impl|module|"
    r"namespace|type|record|object|protocol|extension|mod)\s+(?P<name>[A-Za-z_$(<][^\n]*)",
)
# A function of C and its kin: a type, a name, arguments, and a brace at the end, at the margin.
_C_FUNCTION = re.compile(
    r"^(?P<indent>)(?P<name>[A-Za-z_][\w\s*&:<>,~\[\]]*\([^;{}]*\)[^;{}]*)\{\s*$"
)
_CONSTANT_FUNCTION = re.compile(
    r"^(?P<indent>)(?:export\s+)?(?:const|let|var)\s+(?P<name>[\w$]+\s*=\s*(?:async\s*)?(?:function|\().*)"
)
_ABOVE = re.compile(r"^[ \t]*(?:@|#\[|#|//|/\*|\*|--|;|\"\"\"|template\b)")
_NOT_A_FUNCTION = re.compile(r"^(?:if|for|while|switch|else|return|do|catch|try)\b")
_MEMBERED = "class interface struct enum trait impl module namespace object protocol extension mod"
_WITH_MEMBERS = frozenset(_MEMBERED.split())
_DEEPEST_LEVEL = 2


def read(content: bytes, builder: DocumentBuilder, _: Limits) -> None:
    """Read source code: what stands before the first definition, then each definition."""
    lines = clean(decode(content)).expandtabs(4).split("\n")
    starts = _definitions(lines)
    builder.code("\n".join(lines[: starts[0][0] if starts else len(lines)]))
    for k, (first, level, label) in enumerate(starts):
        end = starts[k + 1][0] if k + 1 < len(starts) else len(lines)
        builder.code("\n".join(lines[first:end]), label, level)


def _definitions(lines: list[str]) -> list[tuple[int, int, str]]:
    """Return first line, level and name of each definition at the margin and of its members."""
    found: list[tuple[int, int, str]] = []
    around: list[tuple[int, bool]] = []  # indent of those that are open, and whether of members
    for k, line in enumerate(lines):
        match = _DEFINITION.match(line) or _C_FUNCTION.match(line) or _CONSTANT_FUNCTION.match(line)
        if match is None or _NOT_A_FUNCTION.match(line.strip()):
            continue
        indent = len(match["indent"])
        around = [one for one in around if one[0] < indent]
        is_member = bool(around) and all(has_members for _, has_members in around)
        around.append((indent, match.groupdict().get("kind") in _WITH_MEMBERS))
        if len(around) <= _DEEPEST_LEVEL and (is_member or not indent):
            lowest = found[-1][0] + 1 if found else 0
            found.append((_with_what_is_above(lines, k, lowest), len(around), _label(line)))
    return found


def _with_what_is_above(lines: list[str], first: int, lowest: int) -> int:
    while first > lowest and _ABOVE.match(lines[first - 1]):
        first -= 1
    return first


def _label(line: str) -> str:
    return line.strip().rstrip("{").rstrip().rstrip(":")
