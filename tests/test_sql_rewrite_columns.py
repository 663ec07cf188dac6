"""Column names and paths into SUPER values."""

from __future__ import annotations

from typing import Any

import pytest

from restframe import errors


@pytest.fixture
def orders(redshift: Any) -> Any:
    redshift.table(
        "orders", "id int, doc super, note varchar(20)",
        """1, json_parse('{"a": {"b": [10, 20], "c": "x", "d": null}, "tags": ["p", "q"], "n": 5, "*": 1}'), 'first'""",
        """2, json_parse('{"a": 7, "n": "five"}'), 'second'""",
        "3, null, 'third'",
    )  # fmt: skip
    redshift.table("other", "id int, x int", "1, 100")
    return redshift


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("doc.a.b[0]", "10"),
        ("o.doc.a.b[1]", "20"),
        ("o.doc.a.b[1]::int", 20),
        ("doc.a.c", '"x"'),
        ("doc.a.c::varchar", "x"),
        ("doc.A.C::varchar", "x"),
        ('doc."a"."c"::varchar', "x"),
        ("doc.a.z", None),
        ("doc.n.z", None),
        ("doc.a.b[9]", None),
        ("doc.a.b[-1]", None),
        ("doc.a.b[99999999999]", None),
        ("doc.a.b[id]", "20"),
        ('doc."*"', "1"),
        ("doc.a.d is null", True),
        ("doc.a.d", "null"),
        ("doc.tags[0]::varchar || '!'", "p!"),
        ("doc.a.b::varchar", None),
        ("doc.a.c::int", None),
        ("doc.n + 1", 6.0),
        ("doc.n = 5 and doc.n > 4.5 and doc.a.c = 'x'", True),
        ("doc.n = '5'", None),
        ("doc.a.c in ('x', 'y')", True),
        ("doc.n in (4, 5)", True),
        ("doc.tags = array('p', 'q')", True),
        ("-doc.n", -5.0),
        ("upper(doc.a.c)", "X"),
        ("doc.n::decimal(5,2)::varchar", "5.00"),
        ("doc.a.c like 'x%'", True),
        ("(doc).a.b[0]", "10"),
    ],
)
def test_paths(orders: Any, expression: str, expected: object) -> None:
    assert orders.row(f"select {expression} from orders o where id = 1") == (expected,)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('json_parse(\'{"a":{"b":[10,20]}}\').a.b[1]', "20"),
        ("json_serialize(json_parse('{\"a\": [1, 2]}'))", '{"a":[1,2]}'),
        ("json_typeof(json_parse('1.5'))", "number"),
        ("json_typeof(array(1, 2)[0])", "number"),
        ("json_typeof(object('a', null).a)", "null"),
        ("is_array(array(1)) and is_object(object()) and is_varchar(json_parse('\"a\"'))", True),
        ("is_integer(json_parse('70000')) and not is_smallint(json_parse('70000'))", True),
        ("is_scalar(json_parse('true')) and is_boolean(json_parse('true'))", True),
        ("array(1, 'abc', null, 2.5)", '[1,"abc",null,2.5]'),
        ("object('a', 1, 'b', array(1, 2))", '{"a":1,"b":[1,2]}'),
        ("array_concat(array(1), array(2, 3))", "[1,2,3]"),
        ("array_flatten(json_parse('[1, [2, 3], []]'))", "[1,2,3]"),
        ("subarray(array(1, 2, 3, 4), 1, 2)", "[2,3]"),
        ("subarray(array(1, 2, 3, 4), 2)", "[3,4]"),
        ("get_array_length(array(1, 2))", 2),
        ("get_array_length(object('a', 1))", None),
        ("split_to_array('12|345|6789', '|')", '["12","345","6789"]'),
        ("split_to_array('a,b')", '["a","b"]'),
        ("json_size(json_parse('[10001,10002,\"⬤\"]'))", 19),
        ("can_json_parse('[1,2') or can_json_parse('{}')", True),
    ],
)
def test_functions_on_super(redshift: Any, expression: str, expected: object) -> None:
    assert redshift.value(expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('json_extract_path_text(\'{"f2":{"f3":1},"f4":{"f5":99,"f6":"star"}}\', \'f4\', \'f6\')', "star"),
        ("json_extract_path_text('{\"a\":1}', 'z')", ""),
        ("json_extract_path_text('{\"a\":{\"b\":2}}', 'a')", '{"b":2}'),
        ("json_extract_path_text('{\"a\"', 'a', true)", None),
        ("json_extract_path_text('{\"a b\":{\"c.d\":3}}', 'a b', 'c.d')", "3"),
        ("json_extract_path_text('{\"x\":1}', 'x' || '')", "1"),
        ("json_extract_path_text(null, 'a')", None),
        ("json_extract_array_element_text('[111,112,113]', 2)", "113"),
        ("json_extract_array_element_text('[111]', 5)", ""),
        ("json_extract_array_element_text('[1', 0, true)", None),
        ('json_array_length(\'[11,12,13,{"f1":21,"f2":[25,26]},14]\')', 5),
        ("json_array_length('[11,12', true)", None),
        ('is_valid_json(\'{"a":{"b":1}}\')', True),
        ("is_valid_json('{{}}') or is_valid_json('[1,2,3]')", False),
        ('is_valid_json_array(\'["a",["b"]]\')', True),
        ("is_valid_json_array('{\"a\":1}') or is_valid_json_array('[1,2,]')", False),
    ],
)
def test_functions_on_json_text(redshift: Any, expression: str, expected: object) -> None:
    assert redshift.value(expression) == expected


def test_names_are_found_with_table_schema_and_database(orders: Any) -> None:
    for name in ("id", "orders.id", "public.orders.id", "dev.public.orders.id", '"ORDERS"."ID"'):
        assert orders.row(f"select {name} from public.orders where note = 'first'") == (1,), name


def test_names_of_the_engines_own_mean_nothing(orders: Any) -> None:
    for name in ("rowid", "orders.rowid", "public.id"):
        with pytest.raises((errors.UndefinedColumn, errors.UndefinedTable)):
            orders.translate(f"select {name} from orders")


@pytest.mark.parametrize(
    ("text", "condition", "message", "position"),
    [
        ("select nosuch from orders", errors.UndefinedColumn, 'column "nosuch" does not exist', 8),
        ("select  o.nosuch from orders o", errors.UndefinedColumn, "column o.nosuch does not exist", 9),
        ("select x.id from orders", errors.UndefinedTable, 'missing FROM-clause entry for table "x"', 8),
        ("select orders.id from orders o", errors.UndefinedTable, 'missing FROM-clause entry for table "orders"', 8),
        ("select id from orders, other", errors.AmbiguousColumn, 'column reference "id" is ambiguous', 8),
        ("select note.a from orders", errors.DatatypeMismatch, "cannot navigate", 8),
        ("select id[0] from orders", errors.DatatypeMismatch, "cannot navigate", 8),
        ("select doc.a[1:2] from orders", errors.NotSupportedError, "slice", 8),
        ("select a.id from orders a, other a", errors.DuplicateAlias, 'table name "a" specified more than once', 28),
    ],
)
def test_names_that_are_wrong(
    orders: Any, text: str, condition: type[errors.Error], message: str, position: int
) -> None:
    with pytest.raises(condition) as caught:
        orders.translate(text)
    assert message in caught.value.message
    assert caught.value.position == position


def test_iteration_over_arrays_and_objects(orders: Any) -> None:
    assert orders.rows("select o.id, e, i from orders o, o.doc.a.b as e at i order by i") == [
        (1, "10", 0), (1, "20", 1),
    ]  # fmt: skip
    assert orders.rows("select tag from orders as o, o.doc.tags tag order by tag") == [('"p"',), ('"q"',)]
    assert orders.rows("select k, json_typeof(v) from orders o, unpivot o.doc.a as v at k order by k") == [
        ("b", "array"), ("c", "string"), ("d", "null"),
    ]  # fmt: skip


def test_iteration_into_arrays_of_arrays_and_objects(redshift: Any) -> None:
    redshift.table("foo", "m super", "json_parse('[[1.1, 1.2], [2.1, 2.2]]')")
    assert redshift.rows("select a, e from foo as f, f.m as a, a as e order by 2") == [
        ("[1.1,1.2]", "1.1"), ("[1.1,1.2]", "1.2"), ("[2.1,2.2]", "2.1"), ("[2.1,2.2]", "2.2"),
    ]  # fmt: skip
    redshift.table(
        "c", "name varchar(5), orders super", """'Ann', json_parse('[{"key": 7, "items": [{"p": 1}, {"p": 2}]}]')"""
    )
    assert redshift.rows("select c.name, o.key, l.p from c, c.orders o, o.items l order by 3") == [
        ("Ann", "7", "1"), ("Ann", "7", "2"),
    ]  # fmt: skip


def test_what_is_no_super_value_cannot_be_iterated_over(orders: Any) -> None:
    with pytest.raises(errors.DatatypeMismatch):
        orders.translate("select 1 from orders o, o.note n")
