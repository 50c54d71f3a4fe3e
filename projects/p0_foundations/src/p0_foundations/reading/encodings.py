"""In which encoding a text was written, and how that was found.

Marks and valid UTF-8 are certain. Beyond them it is a guess, told as one: charset-normalizer says
which script the text is in (Greek, Cyrillic, Chinese …); of Latin script it often takes the
Central European code page for the Western one (tried on short tables), so that choice is made here.
"""

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_SCRIPTS = frozenset(
    {
        *("cp1251", "koi8_r", "cp1253", "cp1255", "cp1256", "cp874"),
        *("cp932", "shift_jis", "euc_jp", "gb18030", "gbk", "gb2312", "big5", "cp949", "euc_kr"),
    }
)
_SIGN_IN_WORD = re.compile(r"[A-Za-zÀ-ÿ][¹³¼¾¿º¡£¥ª¯]|[¹³¼¾¿º£¥ª¯][A-Za-zà-ÿ]")
"""What Polish, Romanian and Slovak become when they are read as the Western code page."""
_NUL_SHARE = 0.25
N_SHOWN_BYTES = 64 * 1024
MIN_TELLING_BYTES = 12
"""Fewer bytes beyond ASCII are stray accents and name no script."""


@dataclass(frozen=True)
class Encoding:
    """A codec that Python knows, and how it was found."""

    name: str
    because: str


def find_encoding(head: bytes) -> Encoding:
    """Say how the first bytes of a file are encoded; `head` may end inside a character."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return Encoding(name, "it begins with a byte-order mark")
    if name := _utf16_without_mark(head):
        return Encoding(name, "every other byte is zero")
    if is_utf8(head):
        return Encoding("utf-8", "it is valid UTF-8")
    return guess(head)


def is_utf8(head: bytes) -> bool:
    """Say whether it is UTF-8 as far as it goes."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def guess(sample: bytes) -> Encoding:
    """Guess the encoding of a text that is not UTF-8, from its lines beyond ASCII."""
    shown = _telling_lines(sample)
    name = _other_script(shown)
    if name:
        return Encoding(name, "a guess by the script of its letters")
    try:
        western = shown.decode("cp1252")
    except UnicodeDecodeError:
        return Encoding("cp1250", "a guess: bytes that the Western code page does not have")
    if _SIGN_IN_WORD.search(western) or ("ø" in western and set("ìèòšž") & set(western)):
        return Encoding("cp1250", "a guess by letters of Central Europe")
    return Encoding("cp1252", "a guess: not UTF-8, Latin letters")


def _utf16_without_mark(head: bytes) -> str:
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = max(len(head) // 2, 1)
    for n, other, name in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if n > _NUL_SHARE * half and other < 0.02 * half:
            text = head.decode(name, "replace")[:-1]
            return name if "\n" in text and "\ufffd" not in text else ""
    return ""


def _telling_lines(sample: bytes) -> bytes:
    lines = [line for line in sample.splitlines(keepends=True) if not line.isascii()]
    return b"".join(lines)[:N_SHOWN_BYTES]


def _other_script(shown: bytes) -> str:
    from charset_normalizer import from_bytes  # noqa: PLC0415 - only for text that is not UTF-8

    if _n_beyond_ascii(shown) < MIN_TELLING_BYTES:
        return ""
    best = from_bytes(shown).best()
    return best.encoding if best is not None and best.encoding in _OTHER_SCRIPTS else ""


def _n_beyond_ascii(shown: bytes) -> int:
    return sum(byte > 127 for byte in shown)


def late_guess(path: Path) -> Encoding | None:
    """Guess again for a file whose first bytes were UTF-8 and whose later ones are not.

    None when most of its lines beyond ASCII are UTF-8: then the others are garbage.
    """
    n_sound, others = 0, b""
    n_other = 0
    with path.open("rb") as file:
        for line in file:
            if line.isascii():
                continue
            if is_utf8(line):
                n_sound += 1
                continue
            n_other += 1
            others += line if len(others) < N_SHOWN_BYTES else b""
    return guess(others) if n_other > n_sound else None
