"""Dates as people write them: which form, and whether day and month could be exchanged.

A form is chosen for a whole column. Where day-first and month-first read every cell alike, the
month comes first with slashes, else the day, and the doubt is told.
"""

from dataclasses import dataclass

import pandas as pd

PARSE_SHARE = 0.95
PROBE_ROWS = 1_000
ISO = "ISO8601"
_TIMES = ("", " %H:%M", " %H:%M:%S")
_DAYS = (
    ("%m/%d/%Y", "%d/%m/%Y"),
    ("%Y/%m/%d", ""),
    ("%d.%m.%Y", ""),
    ("%d-%m-%Y", "%m-%d-%Y"),
    ("%d.%m.%y", ""),
    ("%m/%d/%y", "%d/%m/%y"),
    ("%d %b %Y", ""),
    ("%d-%b-%Y", ""),
    ("%b %d, %Y", ""),
    ("%d %B %Y", ""),
    ("%B %d, %Y", ""),
    ("%d-%b-%y", ""),
)
_TWINS = {one + time: other + time for one, other in _DAYS for time in _TIMES if other}
_FORMS = (ISO, *(form + time for pair in _DAYS for form in pair if form for time in _TIMES))
_NUMERIC = r"^\s*\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}"
_NAMED = r"^\s*(?:\d{1,2}[- ][A-Za-z]{3,9}[- ]\d{2,4}|[A-Za-z]{3,9} \d{1,2}, \d{4})"
_ZONE = r":\d\d(?:\.\d+)?\s*(?:Z|[+-]\d\d:?\d\d)$"


@dataclass(frozen=True)
class FoundForm:
    """How a column writes its dates; `twin` is the form that reads every cell as well."""

    form: str
    twin: str = ""


def find_form(texts: pd.Series, *, day_first: bool = False) -> FoundForm | None:
    """Find the form that reads the most of these texts; None when they are no dates.

    `day_first` decides where both orders read every cell; the doubt is told all the same.
    """
    head = texts.dropna().head(PROBE_ROWS)
    if not len(head) or head.str.match(f"{_NUMERIC}|{_NAMED}").mean() < PARSE_SHARE:
        return None
    best, best_share = "", 0.0
    for form in _FORMS:
        share = float(read_dates(head, form).notna().mean())
        if share > best_share:
            best, best_share = form, share
        if share == 1.0:
            break
    if best_share < PARSE_SHARE:
        return None
    return _told_apart(texts.dropna(), best, day_first=day_first)


def _told_apart(texts: pd.Series, form: str, *, day_first: bool) -> FoundForm:
    """Look at every cell for one that only one order of day and month can read."""
    other = _TWINS.get(form) or next((a for a, b in _TWINS.items() if b == form), "")
    if not other:
        return FoundForm(form)
    distinct = pd.Series(texts.unique())
    n_form, n_other = (int(read_dates(distinct, one).notna().sum()) for one in (form, other))
    if n_other == n_form:
        first, last = sorted((form, other)) if day_first else (form, other)
        return FoundForm(first, twin=last)
    return FoundForm(form if n_form > n_other else other)


def read_dates(texts: pd.Series, form: str) -> pd.Series:
    """Read texts as UTC moments; NaT where a text is not of the form."""
    return pd.to_datetime(texts.str.strip(), format=form, errors="coerce", utc=True)


def have_zones(texts: pd.Series) -> bool:
    """Say whether moments name their distance to UTC."""
    head = texts.dropna().head(PROBE_ROWS)
    return bool(len(head)) and bool(head.str.contains(_ZONE, regex=True).any())
