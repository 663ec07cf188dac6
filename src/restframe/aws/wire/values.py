"""Times, numbers, blobs and texts as the protocols write them, and what is wrong with those that cannot be read."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]{1,20}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,400}\.?[0-9]{0,400}|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,4})?", re.ASCII)
_ISO_8601 = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII
)
_BOUNDS = {"integer": 2**31, "long": 2**63}
_SHOWN = 100  # characters of what came that an error repeats
_TOLD = 10  # problems of one input


class Unreadable(Exception):
    """What came is not of the type that the description gives. `place` names the member, from the outside in."""

    def __init__(self, problem: str, place: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.place = place

    def inside(self, name: str) -> Unreadable:
        """The same problem, seen from the structure, list or map around it."""
        self.place = f"{name}.{self.place}" if self.place else name
        return self

    @property
    def message(self) -> str:
        return f"{self.problem} at '{shown(self.place)}'" if self.place else self.problem


def shown(text: str) -> str:
    """A text as an error may repeat it: not endlessly, and without what a terminal would obey."""
    text = "".join(character if character.isprintable() else "\ufffd" for character in text[: _SHOWN + 1])
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def detected(problems: Sequence[object]) -> str:
    """Several things that are wrong with an input, as the services tell them; of very many only the first."""
    told = [str(problem) for problem in problems[:_TOLD]] + ["..."] * (len(problems) > _TOLD)
    return f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: {'; '.join(told)}"


def boolean(text: str) -> bool:
    lowered = text.lower()
    if lowered not in ("true", "false"):
        raise Unreadable(f"'{shown(text)}' is not a boolean")
    return lowered == "true"


def whole_number(value: str | int, kind: str) -> int:
    """kind : integer (32 bits) or long (64)"""
    if isinstance(value, str):
        if not _WHOLE_NUMBER.fullmatch(value):
            raise Unreadable(f"'{shown(value)}' is not a whole number")
        value = int(value)
    bound = _BOUNDS[kind]
    if not -bound <= value < bound:
        raise Unreadable(f"the number does not fit the type {kind.capitalize()}")
    return value


def number(text: str) -> float:
    if text in ("NaN", "Infinity", "-Infinity"):
        return float(text)
    if not _NUMBER.fullmatch(text):
        raise Unreadable(f"'{shown(text)}' is not a number")
    value = float(text)
    if math.isinf(value):
        raise Unreadable("the number does not fit the type Double")
    return value


def number_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def blob(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unreadable("the blob is not valid base64") from error


def blob_text(value: bytes | bytearray | memoryview) -> str:
    return base64.b64encode(value).decode("ascii")


def time_of_seconds(seconds: float) -> datetime:
    """A time in seconds since 1970, to the microsecond."""
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except (OverflowError, ValueError) as error:
        raise Unreadable("the timestamp is out of range") from error


def time(text: str, form: str) -> datetime:
    """form : iso8601, rfc822 or unixTimestamp, as the description says; times without a zone are in UTC"""
    try:
        if form == "iso8601":
            return _iso_time(text)
        if form == "rfc822":
            return _aware(parsedate_to_datetime(text)).astimezone(UTC)
        return time_of_seconds(number(text))
    except (ValueError, OverflowError, IndexError, TypeError) as error:
        raise Unreadable(f"'{shown(text)}' is not a timestamp") from error


def _iso_time(text: str) -> datetime:
    found = _ISO_8601.fullmatch(text)
    if found is None:
        raise ValueError
    day, clock, fraction, zone = found.groups()
    micros = (fraction or "0").ljust(6, "0")[:6]
    clock = clock or "00:00"
    clock = clock if len(clock) == 8 else clock + ":00"
    zone = "+00:00" if zone in (None, "Z") else zone
    return datetime.fromisoformat(f"{day}T{clock}.{micros}{zone}").astimezone(UTC)


def _aware(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def time_text(value: datetime | float, form: str) -> str:
    """As time() reads it: ISO 8601 and Unix seconds with milliseconds, RFC 822 with seconds."""
    moment = _moment(value)
    if form == "rfc822":
        return format_datetime(moment.replace(microsecond=0), usegmt=True)
    if form == "iso8601":
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    return repr(seconds_of_time(moment))


def seconds_of_time(value: datetime | float) -> float:
    """Seconds since 1970, to the millisecond."""
    if not isinstance(value, datetime):
        return round(float(value), 3)
    since = _aware(value) - _EPOCH
    return (since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000) / 1000


def _moment(value: datetime | float) -> datetime:
    if isinstance(value, datetime):
        return _aware(value).astimezone(UTC)
    return _EPOCH + timedelta(seconds=value)


def scalar(text: str, kind: str, time_form: str) -> Any:
    """A value that stands as text in XML, a form, a header or a URI."""
    if kind == "string":
        return text
    if kind == "boolean":
        return boolean(text.strip())
    if kind in _BOUNDS:
        return whole_number(text.strip(), kind)
    if kind in ("float", "double"):
        return number(text.strip())
    if kind == "timestamp":
        return time(text.strip(), time_form)
    return blob("".join(text.split()))


def scalar_text(value: Any, kind: str, time_form: str) -> str:
    """The reverse of scalar()."""
    if kind == "boolean":
        return "true" if value else "false"
    if kind in ("float", "double"):
        return number_text(float(value))
    if kind == "timestamp":
        return time_text(value, time_form)
    if kind == "blob":
        return blob_text(value)
    return str(value)
