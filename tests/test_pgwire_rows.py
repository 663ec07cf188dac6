"""Rows of results as messages: the same bytes whether they are written one by one or by the kernel."""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe import errors
from restframe.pgwire import rows, values
from restframe.pgwire.rows import Encoder
from restframe.result import Column
from restframe.storage.writing.values import Style
from restframe.types import SqlType

MANY = 30  # rows, more than are written one by one once the kernel is loaded


@pytest.fixture(autouse=True, scope="module")
def _kernel() -> None:
    """The kernel is loaded, as it is in a server that has sent a large result."""
    from restframe.storage.writing import messages

    assert messages.put_rows


def column(type_: SqlType, cells: Sequence[Any]) -> pa.Array:
    """An Arrow column of what it holds: dates and times as numbers."""
    if pa.types.is_date32(type_.arrow_type):
        return pa.array(cells, pa.int32()).view(pa.date32())
    if pa.types.is_temporal(type_.arrow_type) and not pa.types.is_interval(type_.arrow_type):
        return pa.array(cells, pa.int64()).view(type_.arrow_type)
    return pa.array(cells, type_.arrow_type)


def sent(encoder: Encoder, arrays: Sequence[pa.Array]) -> list[list[bytes | None]]:
    """The cells of each row, read from the messages."""
    data = bytes(encoder.encode(pa.RecordBatch.from_arrays(arrays, names=[str(i) for i in range(len(arrays))])))
    found, at = [], 0
    while at < len(data):
        kind, length, count = struct.unpack_from(">cih", data, at)
        assert kind == b"D"
        end, at = at + 1 + length, at + 7
        cells: list[bytes | None] = []
        for _ in range(count):
            (size,) = struct.unpack_from(">i", data, at)
            cells.append(None if size < 0 else data[at + 4 : at + 4 + size])
            at += 4 + max(size, 0)
        assert at == end
        found.append(cells)
    return found


def test_a_row_is_one_message() -> None:
    encoder = Encoder([Column("a", SqlType("int4")), Column("b", SqlType("varchar")), Column("c", SqlType("bool"))], ())
    batch = pa.RecordBatch.from_arrays(
        [pa.array([-7], pa.int32()), pa.array([None], pa.string()), pa.array([True])], names=["a", "b", "c"]
    )
    assert encoder.encode(batch) == b"D\0\0\0\x15\0\x03" + b"\0\0\0\x02-7" + b"\xff\xff\xff\xff" + b"\0\0\0\x01t"


def test_no_rows_are_no_bytes_and_no_columns_are_rows() -> None:
    empty = pa.RecordBatch.from_arrays([pa.array([], pa.int32())], names=["a"])
    assert bytes(Encoder([Column("a", SqlType("int4"))], ()).encode(empty)) == b""


def test_formats_are_none_one_or_each() -> None:
    assert rows.formats_of((), 2) == (0, 0)
    assert rows.formats_of((1,), 2) == (1, 1)
    assert rows.formats_of((1, 0), 2) == (1, 0)
    encoder = Encoder([Column("a", SqlType("int2")), Column("b", SqlType("int2"))], (1, 0))
    assert sent(encoder, [pa.array([1], pa.int16())] * 2) == [[b"\0\x01", b"1"]]


# Description


def test_description_for_clients_of_postgresql() -> None:
    columns = [Column("ä", SqlType("int4")), Column("n", SqlType("numeric", precision=8, scale=2))]
    assert rows.description(columns, (1,)) == (
        b"T" + struct.pack(">ih", 47, 2)
        + "ä".encode() + b"\0" + struct.pack(">ihihih", 0, 0, 23, 4, -1, 1)
        + b"n\0" + struct.pack(">ihihih", 0, 0, 1700, -1, (8 << 16 | 2) + 4, 1)
    )  # fmt: skip


def test_descriptions_that_differ_in_origins_alone_differ() -> None:
    """Of a column of a table: the table's number, and the column's in it."""
    told = [rows.description([Column("a", SqlType("int4"), origin)], ()) for origin in (None, (100_000, 2), None)]
    assert [struct.unpack_from(">IH", one, 9) for one in told] == [(0, 0), (100_000, 2), (0, 0)]


def test_description_for_redshifts_drivers_has_origins_and_flags() -> None:
    columns = [Column("j", SqlType("super"))]
    field = b"j\0" + struct.pack(">ihihih", 0, 0, 4000, -1, -1, 0)
    assert rows.description(columns, (), 0) == b"T" + struct.pack(">ih", 26, 1) + field
    extended = field + b"\0\0j\0\0" + struct.pack(">h", 0x1000)
    for version in (1, 2):
        assert rows.description(columns, (), version) == b"T" + struct.pack(">ih", 33, 1) + extended


# The kernel and Python write the same


def limits(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    numbers = st.integers(0, precision).flatmap(lambda digits: st.integers(-(10**digits) + 1, 10**digits - 1))
    return numbers.map(lambda number: Decimal(f"{number}E-{scale}"))


DAY_US = 86_400_000_000
DAYS = st.integers(-2_000_000, 20_000_000) | st.sampled_from([2**31 - 1, -(2**31) + 1])
MOMENTS = (
    st.integers(-60_000_000_000_000_000, 2**62)
    | st.integers(0, 2_000_000_000).map(lambda seconds: seconds * 1_000_000)
    | st.sampled_from([2**63 - 1, -(2**63) + 1])
)
OF_DAY = st.integers(0, DAY_US) | st.integers(0, 86_400).map(lambda seconds: seconds * 1_000_000)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
TYPES: dict[str, tuple[SqlType, st.SearchStrategy[Any]]] = {
    "int2": (SqlType("int2"), limits(16)),
    "int4": (SqlType("int4"), limits(32)),
    "int8": (SqlType("int8"), limits(64)),
    "oid": (SqlType("oid"), st.integers(0, 2**32 - 1)),
    "float8": (SqlType("float8"), st.floats(allow_nan=False)),
    "bool": (SqlType("bool"), st.booleans()),
    "numeric(38,0)": (SqlType("numeric", precision=38, scale=0), decimals(38, 0)),
    "numeric(38,37)": (SqlType("numeric", precision=38, scale=37), decimals(38, 37)),
    "numeric(19,5)": (SqlType("numeric", precision=19, scale=5), decimals(19, 5)),
    "numeric(18,2)": (SqlType("numeric", precision=18, scale=2), decimals(18, 2)),
    "numeric(6,6)": (SqlType("numeric", precision=6, scale=6), decimals(6, 6)),
    "date": (SqlType("date"), DAYS),
    "time": (SqlType("time"), OF_DAY),
    "timetz": (SqlType("timetz"), OF_DAY),
    "timestamp": (SqlType("timestamp"), MOMENTS),
    "timestamptz": (SqlType("timestamptz"), MOMENTS),
    "interval": (SqlType("interval"), st.tuples(limits(16), limits(16), limits(50).map(lambda us: us * 1000))),
    "varchar": (SqlType("varchar", length=65535), TEXTS),
    "bpchar": (SqlType("bpchar", length=12), TEXTS),
    "super": (SqlType("super"), TEXTS),
    "varbyte": (SqlType("varbyte"), st.binary(max_size=12)),
    "int4[]": (SqlType("array", element=SqlType("int4")), st.lists(st.none() | limits(32), max_size=3)),
    "varchar[]": (SqlType("array", element=SqlType("varchar")), st.lists(st.none() | TEXTS, max_size=3)),
    "int2vector": (SqlType("int2vector", element=SqlType("int2")), st.lists(limits(16), max_size=3)),
}


@pytest.mark.parametrize("redshift", [None, 2])
@pytest.mark.parametrize("binary", [0, 1])
@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=12)
@given(data=st.data())
def test_few_and_many_rows_are_written_alike(name: str, binary: int, redshift: int | None, data: st.DataObject) -> None:
    type_, cells = TYPES[name]
    drawn = data.draw(st.lists(st.none() | cells, min_size=1, max_size=12))
    zone = data.draw(st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata"]))
    array = column(type_, (drawn * MANY)[: MANY + 1])
    encoder = Encoder([Column("a", type_)], (binary,), redshift_version=redshift, style=Style(zone))
    few = [row for start in range(1, len(array), 5) for row in sent(encoder, [array[start : start + 5]])]
    assert sent(encoder, [array[1:]]) == few  # a slice, whose buffers begin elsewhere


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=1))
def test_small_floats_are_as_short_as_they_can_be(cells: list[float]) -> None:
    encoder = Encoder([Column("a", SqlType("float4"))], ())
    many = sent(encoder, [pa.array((cells * MANY)[:MANY], pa.float32())])
    for (text,), value in zip(many, cells, strict=False):
        assert text is not None
        assert struct.pack("<f", float(text)) == struct.pack("<f", value)
        assert len(text) <= len(values.writer(SqlType("float4"), False, False)(value))


def test_every_column_of_a_wide_row() -> None:
    columns = [Column(name, type_) for name, (type_, _) in TYPES.items()]
    cells: dict[str, Any] = {
        "bool": True, "interval": (1, 2, 3000), "varchar": "x", "bpchar": "y", "super": "[1]", "varbyte": b"\1",
        "int4[]": [1], "varchar[]": ["a b"], "int2vector": [1, 2],
    }  # fmt: skip
    arrays = [
        column(type_, [cells.get(name, Decimal(0) if type_.name == "numeric" else 1), None] * MANY)
        for name, (type_, _) in TYPES.items()
    ]
    for binary in (0, 1):
        encoder = Encoder(columns, (binary,))
        found = sent(encoder, arrays)
        assert found[0::2] == found[:1] * MANY
        assert found[1::2] == [[None] * len(columns)] * MANY
        assert sent(encoder, [array[:2] for array in arrays]) == found[:2]


def test_clocks_change_among_many() -> None:
    winter, summer = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC), dt.datetime(2024, 7, 1, 12, tzinfo=dt.UTC)
    array = pa.array([winter, None, summer] * MANY, pa.timestamp("us", "UTC"))
    encoder = Encoder([Column("a", SqlType("timestamptz"))], (), style=Style("Europe/Berlin"))
    assert sent(encoder, [array]) == [[b"2024-01-01 13:00:00+01"], [None], [b"2024-07-01 14:00:00+02"]] * MANY


def test_dates_beyond_2037_follow_the_zones_rules() -> None:
    moment = dt.datetime(2080, 7, 1, 12, tzinfo=dt.UTC)
    array = pa.array([moment] * MANY, pa.timestamp("us", "UTC"))
    encoder = Encoder([Column("a", SqlType("timestamptz"))], (), style=Style("Europe/Berlin"))
    assert sent(encoder, [array])[0] == [b"2080-07-01 14:00:00+02"]


def test_what_the_format_cannot_hold_is_refused_among_many() -> None:
    for name, value, error in (
        ("timestamp", -(2**63) + 2, errors.InvalidDatetime),
        ("oid", 2**32, errors.NumericValueOutOfRange),
    ):
        type_ = SqlType(name)
        with pytest.raises(error):
            Encoder([Column("a", type_)], (1,)).encode(
                pa.RecordBatch.from_arrays([column(type_, [0] * MANY + [value])], names=["a"])
            )


def test_digits_of_floats_are_cut_among_many() -> None:
    encoder = Encoder([Column("a", SqlType("float8"))], (), style=Style("UTC", -1))
    assert sent(encoder, [pa.array([0.1 + 0.2] * MANY)]) == [[b"0.3"]] * MANY


# Through a server


@pytest.mark.parametrize("binary", [False, True])
def test_a_large_result_reaches_a_client(pg: Any, binary: bool) -> None:
    query = (
        "select n::int, case when n % 3 > 0 then 'n' || n end, n / 8.0::float8, (n / 4.0)::numeric(12,2), "
        "timestamp '2024-01-01' + n * interval '1 second', n % 2 = 0 from generate_series(1, 25000) as g(n) order by 1"
    )
    start = dt.datetime(2024, 1, 1)
    with pg.connect() as connection:
        found = connection.cursor(binary=binary).execute(query).fetchall()
    assert found == [
        (
            n,
            f"n{n}" if n % 3 else None,
            n / 8,
            Decimal(n) / 4,
            start + dt.timedelta(seconds=n),
            n % 2 == 0,
        )
        for n in range(1, 25_001)
    ]


def test_the_sessions_settings_are_those_of_its_texts(pg: Any) -> None:
    with pg.connect(autocommit=True) as connection:
        connection.execute("set timezone to 'Asia/Kolkata'")
        connection.execute("set extra_float_digits to -3")
        found = connection.execute(
            "select (timestamptz '2024-01-01 00:00:00+00')::timestamptz, 0.1::float8 + 0.2::float8"
        )
        row = found.pgresult
        assert row is not None
        assert (row.get_value(0, 0), row.get_value(0, 1)) == (b"2024-01-01 05:30:00+05:30", b"0.3")
