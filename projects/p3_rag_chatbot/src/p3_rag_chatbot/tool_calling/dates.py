"""Dates and times in a request, and how a description wants them written.

A date without a year is the next one from `today` on, unless the request names a year elsewhere.
"""

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from p3_rag_chatbot.tool_calling.mentions import Mention, without_overlaps
from p3_rag_chatbot.tool_calling.numbers import numbers_in

_MONTHS = "january february march april may june july august september october november december"
MONTHS = {name[:3]: number for number, name in enumerate(_MONTHS.split(), start=1)}
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
DAYS: tuple[str, ...] = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip
_DAY = r"(\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?:,?\s*(?:of\s+|year\s+|in\s+)?(\d{4}))?"
_FLAGS = re.IGNORECASE
_ISO = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_CJK = re.compile(r"(?:(\d{4})\s*[年년]\s*)?(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日号일]")
_NUMERIC = re.compile(r"(?<![\d.])(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?!\d)")
_MONTH_FIRST = re.compile(
    rf"\b{_MONTH}\s*(?:the\s+)?{_DAY}(?![\d:])\b(?!\s*(?:am|pm)){_YEAR}", _FLAGS
)
_DAY_FIRST = re.compile(rf"\b(?:the\s+)?{_DAY}\s*(?:of\s+)?{_MONTH}{_YEAR}", _FLAGS)
_RELATIVE = re.compile(
    r"\b(day after tomorrow|today|tonight|tomorrow|yesterday|hoy|mañana|heute|morgen|aujourd'hui"
    r"|demain|hari ini|besok)\b|(今天|明天|昨天|오늘|내일)",
    _FLAGS,
)
_SHIFTS = {
    "day after tomorrow": 2, "tomorrow": 1, "mañana": 1, "morgen": 1, "demain": 1, "besok": 1,
    "明天": 1, "내일": 1, "yesterday": -1, "昨天": -1,
}  # fmt: skip
_WEEKDAY = re.compile(rf"\b(next\s+|this\s+|coming\s+)?({'|'.join(DAYS)})(\s+next week)?\b", _FLAGS)
_TIME = re.compile(
    r"(?<![\d:.])(\d{1,2})(?::(\d{2}))?(?::(\d{2}))?\s*(a\.?m\.?|p\.?m\.?)(?![a-z])"
    r"|(?<![\d:.])([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?(?![\d:])"
    r"(?:\s*(?:in the|at|o'clock in the)?\s*(morning|afternoon|evening|night))?"
    r"|(?<![\d:.])(\d{1,2})\s*(?:o'clock)?\s*(?:in the|at)\s*(morning|afternoon|evening|night)"
    r"|(?<![\d:.])(\d{1,2})\s*o'clock|\b(noon|midday|midnight)\b|\bhalf past (\w+)",
    _FLAGS,
)
_JOINED = 24
"""Characters between a date and its time."""
_STATED_TODAY = re.compile(
    r"(?:today(?:'s date)?|current date|now)(?:\s+\w+){0,3}?\s*(?:is|:|=|->)\s*", _FLAGS
)


def stated_today(text: str, today: date) -> date:
    """Return the date that a text says is today's, else `today`."""
    for match in _STATED_TODAY.finditer(text):
        after = text[match.end() : match.end() + 40]
        found = [one for one in _absolute(after, today, None) if one.start < 20]
        if found and isinstance(found[0].value, date):
            return found[0].value
    return today


def dates_in(text: str, today: date) -> list[Mention]:
    """Find dates; values are `datetime.date`."""
    year = _named_year(text)
    found = without_overlaps(_absolute(text, today, year))
    stated = [m.end() for m in _STATED_TODAY.finditer(text)]
    told = [one for one in found if any(0 <= one.start - at < 20 for at in stated)]
    kept = [one for one in found if one not in told]
    found = without_overlaps([*kept, *_relative(text, today)])
    return without_overlaps([*found, *_days_alone(text, found, today)])


_DAY_ALONE = re.compile(
    r"\b(?:the|on|until|to|till|-)\s+(?:the\s+)?(\d{1,2})(?:st|nd|rd|th)\b", _FLAGS
)


def _days_alone(text: str, found: list[Mention], today: date) -> Iterator[Mention]:
    """Read `until the 12th`: of the month of the date before it, else the next 12th."""
    for m in _DAY_ALONE.finditer(text):
        before = [
            one.value for one in found if one.start < m.start() and isinstance(one.value, date)
        ]
        start = before[-1] if before else today
        day = int(m[1])
        month = start.month + (day < start.day)
        yield from _mention(m, start.year + (month > 12), (month - 1) % 12 + 1, day)


def moments_in(dates: list[Mention], times: list[Mention]) -> list[Mention]:
    """Join each date with the times near it; values are `datetime`."""
    found: list[Mention] = []
    for day in dates:
        if not isinstance(day.value, date):
            continue
        near = [one for one in times if 0 <= one.start - day.end <= _JOINED]
        near = near or [one for one in times if 0 <= day.start - one.end <= _JOINED]
        for k, one in enumerate(near):
            if isinstance(one.value, time):
                start, end = min(day.start, one.start), max(day.end, one.end)
                start = start if k == 0 else one.start
                found.append(Mention("date", start, end, datetime.combine(day.value, one.value)))
    return found


def times_in(text: str) -> list[Mention]:
    """Find times of day; values are `datetime.time`."""
    return [
        Mention("time", m.start(), m.end(), value)
        for m in _TIME.finditer(text)
        if (value := _time(m)) is not None
    ]


def _named_year(text: str) -> int | None:
    years = re.findall(r"(?<![\d.,$])((?:19|20)\d{2})(?![\d.]\d|\d)", text)
    return int(years[0]) if len(set(years)) == 1 else None


def _absolute(text: str, today: date, year: int | None) -> Iterator[Mention]:
    for m in _ISO.finditer(text):
        yield from _mention(m, int(m[1]), int(m[2]), int(m[3]))
    for m in _CJK.finditer(text):
        yield from _yearless(m, m[1], int(m[2]), int(m[3]), today, year)
    for m in _NUMERIC.finditer(text):
        first, second = int(m[1]), int(m[3])
        is_day_first = first > 12 or (m[2] == "." and second <= 12)
        month, day = (second, first) if is_day_first else (first, second)
        yield from _mention(m, int(m[4]), month, day)
    for m in _DAY_FIRST.finditer(text):
        yield from _yearless(m, m[3], MONTHS[m[2][:3].lower()], int(m[1]), today, year)
    for m in _MONTH_FIRST.finditer(text):
        yield from _yearless(m, m[3], MONTHS[m[1][:3].lower()], int(m[2]), today, year)


def _yearless(
    m: re.Match[str], told: str | None, month: int, day: int, today: date, year: int | None
) -> Iterator[Mention]:
    if told or year:
        yield from _mention(m, int(told or year or 0), month, day)
        return
    for candidate in (today.year, today.year + 1):
        for mention in _mention(m, candidate, month, day):
            if isinstance(mention.value, date) and mention.value >= today:
                yield mention
                return


def _mention(m: re.Match[str], year: int, month: int, day: int) -> Iterator[Mention]:
    try:
        yield Mention("date", m.start(), m.end(), date(year, month, day))
    except ValueError:  # the 31st of a short month: not a date after all
        return


def _relative(text: str, today: date) -> Iterator[Mention]:
    for m in _RELATIVE.finditer(text):
        shift = _SHIFTS.get(m[0].lower(), 0)
        yield Mention("date", m.start(), m.end(), today + timedelta(days=shift))
    for m in _WEEKDAY.finditer(text):
        ahead = (DAYS.index(m[2].lower()) - today.weekday()) % 7 or 7
        if m[3] or (m[1] or "").strip().lower() == "next":
            monday = today + timedelta(days=7 - today.weekday())
            ahead = (monday - today).days + DAYS.index(m[2].lower())
        yield Mention("date", m.start(), m.end(), today + timedelta(days=ahead))


def _time(m: re.Match[str]) -> time | None:
    if m[4]:
        return _clock(int(m[1]), m[2], m[3], is_pm=m[4][0].lower() == "p", is_twelve=True)
    if m[5]:
        return _part_of_day(int(m[5]), m[6], m[7], m[8])
    if m[9]:
        return _part_of_day(int(m[9]), None, None, m[10])
    if m[11]:
        return _clock(int(m[11]), None, None)
    if m[12]:
        return time(0) if m[12].lower() == "midnight" else time(12)
    hour = next((one.value for one in numbers_in(m[13].lower())), None)
    return time(hour, 30) if isinstance(hour, int) and 1 <= hour <= 12 else None


def _part_of_day(
    hour: int, minute: str | None, second: str | None, part: str | None
) -> time | None:
    is_pm = (part or "").lower() in ("afternoon", "evening", "night") and hour < 12
    return _clock(hour, minute, second, is_pm=is_pm)


def _clock(
    hour: int,
    minute: str | None,
    second: str | None,
    *,
    is_pm: bool = False,
    is_twelve: bool = False,
) -> time | None:
    if is_twelve and not 1 <= hour <= 12:
        return None
    hour = hour % 12 if is_twelve else hour
    hour += 12 if is_pm else 0
    return time(hour, int(minute or 0), int(second or 0)) if hour < 24 else None


# ----------------------------------------------------------------------------------- writing them
_TOKENS = (
    ("YYYY", "%Y"), ("yyyy", "%Y"), ("%Y", "%Y"), ("MM", "%m"), ("mm", "%m"), ("DD", "%d"),
    ("dd", "%d"), ("YY", "%y"), ("yy", "%y"),
)  # fmt: skip
_DATE_FORM = re.compile(
    r"(?:YYYY|yyyy|MM|mm|DD|dd)([-/.\s]?)(?:MM|mm|DD|dd)\1(?:YYYY|yyyy|DD|dd|YY|yy)"
)
_EXAMPLES = (
    (re.compile(r"(?<!\d)\d{4}-\d{2}-\d{2}(?!\d)"), "%Y-%m-%d"),
    (re.compile(r"(?<!\d)\d{4}/\d{2}/\d{2}(?!\d)"), "%Y/%m/%d"),
    (re.compile(r"(?<!\d)\d{4}\.\d{2}\.\d{2}(?!\d)"), "%Y.%m.%d"),
    (re.compile(r"(?<!\d)(?:0\d|1[0-2])/(?:[0-3]\d)/\d{4}(?!\d)"), "%m/%d/%Y"),
    (re.compile(r"(?<!\d)(?:[0-3]\d)/(?:0\d|1[0-2])/\d{4}(?!\d)"), "%d/%m/%Y"),
    (re.compile(r"(?<!\d)(?:[0-3]\d)-(?:0\d|1[0-2])-\d{4}(?!\d)"), "%d-%m-%Y"),
    (re.compile(r"(?<!\d)(?:[0-3]\d)\.(?:0\d|1[0-2])\.\d{4}(?!\d)"), "%d.%m.%Y"),
)
_STAMP = re.compile(r"(?:T|\s)(?:HH|hh|\d{2}):(?:mm|MM|\d{2})")
_TWELVE = re.compile(r"\b12[- ]hour|(?:HH|hh|\d{1,2}):(?:mm|MM|\d{2})\s*(?:AM|PM|am|pm|a\.m)")
_SECONDS = re.compile(r"(?:HH|hh|\d{2}):(?:mm|MM|\d{2}):(?:ss|SS|\d{2})")


def date_form(description: str) -> str | None:
    """Return the `strftime` form that a description shows, by letters or by an example."""
    if match := _DATE_FORM.search(description):
        form = match[0]
        for token, code in _TOKENS[:2]:
            form = form.replace(token, code)
        form = re.sub(r"M{2}|(?<!%)m{2}", "%m", form)
        form = re.sub(r"D{2}|(?<!%)d{2}", "%d", form)
        return re.sub(r"Y{2}|(?<!%)y{2}", "%y", form)
    return next((form for example, form in _EXAMPLES if example.search(description)), None)


def wants_moment(description: str) -> bool:
    """Whether a description wants a date together with a time."""
    return bool(_STAMP.search(description))


def written_date(day: date, description: str, at: time | None = None) -> str:
    """Write a date as a description shows; with a time where it wants a stamp."""
    text = day.strftime(date_form(description) or "%Y-%m-%d")
    if not _STAMP.search(description):
        return text
    moment = datetime.combine(day, at or time(0))
    is_iso = "T" in (_STAMP.search(description) or [""])[0]
    zone = "Z" if re.search(r"\d{2}Z|(?:ss|SS)Z", description) else ""
    clock = f"{moment:%H:%M:%S}" if is_iso or _SECONDS.search(description) else f"{moment:%H:%M}"
    return f"{text}{'T' if is_iso else ' '}{clock}{zone}"


def written_time(at: time, description: str) -> str:
    """Write a time of day as a description shows: 24 hours unless it shows the half of the day."""
    has_seconds = bool(_SECONDS.search(description))
    is_plain_24 = re.search(r"24[- ]hour", description)
    if _TWELVE.search(description) and not is_plain_24:
        text = at.strftime("%I:%M %p")
        return text.lstrip("0") if not re.search(r"\b0\d:\d{2}", description) else text
    return at.strftime("%H:%M:%S" if has_seconds else "%H:%M")
