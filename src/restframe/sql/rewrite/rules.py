"""Redshift's types of results: arithmetic, and values of several types in one column.

https://docs.aws.amazon.com/redshift/latest/dg/r_numeric_computations201.html
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from restframe.types import SqlType

INT2, INT4, INT8 = SqlType("int2"), SqlType("int4"), SqlType("int8")
FLOAT4, FLOAT8 = SqlType("float4"), SqlType("float8")
BOOL = SqlType("bool")
VARCHAR = SqlType("varchar")  # of no particular length
DATE, TIME, TIMETZ = SqlType("date"), SqlType("time"), SqlType("timetz")
TIMESTAMP, TIMESTAMPTZ, INTERVAL = SqlType("timestamp"), SqlType("timestamptz"), SqlType("interval")
SUPER, VARBYTE = SqlType("super"), SqlType("varbyte")
OID, NAME, CHAR = SqlType("oid"), SqlType("name"), SqlType("char")  # of the system tables
REGISTERED = frozenset({"regclass", "regtype", "regproc", "regnamespace", "regrole"})  # names of what has a number

DATETIMES = frozenset({"date", "timestamp", "timestamptz"})
_RANK = {"int2": 0, "int4": 1, "int8": 2, "oid": 2, "numeric": 3, "float4": 4, "float8": 5}
_PRECISION_OF_INTEGER = {"int2": 5, "int4": 10, "int8": 19, "oid": 19}
_MAX_PRECISION = 38
_MAX_SCALE = 37


_KINDS = {
    **dict.fromkeys(_RANK, "number"), **dict.fromkeys(("varchar", "bpchar", "name", "char", "aclitem"), "text"),
    **dict.fromkeys(DATETIMES, "date"), "time": "time", "timetz": "time",
    "int2vector": "array", "oidvector": "array", **dict.fromkeys(REGISTERED, "registered"),
}  # fmt: skip


def kind(type_: SqlType) -> str:
    """What types have to share to be compared, or to stand in one column, without a cast."""
    return _KINDS.get(type_.name, type_.name)


def array_of(element: SqlType | None) -> SqlType:
    return SqlType("array", element=element or VARCHAR)


def numeric(precision: int, scale: int) -> SqlType:
    return SqlType("numeric", precision=precision, scale=scale)


@lru_cache(maxsize=4096)
def as_numeric(type_: SqlType) -> SqlType:
    """The NUMERIC an integer counts as beside one: NUMERIC(5,0), (10,0) or (19,0)."""
    if type_.name == "numeric":
        return type_
    return numeric(_PRECISION_OF_INTEGER[type_.name], 0)


@lru_cache(maxsize=4096)
def arithmetic(operator: str, left: SqlType, right: SqlType) -> SqlType:
    """The type of `left operator right` for two numbers; operator is one of + - * / %."""
    rank = max(_RANK[left.name], _RANK[right.name])
    if rank < 3:
        return (INT2, INT4, INT8)[rank]
    if rank > 3:
        return FLOAT4 if left.name == right.name == "float4" else FLOAT8
    left, right = as_numeric(left), as_numeric(right)
    p1, s1, p2, s2 = left.precision or 0, left.scale or 0, right.precision or 0, right.scale or 0
    if operator == "*":
        return _limited(p1 + p2 + 1, s1 + s2)
    if operator == "/":
        scale = max(4, s1 + p2 - s2 + 1)
        return _quotient(p1 - s1 + s2 + scale, scale)
    scale = max(s1, s2)
    return _limited(max(p1 - s1, p2 - s2) + 1 + scale, scale)


def _limited(precision: int, scale: int) -> SqlType:
    return numeric(min(precision, _MAX_PRECISION), min(scale, _MAX_SCALE))


def _quotient(precision: int, scale: int) -> SqlType:
    if precision > _MAX_PRECISION:
        scale = max(_MAX_PRECISION + scale - precision, 4)
        precision = _MAX_PRECISION
    return numeric(precision, min(scale, _MAX_SCALE))


def common(types: Iterable[SqlType | None]) -> SqlType | None:
    """The one type for values of several: of a CASE, a COALESCE, a UNION, a list. None when nothing is known."""
    found: SqlType | None = None
    for type_ in types:
        if found is None or found == type_:
            found = type_
        elif type_ is not None:
            found = _common(found, type_)
    return found


@lru_cache(maxsize=4096)
def _common(left: SqlType, right: SqlType) -> SqlType:
    if left.is_number and right.is_number:
        return _common_number(left, right)
    if left.is_text and right.is_text:
        lengths = (left.length, right.length)
        name = "bpchar" if left.name == right.name == "bpchar" else "varchar"
        return SqlType(name, length=None if None in lengths else max(left.length or 0, right.length or 0))
    if left.name in DATETIMES and right.name in DATETIMES:
        names = {left.name, right.name}
        return TIMESTAMPTZ if "timestamptz" in names else TIMESTAMP
    if kind(left) == kind(right) == "time":
        return TIMETZ
    return left


def _common_number(left: SqlType, right: SqlType) -> SqlType:
    rank = max(_RANK[left.name], _RANK[right.name])
    if rank < 3:
        return (INT2, INT4, INT8)[rank]
    if rank > 3:
        return FLOAT4 if left.name == right.name == "float4" else FLOAT8
    left, right = as_numeric(left), as_numeric(right)
    scale = max(left.scale or 0, right.scale or 0)
    whole = max((left.precision or 0) - (left.scale or 0), (right.precision or 0) - (right.scale or 0))
    return numeric(min(whole + scale, _MAX_PRECISION), scale)
