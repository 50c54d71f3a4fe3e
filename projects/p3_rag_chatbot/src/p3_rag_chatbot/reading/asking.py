"""How a reader is asked about a function call: where an argument stands, which function is wanted.

The forms that it is trained on (`training/slots.py`) and asked with (`tool_calling/`) are these.
"""

import re

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[_.\-]+")


def in_words(name: str) -> str:
    """Write an identifier in words: `getUserInfo` and `get_user.info` as `get user info`."""
    return " ".join(_CAMEL.sub(" ", name).lower().split())


def asks_argument(name: str, description: str, function: str) -> str:
    """Return how an argument is asked for."""
    told = f"{in_words(name)}: {description}" if description else in_words(name)
    return f"{told} ({in_words(function)})"


def asks_function(name: str, description: str) -> str:
    """Return how a function is asked for."""
    return f"wanted: {in_words(name)}: {description}"
