"""Whole queries: the documents', TPC-H's, and calls of models."""

from __future__ import annotations

import datetime as dt
import re
import runpy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from restframe import errors
from restframe.sql import FunctionReference, ModelCall
from restframe.sql.translate import type_of_value
from restframe.types import parse_type

TPCH = runpy.run_path(str(Path(__file__).resolve().parents[1] / "benchmarks" / "tpch.py"))


@pytest.fixture
def rides(redshift: Any) -> Any:
    """Ridership with a model: its score is the tenth of the passengers, with six decimals."""
    redshift.table(
        "rcf_taxi_data", "ride_timestamp timestamp, nbr_passengers int",
        *(f"'2014-07-01 {hour:02}:{minute:02}', {100 + hour}" for hour in range(24) for minute in (0, 30)),
        "'2014-11-02 01:00', 39197",
    )  # fmt: skip
    redshift.connection.execute(
        "CREATE OR REPLACE MACRO __m_1(statement, n) AS CAST(n AS INTEGER) / CAST(10 AS DECIMAL(10,6))"
    )
    redshift.functions["public", "remote_fn_rcf"] = FunctionReference(
        "__m_1", (parse_type("int"),), parse_type("decimal(10,6)")
    )
    return redshift


def test_the_first_documents_queries(rides: Any) -> None:
    scores = rides.rows(
        "select ride_timestamp, nbr_passengers, public.remote_fn_rcf(nbr_passengers) as score\n"
        "from public.rcf_taxi_data"
    )
    assert len(scores) == 49
    assert rides.rows(
        """with score_cutoff as
        (select stddev(public.remote_fn_rcf(nbr_passengers)) as std,
        avg(public.remote_fn_rcf(nbr_passengers)) as mean, ( mean + 3 * std ) as score_cutoff_value
        from public.rcf_taxi_data)

        select ride_timestamp, nbr_passengers, public.remote_fn_rcf(nbr_passengers) as score
        from public.rcf_taxi_data
        where score > (select score_cutoff_value from score_cutoff)
        order by 2 desc"""
    ) == [(dt.datetime(2014, 11, 2, 1), 39197, pytest.approx(3919.7))]


def test_calls_of_models_are_reported(rides: Any) -> None:
    function = rides.functions["public", "remote_fn_rcf"]
    table = rides.tables["public", "rcf_taxi_data"]
    (call,) = rides.translate("select remote_fn_rcf(nbr_passengers) from rcf_taxi_data").calls
    assert (call.function, call.table, call.columns, call.every_row) == (function, table, ("nbr_passengers",), True)
    (call,) = rides.translate("select 1 from rcf_taxi_data t where remote_fn_rcf(t.nbr_passengers) > 1").calls
    assert (call.table, call.columns, call.every_row) == (table, ("nbr_passengers",), False)
    (call,) = rides.translate("select remote_fn_rcf(nbr_passengers + 1) from rcf_taxi_data").calls
    assert call == ModelCall(function, None, (), False)
    assert rides.translate("select count(*) from rcf_taxi_data").calls == ()


@pytest.mark.parametrize(
    ("text", "every_row"),
    [
        ("select avg(remote_fn_rcf(nbr_passengers)) from rcf_taxi_data", True),
        ("select remote_fn_rcf(nbr_passengers) from rcf_taxi_data limit 5", False),
        ("select case when nbr_passengers > 9 then remote_fn_rcf(nbr_passengers) end from rcf_taxi_data", False),
        ("select remote_fn_rcf(a.nbr_passengers) from rcf_taxi_data a, rcf_taxi_data b", False),
        ("select * from (select remote_fn_rcf(n) from (select nbr_passengers as n from rcf_taxi_data) x) y", False),
    ],
)
def test_calls_that_are_sure_to_see_every_row(rides: Any, text: str, every_row: bool) -> None:
    (call,) = rides.translate(text).calls
    assert call.every_row is every_row


def test_arguments_are_cast_to_what_the_function_declares(rides: Any) -> None:
    sql = rides.translate("select remote_fn_rcf(2.5), remote_fn_rcf(null), remote_fn_rcf('7')").sql
    assert re.findall(r"__m_1\(CAST\(getvariable\('restframe_statement'\) AS BIGINT\), (.+?)\) AS", sql) == [
        "CAST(2.5 AS INT)", "CAST(NULL AS INT)", "CAST('7' AS INT)",
    ]  # fmt: skip


def test_functions_that_are_no_models_do_not_exist(rides: Any) -> None:
    for text in ("select other.remote_fn_rcf(1)", "select remote_fn(1)", "select public.upper('a')"):
        with pytest.raises(errors.UndefinedFunction) as caught:
            rides.translate(text)
        assert caught.value.position == 8
    assert rides.rows("select pg_catalog.upper('a')") == [("A",)]


def test_the_second_documents_query(redshift: Any) -> None:
    redshift.table(
        "taxischema.nyc_greentaxi", "vendorid varchar(10), lpep_dropoff_datetime timestamp",
        "'1', '2020-03-01 10:07'", "'1', '2020-03-01 10:14:59'", "'2', '2020-03-01 10:15'", "'', '2020-03-01 10:50'",
        "null, null", "'2', '2020-03-01 10:01'",
    )  # fmt: skip
    quarter = " ".join(
        f"when extract(minute from lpep_dropoff_datetime) between {start} and {start + 14} "
        f"then dateadd(minute, {start}, date_trunc('hour', lpep_dropoff_datetime))"
        for start in (0, 15, 30, 45)
    )
    vendor = (
        "(select case {quarter} end as pickup_timestamp_norm, count(1) as vendor_{n} "
        "from taxischema.nyc_greentaxi where vendorid = {n} group by 1) v{n}"
    )
    sides = [vendor.format(quarter=quarter, n=n) for n in (1, 2)]
    assert redshift.rows(
        "select coalesce(v1.pickup_timestamp_norm, v2.pickup_timestamp_norm) as pickup_timestamp_norm, "
        "coalesce(v1.vendor_1, 0) as vendor_1, coalesce(v2.vendor_2, 0) as vendor_2 "
        f"from {sides[0]} full outer join {sides[1]} on v1.pickup_timestamp_norm = v2.pickup_timestamp_norm order by 1"
    ) == [(dt.datetime(2020, 3, 1, 10), 2, 1), (dt.datetime(2020, 3, 1, 10, 15), 0, 1)]
    assert redshift.rows(
        "select to_char(lpep_dropoff_datetime, 'YYYY-MM') as Pickup_YearMonth, count(*) as Ride_Count "
        "from taxischema.nyc_greentaxi group by 1 order by 1 desc"
    ) == [(None, 1), ("2020-03", 5)]


def test_what_the_demo_family_writes(redshift: Any) -> None:
    redshift.table(
        "trips", "started timestamp, actual varchar(5), predicted varchar(5), n int",
        "'2019-05-06 17:30', 'a', 'a', 3", "'2019-05-07 08:00', 'b', 'a', 4",
    )  # fmt: skip
    assert redshift.rows(
        "select trunc(started) as day, to_char(convert_timezone('US/Eastern', started), 'hh24')::int as hour, "
        "to_char(started, 'q')::int, to_char(started, 'd')::int, to_char(started, 'w')::int from trips order by 1"
    ) == [(dt.date(2019, 5, 6), 13, 2, 2, 1), (dt.date(2019, 5, 7), 4, 2, 3, 1)]
    assert redshift.row(
        "select sum(case when actual = predicted then 1 else 0 end) as predicted_matches, "
        "count(*) as total_predictions, "
        "predicted_matches::decimal(5,2) / total_predictions as accuracy from trips"
    ) == (1, 2, pytest.approx(Decimal("0.5")))
    assert redshift.row(
        "select round(sqrt(avg(power((n - 3.5)::float8, 2))), 3) as rmse, "
        "1 - sum(power(n - 3.5, 2)) / 2 as r2 from trips"
    ) == (0.5, 0.75)


@pytest.mark.parametrize("number", range(1, 23))
def test_tpch(redshift: Any, number: int) -> None:
    for name, columns in TPCH["TABLES"].items():
        redshift.table(name, columns)
    text = TPCH["QUERIES"][number - 1]
    translation = redshift.translate(text)
    assert len(translation.labels) == len(redshift.connection.execute(translation.sql).description)


def test_a_join_of_tpch_in_numbers(redshift: Any) -> None:
    for name in ("lineitem", "part"):
        redshift.table(name, TPCH["TABLES"][name])
    redshift.rows("insert into part (p_partkey, p_type) values (1, 'PROMO TIN'), (2, 'ECONOMY TIN')")
    redshift.rows(
        "insert into lineitem (l_partkey, l_shipdate, l_extendedprice, l_discount) values "
        "(1, '1995-09-02', 100, 0.1), (2, '1995-09-30', 300, 0), (1, '1995-10-01', 999, 0)"
    )
    # 100.00 * 90 / 390, to the four decimals of NUMERIC(38,6) / NUMERIC(38,4)
    assert redshift.rows(TPCH["QUERIES"][13]) == [(Decimal("23.0769"),)]


@pytest.mark.parametrize(
    ("value", "type_"),
    [
        (True, "boolean"), (5, "integer"), (2**40, "bigint"), (1.5, "double precision"),
        (Decimal("1.50"), "numeric(38,2)"), (dt.date(2020, 1, 1), "date"), (dt.time(1), "time without time zone"),
        (dt.datetime(2020, 1, 1), "timestamp without time zone"), ("x", "None"), (None, "None"),
    ],
)  # fmt: skip
def test_types_of_parameters(value: object, type_: str) -> None:
    assert str(type_of_value(value)) == type_


def test_every_query_that_runs_has_as_many_labels_as_columns(redshift: Any) -> None:
    redshift.table("t", "id int, doc super", "1, json_parse('{\"a\": [1, 2]}')")
    for select in ("*", "t.*, 1", "doc.a[0], *", "* exclude (id)", "id, e from t, t.doc.a e -- "):
        translation = redshift.translate(f"select {select} from t" if "--" not in select else f"select {select}\n")
        columns = redshift.connection.execute(translation.sql).description
        assert len(columns) == len(translation.labels) == len(translation.types)
