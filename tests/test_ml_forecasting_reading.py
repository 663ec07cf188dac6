"""Reading series: JSON Lines, gzip and Parquet, and what is said of data that are not right."""

from __future__ import annotations

import contextlib
import datetime
import gzip
import io
import json
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe import errors
from restframe.ml.algorithm import Channel
from restframe.ml.forecasting import lines, reading
from restframe.ml.forecasting.reading import from_json, read
from restframe.ml.forecasting.series import Series

DAY = {"start": "2020-01-01", "target": [1, 2.5, 3]}


def read_lines(*fields: Any, name: str = "train.json") -> list[Series]:
    return read("train", Channel([(name, b"".join(json.dumps(one).encode() + b"\n" for one in fields))]))


def parquet_of(**columns: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({name: pa.array(values) for name, values in columns.items()}), file)
    return file.getvalue()


def message_of(content: bytes, name: str = "train.json", content_type: str | None = None) -> str:
    with pytest.raises(errors.DataError) as raised:
        read("train", Channel([(name, content)], content_type))
    return raised.value.message


def test_a_line_is_a_series() -> None:
    features = [[1, 0, 1], [0.5, 0.25, 0]]
    (one,) = read_lines({**DAY, "cat": [2, 0], "dynamic_feat": features, "item_id": "green", "color": "ignored"})
    assert one.start == np.datetime64("2020-01-01T00:00:00", "s")
    assert one.start.dtype == "datetime64[s]"
    assert one.target.tolist() == [1, 2.5, 3]
    assert one.categories == (2, 0)
    assert one.features.tolist() == features
    assert (one.target.dtype, one.features.dtype) == (np.float64, np.float32)
    assert one.item == "green"


def test_a_series_needs_no_more_than_a_start_and_a_target() -> None:
    (one,) = read_lines(DAY)
    assert (one.categories, one.features.shape, one.item) == ((), (0, 3), None)


def test_older_clients_write_one_category_as_a_number() -> None:
    (one,) = read_lines({**DAY, "cat": 3})
    assert one.categories == (3,)


@pytest.mark.parametrize("missing", ['"NaN"', '"nan"', '"NAN"', "null", "NaN"])
def test_missing_values_are_nan(missing: str) -> None:
    content = f'{{"start": "2020-01-01", "target": [1, {missing}, 3]}}'.encode()
    (one,) = read("train", Channel([("train.json", content)]))
    assert [math.isnan(value) for value in one.target] == [False, True, False]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2020-03-29", "2020-03-29T00:00:00"),
        ("2020-03-29 02:30:15", "2020-03-29T02:30:15"),
        ("2020-03-29T02:30:15", "2020-03-29T02:30:15"),
        ("2020-03-29 02:30", "2020-03-29T02:30:00"),
        ("2020-03-29 02:30:15.999", "2020-03-29T02:30:15"),
        ("1750-01-01 00:00:00", "1750-01-01T00:00:00"),
    ],
)
def test_starts(text: str, time: str) -> None:
    assert str(from_json({"start": text, "target": []}).start) == time


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        ("2020-02-30", '"start" is "2020-02-30", a date that does not exist'),
        ("2020-01-01 24:00:00", '"start" is "2020-01-01 24:00:00", a date that does not exist'),
        ("2020-01-01T00:00:00Z", '"start" is "2020-01-01T00:00:00Z", which has a time zone'),
        ("2020-01-01 00:00:00+02:00", '"start" is "2020-01-01 00:00:00+02:00", which has a time zone'),
        ("01/02/2020", '"start" is "01/02/2020", not a date'),
        ("now", '"start" is "now", not a date'),
        ("292277026597-01-01", '"start" is "292277026597-01-01", not a date'),
        ("0000-01-01", '"start" is missing or not between the years 1 and 9999'),
        ("x" * 10_000, f'"start" is "{"x" * 100}", not a date'),
        (1577836800, '"start" is not a date written as text'),
        (None, '"start" is not a date written as text'),
    ],
)
def test_what_is_no_start(start: Any, reason: str) -> None:
    with pytest.raises(errors.DataError) as raised:
        from_json({"start": start, "target": [1]})
    assert raised.value.message == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"target": ["1", 2, 3]}, '"target" has "1" at position 0, which is not a number'),
        ({"target": [1, True, 3]}, '"target" has bool at position 1, which is not a number'),
        ({"target": [[1], 2, 3]}, '"target" has list at position 0, which is not a number'),
        ({"target": "123"}, '"target" is not a list of numbers'),
        ({"target": [1, math.inf, 3]}, '"target" has a number beyond 1e+30'),
        ({"target": [1, -1e31, 3]}, '"target" has a number beyond 1e+30'),
        ({"target": [1, 10**400, 3]}, '"target" has a number that is too large'),
        ({"cat": [-1]}, '"cat" is not a list of whole numbers from 0 to 999999'),
        ({"cat": [1.5]}, '"cat" is not a list of whole numbers from 0 to 999999'),
        ({"cat": [True]}, '"cat" is not a list of whole numbers from 0 to 999999'),
        ({"cat": "a"}, '"cat" is not a list of whole numbers from 0 to 999999'),
        ({"cat": [1_000_000]}, '"cat" is not a list of whole numbers from 0 to 999999'),
        ({"cat": [0] * 101}, '"cat" has 101 entries, the limit is 100'),
        ({"dynamic_feat": [[1, 2]]}, '"dynamic_feat" has 2 numbers in feature 0, "target" has 3'),
        ({"dynamic_feat": [[1, 2, 3], [1, 2, 3, 4]]}, '"dynamic_feat" has 4 numbers in feature 1, 3 in feature 0'),
        ({"dynamic_feat": [[1, 2, 3, 4]]}, '"dynamic_feat" has 4 numbers a feature, "target" has 3'),
        ({"dynamic_feat": [[1, None, 3]]}, '"dynamic_feat" has missing values in feature 0'),
        ({"dynamic_feat": [1, 2, 3]}, '"dynamic_feat" is not a list of numbers'),
        ({"dynamic_feat": [[]] * 10_001}, '"dynamic_feat" has 10001 features, the limit is 10000'),
        ({"dynamic_feat": {"a": 1}}, '"dynamic_feat" is not a list of lists of numbers'),
    ],
)
def test_what_is_wrong_is_said_with_its_object_and_line(changes: dict[str, Any], reason: str) -> None:
    content = json.dumps(DAY) + "\n\n" + json.dumps({**DAY, **changes}) + "\n"
    place = '"year=2020/train.json": line 3: '
    alike = json.dumps({**DAY, **{key: [] for key in changes if key != "target"}})
    assert message_of(content.replace(json.dumps(DAY), alike).encode(), "year=2020/train.json") == place + reason


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"start": "2020-01-01", "target": [1, 2}', "not JSON: expecting ',' delimiter at line 1, column 40"),
        ('{"start": "2020-01-01", "target": [1\n', "not JSON: expecting ',' delimiter at line 1, column 37"),
        ("[1, 2, 3]", 'a series is an object with "start" and "target"'),
        ('{"target": [1]}', 'the series has no "start"'),
        ('{"start": "2020-01-01"}', 'the series has no "target"'),
        ("[" * 100_000, "not JSON: nested too deeply"),
        ("\xff", "not JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
    ],
)
def test_lines_that_are_no_series(line: str, reason: str) -> None:
    assert message_of(line.encode("latin-1")) == f'"train.json": line 1: {reason}'


def test_numbers_of_thousands_of_digits_are_refused() -> None:
    assert message_of(b'{"start": "2020-01-01", "target": [' + b"9" * 10_000 + b"]}").startswith(
        '"train.json": line 1: not JSON: Exceeds the limit'
    )


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ({"cat": [0]}, {"cat": [0, 1]}, '"cat" has 2 entries, in the first series 1'),
        ({"cat": [0]}, {}, '"cat" has 0 entries, in the first series 1'),
        ({}, {"dynamic_feat": [[1, 2, 3]]}, '"dynamic_feat" has 1 entries, in the first series 0'),
    ],
)
def test_series_that_differ_in_what_they_have_are_refused(
    first: dict[str, Any], second: dict[str, Any], reason: str
) -> None:
    objects = [(f"{name}.json", json.dumps({**DAY, **more}).encode()) for name, more in (("a", first), ("b", second))]
    with pytest.raises(errors.DataError) as raised:
        read("train", Channel(objects))
    assert raised.value.message == f'"b.json": line 1: {reason}'


def test_a_request_has_features_beyond_the_target() -> None:
    assert from_json({**DAY, "dynamic_feat": [[1, 2, 3, 4, 5]]}).features.shape == (1, 5)


def test_objects_come_one_after_another_and_hidden_ones_do_not_count() -> None:
    line = json.dumps(DAY).encode()
    objects = [
        ("train/a.json.gz", gzip.compress(line)),
        ("train/b.jsonl", line + b"\r\n" + line),
        ("train/c.json", b""),
    ]
    hidden = [("train/.c.json.crc", b"\0"), ("train/_SUCCESS", b"x")]
    assert len(read("train", Channel(objects + hidden))) == 3


def test_a_channel_without_series_is_refused() -> None:
    with pytest.raises(errors.DataError, match='the channel "test" has no series'):
        read("test", Channel([("test/_SUCCESS", b""), ("test/a.json", b"\n \n")]))


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("part-0", "application/jsonlines"), ("part-0", "application/json; charset=utf-8"), ("part-0", None),
        ("part-0", "application/x-gzip"), ("train.json", "text/csv"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_content_type_counts_where_the_name_says_nothing(name: str, content_type: str | None, pack: Any) -> None:
    assert len(read("train", Channel([(name, pack(json.dumps(DAY).encode()))], content_type))) == 1


def test_a_content_type_of_something_else_is_refused() -> None:
    assert message_of(b"1,2", "part-0", "text/csv") == '"part-0": the content type "text/csv" is none of series'


def test_parquet_has_the_same_names_as_columns() -> None:
    start = datetime.datetime(2020, 1, 1, 6, tzinfo=None)
    content = parquet_of(
        start=[start, start],
        target=[[1.0, math.nan, None], [4.0]],
        cat=[[0, 1], [2, 3]],
        dynamic_feat=[[[1, 2, 3]], [[4]]],
        item_id=["a", "b"],
        other=[{"x": 1}, None],
    )
    for channel in (Channel([("t.parquet", content)]), Channel([("t", content)], "application/x-parquet")):
        first, second = read("train", channel)
        assert str(first.start) == "2020-01-01T06:00:00"
        assert [math.isnan(value) for value in first.target] == [False, True, True]
        assert (first.categories, second.categories) == ((0, 1), (2, 3))
        assert (first.features.tolist(), second.features.tolist()) == ([[1, 2, 3]], [[4]])
        assert (second.target.tolist(), second.item) == ([4], "b")


@pytest.mark.parametrize(
    "start",
    [
        pa.array(["2020-01-01"]),
        pa.array([datetime.date(2020, 1, 1)]),
        pa.array([1577836800000000], pa.timestamp("us", "UTC")),
        pa.array([1577836800000], pa.timestamp("ms")),
    ],
)
def test_starts_in_parquet(start: pa.Array) -> None:
    (one,) = read(
        "train", Channel([("t.parquet", parquet_of(start=start, target=pa.array([[1, 2]], pa.list_(pa.int8()))))])
    )
    assert str(one.start) == "2020-01-01T00:00:00"
    assert one.target.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"target": [[1.0]]}, 'row 1: the series has no "start"'),
        ({"start": ["2020-01-01", None], "target": [[1.0], [2.0]]}, 'row 2: "start" is not a date written as text'),
        ({"start": ["2020-01-01", "2020"], "target": [[1.0], [2.0]]}, 'row 2: "start" is "2020", not a date'),
        ({"start": pa.array([None], pa.timestamp("s")), "target": [[1.0]]},
         'row 1: "start" is missing or not between the years 1 and 9999'),
        ({"start": pa.array([0], pa.timestamp("s", "Europe/Berlin")), "target": [[1.0]]},
         '"start" has the time zone Europe/Berlin'),
        ({"start": ["2020-01-01"], "target": [[1e40]]}, 'row 1: "target" has a number beyond 1e+30'),
        ({"start": ["2020-01-01"], "target": [["1"]]}, 'row 1: "target" has "1" at position 0, which is not a number'),
        ({"start": ["2020-01-01"], "target": [1.0]}, 'row 1: "target" is not a list of numbers'),
        ({"start": ["2020-01-01"], "target": pa.array([None], pa.list_(pa.float64()))},
         'row 1: "target" is not a list of numbers'),
        ({"start": ["2020-01-01"], "target": [[1.0]], "dynamic_feat": [[[1.0, 2.0]]]},
         'row 1: "dynamic_feat" has 2 numbers a feature, "target" has 1'),
    ],
)  # fmt: skip
def test_what_is_wrong_in_parquet_is_said_with_its_row(columns: dict[str, Any], reason: str) -> None:
    assert message_of(parquet_of(**columns), "t.parquet") == f'"t.parquet": {reason}'


def test_limits_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    line = json.dumps(DAY).encode() + b"\n"
    monkeypatch.setattr(reading, "_MAX_NUMBERS", 200)
    monkeypatch.setattr(lines, "_MAX_LINE_BYTES", 1000)
    monkeypatch.setattr(lines, "_MAX_BYTES", 100_000)
    assert message_of(line * 4) == '"train.json": the channel "train" has more than 200 numbers'
    assert message_of(gzip.compress(b" " * 2000)) == '"train.json": line 1 is longer than 1000 bytes'
    assert message_of(gzip.compress(b"\n" * 10**6)) == '"train.json": there are more than 100000 bytes when unpacked'
    table = parquet_of(start=["2020-01-01"], target=[[0.0] * 1000])
    assert message_of(table, "t.parquet") == '"t.parquet": the channel "train" has more than 200 numbers'


def test_gzip_that_breaks_off_is_no_end_of_data() -> None:
    content = gzip.compress(json.dumps(DAY).encode() + b"\n")
    assert message_of(content[:-4]).startswith('"train.json": not intact gzip: ')
    assert message_of(content[:-8] + b"\0" * 8).startswith('"train.json": not intact gzip: ')


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("start", "target", "cat", "dynamic_feat", "item_id"), JSON)))
def test_whatever_json_says_is_a_series_or_a_data_error(fields: dict[str, Any]) -> None:
    try:
        one = from_json({**DAY, **fields})
    except errors.DataError as error:
        assert len(error.message) < 300
    else:
        assert one.features.shape[1] >= len(one)


@settings(derandomize=True)  # pyarrow reads these bytes in this process
@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=4))
def test_damaged_parquet_is_a_data_error_or_read(place: int, damage: bytes) -> None:
    content = bytearray(parquet_of(start=["2020-01-01"] * 3, target=[[1.0, 2.0]] * 3, cat=[[0]] * 3))
    place %= len(content)
    content[place : place + len(damage)] = damage
    with contextlib.suppress(errors.DataError):
        assert len(read("train", Channel([("t.parquet", bytes(content))]))) <= 3


@given(
    st.lists(st.floats(-1e30, 1e30) | st.just(math.nan), max_size=20),
    st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31)),
    st.lists(st.integers(0, 999_999), max_size=3),
)
def test_what_is_written_is_read(target: list[float], start: datetime.datetime, cat: list[int]) -> None:
    start = start.replace(microsecond=0)
    values = ["NaN" if math.isnan(value) else value for value in target]
    (one,) = read_lines({"start": start.isoformat(" "), "target": values, "cat": cat})
    assert one.start == np.datetime64(start, "s")
    assert np.array_equal(one.target, np.array(target), equal_nan=True)
    assert one.categories == tuple(cat)
