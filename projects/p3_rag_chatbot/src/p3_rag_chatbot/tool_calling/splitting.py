"""A compound request in the parts that may each want a call of their own."""

import re
from dataclasses import replace

from p3_rag_chatbot.tool_calling.finding import Said

_SEAM = re.compile(
    r"(?<=[.?!;])\s+(?=\S)"
    r"|\s*,?\s+(?:and\s+)?(?:then|also|afterwards|additionally|plus)\s*,?\s+"
    r"|,?\s+and\s+(?=(?:please\s+)?(?:find|get|show|tell|give|book|reserve|buy|play|send|create|add"
    r"|delete|remove|update|set|turn|search|check|look|list|calculate|compute|convert|translate"
    r"|make|schedule|cancel|open|start|stop|order|remind|what|how|call|email|write|estimate)\b)",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|it's|them|they|their|his|her|he|she|this|that|these|those|there|same|both)\b",
    re.IGNORECASE,
)
"""What leans on the part before: it is not a request of its own."""
MAX_PARTS = 8
LEAST_WORDS = 3


def parts_of(said: Said) -> list[Said]:
    """Cut a request at sentences and `and then`; what is too short joins the part before."""
    parts: list[str] = []
    for part in (one.strip() for one in _SEAM.split(said.text)):
        if not part:
            continue
        leans = len(part.split()) < LEAST_WORDS or _POINTS_BACK.search(part)
        if parts and (leans or len(parts) == MAX_PARTS):
            parts[-1] = f"{parts[-1]} {part}"
        else:
            parts.append(part)
    return [replace(said, text=part) for part in parts]
