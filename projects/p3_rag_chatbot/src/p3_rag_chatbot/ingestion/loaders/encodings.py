"""Bytes to text, whatever their encoding: byte-order mark, UTF-8, a declared one, the likeliest."""

import codecs

from charset_normalizer import from_bytes

from p3_rag_chatbot.ingestion.loaders.limits import UnreadableError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# The guess looks at the beginning: it takes a time that grows with what it is given.
_LOOKED_AT = 256 * 1024


def decode(content: bytes, declared: str = "") -> str:
    """Decode a text; `UnreadableError` where the bytes are no text."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    if b"\0" in content[:_LOOKED_AT]:
        raise UnreadableError("it is not text: it holds zero bytes")
    for encoding in ("utf-8", declared):
        try:
            return content.decode(encoding) if encoding else _guessed(content)
        except (UnicodeDecodeError, LookupError):
            continue
    return _guessed(content)


def _guessed(content: bytes) -> str:
    best = from_bytes(content[:_LOOKED_AT]).best()
    if best is None:
        raise UnreadableError("it is not text in any encoding that is known; save it as UTF-8")
    return content.decode(best.encoding, errors="replace")
