"""Redshift's data types: how they are written, and what they are called by the engine, by clients and in Arrow.

https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from restframe import errors

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class SqlType:
    """One type with its modifiers.

    name : the internal name that pg_catalog shows: int2 int4 int8 float4 float8 numeric bool bpchar varchar date
        time timetz timestamp timestamptz interval super varbyte; and in the system's own views and functions oid name
        char regclass regtype regproc regnamespace regrole aclitem array int2vector oidvector, of which no table has
        columns, and record, of which no result has
    length : for bpchar, varchar and varbyte, in bytes
    precision, scale : for numeric
    element : for array, and for int2vector and oidvector, which are arrays that are counted from 0; for record, the
        type of its field x
    """

    name: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    element: SqlType | None = None

    def __str__(self) -> str:
        """The type as format_type() prints it: `character varying(10)`, `numeric(8,2)`, `integer[]`."""
        if self.name == "array":
            return f"{self.element}[]"
        long = _LONG_NAME[self.name]
        if self.precision is not None:
            return f"{long}({self.precision},{self.scale})"
        return long if self.length is None else f"{long}({self.length})"

    @property
    def engine_type(self) -> str:
        """The DuckDB type that stores it."""
        if self.name == "numeric":
            return f"DECIMAL({self.precision},{self.scale})"
        if self.element is not None:
            return f"{self.element.engine_type}[]"
        return _ENGINE_TYPE[self.name]

    @property
    def arrow_type(self) -> pa.DataType:
        """The Arrow type its columns have in a Result."""
        import pyarrow as pa

        if self.name == "numeric":
            return pa.decimal128(self.precision or 38, self.scale or 0)
        if self.element is not None:
            return pa.list_(self.element.arrow_type)
        return {
            "int2": pa.int16(), "int4": pa.int32(), "int8": pa.int64(), "float4": pa.float32(),
            "float8": pa.float64(), "bool": pa.bool_(), "bpchar": pa.string(), "varchar": pa.string(),
            "date": pa.date32(), "time": pa.time64("us"), "timetz": pa.time64("us"),
            "timestamp": pa.timestamp("us"), "timestamptz": pa.timestamp("us", "UTC"),
            "interval": pa.month_day_nano_interval(), "super": pa.string(), "varbyte": pa.binary(),
            "oid": pa.int64(), "name": pa.string(), "char": pa.string(), "regclass": pa.string(),
            "regtype": pa.string(), "regproc": pa.string(), "regnamespace": pa.string(), "regrole": pa.string(),
            "aclitem": pa.string(),
        }[self.name]  # fmt: skip

    @property
    def is_integer(self) -> bool:
        return self.name in ("int2", "int4", "int8", "oid")

    @property
    def is_number(self) -> bool:
        return self.is_integer or self.name in ("float4", "float8", "numeric")

    @property
    def is_text(self) -> bool:
        return self.name in ("varchar", "bpchar", "name", "char", "aclitem")


_LONG_NAME = {
    "int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real", "float8": "double precision",
    "numeric": "numeric", "bool": "boolean", "bpchar": "character", "varchar": "character varying", "date": "date",
    "time": "time without time zone", "timetz": "time with time zone", "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone", "interval": "interval", "super": "super",
    "varbyte": "binary varying", "oid": "oid", "name": "name", "char": '"char"', "regclass": "regclass",
    "regtype": "regtype", "regproc": "regproc", "regnamespace": "regnamespace", "regrole": "regrole",
    "aclitem": "aclitem", "int2vector": "int2vector", "oidvector": "oidvector", "record": "record",
}  # fmt: skip

_ENGINE_TYPE = {
    "int2": "SMALLINT", "int4": "INTEGER", "int8": "BIGINT", "float4": "FLOAT", "float8": "DOUBLE",
    "bool": "BOOLEAN", "bpchar": "VARCHAR", "varchar": "VARCHAR", "date": "DATE", "time": "TIME",
    "timetz": "TIMETZ", "timestamp": "TIMESTAMP", "timestamptz": "TIMESTAMPTZ", "interval": "INTERVAL",
    "super": "JSON", "varbyte": "BLOB", "oid": "BIGINT", "name": "VARCHAR", "char": "VARCHAR", "regclass": "VARCHAR",
    "regtype": "VARCHAR", "regproc": "VARCHAR", "regnamespace": "VARCHAR", "regrole": "VARCHAR",
    "aclitem": "VARCHAR",
}  # fmt: skip

# Every spelling the manual gives, in lower case with single spaces, to the internal name.
_SPELLINGS = {
    "smallint": "int2", "int2": "int2", "integer": "int4", "int": "int4", "int4": "int4", "bigint": "int8",
    "int8": "int8", "real": "float4", "float4": "float4", "double precision": "float8", "float8": "float8",
    "float": "float8", "double": "float8", "decimal": "numeric", "numeric": "numeric", "boolean": "bool",
    "bool": "bool", "char": "bpchar", "character": "bpchar", "nchar": "bpchar", "bpchar": "bpchar",
    "varchar": "varchar", "character varying": "varchar", "nvarchar": "varchar", "text": "varchar",
    "date": "date", "time": "time", "time without time zone": "time", "timetz": "timetz",
    "time with time zone": "timetz", "timestamp": "timestamp", "timestamp without time zone": "timestamp",
    "timestamptz": "timestamptz", "timestamp with time zone": "timestamptz", "interval": "interval",
    "super": "super", "varbyte": "varbyte", "varbinary": "varbyte", "binary varying": "varbyte",
}  # fmt: skip

_REFUSED = ("geometry", "geography", "hllsketch")
_MAX_VARCHAR = 65535
_MAX_CHAR = 4096
_MAX_VARBYTE = 1024000


def parse_type(text: str) -> SqlType:
    """The type a Redshift spelling means: `VARCHAR(10)`, `decimal`, `timestamp with time zone`.

    SyntaxError for a spelling the manual does not know, InvalidParameterValue for a length out of range,
    NotSupportedError for the types restframe has not got.
    """
    match = _WRITTEN.fullmatch(text.lower())
    if match is None:
        raise errors.SyntaxError(f'type "{text.strip()[:100]}" is not written as a type')
    base = re.sub(r"\s+", " ", match[1] + (match[4] or ""))
    if base in _REFUSED:
        raise errors.NotSupportedError(f"type {base} is not supported")
    name = _SPELLINGS.get(base)
    if name is None:
        raise errors.UndefinedObject(f'type "{base[:100]}" does not exist')
    first, second = match[2], match[3]
    if (second and name != "numeric") or (first and not _takes_modifier(name, base, first)):
        raise errors.SyntaxError(f'type "{text.strip()[:100]}" is not written as a type')
    if name == "numeric":
        return _numeric(first, second)
    if name in ("bpchar", "varchar", "varbyte"):
        return SqlType(name, length=_length(name, base, first))
    return SqlType(name)


_WRITTEN = re.compile(
    r"\s*([a-z_][a-z0-9_\s]*?)\s*(?:\(\s*(max|[0-9]{1,9})\s*(?:,\s*([0-9]{1,9})\s*)?\))?"
    r"(\s+with(?:out)?\s+time\s+zone)?\s*"
)


def _takes_modifier(name: str, spelling: str, first: str) -> bool:
    if name in ("bpchar", "varchar", "varbyte"):
        return True
    return first != "max" and (name.startswith(("numeric", "time")) or spelling == "float")


def _numeric(first: str | None, second: str | None) -> SqlType:
    precision, scale = int(first or 18), int(second or 0)
    if not 1 <= precision <= 38:
        raise errors.InvalidParameterValue(f"NUMERIC precision {precision} must be between 1 and 38")
    if not 0 <= scale <= min(37, precision):
        raise errors.InvalidParameterValue(f"NUMERIC scale {scale} must be between 0 and {min(37, precision)}")
    return SqlType("numeric", precision=precision, scale=scale)


def _length(name: str, spelling: str, given: str | None) -> int:
    limit = {"bpchar": _MAX_CHAR, "varchar": _MAX_VARCHAR, "varbyte": _MAX_VARBYTE}[name]
    if given is None:
        # bpchar without a length is char(256) in Redshift, char is char(1)
        return 256 if spelling == "bpchar" else {"bpchar": 1, "varchar": 256, "varbyte": 64000}[name]
    length = limit if given == "max" else int(given)
    if length < 1:
        raise errors.InvalidParameterValue(f"length for type {spelling} must be at least 1")
    if length > limit:
        raise errors.InvalidParameterValue(f"length for type {spelling} cannot exceed {limit}")
    return length


@lru_cache(maxsize=256)
def read_type(text: str) -> SqlType:
    """As parse_type, of what `str(SqlType)` wrote, the system's own types and arrays included."""
    if text.endswith("[]"):
        return SqlType("array", element=read_type(text[:-2]))
    if text in _SYSTEM_TYPES:
        return SqlType(_SYSTEM_TYPES[text])
    if text in _VECTORS:
        return _VECTORS[text]
    return SqlType("varchar") if text in ("text", "character varying") else parse_type(text)


_SYSTEM_TYPES = {
    "oid": "oid", "name": "name", '"char"': "char", "regclass": "regclass", "regtype": "regtype",
    "regproc": "regproc", "regnamespace": "regnamespace", "regrole": "regrole", "aclitem": "aclitem",
}  # fmt: skip
_VECTORS = {
    "int2vector": SqlType("int2vector", element=SqlType("int2")),
    "oidvector": SqlType("oidvector", element=SqlType("oid")),
}


def read_boolean(text: str) -> bool | None:
    """What a text says as a Boolean: 1, 0 or a word, or the beginning of a word that begins no other; None for none.

    https://www.postgresql.org/docs/15/datatype-boolean.html
    """
    text = text.strip().lower()
    found = {truth for word, truth in _BOOLEANS if text and word.startswith(text)}
    return found.pop() if len(found) == 1 else None


_BOOLEANS = (
    ("true", True), ("yes", True), ("on", True), ("1", True), ("false", False), ("no", False), ("off", False),
    ("0", False),
)  # fmt: skip


@lru_cache(maxsize=256)
def from_engine_type(text: str) -> SqlType:
    """The Redshift type of a DuckDB type name, for results and views: `DECIMAL(10,6)`, `VARCHAR`, `HUGEINT`."""
    match = re.fullmatch(r"DECIMAL\((\d+),\s*(\d+)\)", text)
    if match:
        return SqlType("numeric", precision=int(match[1]), scale=int(match[2]))
    return _FROM_ENGINE.get(
        text, SqlType("super") if text.endswith("]") or text.startswith(("STRUCT", "MAP")) else _TEXT
    )


_TEXT = SqlType("varchar", length=_MAX_VARCHAR)
_FROM_ENGINE = {
    "TINYINT": SqlType("int2"), "UTINYINT": SqlType("int2"), "SMALLINT": SqlType("int2"), "USMALLINT": SqlType("int4"),
    "INTEGER": SqlType("int4"), "UINTEGER": SqlType("int8"), "BIGINT": SqlType("int8"),
    "UBIGINT": SqlType("numeric", precision=20, scale=0), "HUGEINT": SqlType("numeric", precision=38, scale=0),
    "FLOAT": SqlType("float4"), "DOUBLE": SqlType("float8"), "BOOLEAN": SqlType("bool"), "VARCHAR": _TEXT,
    "DATE": SqlType("date"), "TIME": SqlType("time"), "TIME WITH TIME ZONE": SqlType("timetz"),
    "TIMESTAMP": SqlType("timestamp"), "TIMESTAMP_S": SqlType("timestamp"), "TIMESTAMP_MS": SqlType("timestamp"),
    "TIMESTAMP_NS": SqlType("timestamp"), "TIMESTAMP WITH TIME ZONE": SqlType("timestamptz"),
    "INTERVAL": SqlType("interval"), "JSON": SqlType("super"), "BLOB": SqlType("varbyte", length=_MAX_VARBYTE),
    '"NULL"': _TEXT, "UUID": _TEXT,
}  # fmt: skip
