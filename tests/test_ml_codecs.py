"""What inference requests and answers look like in bytes, both ways."""

from __future__ import annotations

import contextlib
import struct

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from restframe import errors
from restframe.ml import codecs
from restframe.ml.codecs import CONTENT_TYPES, CSV, JSON, JSON_LINES, RECORDIO
from restframe.ml.codecs.columns import decode_values, encode_columns
from restframe.ml.codecs.media_types import accepted, parse_media_type
from restframe.ml.codecs.protobuf import varints, write_varints

FINITE = st.floats(allow_nan=False, allow_infinity=False, width=64)
SHAPES = npst.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6)
POINTS = npst.arrays(np.float64, SHAPES, elements=FINITE)


def record(message: bytes) -> bytes:
    return struct.pack("<II", 0xCED7230A, len(message)) + message + bytes(-len(message) % 4)


# Round trips


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
@given(points=POINTS)
@settings(max_examples=60, deadline=None)
def test_points_come_back_equal(content_type: str, points: np.ndarray) -> None:
    np.testing.assert_array_equal(codecs.decode(codecs.encode(points, content_type), content_type).features, points)


@pytest.mark.parametrize("content_type", [CSV, JSON, JSON_LINES])
@given(points=npst.arrays(np.float64, SHAPES, elements=st.one_of(FINITE, st.just(float("nan")))))
@settings(max_examples=60, deadline=None)
def test_missing_values_come_back_missing(content_type: str, points: np.ndarray) -> None:
    np.testing.assert_array_equal(codecs.decode(codecs.encode(points, content_type), content_type).features, points)


@given(
    points=npst.arrays(st.sampled_from([np.float32, np.float64, np.int64, np.int32, np.uint8]), SHAPES),
    labelled=st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_recordio_keeps_every_tensor_and_label(points: np.ndarray, labelled: bool) -> None:
    labels = np.arange(len(points), dtype=np.float64) if labelled else None
    found = codecs.decode(codecs.encode(points, RECORDIO, labels), RECORDIO)
    np.testing.assert_array_equal(found.features, points.astype(np.float64))
    assert (found.labels is None) == (labels is None)
    if labels is not None:
        np.testing.assert_array_equal(found.labels, labels)


@pytest.mark.parametrize("accept", CONTENT_TYPES)
@given(scores=npst.arrays(np.float64, st.integers(0, 8), elements=st.floats(0, 20, width=32)))
@settings(max_examples=40, deadline=None)
def test_scores_come_back_equal(accept: str, scores: np.ndarray) -> None:
    body, content_type = codecs.encode_scores(scores, accept)
    assert content_type == accept
    np.testing.assert_array_equal(codecs.decode_scores(body, content_type), scores)


@given(st.lists(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=2), min_size=1, max_size=8))
@settings(max_examples=100, deadline=None)
def test_varints_of_any_sign_come_back(rows: list[list[int]]) -> None:
    data, ends = write_varints(np.array(rows, np.int64))
    assert varints(np.frombuffer(data, np.uint8)).reshape(-1, 2).tolist() == rows
    assert varints(np.frombuffer(data[ends[-2] :], np.uint8)).tolist() == rows[-1]


# The bytes themselves


def test_recordio_of_an_integer_is_what_the_sagemaker_sdk_writes() -> None:
    assert codecs.encode(np.array([[10844]]), RECORDIO) == bytes.fromhex(
        "0a23d7ce120000000a100a0676616c75657312063a040a02dc540000"
    )


def test_recordio_tensors_take_the_bytes_the_sdk_takes() -> None:
    values = np.arange(8, 10328).reshape(-1, 1)
    assert len(codecs.encode(values, RECORDIO)) == 288_960
    assert len(codecs.encode(values.astype(np.float32), RECORDIO)) == 28 * 10_320
    assert len(codecs.encode(values.astype(np.float64), RECORDIO)) == 32 * 10_320


def test_integers_beyond_int32_become_float64_tensors() -> None:
    assert codecs.decode(codecs.encode(np.array([[2**40]]), RECORDIO), RECORDIO).features.tolist() == [[2.0**40]]


def test_score_answers() -> None:
    scores = np.array([0.02, 0.25])
    assert codecs.encode_scores(scores, "") == (b'{"scores":[{"score":0.02},{"score":0.25}]}', JSON)
    assert codecs.encode_scores(scores, "text/csv") == (b"0.02\n0.25\n", CSV)
    assert codecs.encode_scores(scores, JSON_LINES) == (b'{"score":0.02}\n{"score":0.25}\n', JSON_LINES)
    assert codecs.encode_scores(scores[:1], RECORDIO)[0] == record(
        bytes.fromhex("12110a0573636f7265120812060a040ad7a33c")
    )


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("text/*", CSV),
        ("text/html, text/csv;q=0.5, application/json;q=0.4", CSV),
        ("application/json;q=0, */*;q=0.1", CSV),
        ("text/html", None),
        ("text/csv;q=much", None),
    ],
)
def test_accept_headers(accept: str, chosen: str | None) -> None:
    offered = (CSV, JSON) if accept.startswith("application/json;q=0,") else (JSON, CSV)
    assert accepted(accept, offered) == chosen


def test_media_types_have_parameters() -> None:
    assert parse_media_type('Text/CSV; label_size=1; charset="utf-8"') == (
        "text/csv",
        {"label_size": "1", "charset": "utf-8"},
    )


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"1.5,16\n-2,1e3\n", CSV),
        (b"1.5, 16\r\n-2,1e3", CSV),
        (b'"1.5","16"\n\n-2,1e3\n\n', CSV),
        (b'{"instances":[{"features":[1.5,16]},{"features":[-2,1e3]}]}', JSON),
        (b'{"instances":[{"data":{"features":{"values":[1.5,16]}}},{"features":[-2,1000]}]}', JSON),
        (b"[[1.5,16],[-2,1000]]", JSON),
        (b'\xef\xbb\xbf[[1.5,"16"],[-2,1000]]', JSON),
        (
            b'{"instances":[{"data":{"features":{"keys":[1,0],"shape":[2],"values":[16,1.5]}}},{"features":[-2,1e3]}]}',
            JSON,
        ),
        (b'{"features":[1.5,16]}\n{"data":{"features":{"values":[-2,1e3]}}}\n', JSON_LINES),
        (b"[1.5,16]\n\n[-2,1e3]", JSON_LINES),
    ],
)
def test_requests_in_every_form(body: bytes, content_type: str) -> None:
    assert codecs.decode(body, content_type).features.tolist() == [[1.5, 16.0], [-2.0, 1000.0]]


def test_an_empty_line_is_a_missing_value_only_where_rows_have_one_column() -> None:
    features = codecs.decode(b"1\n\n3\n", CSV).features
    np.testing.assert_array_equal(features, [[1.0], [np.nan], [3.0]])
    np.testing.assert_array_equal(codecs.decode(b"1,\n\n,3\n", CSV).features, [[1.0, np.nan], [np.nan, 3.0]])


def test_labels_of_csv() -> None:
    found = codecs.decode(b"1,10,20\n0,30,40\n", "text/csv;label_size=1")
    assert found.features.tolist() == [[10.0, 20.0], [30.0, 40.0]]
    assert found.labels is not None
    assert found.labels.tolist() == [1.0, 0.0]
    assert codecs.decode(b"1,10\n", "text/csv; label_size=0", label_size=1).labels is None
    assert codecs.encode(found.features, CSV, found.labels) == b"1,10,20\n0,30,40\n"


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_an_empty_body_has_no_rows(content_type: str) -> None:
    assert codecs.decode(b"", content_type).features.shape == (0, 0)


def test_sparse_records_and_records_of_unlike_layouts() -> None:
    dense = codecs.encode(np.array([[1.0, 0.0, 2.0]]), RECORDIO)
    # keys 0 and 2, shape 3, float32 values 1 and 2
    sparse = record(bytes.fromhex("0a1d0a0676616c756573121312110a080000803f00000040120200021a0103"))
    zeros = record(bytes.fromhex("0a0f0a0676616c756573120512031a0103"))
    named = record(bytes.fromhex("1a0161") + dense[8 : 8 + struct.unpack_from("<I", dense, 4)[0]])
    found = codecs.decode(dense + sparse + named + zeros + dense, RECORDIO)
    assert found.features.tolist() == [[1, 0, 2], [1, 0, 2], [1, 0, 2], [0, 0, 0], [1, 0, 2]]


def test_values_that_are_not_packed() -> None:
    # Float32Tensor with two single values of wire type 5
    message = bytes.fromhex("0a160a0676616c756573120c120a0d0000803f0d00000040")
    assert codecs.decode(record(message), RECORDIO).features.tolist() == [[1.0, 2.0]]


# What is refused


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (b"1,2\n3,abc\n", CSV, 'line 2, column 2: "abc" is not a number'),
        (b"1\n2,3\n", CSV, "line 2 has 2 columns, the first line 1"),
        (b"1,2\n3\n", CSV, "line 2 has 1 columns, the first line 2"),
        (b"1\n\xff\n", CSV, 'line 2, column 1: "�" is not a number'),
        (b"x" * 10_000, CSV, f'line 1, column 1: "{"x" * 100}" is not a number'),
        (b"5\n", "text/csv;label_size=1", "a row with a label needs at least two columns"),
        (b"5\n", "text/csv;label_size=2", 'label_size must be 0 or 1, not "2"'),
        (b'{"instances": 5}', JSON, 'a JSON request is a list of instances, or an object with the list "instances"'),
        (b'[{"features": [1]}, {"features": [1, 2]}]', JSON, "instance 2 has 2 features, the first has 1"),
        (b'{"instances": [{"values": [1]}]}', JSON, 'instance 1 has no list "features"'),
        (b'[["abc"]]', JSON, "instances hold something that is no number: could not convert string to float: 'abc'"),
        (b"[[[1]]]", JSON, "the features of an instance are a flat list of numbers"),
        (b"[[1],\n[2]", JSON, "not JSON: expecting ',' delimiter at line 2, column 4"),
        (b"[" * 100_000, JSON, "not JSON: nested too deeply"),
        (b"\xff", JSON, "not JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b"[1]\n[2", JSON_LINES, "not JSON: expecting ',' delimiter at line 2, column 3"),
        (
            b'[{"features":{"values":[1],"keys":[0],"shape":[1000000000000]}}]',
            JSON,
            "instance 1 is 1000000000000 wide: 1 of them are too many for one table",
        ),
        (
            b'[{"features":{"values":[1],"keys":[7],"shape":[2]}}]',
            JSON,
            "instance 1 has the key 7 outside its 2 features",
        ),
        (
            b'[{"features":{"values":[1],"keys":[0]}}]',
            JSON,
            'instance 1 is sparse: it needs the list "keys" and a "shape" of one number',
        ),
        (b"0123456789", RECORDIO, "record 1 does not begin with the recordio magic number"),
        (record(b"")[:5], RECORDIO, "record 1 is cut off in its header"),
        (record(b"") + struct.pack("<II", 0xCED7230A, 99), RECORDIO, "record 2 is cut off: 99 bytes announced"),
        (
            struct.pack("<II", 0xCED7230A, 1 << 29),
            RECORDIO,
            "record 1 is split into parts, which is not supported",
        ),
        (record(b"\x0a\x7f"), RECORDIO, "record 1 is not a protobuf record: a field is cut off"),
        (record(b"\x0f"), RECORDIO, "record 1 is not a protobuf record: wire type 7 is unknown"),
        (record(b"\xff" * 12), RECORDIO, "record 1 is not a protobuf record: a number has more than ten bytes"),
        (record(b""), RECORDIO, 'the records have no feature "values"'),
        (
            record(bytes.fromhex("0a0d0a0676616c75657312034a0100")),
            RECORDIO,
            "record 1 is not a protobuf record: it holds bytes, not numbers",
        ),
    ],
)  # fmt: skip
def test_bad_requests_name_the_place(body: bytes, content_type: str, message: str) -> None:
    with pytest.raises(errors.DataError) as caught:
        codecs.decode(body, content_type)
    assert caught.value.message == message


def test_a_line_of_very_many_columns_is_refused_before_it_takes_memory() -> None:
    assert codecs.decode(b"1," * 9_999 + b"2", codecs.CSV).features.shape == (1, 10_000)
    with pytest.raises(errors.DataError, match="a line has 10001 columns, the limit is 10000"):
        codecs.decode(b"\n" + b"1," * 10_000 + b"2", codecs.CSV)


def test_records_of_unlike_width_are_refused() -> None:
    body = codecs.encode(np.ones((2, 1)), RECORDIO) + codecs.encode(np.ones((1, 3)), RECORDIO)
    with pytest.raises(errors.DataError, match="record 3 has 3 features, another 1"):
        codecs.decode(body, RECORDIO)


def test_a_record_without_its_label_is_refused() -> None:
    points = np.ones((2, 1))
    body = codecs.encode(points, RECORDIO, np.zeros(2)) + codecs.encode(points, RECORDIO)
    with pytest.raises(errors.DataError, match='2 of 4 records lack "values"'):
        codecs.decode(body, RECORDIO)


@given(st.binary(max_size=60), st.sampled_from(CONTENT_TYPES))
@settings(max_examples=400, deadline=None)
def test_any_bytes_decode_or_are_refused(noise: bytes, content_type: str) -> None:
    try:
        table = codecs.decode(noise, content_type).features
    except errors.DataError:
        return
    assert table.ndim == 2


@given(st.binary(max_size=40), st.integers(0, 40))
@settings(max_examples=300, deadline=None)
def test_damaged_records_decode_or_are_refused(noise: bytes, at: int) -> None:
    message = bytes.fromhex("0a1d0a0676616c757573121312110a080000803f00000040120200021a0103")
    with contextlib.suppress(errors.DataError):
        codecs.decode(record(message[:at] + noise + message[at + len(noise) :]), RECORDIO)


def test_unknown_types_are_refused_with_those_there_are() -> None:
    with pytest.raises(errors.NotSupportedError, match='content type "image/png" is not supported') as caught:
        codecs.decode(b"", "image/png")
    assert caught.value.hint is not None
    assert "text/csv" in caught.value.hint
    with pytest.raises(errors.NotSupportedError, match='accept type "image/png" is not supported'):
        codecs.encode_scores(np.ones(1), "image/png")


def test_json_has_no_infinity() -> None:
    with pytest.raises(errors.NumericValueOutOfRange):
        codecs.encode(np.array([[np.inf]]), JSON)


# Columns of SQL for endpoints that are not ours


COLUMNS = [
    pa.array([1, None, 3]),
    pa.array(["plain", 'a "quote", a comma', None]),
    pa.array([0.1, 2.0, None]),
]


def test_columns_as_redshift_writes_them() -> None:
    assert encode_columns(COLUMNS, CSV) == b'1,"plain",0.1\n,"a ""quote"", a comma",2\n3,,\n'


def test_columns_as_mlflow_wants_them() -> None:
    names = ("id", "text", "x")
    assert encode_columns(COLUMNS, CSV, names).splitlines()[0] == b'"id","text","x"'
    assert encode_columns([COLUMNS[0]], JSON, ("id",)) == (
        b'{"dataframe_split":{"columns":["id"],"data":[[1],[null],[3]]}}'
    )
    assert encode_columns([COLUMNS[0]], JSON) == (
        b'{"instances":[{"features":[1]},{"features":[null]},{"features":[3]}]}'
    )


def test_another_number_of_columns_than_the_endpoint_takes() -> None:
    with pytest.raises(errors.DataError, match="the endpoint takes 1 columns, not 3"):
        encode_columns(COLUMNS, CSV, ("only",))


@pytest.mark.parametrize(
    ("body", "content_type", "values"),
    [
        (b"0.5\n0.25\n", CSV, ["0.5", "0.25"]),
        (b"0.5\r\n0.25", "text/csv; charset=utf-8", ["0.5", "0.25"]),
        (b"0.5,0.25\n", CSV, ["0.5", "0.25"]),
        (b'"a ""b"""\n\n', CSV, ['a "b"', None]),
        (b'{"scores":[{"score":0.5},{"score":0.25}]}', JSON, [0.5, 0.25]),
        (b'{"predictions":[1,2.5]}', JSON, [1.0, 2.5]),
        (b'{"predictions":[[0.5],[0.25]]}', JSON, [0.5, 0.25]),
        (b'{"outputs":["yes","no"]}', JSON, ["yes", "no"]),
        (b"[true,null]", JSON, [True, None]),
        (b'["a",1]', JSON, ["a", "1"]),
        (b'[[1,2],{"a":1,"b":2}]', JSON, ["[1,2]", '{"a":1,"b":2}']),
        (b'{"score":1}\n{"score":2}\n', JSON_LINES, [1, 2]),
    ],
)
def test_answers_of_two_rows(body: bytes, content_type: str, values: list[object]) -> None:
    assert decode_values(body, content_type, 2).to_pylist() == values


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (b"0.5\n", CSV, "the answer has 1 values for 2 rows"),
        (b"1\n2\n3\n", CSV, "the answer has 3 values for 2 rows"),
        (b"", CSV, "the answer has 1 values for 2 rows"),
        (b'{"predictions":[1]}', JSON, "the answer has 1 values for 2 rows"),
        (b'{"a":[1,2],"b":[1,2]}', JSON, "the answer is JSON without a list of predictions"),
        (b"<html>", "text/html", 'the answer has the content type "text/html"'),
        (b"\xff\n\xff\n", CSV, "the answer is not UTF-8 text"),
    ],
)
def test_answers_of_the_wrong_shape(body: bytes, content_type: str, message: str) -> None:
    with pytest.raises(errors.DataError) as caught:
        decode_values(body, content_type, 2)
    assert caught.value.message == message
