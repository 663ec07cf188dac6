"""JSON files as COPY reads them: names, paths, whole objects, and what is wrong with the rest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe import errors
from restframe.storage.loading.columns import Conversion
from restframe.storage.loading.faults import Fault
from restframe.storage.loading.fields import Column
from restframe.storage.loading.json import NO_NULL_STRING, JsonLayout, JsonReader
from restframe.storage.loading.jsonpath import parse_path, read_paths
from restframe.types import parse_type

pytestmark = pytest.mark.usefixtures("either_way")

AUTO = JsonLayout()


def read(
    data: bytes | str, columns: str, layout: JsonLayout = AUTO, block_bytes: int = 1 << 20, **conversion: Any
) -> tuple[list[tuple[Any, ...]], list[Fault]]:
    """columns : `name type, name type`"""
    data = data.encode() if isinstance(data, str) else data
    targets = [Column(text.split()[0], parse_type(text.split()[1])) for text in columns.split(", ")]
    reader = JsonReader(layout, targets, Conversion(null=NO_NULL_STRING, **conversion))
    rows, faults = [], []
    pieces = [data[i : i + block_bytes] for i in range(0, len(data), block_bytes)]
    for batch in reader.read(pieces, block_bytes=block_bytes):
        rows += list(zip(*(column.to_pylist() for column in batch.rows.columns), strict=True))
        faults += batch.faults
    return rows, faults


def rows(*arguments: Any, **options: Any) -> list[tuple[Any, ...]]:
    found, faults = read(*arguments, **options)
    assert faults == []
    return found


def with_paths(*paths: str) -> JsonLayout:
    return JsonLayout(paths=tuple(parse_path(path) for path in paths))


# The manual's examples

CATEGORIES = """
{ "catdesc": "Major League Baseball",
  "catid": 1, "ignored": [1, 2],
  "catgroup": "Sports", "catname": "MLB" }
{"catgroup": "Sports", "catid": 2, "catname": "NHL", "catdesc": "National Hockey League"}{"catid": 3}
"""


def test_members_by_name() -> None:
    assert rows(CATEGORIES, "catid int, catgroup varchar(10), catname varchar(10), catdesc varchar(50)") == [
        (1, "Sports", "MLB", "Major League Baseball"),
        (2, "Sports", "NHL", "National Hockey League"),
        (3, None, None, None),
    ]


def test_names_match_exactly_or_in_any_case() -> None:
    assert rows('{"CatId": 1}', "catid int") == [(None,)]
    assert rows('{"CatId": 1}', "catid int", JsonLayout("auto ignorecase")) == [(1,)]


def test_members_by_path() -> None:
    data = '{"one": 1, "two": {"a": "x", "b": ["p", "q"]}} {"one": 2, "two": null}'
    assert rows(data, "a int, b varchar, c varchar", with_paths("$.one", "$.two.a", "$.two.b[1]")) == [
        (1, "x", "q"),
        (2, None, None),
    ]
    assert rows(data, "a int, b varchar", with_paths("$['one']", "$['two']['a']")) == [(1, "x"), (2, None)]


def test_arrays_by_path() -> None:
    data = '[1,"Sports","MLB"]\n[2,"Sports","NHL"]'
    assert rows(data, "a int, b varchar, c varchar", with_paths("$[0]", "$[1]", "$[2]")) == [
        (1, "Sports", "MLB"),
        (2, "Sports", "NHL"),
    ]


def test_escapes() -> None:
    assert rows(r'{"a": "back \\ slash", "b": "two\nlines \t \u00e9"}', "a varchar(25), b varchar(35)") == [
        ("back \\ slash", "two\nlines \t é")
    ]


def test_whole_objects() -> None:
    assert rows('{"a": {"b": 1.10}}\n[1, 2]', "v super", JsonLayout("noshred")) == [('{"a":{"b":1.10}}',), ("[1,2]",)]


# Values


def test_values_by_column_type() -> None:
    data = '{"i": 7, "d": 20.259, "f": 1e-3, "t": true, "v": 1.50, "n": {"k": [1, "x"]}, "s": "x", "e": 15e2}'
    types = "i int, d decimal(8,2), f float, t bool, v varchar, n varchar, s super, e int"
    assert rows(data, types) == [(7, Decimal("20.25"), 0.001, True, "1.50", '{"k":[1,"x"]}', '"x"', 1500)]


def test_empty_strings_and_nulls() -> None:
    assert rows('{"a": "", "b": "", "c": null}', "a varchar, b int, c varchar") == [("", None, None)]
    assert rows('{"a": ""}', "a varchar", empty_as_null=True) == [(None,)]
    assert rows('{"a": "\\\\N"}', "a varchar") == [("\\N",)]


# Faults


def test_a_wrong_value() -> None:
    good, (fault,) = read('{"a": 1}\n{"a":\n"x"}\n{"a": 3}', "a int")
    assert good == [(1,), (3,)]
    assert (fault.line, fault.column, fault.raw_value, fault.raw_line) == (3, "a", "x", '{"a":."x"}')
    assert fault.reason == "Invalid digit, Value 'x', Pos 0, Type: Integer"


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        ('{"a": 1},\n{"a": 2}', [1]), ('foo\n{"a": 1} bar {"a": 2}', [1, 2]), ('{"a": 1}\n{"a": x}\n{"a": 2}', [2]),
        ('{"a": 1}\n{"a": 2}\n{"a": 3', [3]), ('{"a": 1}{"a": 2}"', [1]), ('{"a": 1}{"a": NaN}{"a": 2}', [1]),
        ('{"a": 1}{"b": "\\u0000", "a": 2}{"a": 2}', []), ("", []),
    ],
)  # fmt: skip
def test_what_is_no_json(data: str, lines: list[int]) -> None:
    good, faults = read(data, "a int")
    assert [fault.line for fault in faults] == lines
    assert {fault.reason for fault in faults} <= {"Invalid value."}
    assert [a for (a,) in good][:2] in ([1, 2], [])


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "\\udc00x"])
def test_texts_that_no_column_can_hold(text: str) -> None:
    good, (fault,) = read(f'{{"a": "x"}}{{"a": "{text}"}}{{"a": "y"}}', "a varchar")
    assert good == [("x",), ("y",)]
    assert (fault.code, fault.reason) == (1216, "Invalid value.")


def test_arrays_need_paths() -> None:
    _, (fault,) = read("[1, 2]", "a int")
    assert fault.reason == "Invalid JSONPath format: Member is not an object."


def test_paths_that_lead_nowhere() -> None:
    reasons = [fault.reason for fault in read('{"a": 5}{"a": [1]}', "a int", with_paths("$.a[1]"))[1]]
    assert reasons == ["Invalid JSONPath format: Not an array or index out of range."] * 2
    assert read('{"a": 5}', "a int", with_paths("$.a.b"))[1][0].reason.endswith("Member is not an object.")


def test_depth_without_end() -> None:
    good, (fault,) = read('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "a varchar")
    assert (good, fault.code) == ([], 1216)


def test_an_object_of_more_than_four_megabytes() -> None:
    good, faults = read('{"a": 1}\n{"a": "' + "x" * (5 << 20) + '"}\n{"a": 3}', "a varchar(9)")
    assert good[0] == ("1",)
    assert faults[0].code == 1216


# Paths


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("$.id", ("id",)), ("$.store.book.title", ("store", "book", "title")), ("$.location[0]", ("location", 0)),
        ("$['id']", ("id",)), ("$['a.b'][3]['it\\'s']", ("a.b", 3, "it's")), ("$[0]", (0,)), ("$", ()),
    ],
)  # fmt: skip
def test_paths(text: str, path: Sequence[str | int]) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize("text", ["id", "$.a['b']", "$..a", "$.*", "$.a[*]", "$.a[-1]", "$['a'", "$.a b]"])
def test_paths_that_are_refused(text: str) -> None:
    with pytest.raises(errors.InvalidParameterValue, match="Invalid JSONPath format"):
        parse_path(text)


def test_paths_files() -> None:
    assert read_paths(b'{"jsonpaths": ["$.a", "$.b[0]"]}', "s3://b/p") == [("a",), ("b", 0)]
    assert read_paths(b'{"paths": ["$.a"]}', "s3://b/p") is None


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"jsonpaths": "$.a"}', b'{"jsonpaths": [""]}', b'{"jsonpaths": [1]}', b'{"a":1,"b":2}']
)
def test_paths_files_that_are_refused(data: bytes) -> None:
    with pytest.raises(errors.InvalidParameterValue, match="s3://b/p"):
        read_paths(data, "s3://b/p")


# Anything


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(blacklist_categories=("Cs",)), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), values), max_size=5), st.integers(1, 9), st.sampled_from(" \n"))
@settings(max_examples=200, deadline=None)
def test_objects_come_back_whole(objects: list[Any], block_bytes: int, between: str) -> None:
    data = between.join(json.dumps(found, ensure_ascii=False) for found in objects)
    found = rows(data, "v super", JsonLayout("noshred"), block_bytes=block_bytes)
    assert [json.loads(text) for (text,) in found] == objects


parts = st.lists(
    st.sampled_from(["{", "}", "[", "]", '"', "\\", ":", ",", "a", "1", " ", "\n", '{"a":1}']), max_size=20
)


@given(parts.map("".join), st.integers(1, 5))
@settings(max_examples=300, deadline=None)
def test_pieces_change_nothing(data: str, block_bytes: int) -> None:
    assert read(data, "a int", block_bytes=block_bytes) == read(data, "a int")
