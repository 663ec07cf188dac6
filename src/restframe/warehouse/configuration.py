"""The configuration parameters there are, and what each may be set to.

Those that Redshift has, and those of PostgreSQL that its clients set when they connect; many have no effect here.

https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_ConfigurationRef.html
"""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass

from restframe import errors
from restframe.types import read_boolean


@dataclass(frozen=True, slots=True)
class Variable:
    """check : returns the value as SHOW prints it; raises for one that cannot be. read_only : SET is refused."""

    default: str
    check: Callable[[str], str] = str
    read_only: bool = False


def _boolean(text: str) -> str:
    truth = read_boolean(text)
    if truth is None:
        raise ValueError("a Boolean value")
    return "on" if truth else "off"


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
    """The name of a zone in any case, or hours: to the west of UTC in `GMT+2` and `+02:00`, to the east in `2`.

    https://www.postgresql.org/docs/15/datatype-datetime.html#DATATYPE-TIMEZONES
    """
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return _time_zone_spelled_otherwise(text)
    return text


def _time_zone_spelled_otherwise(text: str) -> str:
    named = text.lower()
    if hours := re.fullmatch(r"(?:[a-z]{3,6})?([-+][0-9]{1,2})(?::?00)?", named):
        named = f"etc/gmt{int(hours[1]):+d}"
    if re.fullmatch(r"[-+]?[0-9]{1,2}", text):
        named = f"etc/gmt{-int(text):+d}"
    for name in zoneinfo.available_timezones():
        if name.lower() == named:
            return name
    raise ValueError("the name of a time zone")


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


_ORDERS = {
    "mdy": "MDY",
    "us": "MDY",
    "noneuropean": "MDY",
    "dmy": "DMY",
    "euro": "DMY",
    "european": "DMY",
    "ymd": "YMD",
}

_LEVELS = ("debug5", "debug4", "debug3", "debug2", "debug1", "debug", "log", "info", "notice", "warning", "error")


def _isolation(text: str) -> str:
    """Every level is taken for the one there is."""
    if text.lower() not in ("serializable", "repeatable read", "read committed", "read uncommitted", "snapshot"):
        raise ValueError("the name of an isolation level")
    return "serializable"


VARIABLES = {
    "analyze_threshold_percent": Variable("10"),
    "application_name": Variable(""),
    "array_nulls": Variable("on", _boolean),
    "bytea_output": Variable("hex", _one_of("hex")),
    "cast_super_null_on_error": Variable("on", _boolean),
    "check_function_bodies": Variable("on", _boolean),
    "client_encoding": Variable("UTF8", _encoding),
    "client_min_messages": Variable("notice", _one_of(*_LEVELS)),
    "datestyle": Variable("ISO, MDY", _date_style),
    "default_table_access_method": Variable("heap", read_only=True),
    "default_transaction_isolation": Variable("serializable", _isolation),
    "default_transaction_read_only": Variable("off", _boolean),
    "describe_field_name_in_uppercase": Variable("off", _one_of("off")),
    "downcase_delimited_identifier": Variable("on", _one_of("on")),
    "enable_case_sensitive_identifier": Variable("off", _one_of("off", "false")),
    "enable_numeric_rounding": Variable("on", _boolean),
    "enable_result_cache_for_session": Variable("on", _boolean),
    "enable_vacuum_boost": Variable("off", _boolean),
    "error_on_nondeterministic_update": Variable("off", _boolean),
    "escape_string_warning": Variable("off", _boolean),
    "extra_float_digits": Variable("0", _whole(-15, 3)),
    "idle_in_transaction_session_timeout": Variable("0", _milliseconds),
    "integer_datetimes": Variable("on", read_only=True),
    "intervalstyle": Variable("postgres", _one_of("postgres")),
    "is_superuser": Variable("off", read_only=True),
    "json_serialization_enable": Variable("off", _boolean),
    "json_serialization_parse_nested_strings": Variable("off", _boolean),
    "lc_collate": Variable("C", read_only=True),
    "lc_ctype": Variable("C", read_only=True),
    "lock_timeout": Variable("0", _milliseconds),
    "max_concurrency_scaling_clusters": Variable("1", _whole(0, 10)),
    "max_cursor_result_set_size": Variable("0", _whole(0, 2**31 - 1)),
    "max_identifier_length": Variable("127", read_only=True),
    "max_index_keys": Variable("32", read_only=True),
    "mv_enable_aqmv_for_session": Variable("on", _boolean),
    "navigate_super_null_on_error": Variable("on", _one_of("on", "true", "t", "yes", "1")),
    "parse_super_null_on_error": Variable("off", _one_of("off", "false", "f", "no", "0")),
    "password_encryption": Variable("md5", read_only=True),  # what psql's \password makes of a password
    "query_group": Variable("", lambda text: text[:320]),
    "row_security": Variable("on", _boolean),
    "search_path": Variable('"$user", public'),
    "server_encoding": Variable("UTF8", read_only=True),
    "server_version": Variable("8.0.2", read_only=True),
    "session_authorization": Variable("", read_only=True),
    "spectrum_query_maxerror": Variable("0", _whole(0, 2**31 - 1)),
    "standard_conforming_strings": Variable("off", read_only=True),
    "statement_timeout": Variable("0", _milliseconds),
    "stored_proc_log_min_messages": Variable("info", _one_of(*_LEVELS)),
    "synchronous_commit": Variable("on", _one_of("on", "off", "local", "remote_write", "remote_apply")),
    "timezone": Variable("UTC", _time_zone),
    "transaction_isolation": Variable("serializable", _isolation),
    "transaction_read_only": Variable("off", _boolean),
    "use_fips_ssl": Variable("off", _boolean),
    "wlm_query_slot_count": Variable("1", _whole(1, 50)),
    "xmloption": Variable("content", _one_of("content", "document")),
}

# Other words for the same.
_OTHER_NAMES = {
    "time zone": "timezone",
    "names": "client_encoding",
    "transaction isolation level": "transaction_isolation",
    "session authorization": "session_authorization",
}


def shown_name(name: str) -> str:
    """What SHOW calls the column of a parameter, whether or not it is there."""
    return _OTHER_NAMES.get(name.lower(), name.lower())


def known_name(name: str) -> str:
    """The name of a parameter; of one with a dot in it too, which applications make up and which may have no value.

    UndefinedObject for any other.
    """
    lowered = shown_name(name)
    if lowered not in VARIABLES and "." not in lowered:
        raise errors.UndefinedObject(f'unrecognized configuration parameter "{name[:100]}"')
    return lowered
