"""SELECT as a whole: aliases, stars, joins, common tables, set operations, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from restframe import errors


@pytest.fixture
def shop(redshift: Any) -> Any:
    redshift.table("t", "id int, a int, s varchar(10)", "1, 3, 'x'", "2, null, 'y'", "3, 7, 'x'")
    redshift.table("u", "id int, b varchar(5)", "1, 'one'", "3, 'three'", "4, 'four'")
    redshift.table("other.t", "z int", "42")
    return redshift


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select a as x, x + 1 as y, y * 2 from t where x > 3", [(7, 8, 16)]),
        ("select max(a) as m, m + 1 from t", [(7, 8)]),
        ("select id + 1 as id, id from t where id = 1", [(2, 1)]),
        ("select s, count(*) as n from t group by s having n > 1", [("x", 2)]),
        ("select upper(s) as u, count(*) from t group by u order by u", [("X", 2), ("Y", 1)]),
        ("select upper(s), count(*) from t group by 1 order by 2 desc, 1", [("X", 2), ("Y", 1)]),
        ("select count(*) from t group by s order by count", [(1,), (2,)]),
        ("select a from t order by a", [(3,), (7,), (None,)]),
        ("select a from t order by a desc", [(None,), (7,), (3,)]),
        ("select a from t order by a desc nulls last limit 1 offset 1", [(3,)]),
        ("select top 2 id from t order by id desc", [(3,), (2,)]),
        ("select distinct s from t order by 1", [("x",), ("y",)]),
        ("select id from t order by id limit all", [(1,), (2,), (3,)]),
        ('select "count" from (select id, count(*) from t group by id) where count = 1 limit 1', [(1,)]),
        ("select * from (select 1, 'a', max(id) from t)", [(1, "a", 3)]),
        ("select x from (select id from t) as q(x) order by x limit 1", [(1,)]),
        ("select * from t where id = 1", [(1, 3, "x")]),
        ("select t.*, b from t, u where t.id = u.id and t.id = 1", [(1, 3, "x", "one")]),
        ("select * exclude (a) from t where id = 1", [(1, "x")]),
        ("select * exclude a, s from t where id = 1", [(1,)]),
        ("select * from t join u using (id) where id = 1", [(1, 3, "x", "one")]),
        ("select * from u natural join t where id = 3", [(3, "three", 7, "x")]),
        ("select id, b from t full join u using (id) order by id", [(1, "one"), (2, None), (3, "three"), (4, "four")]),
        ("select t.id, u.id from t left outer join u on t.id = u.id order by 1", [(1, 1), (2, None), (3, 3)]),
        ("select count(*) from t cross join u", [(9,)]),
        ("select count(*) from (t join u on t.id = u.id), other.t as o", [(2,)]),
        ("select z from other.t", [(42,)]),
        ("select t.id from t, other.t o where t.id = 1 and o.z = 42", [(1,)]),
        ("select id from t where a = (select max(a) from t)", [(3,)]),
        ("select id, (select b from u where u.id = t.id) from t order by id", [(1, "one"), (2, None), (3, "three")]),
        ("select id from t where exists (select * from u where u.id = t.id) order by 1", [(1,), (3,)]),
        ("with w as (select 1 as x) select x from w", [(1,)]),
        ("with w (p, q) as (select 1, 2), v as (select p + q as r from w) select r from v", [(3,)]),
        ("with t as (select id from t where id > 2) select * from t", [(3,)]),
        ("with w as (select 1 as x) select * from (with w as (select 2 as x) select x from w) a, w", [(2, 1)]),
        ("with recursive c(n) as (select 1 union all select n + 1 from c where n < 4) select n from c",
         [(1,), (2,), (3,), (4,)]),
        ("select id from t union select id from u order by id", [(1,), (2,), (3,), (4,)]),
        ("select id from t minus select id from u", [(2,)]),
        ("select id from t intersect select id from u order by 1 desc limit 1", [(3,)]),
        ("(select id from t order by id limit 1) union all (select 9)", [(1,), (9,)]),
        ("select 1 as n union all select 2.5 order by n", [(1.0,), (2.5,)]),
        ("select s, sum(a) from t group by rollup (s) order by 1", [("x", 10), ("y", None), (None, 10)]),
        ("select s, id, count(*) from t where id < 3 group by grouping sets ((s), (id)) order by 1, 2",
         [("x", None, 1), ("y", None, 1), (None, 1, 1), (None, 2, 1)]),
        ("select s, grouping(s), count(*) from t group by cube (s) order by 2, 1",
         [("x", 0, 2), ("y", 0, 1), (None, 1, 3)]),
        ("select id from t qualify row_number() over (partition by s order by id desc) = 1 order by id", [(2,), (3,)]),
        ("select n from generate_series(1, 3) as g(n) order by n", [(1,), (2,), (3,)]),
        ("select g from generate_series(2, 6, 2) g order by g", [(2,), (4,), (6,)]),
        ('select 1 as "select", 2 as summarize, 3 as "Mixed Case"', [(1, 2, 3)]),
        ("select case when id = 1 then 'a' when id = 2 then 'b' else 'c' end from t order by id",
         [("a",), ("b",), ("c",)]),
        ("select * from (select s, a from t) pivot (sum(a) for s in ('x', 'y'))", [(10, None)]),
        ("select * from (select id, s, a from t) pivot (sum(a) as total for s in ('x' as ex)) order by id",
         [(1, 3), (2, None), (3, 7)]),
        ("select * from (select 1 as p, 2 as q) unpivot (v for k in (p, q)) order by k", [("p", 1), ("q", 2)]),
    ],
)  # fmt: skip
def test_queries(shop: Any, text: str, expected: list[tuple[object, ...]]) -> None:
    assert shop.rows(text) == expected


@pytest.mark.parametrize(
    ("select", "labels"),
    [
        ("id, t.a, id as Ident, id \"Quoted\"", ("id", "a", "ident", "quoted")),
        ("count(*), sum(a), max(a) as m", ("count", "sum", "m")),
        ("1, 'x', null, id + 1, -id", ("?column?",) * 5),
        ("id::varchar, '5'::int, sum(a)::int, 1::numeric(5,2), cast('a' as varchar)",
         ("id", "int4", "sum", "numeric", "varchar")),
        ("dateadd(day, 1, '2020-01-01'), datediff(day, '2020-01-01', '2020-01-02'), date_part(year, current_date)",
         ("date_add", "date_diff", "pgdate_part")),
        ("extract(year from current_date), date '2020-01-01', current_date, getdate(), sysdate",
         ("date_part", "date", "date", "getdate", "timestamp")),
        ("nvl(a, 0), coalesce(a, 0), decode(a, 1, 2), case when id = 1 then 1 end, case when id = 1 then 1 else a end",
         ("coalesce", "coalesce", "case", "case", "a")),
        ("trim(s), substring(s, 1, 2), position('a' in s), row_number() over (order by id)",
         ("btrim", "substring", "position", "row_number")),
        ("json_parse('{}').a.b[0], exists(select 1), (select 1), listagg(s) within group (order by id)",
         ("b", "?column?", "?column?", "listagg")),
    ],
)  # fmt: skip
def test_labels(shop: Any, select: str, labels: tuple[str, ...]) -> None:
    assert shop.translate(f"select {select} from t").labels == labels


def test_labels_of_stars(shop: Any) -> None:
    assert shop.translate("select * from t, u").labels == ("id", "a", "s", "id", "b")
    assert shop.translate("select u.*, 1 from t, u").labels == ("id", "b", "?column?")
    assert shop.translate("select * from t join u using (id)").labels == ("id", "a", "s", "b")
    assert shop.translate("select * from (select id, id from t)").labels == ("id", "id")
    assert shop.translate("select id from t union select a from t").labels == ("id",)


def test_stars_can_be_written_out(shop: Any) -> None:
    written_out = shop.translate("select *, 1 as one from t", expand_stars=True)
    assert "*" not in written_out.sql
    assert written_out.labels == ("id", "a", "s", "one")


def test_types_of_outputs(shop: Any) -> None:
    types = shop.translate("select id, s, 'abc', id + 1.5, null, id = 1, s || 'x', s::varchar(3) from t").types
    assert [None if type_ is None else str(type_) for type_ in types] == [
        "integer", "character varying(10)", "character varying(3)", "numeric(12,1)", None, "boolean",
        "character varying", "character varying(3)",
    ]  # fmt: skip


def test_what_is_read(shop: Any) -> None:
    translation = shop.translate(
        "with w as (select * from t) select * from w, other.t x where exists (select 1 from u)"
    )
    assert [(table.engine_schema, table.engine_name) for table in translation.reads] == [
        ("public", "t"), ("other", "t"), ("public", "u"),
    ]  # fmt: skip
    assert translation.writes is None


def test_set_operations_of_thousands(shop: Any) -> None:
    assert len(shop.rows(" union all ".join(["select 1"] * 800))) == 800


@pytest.mark.parametrize(
    ("text", "condition", "position"),
    [
        ("select * from nosuch", errors.UndefinedTable, 15),
        ("select * from public.nosuch", errors.UndefinedTable, 15),
        ("select *", errors.SyntaxError, None),
        ("select id from t order by 2", errors.SyntaxError, 27),
        ("select id from t group by 3", errors.SyntaxError, 27),
        ("select id from t union select id, b from u", errors.SyntaxError, None),
        ("select (select id, a from t) from t", errors.SyntaxError, None),
        ("select * from t join u", None, None),
        ("select * from t left join u", errors.SyntaxError, None),
        ("select id from t join u using (nosuch)", errors.UndefinedColumn, None),
        ("with w as (select 1), w as (select 2) select 1", errors.DuplicateAlias, None),
        ("with w (a, b) as (select 1) select 1", errors.SyntaxError, None),
        ("select id from t for update", errors.NotSupportedError, 18),
        ("select distinct on (id) id from t", errors.NotSupportedError, None),
        ("select id from t fetch first 3 rows only", errors.NotSupportedError, 18),
        ("select id from t tablesample bernoulli (10)", errors.NotSupportedError, None),
        ("select id from t using sample 10", errors.NotSupportedError, None),
        ("select * replace (1 as id) from t", (errors.NotSupportedError, errors.SyntaxError), None),
        ("select * from t asof join u on t.id = u.id", errors.NotSupportedError, None),
        ("select * from t semi join u on t.id = u.id", errors.NotSupportedError, None),
        ("select * from (values (1), (2, 3)) x", errors.SyntaxError, None),
        ("values (1)", errors.SyntaxError, 1),
        ("from t select id", errors.SyntaxError, 1),
        ("from t", errors.SyntaxError, 1),
        ("select id from t where id = t2.id(+)", errors.Error, None),
        ("select id from t start with id = 1 connect by prior id = a", errors.Error, None),
        ("select upper(s) filter (where a > 1) from t", errors.WrongObjectType, None),
        ("select sum(a) over (order by id) from t", errors.SyntaxError, None),
        ("select sum(a) over w from t window w as (order by id)", errors.Error, None),
        ("select lag(a) from t", errors.SyntaxError, 8),
        ("select upper(s) over () from t", errors.WrongObjectType, None),
        ("select upper(s) within group (order by s) from t", errors.WrongObjectType, None),
        ("select [1, 2]", errors.NotSupportedError, 8),
        ("select array[1, 'x']", errors.InvalidTextRepresentation, None),
        ("select {'a': 1}", errors.NotSupportedError, None),
        ("select x -> 1 from t", errors.NotSupportedError, 8),
        ("select f(x => 1)", errors.NotSupportedError, None),
        ("select list_transform(s, x -> x) from t", errors.Error, None),
        ("select [x for x in [1]]", errors.Error, None),
        ("select columns(*) from t", errors.Error, None),
        ("select id from t group by all", errors.NotSupportedError, None),
        ("select id from t order by all", errors.Error, None),
        ("select s collate nocase from t", errors.NotSupportedError, 10),
        ("select #1 from t", errors.Error, None),
        ("select id from 'file.csv'", errors.Error, 16),
        ("select * from read_csv('/etc/passwd')", errors.UndefinedFunction, 15),
        ("select * from glob('*')", errors.UndefinedFunction, 15),
        ("select * from duckdb_tables()", errors.UndefinedFunction, 15),
        ("select * from query('select 1')", errors.UndefinedFunction, 15),
        ("select * from information_schema.tables", errors.UndefinedTable, 15),
        ("select * from _restframe.models", errors.UndefinedTable, 15),
        ("select getenv('HOME')", errors.UndefinedFunction, 8),
        ("select main.getenv('HOME')", errors.UndefinedFunction, 8),
        ("select _restframe.cut('a', 1)", errors.UndefinedFunction, 8),
        ("select getvariable('x')", errors.UndefinedFunction, 8),
        ("select error('x')", errors.UndefinedFunction, 8),
        ("select string_agg(s) from t", errors.UndefinedFunction, 8),
        ("select if(true, 1, 2)", errors.UndefinedFunction, 8),
        ("select id from t where", errors.SyntaxError, None),
        ("select id,, a from t", errors.SyntaxError, 11),
        ("select id, from t", errors.SyntaxError, 12),
        ("select upper(s,) from t", errors.SyntaxError, 16),
        ("select from t", errors.SyntaxError, None),
    ],
)  # fmt: skip
def test_what_is_refused(shop: Any, text: str, condition: Any, position: int | None) -> None:
    if condition is None:
        shop.translate(text)
        return
    with pytest.raises(condition) as caught:
        shop.translate(text)
    assert caught.value.position is not None
    if position is not None:
        assert caught.value.position == position


def test_a_select_list_may_be_long_but_not_endless(shop: Any) -> None:
    assert len(shop.rows("select " + ", ".join(["1"] * 1664))[0]) == 1664
    for text in ("select " + ", ".join(["1"] * 1665), "select " + ", ".join(["*"] * 555) + " from t"):
        with pytest.raises(errors.TooManyColumns, match="target lists can have at most 1664 entries"):
            shop.translate(text)


def test_positions_count_the_whole_text(shop: Any) -> None:
    from restframe import sql

    statements = sql.parse("select 1;\n select nosuch from t")
    with pytest.raises(errors.UndefinedColumn) as caught:
        sql.translate(statements[1], shop)
    assert caught.value.position == 19
