"""A query becomes channels: regular series, what is held back, vocabularies, requests."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import restframe
from restframe import errors
from restframe.forecasting import channels, load
from restframe.ml.forecasting.reading import from_json
from restframe.storage.urls import ObjectUrl
from restframe.warehouse import Warehouse

HOURS = "select timestamp '2020-03-01' + i * interval '1 hour' as t, i as n from generate_series(0, 9) g(i)"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with restframe.open(tmp_path_factory.mktemp("forecasting") / "w") as warehouse:
        yield warehouse


@pytest.fixture
def warehouse(opened: Warehouse) -> Iterator[Warehouse]:
    """One for all tests, with an empty bucket `rides` for each."""
    opened.storage.create_bucket("rides")
    yield opened
    for one in list(opened.storage.list(ObjectUrl("rides"))):
        opened.storage.delete(one.url)


def lines(warehouse: Warehouse, key: str) -> list[dict[str, Any]]:
    text = zlib.decompress(warehouse.storage.read(ObjectUrl("rides", key)), wbits=31).decode()
    return [json.loads(line) for line in text.splitlines()]


def targets(warehouse: Warehouse, key: str) -> list[list[float]]:
    return [line["target"] for line in lines(warehouse, key)]


def rows(*values: str) -> str:
    """A query of rows: an item, a time and what else there is."""
    return "select * from (values " + ", ".join(f"({one})" for one in values) + ") r"


# What is written


def test_training_ends_before_the_windows_and_each_window_is_a_line_of_the_test(warehouse: Warehouse) -> None:
    made = channels(warehouse, HOURS, "s3://rides/h", frequency="H", prediction_length=2, windows=3)
    assert (made.train, made.test) == ("s3://rides/h/train/", "s3://rides/h/test/")
    assert lines(warehouse, "h/train/train.json.gz") == [{"start": "2020-03-01 00:00:00", "target": [0, 1, 2, 3]}]
    assert [len(one) for one in targets(warehouse, "h/test/test.json.gz")] == [6, 8, 10]


def test_without_windows_everything_is_trained_on_and_an_earlier_test_goes(warehouse: Warehouse) -> None:
    channels(warehouse, HOURS, "s3://rides/h", frequency="H", prediction_length=2)
    made = channels(warehouse, HOURS, "s3://rides/h/", frequency="H", prediction_length=2, windows=0)
    assert made.test is None
    assert [len(one) for one in targets(warehouse, "h/train/train.json.gz")] == [10]
    assert [one.url.key for one in warehouse.storage.list(ObjectUrl("rides", "h/test"))] == []


@pytest.mark.parametrize(
    ("aggregate", "expected"),
    [
        ("sum", [1, 5, 9, 13, 17]),
        ("mean", [0.5, 2.5, 4.5, 6.5, 8.5]),
        ("min", [0, 2, 4, 6, 8]),
        ("max", [1, 3, 5, 7, 9]),
    ],
)
def test_several_values_in_a_step_become_one(warehouse: Warehouse, aggregate: Any, expected: list[float]) -> None:
    channels(warehouse, HOURS, "s3://rides/h", frequency="2h", prediction_length=1, windows=0, aggregate=aggregate)
    assert targets(warehouse, "h/train/train.json.gz") == [expected]


def test_several_values_in_a_step_are_refused_when_nobody_says_what_becomes_of_them(warehouse: Warehouse) -> None:
    with pytest.raises(errors.DataError, match=r'several values of "n" fall into the step of 2H from 2020-03-01T00:00'):
        channels(warehouse, HOURS, "s3://rides/h", frequency="2h", prediction_length=1)


def test_rows_are_counted_and_steps_without_any_are_zero_when_asked_for(warehouse: Warehouse) -> None:
    trips = rows(
        "'1', timestamp '2020-03-01 00:05'", "'1', timestamp '2020-03-01 00:50'", "'1', timestamp '2020-03-01 03:00'"
    )
    options: dict[str, Any] = {"frequency": "H", "prediction_length": 1, "windows": 0, "aggregate": "count"}
    channels(warehouse, trips, "s3://rides/t", **options)
    assert targets(warehouse, "t/train/train.json.gz") == [[2, None, None, 1]]
    channels(warehouse, trips, "s3://rides/t", fill=0, **options)
    assert targets(warehouse, "t/train/train.json.gz") == [[2, 0, 0, 1]]


def test_series_begin_with_their_first_value_and_end_together(warehouse: Warehouse) -> None:
    query = rows(
        "'b', date '2020-01-03', 1.25",
        "'a', date '2020-01-01', null",
        "'a', date '2020-01-02', 2.0",
        "'b', date '2020-01-05', 3.0",
        "'a', date '2020-01-06', null",
        "'never', date '2020-01-02', null",
    )
    made = channels(warehouse, query, "s3://rides/d", frequency="D", prediction_length=1, windows=0)
    assert (made.items, made.left_out) == (("a", "b"), ("never",))
    assert lines(warehouse, "d/train/train.json.gz") == [
        {"start": "2020-01-02 00:00:00", "target": [2, None, None, None]},
        {"start": "2020-01-03 00:00:00", "target": [1.25, None, 3]},
    ]


def test_a_window_in_which_an_item_has_no_value_is_no_line_of_the_test(warehouse: Warehouse) -> None:
    query = rows(
        "'a', date '2020-01-01', 1",
        "'a', date '2020-01-02', 2",
        "'b', date '2020-01-01', 1",
        "'b', date '2020-01-03', 3",
    )
    channels(warehouse, query, "s3://rides/d", frequency="D", prediction_length=1, windows=1)
    assert targets(warehouse, "d/test/test.json.gz") == [[1, None, 3]]


@pytest.mark.parametrize(
    ("frequency", "anchor", "time", "start"),
    [
        ("W", None, "2020-05-07 13:00", "2020-05-04 00:00:00"),
        ("3M", None, "2020-05-07 13:00", "2020-04-01 00:00:00"),
        ("15min", None, "2020-05-07 13:29:59", "2020-05-07 13:15:00"),
        ("W", "2020-01-05", "2020-05-07 13:00", "2020-05-03 00:00:00"),
        ("B", None, "2020-05-07 13:00", "2020-05-07 00:00:00"),
        ("D", "1990-01-01 06:00", "2020-05-07 05:00", "2020-05-06 06:00:00"),
    ],
)
def test_steps_begin_where_people_expect_them_or_at_the_anchor(
    warehouse: Warehouse, frequency: str, anchor: str | None, time: str, start: str
) -> None:
    query = f"select timestamp '{time}' as t, 1 as n"
    channels(warehouse, query, "s3://rides/s", frequency=frequency, prediction_length=1, windows=0, anchor=anchor)
    assert [line["start"] for line in lines(warehouse, "s/train/train.json.gz")] == [start]


def test_many_rows_in_any_order_are_the_same_as_one_query_of_sql(warehouse: Warehouse) -> None:
    warehouse.sql("""
        create table many as
        select timestamp '2020-01-01' + i * interval '7 second' as t, 'v' || i % 3 as vendor, i % 11 as n
        from generate_series(0, 299999) g(i) order by i * 7919 % 300000
    """)
    channels(
        warehouse, "select * from many", "s3://rides/m", frequency="D", prediction_length=1, windows=0, aggregate="sum"
    )
    by_sql = warehouse.sql("select vendor, trunc(t) as day, sum(n) from many group by 1, 2 order by 1, 2").fetchall()
    expected = [[float(n) for vendor, _, n in by_sql if vendor == of] for of in ("v0", "v1", "v2")]
    assert targets(warehouse, "m/train/train.json.gz") == expected


def test_channels_say_in_a_line_what_they_are(warehouse: Warehouse) -> None:
    query = rows("'a', date '2020-01-01', 1", "'a', date '2020-01-04', 1", "'b', date '2020-01-03', 2")
    made = channels(warehouse, query, "s3://rides/d", frequency="D", prediction_length=1)
    assert str(made) == (
        "2 series of 2 to 4 steps of D, from 2020-01-01 00:00:00 to 2020-01-04 00:00:00, 50.0 % of the values missing; "
        "the last 1 x 1 steps are held back for the test"
    )


# Categories and features

WEATHER = rows(
    *(
        f"'{item}', '{kind}', timestamp '2020-01-01 {hour:02}:00', {'null' if hour > 3 else hour}, {hour * 10.0}"
        for item, kind in (("b", "day"), ("a", "night"), ("c", "day"))
        for hour in range(6)
    )
).replace(" r", " r(item, kind, t, n, warmth)")


def test_categories_are_numbers_of_a_vocabulary_that_is_kept(warehouse: Warehouse) -> None:
    made = channels(
        warehouse,
        WEATHER,
        "s3://rides/w",
        frequency="H",
        prediction_length=2,
        windows=0,
        item="item",
        value="n",
        categories=["item", "kind"],
        features=["warmth"],
    )
    assert made.categories == {"item": ("a", "b", "c"), "kind": ("day", "night")}
    assert [line["cat"] for line in lines(warehouse, "w/train/train.json.gz")] == [[0, 1], [1, 0], [2, 0]]
    again = load(warehouse, "s3://rides/w")
    assert again.categories == made.categories
    assert again.request() == made.request()


def test_features_are_as_long_as_the_target_in_training_and_reach_over_the_forecast_in_a_request(
    warehouse: Warehouse,
) -> None:
    made = channels(
        warehouse,
        WEATHER,
        "s3://rides/w",
        frequency="H",
        prediction_length=2,
        windows=0,
        item="item",
        value="n",
        categories=["kind"],
        features=["warmth"],
    )
    assert [line["dynamic_feat"] for line in lines(warehouse, "w/train/train.json.gz")] == [[[0, 10, 20, 30]]] * 3
    (instance,) = made.request("a")["instances"]
    assert instance == {
        "start": "2020-01-01 00:00:00",
        "target": [0, 1, 2, 3],
        "cat": [1],
        "dynamic_feat": [[0, 10, 20, 30, 40, 50]],
    }


def test_features_that_do_not_reach_over_the_forecast_are_an_error_of_the_request(warehouse: Warehouse) -> None:
    query = rows("date '2020-01-01', 1, 0.5", "date '2020-01-02', 2, 0.5").replace(" r", " r(t, n, warmth)")
    made = channels(
        warehouse, query, "s3://rides/f", frequency="D", prediction_length=1, windows=0, value="n", features=["warmth"]
    )
    with pytest.raises(errors.InvalidParameterValue, match=r"features must be known for all 1 steps .* 2020-01-03"):
        made.request()
    assert made.request(until="2020-01-02")["instances"][0]["dynamic_feat"] == [[0.5, 0.5]]


# Requests


def test_a_request_forecasts_from_the_time_that_is_asked_for(warehouse: Warehouse) -> None:
    made = channels(warehouse, HOURS, "s3://rides/h", frequency="H", prediction_length=2)
    assert made.request(until="2020-03-01 04:00", quantiles=["0.2"], num_samples=7) == {
        "instances": [{"start": "2020-03-01 00:00:00", "target": [0, 1, 2, 3]}],
        "configuration": {"num_samples": 7, "output_types": ["mean", "quantiles"], "quantiles": ["0.2"]},
    }
    history = made.history(until="2020-03-01 04:00")
    assert {f"{time:%H:%M}": value for time, value in history.items()} == {
        "00:00": 0,
        "01:00": 1,
        "02:00": 2,
        "03:00": 3,
    }


def test_what_is_not_observed_is_null_in_a_request_and_read_as_missing(warehouse: Warehouse) -> None:
    query = rows("date '2020-01-01', 1", "date '2020-01-03', 3")
    made = channels(warehouse, query, "s3://rides/d", frequency="D", prediction_length=1)
    (instance,) = json.loads(json.dumps(made.request()))["instances"]
    assert instance["target"] == [1, None, 3]
    assert str(from_json(instance).target.tolist()) == "[1.0, nan, 3.0]"


@pytest.mark.parametrize(
    ("until", "message"),
    [
        ("soon", 'until is no time: "soon"'),
        ("2020-03-01 04:30", "the steps near it begin at 2020-03-01T04:00:00 and 2020-03-01T05:00:00"),
        ("2020-03-01 00:00", "behind 2020-03-01T00:00:00, at most 2020-03-01T10:00:00"),
        ("2020-03-01 11:00", "at most 2020-03-01T10:00:00"),
    ],
)
def test_a_time_that_no_forecast_can_begin_at_is_an_error(warehouse: Warehouse, until: str, message: str) -> None:
    made = channels(warehouse, HOURS, "s3://rides/h", frequency="H", prediction_length=2)
    with pytest.raises(errors.InvalidParameterValue, match=message):
        made.request(until=until)


def test_an_item_that_is_not_there_is_an_error_that_names_some(warehouse: Warehouse) -> None:
    query = rows("'a', date '2020-01-01', 1", "'b', date '2020-01-01', 1", "'b', date '2020-01-02', 1")
    made = channels(warehouse, query, "s3://rides/d", frequency="D", prediction_length=1, windows=0)
    with pytest.raises(errors.UndefinedObject, match='there is no item "c"; there are "a", "b"'):
        made.request("c")


# What cannot be channels


@pytest.mark.parametrize(
    ("query", "options", "error", "message"),
    [
        ("select 1 as n", {}, errors.InvalidParameterValue, "no column that can be the time"),
        ("select date '2020-01-01' as t", {}, errors.InvalidParameterValue, "no column that can be the value"),
        (
            "select date '2020-01-01' as t, 1 as vendor, 2 as n",
            {},
            errors.InvalidParameterValue,
            'which of the columns "vendor", "n" is the value\\? Say value="vendor"',
        ),
        (
            "select date '2020-01-01' as t, 1 as n, true as late",
            {},
            errors.InvalidParameterValue,
            'what are the columns "late"',
        ),
        (HOURS, {"value": "rides"}, errors.UndefinedColumn, 'the query has no column "rides"; it has "t", "n"'),
        (HOURS, {"time": "n"}, errors.InvalidParameterValue, 'column "n" is to be the time, but is int'),
        (
            "select timestamptz '2020-01-01 00:00+00' as t, 1 as n",
            {},
            errors.InvalidParameterValue,
            'column "t" has a time zone',
        ),
        (HOURS + " where false", {}, errors.DataError, "the query returns no rows"),
        (rows("null::date, 1"), {}, errors.DataError, "is null in some rows: leave out what has no time"),
        (rows("date '2020-01-01', null::int"), {}, errors.DataError, "is null in every row"),
        (rows("date '2020-01-01', null, 1", "date '2020-01-01', 'a', 1"), {}, errors.DataError, "or use coalesce"),
        (
            rows("date '2020-01-01', 'a', 'x', 1", "date '2020-01-02', 'a', 'y', 1").replace(" r", " r(t, i, c, n)"),
            {"categories": ["c"]},
            errors.DataError,
            'column "c" is a category, but item "a" has both "[xy]" and "[xy]"',
        ),
        (
            rows("date '2020-01-01', 1, 0.5", "date '2020-01-03', 1, 0.5").replace(" r", " r(t, n, warmth)"),
            {"value": "n", "features": ["warmth"], "frequency": "D"},
            errors.DataError,
            'feature "warmth" is missing at 2020-01-02',
        ),
        (rows("date '2020-01-04', 1"), {"frequency": "B"}, errors.DataError, "at a weekend, and frequency B has none"),
        (
            rows("date '2020-01-01', 1", "timestamp '9041-01-01', 1"),
            {"frequency": "min"},
            errors.ProgramLimitExceeded,
            "too many steps of min",
        ),
        (HOURS, {"prediction_length": 10}, errors.DataError, "nothing is left to train on: the longest series has 10"),
        (HOURS, {"prediction_length": 0}, errors.InvalidParameterValue, "at least 1"),
        (HOURS, {"windows": -1}, errors.InvalidParameterValue, "not be negative"),
        (HOURS, {"aggregate": "median"}, errors.InvalidParameterValue, "aggregate is"),
        (HOURS, {"frequency": "often"}, errors.InvalidParameterValue, '"often" is not a frequency'),
        (HOURS, {"anchor": "noon"}, errors.InvalidParameterValue, 'anchor is no time: "noon"'),
    ],
)
def test_what_cannot_be_channels_is_said_and_nothing_is_written(
    warehouse: Warehouse, query: str, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    arguments: dict[str, Any] = {"frequency": "H", "prediction_length": 1, **options}
    with pytest.raises(error, match=message):
        channels(warehouse, query, "s3://rides/x", **arguments)
    assert list(warehouse.storage.list(ObjectUrl("rides"))) == []


# From where


def test_a_connection_reads_in_its_own_session(tmp_path: Path) -> None:
    with restframe.connect(tmp_path / "w") as connection:
        connection.warehouse.storage.create_bucket("rides")
        connection.execute(f"create temp table hours as {HOURS}")
        made = channels(
            connection,
            "select * from hours where n < ?",
            "s3://rides/h",
            frequency="H",
            prediction_length=2,
            parameters=(8,),
        )
        assert made.request()["instances"][0]["target"] == list(range(8))
        assert load(connection, "s3://rides/h").request() == made.request()


def test_another_driver_reads_from_a_server_and_writes_where_the_environment_says(
    shared_pg: Any, shared_aws: Any, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", shared_aws.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", shared_aws.credentials.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", shared_aws.credentials.secret_access_key)
    with shared_pg.connect() as connection:
        query = f"select t, 'north' as place, n::decimal(8, 2) as n from ({HOURS}) hours where n < %s"
        made = channels(connection, query, "s3://rides/h", frequency="H", prediction_length=2, parameters=(8,))
        assert load(connection, "s3://rides/h").request("north") == made.request("north")
    assert made.request()["instances"][0]["target"] == list(range(8))
    train = s3.get_object(Bucket="rides", Key="h/train/train.json.gz")["Body"].read()
    assert json.loads(zlib.decompress(train, wbits=31))["target"] == list(range(6))


def test_importing_the_module_imports_nothing_heavy() -> None:
    code = "import sys, restframe.forecasting; print({'duckdb', 'sqlglot', 'pandas', 'torch'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_what_is_neither_a_warehouse_nor_a_connection_is_refused() -> None:
    with pytest.raises(errors.InterfaceError, match="give a Warehouse, or a DB-API connection"):
        channels("rides", HOURS, "s3://rides/h", frequency="H", prediction_length=2)


def test_channels_that_are_not_ours_are_refused(warehouse: Warehouse) -> None:
    warehouse.storage.put(ObjectUrl("rides", "o/channels.json"), b"[]")
    with pytest.raises(errors.NoSuchKey):
        load(warehouse, "s3://rides/nothing")
    with pytest.raises(errors.CorruptObject, match='"s3://rides/o/" has no channels'):
        load(warehouse, "s3://rides/o")
    channels(warehouse, HOURS, "s3://rides/o", frequency="H", prediction_length=2)
    for series in (b"no gzip", gzip.compress(b'{"start": "soon", "target": [1]}\n'), gzip.compress(b"")):
        warehouse.storage.put(ObjectUrl("rides", "o/series.json.gz"), series)
        with pytest.raises(errors.CorruptObject, match='"s3://rides/o/" has no channels'):
            load(warehouse, "s3://rides/o")


# The whole way


def test_a_job_trains_on_channels_and_its_endpoint_answers_their_requests(warehouse: Warehouse) -> None:
    warehouse.sql("""
        create table sales as
        select 'item ' || i % 3 as item, date '2020-01-01' + (i / 3)::int as day,
               i % 7 + i % 3 as quantity, i % 2 as offer
        from generate_series(0, 599) g(i)
    """)
    made = channels(
        warehouse,
        "select * from sales",
        "s3://rides/sales",
        frequency="D",
        prediction_length=4,
        windows=2,
        value="quantity",
        categories=["item"],
        features=["offer"],
    )
    job = warehouse.train(
        "deepar",
        {"train": made.train, "test": str(made.test)},
        "s3://rides/models",
        hyperparameters={**made.hyperparameters, "epochs": 1, "num_cells": 4, "num_layers": 1, "mini_batch_size": 32},
    )
    log = [line.text for line in job.log()]
    assert "number of time series: 6" in "\n".join(log)  # of the test: three items, two windows
    endpoint = warehouse.deploy(job, "sales").wait()
    request = made.request("item 2", "item 0", until="2020-07-10", num_samples=9)
    answer, _ = endpoint.invoke(request)
    endpoint.delete()
    history = {item: made.history(item, until="2020-07-10") for item in ("item 2", "item 0")}
    figure = restframe.plot.forecast(answer, history)
    assert [button.label for button in figure.layout.updatemenus[0].buttons] == ["item 2", "item 0"]
    assert str(figure.data[-1].x[0])[:10] == "2020-07-10"
