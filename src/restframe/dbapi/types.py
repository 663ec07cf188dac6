"""DB-API 2.0's type objects and constructors.

https://peps.python.org/pep-0249/#type-objects-and-constructors
"""

from __future__ import annotations

import datetime
import time
from dataclasses import dataclass

from restframe.types import SqlType


@dataclass(frozen=True, slots=True, eq=False)
class TypeObject:
    """Equal to every type code in `description` that it covers: `description[0][1] == NUMBER`."""

    name: str
    covers: frozenset[str]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SqlType):
            return other.name in self.covers
        return self is other if isinstance(other, TypeObject) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)


STRING = TypeObject("STRING", frozenset({"varchar", "bpchar", "super"}))
BINARY = TypeObject("BINARY", frozenset({"varbyte"}))
NUMBER = TypeObject("NUMBER", frozenset({"int2", "int4", "int8", "float4", "float8", "numeric", "bool"}))
DATETIME = TypeObject("DATETIME", frozenset({"date", "time", "timetz", "timestamp", "timestamptz", "interval"}))
ROWID = TypeObject("ROWID", frozenset())

Date = datetime.date
Time = datetime.time
Timestamp = datetime.datetime
Binary = bytes


def DateFromTicks(ticks: float) -> datetime.date:  # noqa: N802  (PEP 249's name)
    """The local date at `ticks` seconds since the epoch."""
    return Date(*time.localtime(ticks)[:3])


def TimeFromTicks(ticks: float) -> datetime.time:  # noqa: N802
    return Time(*time.localtime(ticks)[3:6])


def TimestampFromTicks(ticks: float) -> datetime.datetime:  # noqa: N802
    return Timestamp(*time.localtime(ticks)[:6])
