"""Configuration parameters: what SET changes and SHOW prints.

https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_ConfigurationRef.html
"""

from __future__ import annotations

import contextlib
import re
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from restframe import errors


@dataclass(frozen=True, slots=True)
class Variable:
    """check : returns the value as SHOW prints it; raises for one that cannot be. read_only : SET is refused."""

    default: str
    check: Callable[[str], str] = str
    read_only: bool = False


def _boolean(text: str) -> str:
    if text.lower() in ("on", "true", "t", "yes", "1"):
        return "on"
    if text.lower() in ("off", "false", "f", "no", "0"):
        return "off"
    raise ValueError("a Boolean value")


def _whole(least: int, most: int) -> Callable[[str], str]:
    def check(text: str) -> str:
        if not re.fullmatch(r"-?\d+", text) or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return str(int(text))

    return check


def _milliseconds(text: str) -> str:
    match = re.fullmatch(r"(\d+)\s*(ms|s|min|h)?", text.strip().lower())
    if not match:
        raise ValueError("a time in milliseconds, or in ms, s, min or h")
    milliseconds = int(match[1]) * {None: 1, "ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000}[match[2]]
    if milliseconds > _LONGEST_MS:
        raise ValueError(f"no more than {_LONGEST_MS} milliseconds")
    return str(milliseconds)


_LONGEST_MS = 2**31 - 1


def _time_zone(text: str) -> str:
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("the name of a time zone") from error
    return text


def _one_of(*choices: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text.lower() not in choices:
            raise ValueError("one of " + ", ".join(choices))
        return text.lower()

    return check


def _encoding(text: str) -> str:
    """Clients compare it with UTF8, letter by letter. SQL_ASCII is whatever bytes come, and they are UTF-8."""
    encoding = re.sub(r"[^a-z0-9]", "", text.lower())
    if encoding not in ("utf8", "unicode", "sqlascii"):
        raise ValueError("UTF8")
    return "SQL_ASCII" if encoding == "sqlascii" else "UTF8"


def _date_style(text: str) -> str:
    """ISO, and the order in which dates of another style are read, as PostgreSQL spells the two."""
    words = re.findall(r"[a-z]+", text.lower())
    orders = [order for word in words if (order := _ORDERS.get(word))]
    if not words or len(orders) > 1 or any(word != "iso" and word not in _ORDERS for word in words):
        raise ValueError("ISO, with MDY, DMY or YMD")
    return f"ISO, {(orders or ['MDY'])[0]}"


_ORDERS = {"mdy": "MDY", "us": "MDY", "noneuropean": "MDY", "dmy": "DMY", "euro": "DMY", "european": "DMY", "ymd": "YMD"}

_LEVELS = ("debug5", "debug4", "debug3", "debug2", "debug1", "debug", "log", "info", "notice", "warning", "error")

VARIABLES = {
    "analyze_threshold_percent": Variable("10"),
    "application_name": Variable(""),
    "client_encoding": Variable("UTF8", _encoding),
    "client_min_messages": Variable("notice", _one_of(*_LEVELS)),
    "datestyle": Variable("ISO, MDY", _date_style),
    "describe_field_name_in_uppercase": Variable("off", _one_of("off")),
    "downcase_delimited_identifier": Variable("on", _one_of("on")),
    "enable_case_sensitive_identifier": Variable("off", _one_of("off", "false")),
    "enable_result_cache_for_session": Variable("on", _boolean),
    "enable_vacuum_boost": Variable("off", _boolean),
    "error_on_nondeterministic_update": Variable("off", _boolean),
    "extra_float_digits": Variable("0", _whole(-15, 3)),
    "intervalstyle": Variable("postgres", _one_of("postgres")),
    "max_cursor_result_set_size": Variable("0", _whole(0, 2**31 - 1)),
    "mv_enable_aqmv_for_session": Variable("on", _boolean),
    "query_group": Variable("", lambda text: text[:320]),
    "search_path": Variable('"$user", public'),
    "server_encoding": Variable("UTF8", read_only=True),
    "server_version": Variable("8.0.2", read_only=True),
    "standard_conforming_strings": Variable("off", read_only=True),
    "statement_timeout": Variable("0", _milliseconds),
    "stored_proc_log_min_messages": Variable("info", _one_of(*_LEVELS)),
    "timezone": Variable("UTC", _time_zone),
    "use_fips_ssl": Variable("off", _boolean),
    "wlm_query_slot_count": Variable("1", _whole(1, 50)),
}
_OTHER_NAMES = {"time zone": "timezone", "names": "client_encoding"}


class Variables:
    """One session's values. Like all a transaction does, a SET inside it is undone by its ROLLBACK."""

    def __init__(self, given: Mapping[str, str]) -> None:
        """given : what the values are at first, and after RESET; what cannot be one is passed over"""
        self._first = {name: variable.default for name, variable in VARIABLES.items()}
        self._values = dict(self._first)
        for name, value in given.items():
            with contextlib.suppress(errors.Error):
                self.set(name, value)
        self._first = dict(self._values)
        self._before = dict(self._values)

    def begin(self) -> None:
        self._before = dict(self._values)

    def rollback(self) -> bool:
        """Whether that changed anything."""
        changed = self._values != self._before
        self._values = dict(self._before)
        return changed

    def __getitem__(self, name: str) -> str:
        return self._values[_known(name)]

    def set(self, name: str, value: str) -> None:
        name = _known(name)
        variable = VARIABLES[name]
        if variable.read_only:
            raise errors.InvalidParameterValue(f'parameter "{name}" cannot be changed')
        try:
            self._values[name] = variable.check(value)
        except ValueError as error:
            raise errors.InvalidParameterValue(
                f'invalid value for parameter "{name}": "{value[:100]}"', hint=f"The value must be {error}."
            ) from error

    def reset(self, name: str) -> None:
        name = _known(name)
        self._values[name] = self._first[name]

    def reset_all(self) -> None:
        self._values = dict(self._first)

    def all(self) -> list[tuple[str, str]]:
        return sorted(self._values.items())

    @property
    def search_path(self) -> tuple[str, ...]:
        """The schemas SET search_path named, unquoted; `$user` among them stands for the user's own."""
        names = (part.strip().strip("\"'").lower() for part in self._values["search_path"].split(","))
        return tuple(name for name in names if name)

    @property
    def statement_timeout_s(self) -> float | None:
        milliseconds = int(self._values["statement_timeout"])
        return milliseconds / 1000 if milliseconds else None


def check_value(name: str, value: str | None) -> tuple[str, str | None]:
    """A parameter's proper name, and a value for it as SHOW prints it. UndefinedObject, InvalidParameterValue."""
    name = _known(name)
    if value is None:
        return name, None
    values = Variables({})
    values.set(name, value)
    return name, values[name]


def _known(name: str) -> str:
    lowered = _OTHER_NAMES.get(name.lower(), name.lower())
    if lowered not in VARIABLES:
        raise errors.UndefinedObject(f'unrecognized configuration parameter "{name[:100]}"')
    return lowered
