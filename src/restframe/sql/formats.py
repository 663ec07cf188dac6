"""The format strings of TO_CHAR, TO_DATE, TO_TIMESTAMP and TO_NUMBER.

https://docs.aws.amazon.com/redshift/latest/dg/r_FORMAT_strings.html
https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_formating.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from restframe import errors

# Dates and times


@dataclass(frozen=True, slots=True)
class Field:
    """One piece of a datetime format.

    pattern : its name in upper case, empty for plain text
    text : what was written
    fill : False after FM, which drops padding
    ordinal : `th` or `TH` when one of them follows
    """

    pattern: str
    text: str
    fill: bool = True
    ordinal: str = ""


# Longest first, so that YYYY is not read as YY YY.
_PATTERNS = sorted(
    ["Y,YYY", "YYYY", "YYY", "YY", "Y", "IYYY", "IYY", "IY", "I", "BC", "B.C.", "AD", "A.D.", "CC", "Q", "MONTH",
     "MON", "MM", "RM", "WW", "W", "IW", "DAY", "DY", "DDD", "IDDD", "DD", "D", "ID", "J", "HH24", "HH12", "HH", "MI",
     "SSSSS", "SSSS", "SS", "MS", "US", "AM", "A.M.", "PM", "P.M.", "TZ", "OF"],
    key=len,
    reverse=True,
)  # fmt: skip
_FIELD = re.compile("|".join(re.escape(pattern) for pattern in _PATTERNS), re.IGNORECASE)
_PREFIX = re.compile("FM|TM|FX", re.IGNORECASE)
_NAMES = frozenset({"MONTH", "MON", "DAY", "DY", "RM", "AM", "PM", "A.M.", "P.M.", "AD", "BC", "A.D.", "B.C.", "TZ"})


def read_datetime_format(text: str) -> list[Field]:
    """The pieces of a format; what is in double quotes, or is no pattern, stands for itself."""
    fields: list[Field] = []
    plain = ""
    at, fill = 0, True
    while at < len(text):
        if text[at] == '"':
            end = text.find('"', at + 1)
            end = len(text) if end < 0 else end
            plain += text[at + 1 : end]
            at = end + 1
            continue
        prefix = _PREFIX.match(text, at)
        if prefix is not None and _FIELD.match(text, prefix.end()):
            fill = prefix[0].upper() != "FM"
            at = prefix.end()
        found = _FIELD.match(text, at)
        if found is None:
            plain += text[at]
            at += 1
            continue
        if plain:
            fields.append(Field("", plain))
            plain = ""
        at = found.end()
        pattern = found[0].upper()
        ordinal = text[at : at + 2] if text[at : at + 2] in ("th", "TH") and pattern not in _NAMES else ""
        at += len(ordinal)
        fields.append(Field(pattern, found[0], fill, ordinal))
        fill = True
    if plain:
        fields.append(Field("", plain))
    return fields


def case_of(text: str) -> Literal["upper", "lower", "title"]:
    """How the name of a month or day is to be written: MONTH, month or Month."""
    letters = text.replace(".", "")
    return "upper" if letters.isupper() else "lower" if letters.islower() else "title"


# What strptime understands of the patterns, in which a value is read at once when it is well formed.
_STRPTIME = {
    "YYYY": "%Y", "MM": "%m", "MON": "%b", "MONTH": "%B", "DD": "%d", "DDD": "%j", "HH24": "%H", "HH12": "%I",
    "HH": "%I", "MI": "%M", "SS": "%S", "MS": "%g", "US": "%f", "AM": "%p", "PM": "%p", "DY": "%a",
}  # fmt: skip


def to_strptime(text: str) -> str | None:
    """A format for reading as strptime's; None when it has a pattern without counterpart."""
    pieces = []
    for one in read_datetime_format(text):
        if not one.pattern:
            pieces.append(one.text.replace("%", "%%"))
        elif one.pattern in _STRPTIME:
            pieces.append(_STRPTIME[one.pattern])
        else:
            return None
    return "".join(pieces)


@dataclass(frozen=True, slots=True)
class Reading:
    """How to take a text apart that a format was given for.

    regex : one group for each of `parts`, which are year, short_year, month, month_name, day, day_of_year, hour,
        hour12, minute, second, milliseconds, microseconds, meridiem
    """

    regex: str
    parts: tuple[str, ...]


_READ = {
    "YYYY": (r"(\d{4})", "year"), "YYY": (r"(\d{3})", "short_year"), "YY": (r"(\d{2})", "short_year"),
    "Y": (r"(\d)", "short_year"), "MM": (r"(\d{1,2})", "month"), "MON": (r"([A-Za-z]{3})", "month_name"),
    "MONTH": (r"([A-Za-z]+)", "month_name"), "DD": (r"(\d{1,2})", "day"), "DDD": (r"(\d{1,3})", "day_of_year"),
    "HH24": (r"(\d{1,2})", "hour"), "HH12": (r"(\d{1,2})", "hour12"), "HH": (r"(\d{1,2})", "hour12"),
    "MI": (r"(\d{1,2})", "minute"), "SS": (r"(\d{1,2})", "second"), "MS": (r"(\d{1,3})", "milliseconds"),
    "US": (r"(\d{1,6})", "microseconds"), "AM": (r"([AaPp])\.?[Mm]\.?", "meridiem"),
    "PM": (r"([AaPp])\.?[Mm]\.?", "meridiem"), "A.M.": (r"([AaPp])\.?[Mm]\.?", "meridiem"),
    "P.M.": (r"([AaPp])\.?[Mm]\.?", "meridiem"), "DY": (r"[A-Za-z]{3}", ""), "DAY": (r"[A-Za-z]+\s*", ""),
    "D": (r"\d", ""), "Q": (r"\d", ""),
}  # fmt: skip


def read_reading_format(text: str) -> Reading:
    """A format for reading; NotSupportedError for a pattern that only TO_CHAR has."""
    regex, parts = r"^\s*", []
    for one in read_datetime_format(text):
        if not one.pattern:
            # Any sign stands for any sign, as in PostgreSQL; blanks need not be there.
            regex += "".join(map(_separator, one.text))
            continue
        if one.pattern not in _READ:
            raise errors.NotSupportedError(f'reading the format pattern "{one.text}" is not supported')
        piece, part = _READ[one.pattern]
        regex += piece
        if part:
            if part in parts:
                raise errors.InvalidParameterValue(f'format pattern "{one.text}" occurs twice')
            parts.append(part)
    return Reading(regex, tuple(parts))


def _separator(sign: str) -> str:
    if sign.isspace():
        return r"\s*"
    return re.escape(sign) if sign.isalnum() else r"[^\w\s]?\s*"


# Numbers


@dataclass(slots=True)
class NumberFormat:
    """A numeric format.

    whole, fraction : the signs before and after the decimal point: 9, 0, a comma, or other text
    sign : "" for a minus before the first digit, else MI, PL, SG, PR or S
    sign_last : whether it stands behind the digits
    before, after : plain text around the number
    """

    whole: list[str] = field(default_factory=list)
    fraction: list[str] = field(default_factory=list)
    point: bool = False
    fill: bool = True
    sign: str = ""
    sign_last: bool = False
    before: str = ""
    after: str = ""
    roman: Literal["", "RN", "rn"] = ""

    @property
    def width(self) -> int:
        """Digits before the point."""
        return sum(sign in ("9", "0") for sign in self.whole)

    @property
    def places(self) -> int:
        """Digits after the point."""
        return len(self.fraction)

    @property
    def length(self) -> int:
        """Characters before the point."""
        return len("".join(self.whole))

    @property
    def kept_places(self) -> int:
        """Digits after the point that FM leaves when they are zeros."""
        return max((place for place, sign in enumerate(self.fraction, start=1) if sign == "0"), default=0)

    @property
    def blankable(self) -> int:
        """How many characters before the point become blanks when only zeros stand there."""
        at = 0
        for sign in self.whole:
            if sign == "0":
                return at
            at += len(sign)
        return at if self.point else max(at - 1, 0)

    @property
    def hashes(self) -> str:
        return "".join("#" if sign in ("9", "0") else sign for sign in self.whole)

    @property
    def pattern(self) -> tuple[str, str] | None:
        """A regular expression of the digits and its replacement, which puts the other signs between them."""
        regex, template, run, group = "^", "", 0, 0
        for sign in [*self.whole, ""]:
            if sign in ("9", "0"):
                run += 1
                continue
            if run:
                group += 1
                regex += f"(.{{{run}}})"
                template += f"\\{group}"
                run = 0
            template += sign.replace("\\", "\\\\")
        if group > 9:
            raise errors.NotSupportedError("a numeric format with more than nine groups of digits is not supported")
        return None if group <= 1 and template == "\\1" else (regex + "$", template)


_NUMBER_FIELD = re.compile(r'FM|PR|MI|PL|SG|RN|TH|S|L|G|D|V|EEEE|9|0|\.|,|"[^"]*"|.', re.IGNORECASE | re.DOTALL)


def read_number_format(text: str) -> NumberFormat:
    """A numeric format; NotSupportedError for V, EEEE and TH, InvalidParameterValue for what makes no sense."""
    made = NumberFormat()
    for found in _NUMBER_FIELD.findall(text):
        _add_number_field(made, found.upper(), found)
    if made.roman and (made.whole or made.fraction):
        raise errors.InvalidParameterValue('"RN" cannot be combined with other digits')
    if made.width + made.places > 37:
        raise errors.InvalidParameterValue("a numeric format cannot have more than 37 digits")
    return made


def _add_number_field(made: NumberFormat, name: str, found: str) -> None:
    match name:
        case "9" | "0":
            (made.fraction if made.point else made.whole).append(name)
        case "." | "D":
            if made.point:
                raise errors.InvalidParameterValue("multiple decimal points")
            made.point = True
        case "," | "G":
            if not made.point:
                made.whole.append(",")
        case "FM":
            made.fill = False
        case "S" | "MI" | "PL" | "SG" | "PR":
            if made.sign:
                raise errors.InvalidParameterValue('cannot use "S", "MI", "PL", "SG" and "PR" together')
            made.sign, made.sign_last = name, bool(made.whole or made.fraction)
        case "RN":
            made.roman = "RN" if found[0] == "R" else "rn"
        case "TH" | "V" | "EEEE":
            raise errors.NotSupportedError(f'the format pattern "{found}" is not supported')
        case _:
            _add_text(made, "$" if name == "L" else found.strip('"'))


def _add_text(made: NumberFormat, text: str) -> None:
    if made.point:
        made.after += text
    elif made.whole:
        made.whole.append(text)
    else:
        made.before += text
