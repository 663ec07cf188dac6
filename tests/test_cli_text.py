"""Values as text and as JSON."""

from __future__ import annotations

import datetime
import json
import math
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe.cli.text import json_texts, texts
from restframe.types import SqlType, parse_type


def _texts(written: str, *values: Any) -> list[str | None]:
    type_ = parse_type(written)
    return texts(pa.array(values, type=type_.arrow_type), type_)


@pytest.mark.parametrize(
    ("written", "value", "shown"),
    [
        ("int", -7, "-7"),
        ("bigint", 9_223_372_036_854_775_807, "9223372036854775807"),
        ("decimal(10,6)", Decimal("0.943024"), "0.943024"),
        ("decimal(20,10)", Decimal("1E-10"), "0.0000000001"),
        ("decimal(38,0)", Decimal(10) ** 37, "1" + "0" * 37),
        ("real", 0.1, "0.1"),
        ("float", 0.1, "0.1"),
        ("float", 3.0, "3"),
        ("float", 1e300, "1e+300"),
        ("float", math.inf, "Infinity"),
        ("float", -math.inf, "-Infinity"),
        ("float", math.nan, "NaN"),
        ("bool", True, "t"),
        ("bool", False, "f"),
        ("varchar(10)", "naïve", "naïve"),
        ("date", datetime.date(2014, 11, 2), "2014-11-02"),
        ("timestamp", datetime.datetime(2014, 11, 2, 1, 0), "2014-11-02 01:00:00"),
        ("timestamp", datetime.datetime(2014, 11, 2, 1, 0, 0, 500_000), "2014-11-02 01:00:00.5"),
        ("timestamp", datetime.datetime(2014, 11, 2, 1, 30, 20, 120), "2014-11-02 01:30:20.00012"),
        ("timestamptz", datetime.datetime(2014, 11, 2, 1, tzinfo=datetime.UTC), "2014-11-02 01:00:00+00"),
        ("time", datetime.time(10, 20), "10:20:00"),
        ("varbyte", b"\x00\xff", "00ff"),
        ("super", '{"a":[1,null]}', '{"a":[1,null]}'),
        ("interval", pa.MonthDayNano([14, 3, 14_706_500_000_000]), "1 year 2 mons 3 days 04:05:06.5"),
        ("interval", pa.MonthDayNano([0, 1, -1_000_000_000]), "1 day -00:00:01"),
        ("interval", pa.MonthDayNano([0, 0, 0]), "00:00:00"),
    ],
)
def test_a_value_is_shown_as_psql_shows_it(written: str, value: Any, shown: str) -> None:
    assert _texts(written, value, None) == [shown, None]


@pytest.mark.parametrize(
    ("type_", "value", "shown"),
    [
        (SqlType("regclass"), "public.trips", "public.trips"),
        (SqlType("regnamespace"), "public", "public"),
        (SqlType("aclitem"), "board=r/owner", "board=r/owner"),
        (SqlType("array", element=SqlType("varchar")), ["a", "b c", None], '{a,"b c",NULL}'),
        (SqlType("array", element=SqlType("int4")), [], "{}"),
        (SqlType("int2vector", element=SqlType("int2")), [1, 3], "1 3"),
        (SqlType("oidvector", element=SqlType("oid")), [], ""),
    ],
)
def test_what_only_the_catalog_has_is_shown_too(type_: SqlType, value: Any, shown: str) -> None:
    assert texts(pa.array([value, None], type=type_.arrow_type), type_) == [shown, None]


def test_json_has_numbers_as_numbers_and_super_as_it_is() -> None:
    def one(written: str, value: Any) -> str:
        type_ = parse_type(written)
        return json_texts(pa.array([value], type=type_.arrow_type), type_)[0]

    assert one("decimal(20,10)", Decimal("0.1000000000")) == "0.1000000000"
    assert one("int", None) == "null"
    assert one("bool", False) == "false"
    assert one("super", '{"a": 1}') == '{"a": 1}'
    assert one("varchar", 'say "hi"\n') == r'"say \"hi\"\n"'
    assert one("float", math.nan) == '"NaN"'
    assert one("timestamp", datetime.datetime(2014, 7, 1)) == '"2014-07-01 00:00:00"'


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_survives_as_text_and_as_json(value: float) -> None:
    type_ = SqlType("float8")
    column = pa.array([value], type=pa.float64())
    assert float(texts(column, type_)[0] or "") == value
    assert json.loads(json_texts(column, type_)[0]) == value


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_real_survives_as_text(value: float) -> None:
    column = pa.array([value], type=pa.float32())
    shown = texts(column, SqlType("float4"))[0] or ""
    assert pa.scalar(float(shown), pa.float32()).as_py() == value
