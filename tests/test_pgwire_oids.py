"""What a type is called on the wire, for clients of PostgreSQL and for Redshift's drivers."""

from __future__ import annotations

import psycopg
import pytest

from restframe import errors
from restframe.catalog import types_table
from restframe.pgwire import oids
from restframe.types import SqlType

# name, OID in PostgreSQL, size, OID for Redshift's drivers
WIRED = [
    ("bool", 16, 1, 16), ("int2", 21, 2, 21), ("int4", 23, 4, 23), ("int8", 20, 8, 20), ("float4", 700, 4, 700),
    ("float8", 701, 8, 701), ("date", 1082, 4, 1082), ("time", 1083, 8, 1083), ("timetz", 1266, 12, 1266),
    ("timestamp", 1114, 8, 1114), ("timestamptz", 1184, 8, 1184), ("super", 1043, -1, 4000),
    ("varbyte", 17, -1, 6551), ("oid", 26, 4, 26), ("name", 19, 64, 19), ("char", 18, 1, 18),
    ("aclitem", 1033, 12, 1033),
    ("regclass", 25, -1, 25), ("regtype", 25, -1, 25), ("regproc", 25, -1, 25),
]  # fmt: skip


@pytest.mark.parametrize(("name", "plain", "size", "redshift"), WIRED, ids=[row[0] for row in WIRED])
def test_every_type_has_its_oid(name: str, plain: int, size: int, redshift: int) -> None:
    assert oids.wire(SqlType(name), redshift=False) == (plain, size, -1)
    assert oids.wire(SqlType(name), redshift=True) == (redshift, size, -1)


def test_what_is_announced_is_listed_in_pg_type() -> None:
    sizes = {row[0]: row[2] for row in types_table.rows()}
    for name, plain, size, redshift in WIRED:
        assert (sizes[plain], sizes[redshift]) == (size, size), name


def test_lengths_and_digits_are_in_the_modifier() -> None:
    assert oids.wire(SqlType("varchar", length=20), redshift=False) == (1043, -1, 24)
    assert oids.wire(SqlType("bpchar", length=3), redshift=True) == (1042, -1, 7)
    assert oids.wire(SqlType("varbyte", length=100), redshift=False) == (17, -1, -1)
    assert oids.wire(SqlType("varchar"), redshift=False) == (1043, -1, -1)


@pytest.mark.parametrize("redshift", [False, True])
def test_numeric_always_has_a_modifier(redshift: bool) -> None:
    oid, size, modifier = oids.wire(SqlType("numeric", precision=8, scale=2), redshift)
    assert (oid, size) == (1700, -1)
    assert ((modifier - 4) >> 16, (modifier - 4) & 0xFFFF) == (8, 2)
    assert oids.wire(SqlType("numeric"), redshift)[2] == (38 << 16) + 4


def test_an_interval_of_redshift_is_smaller() -> None:
    assert oids.wire(SqlType("interval"), redshift=False) == (1186, 16, -1)
    assert oids.wire(SqlType("interval"), redshift=True) == (1186, 12, -1)


@pytest.mark.parametrize(
    ("element", "oid"),
    [
        ("int2", 1005),
        ("int4", 1007),
        ("int8", 1016),
        ("varchar", 1009),
        ("float8", 1022),
        ("date", 1182),
        ("oid", 1028),
    ],
)
def test_arrays_have_their_own(element: str, oid: int) -> None:
    type_ = SqlType("array", element=SqlType(element))
    assert oids.wire(type_, redshift=False) == (oid, -1, -1)
    read = oids.sql_type(oid)
    assert read is not None
    assert read.element is not None
    assert read.element.name == element


def test_texts_in_arrays_are_text_for_postgresql() -> None:
    assert [oids.element(SqlType("varchar"), redshift) for redshift in (False, True)] == [25, 1043]
    assert [oids.element(SqlType("int4"), redshift) for redshift in (False, True)] == [23, 23]
    assert oids.wire(SqlType("array", element=SqlType("varchar")), redshift=True) == (1015, -1, -1)


def test_clients_may_leave_a_type_open() -> None:
    assert [oids.sql_type(oid) for oid in (0, 705, 999_999)] == [None, None, None]


@pytest.mark.parametrize(
    ("oid", "name"),
    [(25, "varchar"), (114, "super"), (3802, "super"), (4000, "super"), (6551, "varbyte"), (17, "varbyte"),
     (1188, "interval"), (1190, "interval"), (2205, "regclass"), (24, "regproc"), (1042, "bpchar")],
)  # fmt: skip
def test_several_oids_mean_one_type(oid: int, name: str) -> None:
    read = oids.sql_type(oid)
    assert read is not None
    assert read.name == name


def test_the_numbers_are_those_of_postgresql() -> None:
    known = {type_.name: type_ for type_ in psycopg.postgres.types}
    for name, plain, _, _ in WIRED:
        if name in known and not name.startswith("reg"):
            assert (known[name].oid, known[name].array_oid) == (plain, oids.wire(_array(name), redshift=False)[0])


def _array(name: str) -> SqlType:
    return SqlType("array", element=SqlType(name))


def test_arrays_of_arrays_have_no_type_of_their_own() -> None:
    inner = SqlType("array", element=SqlType("int4"))
    with pytest.raises(errors.NotSupportedError, match="arrays of arrays"):
        oids.wire(SqlType("array", element=inner), redshift=False)
