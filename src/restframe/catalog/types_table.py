"""The data types pg_type lists: PostgreSQL's where Redshift has them, with its numbers, and Redshift's own.

https://www.postgresql.org/docs/15/catalog-pg-type.html
"""

from __future__ import annotations

from typing import Any

# oid, name, length in bytes (-1: varies), category, oid of its array (0: none), alignment, what the names of its
# functions begin with, and the name that format_type() prints, where it has another.
_TYPES = """
    16 bool 1 B 1000 c bool boolean
    17 bytea -1 U 1001 i bytea
    18 char 1 Z 1002 c char "char"
    19 name 64 S 1003 c name
    20 int8 8 N 1016 d int8 bigint
    21 int2 2 N 1005 s int2 smallint
    22 int2vector -1 A 1006 i int2vector
    23 int4 4 N 1007 i int4 integer
    24 regproc 4 N 1008 i regproc
    25 text -1 S 1009 i text
    26 oid 4 N 1028 i oid
    27 tid 6 U 1010 s tid
    28 xid 4 U 1011 i xid
    29 cid 4 U 1012 i cid
    30 oidvector -1 A 1013 i oidvector
    700 float4 4 N 1021 i float4 real
    701 float8 8 N 1022 d float8 double precision
    705 unknown -2 X 0 c unknown
    1033 aclitem 12 U 1034 i aclitem
    1042 bpchar -1 S 1014 i bpchar character
    1043 varchar -1 S 1015 i varchar character varying
    1082 date 4 D 1182 i date_
    1083 time 8 D 1183 d time_ time without time zone
    1114 timestamp 8 D 1115 d timestamp_ timestamp without time zone
    1184 timestamptz 8 D 1185 d timestamptz_ timestamp with time zone
    1186 interval 16 T 1187 d interval_
    1188 intervaly2m 4 T 0 i intervaly2m_ interval year to month
    1190 intervald2s 8 T 0 d intervald2s_ interval day to second
    1266 timetz 12 D 1270 d timetz_ time with time zone
    1700 numeric -1 N 1231 i numeric_
    1790 refcursor -1 U 2201 i text
    2202 regprocedure 4 N 2207 i regprocedure
    2203 regoper 4 N 2208 i regoper
    2204 regoperator 4 N 2209 i regoperator
    2205 regclass 4 N 2210 i regclass
    2206 regtype 4 N 2211 i regtype
    2249 record -1 P 2287 d record_
    2275 cstring -2 P 1263 c cstring_
    2276 any 4 P 0 i any_ "any"
    2277 anyarray -1 P 0 d anyarray_
    2278 void 4 P 0 i void_
    2279 trigger 4 P 0 i trigger_
    2280 language_handler 4 P 0 i language_handler_
    2281 internal 8 P 0 d internal_
    2283 anyelement 4 P 0 i anyelement_
    2935 hllsketch -1 U 0 i hllsketch_
    3000 geometry -1 U 0 d geometry_
    3001 geography -1 U 0 d geography_
    4000 super -1 U 0 i super_
    6551 varbyte -1 U 0 i varbyte_ binary varying
"""
_PREFERRED = ("bool", "float8", "interval", "oid", "text", "timestamptz")
_ELEMENTS = {"int2vector": 21, "name": 18, "oidvector": 26}
_MODIFIED = ("bpchar", "interval", "numeric", "time", "timestamp", "timestamptz", "timetz", "varbyte", "varchar")

COLUMNS = (
    "oid BIGINT, name VARCHAR, length SMALLINT, kind VARCHAR, category VARCHAR, preferred BOOLEAN, element BIGINT, "
    "array_oid BIGINT, alignment VARCHAR, input VARCHAR, output VARCHAR, receive VARCHAR, send VARCHAR, "
    "modifier_input VARCHAR, modifier_output VARCHAR, long_name VARCHAR"
)
Row = tuple[Any, ...]  # the values of COLUMNS


def rows() -> list[Row]:
    """Every type, and the array of each that has one."""
    found: list[Row] = []
    for line in _TYPES.strip().splitlines():
        oid, name, length, category, array, alignment, prefix, *long = line.split(None, 7)
        shown = long[0] if long else name
        kind = "p" if category in "PX" else "b"
        functions = tuple(f"{prefix}{end}" for end in ("in", "out", "recv", "send"))
        modifiers = (f"{name}typmodin", f"{name}typmodout") if name in _MODIFIED else ("-", "-")
        found.append(
            (
                int(oid), name, int(length), kind, category, name in _PREFERRED, _ELEMENTS.get(name, 0), int(array),
                alignment, *functions, *modifiers, shown,
            )
        )  # fmt: skip
        if array != "0":
            functions = ("array_in", "array_out", "array_recv", "array_send")
            aligned = "d" if alignment == "d" else "i"
            found.append(
                (
                    int(array), f"_{name}", -1, "b", "A", False, int(oid), 0, aligned, *functions, *modifiers,
                    f"{shown}[]",
                )
            )  # fmt: skip
    return found
