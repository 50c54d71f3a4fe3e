"""Numbers as people write them: decimal commas, marks of thousands, currencies, percent.

A style is found for a whole column, and every cell must follow it: "1.234" alone says nothing, and
is told as a doubt where nothing else in the file decides. Knows no files.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

SHARE = 0.95
"""Share of a column's texts that must follow one style."""
_SPACES = "\u00a0\u202f\u2009"
_UNIT = r"(?:[$€£¥₹%]|USD|EUR|GBP|CHF|JPY|kr)"
_UNITS = re.compile(rf"^\s*(-?)\s*({_UNIT})\s*|\s*({_UNIT})\s*$")
_PERHAPS = re.compile(rf"^\s*(?:[-+\u2212]\s*)?(?:{_UNIT}\s*)?[-+\u2212]?[.,]?\d")
"""How every number begins; most texts do not, and need not be looked at further."""
_APOSTROPHE, _MINUS = "\u2019", "\u2212"


@dataclass(frozen=True)
class NumberStyle:
    """How a column writes its numbers."""

    decimal: str = "."
    thousands: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether a programming language would read it."""
        return self.decimal == "." and not self.thousands

    @property
    def pattern(self) -> str:
        """The form of one number."""
        whole = r"\d+"
        if self.thousands:
            whole = rf"(?:\d{{1,3}}(?:{re.escape(self.thousands)}\d{{3}})+|\d+)"
        point = re.escape(self.decimal)
        return rf"^[-+]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][-+]?\d+)?$"

    @property
    def words(self) -> str:
        """The style in words."""
        mark = "decimal comma" if self.decimal == "," else "decimal point"
        names = {",": "commas", ".": "points", " ": "spaces", "'": "apostrophes"}
        return f"{mark}, thousands by {names[self.thousands]}" if self.thousands else mark


PLAIN = NumberStyle()
STYLES = tuple(
    NumberStyle(decimal, thousands)
    for decimal, thousands in product((".", ","), ("", ",", ".", " ", "'"))
    if decimal != thousands
)


_PATTERNS = {style: re.compile(style.pattern) for style in STYLES}


@dataclass(frozen=True)
class FoundStyle:
    """The style of a column; `is_certain` when no style with the other decimal mark fits."""

    style: NumberStyle
    units: tuple[str, ...]
    is_certain: bool
    has_marks: bool


def find_style(
    texts: Sequence[str], *, decimal: str = "", thousands: str = ""
) -> FoundStyle | None:
    """Find the style that nearly all of these texts follow; None when they are no numbers.

    `decimal` and `thousands`, when told, leave only the styles that have them; where the texts
    fit a decimal point and a comma alike, the point is taken and `is_certain` is false.
    """
    if sum(1 for text in texts if _PERHAPS.match(text)) < SHARE * len(texts):
        return None
    bare = [_bare(text) for text in texts]
    units = tuple(sorted({match for text in texts for match in _units_of(text)}))
    fits = {
        style: sum(1 for one in bare if _PATTERNS[style].match(one))
        for style in STYLES
        if (not decimal or style.decimal == decimal)
        and (not thousands or style.thousands in {thousands, ""})
    }
    if not bare or not fits:
        return None
    best = max(fits, key=lambda style: fits[style])
    if fits[best] < SHARE * len(bare):
        return None
    has_marks = any("," in one or "." in one for one in bare)
    rivals = [n for style, n in fits.items() if style.decimal != best.decimal]
    is_certain = not has_marks or max(rivals, default=0) < fits[best]
    return FoundStyle(best, units, is_certain, has_marks)


def read_numbers(texts: pd.Series, style: NumberStyle, *, has_units: bool = False) -> pd.Series:
    """Read texts as float64; NaN where a text does not follow the style."""
    if style.is_plain and not has_units:
        return pd.to_numeric(texts, errors="coerce").astype("float64")
    bare = texts.map(_bare, na_action="ignore").astype("str")
    fits = bare.str.match(style.pattern).fillna(value=False).astype(bool)
    plain = bare.str.replace(style.thousands, "", regex=False) if style.thousands else bare
    if style.decimal == ",":
        plain = plain.str.replace(",", ".", regex=False)
    numbers = pd.to_numeric(plain.where(fits), errors="coerce").astype("float64")
    return numbers.where(fits, np.nan)


def _bare(text: str) -> str:
    """Take units off and write spaces and signs one way."""
    text = text.strip().translate(_ONE_WAY)
    if text and (text[-1] in _LAST or not text[0].isdigit()):
        text = _UNITS.sub(r"\1", text)
    return text


_ONE_WAY: dict[int, str] = {ord(one): " " for one in _SPACES}
_ONE_WAY |= {ord(_APOSTROPHE): "'", ord(_MINUS): "-"}
_LAST = frozenset("$€£¥₹%DRPFYr")


def _units_of(text: str) -> list[str]:
    return [match[1] or match[2] for match in _UNITS.findall(text)] if not text.isdigit() else []
