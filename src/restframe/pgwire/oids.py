"""Which number, size and modifier a type has on the wire.

Clients of PostgreSQL know the OIDs of PostgreSQL and no others, so SUPER is announced to them as varchar: its text is
JSON, which every client hands on as a string, as they all do with Redshift's own 4000; announced as json, some would
parse it behind the back of programs written for Redshift. VARBYTE is bytea, which gives their users bytes. Redshift's
drivers are told the OIDs of Redshift. regclass, regtype and regproc are text for both: a result has their printed
names, while their binary form is a number. Arrays of varchar are text[] for PostgreSQL's clients, of which asyncpg
knows no other without asking the catalog, by a question whose answer has one.

https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat
https://github.com/aws/amazon-redshift-python-driver/blob/master/redshift_connector/utils/oids.py
"""

from __future__ import annotations

from restframe import errors
from restframe.types import SqlType

# name: (OID, bytes of a value or -1, OID of its array)
_PLAIN = {
    "bool": (16, 1, 1000), "char": (18, 1, 1002), "name": (19, 64, 1003), "int8": (20, 8, 1016), "int2": (21, 2, 1005),
    "int4": (23, 4, 1007), "regproc": (25, -1, 1009), "regclass": (25, -1, 1009), "regtype": (25, -1, 1009),
    "regnamespace": (25, -1, 1009), "regrole": (25, -1, 1009), "oid": (26, 4, 1028), "float4": (700, 4, 1021),
    "float8": (701, 8, 1022), "aclitem": (1033, 12, 1034),
    "bpchar": (1042, -1, 1014), "varchar": (1043, -1, 1009), "date": (1082, 4, 1182), "time": (1083, 8, 1183),
    "timestamp": (1114, 8, 1115), "timestamptz": (1184, 8, 1185), "interval": (1186, 16, 1187),
    "timetz": (1266, 12, 1270), "numeric": (1700, -1, 1231), "super": (1043, -1, 1009), "varbyte": (17, -1, 1001),
}  # fmt: skip
# An interval is 12 bytes there, months and microseconds: days became a part of their own after PostgreSQL 8.0.
_REDSHIFT = _PLAIN | {
    "interval": (1186, 12, 1187), "super": (4000, -1, 1015), "varbyte": (6551, -1, 1015), "varchar": (1043, -1, 1015),
}  # fmt: skip

_VECTORS = {"int2vector": 22, "oidvector": 30}

_TEXT = SqlType("varchar", length=65535)
_OF_OID = {
    16: SqlType("bool"), 17: SqlType("varbyte", length=1024000), 18: SqlType("char"), 19: SqlType("name"),
    20: SqlType("int8"), 21: SqlType("int2"), 23: SqlType("int4"), 24: SqlType("regproc"), 25: _TEXT,
    26: SqlType("oid"), 114: SqlType("super"), 700: SqlType("float4"), 701: SqlType("float8"),
    1033: SqlType("aclitem"), 1042: SqlType("bpchar", length=4096), 1043: _TEXT, 1082: SqlType("date"),
    1083: SqlType("time"), 1114: SqlType("timestamp"), 1184: SqlType("timestamptz"), 1186: SqlType("interval"),
    1188: SqlType("interval"), 1190: SqlType("interval"), 1266: SqlType("timetz"),
    1700: SqlType("numeric", precision=38, scale=10), 2205: SqlType("regclass"), 2206: SqlType("regtype"),
    2275: _TEXT, 3802: SqlType("super"), 4000: SqlType("super"), 6551: SqlType("varbyte", length=1024000),
}  # fmt: skip
_ARRAYS = {
    **{_PLAIN[name][2]: SqlType(name) for name in _PLAIN if not name.startswith("reg")},
    1001: _OF_OID[17], 1009: _TEXT, 1014: _OF_OID[1042], 1015: _TEXT, 1231: _OF_OID[1700], 2210: SqlType("regclass"),
    2211: SqlType("regtype"), 1008: SqlType("regproc"),
}  # fmt: skip


def wire(type_: SqlType, redshift: bool) -> tuple[int, int, int]:
    """OID, size in bytes (-1: varies) and modifier (-1: none) that a description of a column or parameter gives.

    numeric always has a modifier, without which Redshift's drivers compute a scale of 65532.
    """
    known = _REDSHIFT if redshift else _PLAIN
    if type_.element is not None:
        if type_.element.element is not None:
            raise errors.NotSupportedError("arrays of arrays cannot be sent")
        return _VECTORS.get(type_.name) or known[type_.element.name][2], -1, -1
    oid, size, _ = known[type_.name]
    if type_.name == "numeric":
        return oid, size, ((type_.precision or 38) << 16 | (type_.scale or 0)) + 4
    if type_.length is not None and type_.is_text:
        return oid, size, type_.length + 4
    return oid, size, -1


def element(type_: SqlType, redshift: bool) -> int:
    """The OID that an array in binary gives for its elements of this type."""
    oid, array_oid = wire(type_, redshift)[0], wire(SqlType("array", element=type_), redshift)[0]
    return _TEXT_OID if array_oid == _TEXT_ARRAY_OID else oid


_TEXT_OID, _TEXT_ARRAY_OID = 25, 1009


def sql_type(oid: int) -> SqlType | None:
    """The type a client means by the OID it gives a parameter.

    None for 0, for 705, as which Redshift's drivers send strings and NULL, and for those that are not known.
    A numeric without a modifier has as many digits on both sides as fit.
    """
    element = _ARRAYS.get(oid) or {22: SqlType("int2"), 30: SqlType("oid")}.get(oid)
    return _OF_OID.get(oid) if element is None else SqlType("array", element=element)
