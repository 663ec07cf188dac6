"""Prepared statements: what is described before the values are known is what comes out, whatever they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import restframe
from restframe import errors
from restframe.result import Result
from restframe.types import SqlType
from restframe.warehouse.session import Session

INT4, INT8, NUMERIC = SqlType("int4"), SqlType("int8"), SqlType("numeric")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[restframe.Warehouse]:
    with restframe.open(tmp_path_factory.mktemp("prepared")) as opened:
        yield opened


@pytest.fixture
def session(warehouse: restframe.Warehouse) -> Iterator[Session]:
    with warehouse.session() as opened:
        for table in ("rides", "wide", "north"):
            opened.execute(f"DROP TABLE IF EXISTS {table}")
        opened.execute("CREATE TABLE rides (id int, zone varchar(10), fare decimal(8,2), day date, started timestamp)")
        opened.execute(
            "INSERT INTO rides VALUES (1, 'north', 1.50, '2020-01-01', '2020-01-01 10:00'), "
            "(2, 'south', 2.50, '2020-01-02', '2020-01-02 11:30'), (3, NULL, NULL, NULL, NULL)"
        )
        yield opened


def run(session: Session, text: str, *values: Any, types: tuple[SqlType | None, ...] = ()) -> Result:
    prepared = session.prepare(text, types)
    result = session.run_prepared(prepared, values)
    assert result.columns == (prepared.columns or ())
    return result


def types_of(session: Session, text: str, *declared: SqlType | None) -> list[str]:
    return [str(type_) for type_ in session.prepare(text, declared).parameter_types]


# Description and execution agree


@pytest.mark.parametrize(
    ("declared", "value", "described"),
    [((), 5, "integer"), ((INT4,), 5, "integer"), ((INT8,), 5, "bigint"), ((NUMERIC,), Decimal(5), "numeric(38,10)")],
)
def test_a_sum_has_the_described_type_whatever_the_value(
    session: Session, declared: tuple[SqlType, ...], value: Any, described: str
) -> None:
    prepared = session.prepare("SELECT $1 + 1", declared)
    assert prepared.columns is not None
    assert str(prepared.columns[0].type) == described
    result = session.run_prepared(prepared, [value])
    assert result.arrow_schema.types == result.to_arrow().schema.types
    assert session.run_prepared(prepared, [value]).scalar() == 6
    assert session.run_prepared(prepared, [None]).fetchall() == [(None,)]


def test_null_and_what_nothing_is_known_of_are_texts(session: Session) -> None:
    result = run(session, "SELECT NULL, $1, $2 IS NULL", "a", None)
    assert [str(column.type) for column in result.columns] == [
        "character varying(65535)",
        "character varying",
        "boolean",
    ]
    assert result.fetchall() == [(None, "a", True)]


def test_every_column_of_a_table_and_of_aggregates_is_described(session: Session) -> None:
    assert run(session, "SELECT * FROM rides WHERE id = $1", 1).fetchall() == [
        (1, "north", Decimal("1.50"), dt.date(2020, 1, 1), dt.datetime(2020, 1, 1, 10))
    ]
    totals = run(session, "SELECT count(*), avg(id), sum(fare), max(day) FROM rides WHERE id < $1", 3)
    assert totals.fetchall() == [(2, 1, Decimal("4.00"), dt.date(2020, 1, 2))]


def test_statements_that_are_no_queries_are_described(session: Session) -> None:
    assert session.prepare("DELETE FROM rides").columns is None
    assert session.prepare("  -- nothing").statement is None
    assert session.run_prepared(session.prepare("")).columns == ()
    assert run(session, "SHOW timezone").fetchall() == [("UTC",)]
    assert run(session, "EXPLAIN SELECT * FROM rides WHERE id = $1", 1).columns[0].name == "QUERY PLAN"
    assert session.prepare("SHOW TABLES FROM SCHEMA dev.public").columns is not None


# Types of parameters


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("SELECT $1::int, cast($2 AS date), $3::numeric(8,2)", ["integer", "date", "numeric(38,10)"]),
        ("SELECT 1 FROM rides WHERE id = $1 AND $2 < started", ["integer", "timestamp without time zone"]),
        ("SELECT 1 FROM rides WHERE zone IN ($1, $2) OR $3 IN (1, 2)", ["character varying"] * 2 + ["integer"]),
        ("SELECT 1 FROM rides WHERE day BETWEEN $1 AND $2 OR $3 BETWEEN id AND 9", ["date", "date", "integer"]),
        ("SELECT 1 FROM rides WHERE zone LIKE $1 LIMIT $2 OFFSET $3", ["character varying", "bigint", "bigint"]),
        ("SELECT 1 FROM rides WHERE id = ANY($1) OR zone <> ALL ($2)", ["integer[]", "character varying[]"]),
        ("SELECT mod($1, 3), mod($2, fare), left(zone, $3) FROM rides", ["integer", "numeric(38,10)", "integer"]),
        ("SELECT substring($1, $2, $3), repeat(zone, $4) FROM rides", ["character varying"] + ["integer"] * 3),
        ("SELECT split_part(zone, $1, $2), lpad(zone, $3) FROM rides", ["character varying", "integer", "integer"]),
        ("SELECT dateadd(day, $1, day), date_trunc($2, started) FROM rides", ["integer", "character varying"]),
        ("SELECT date_part($1, started), add_months(day, $2) FROM rides", ["character varying", "integer"]),
        ("SELECT id * $1, fare - $2, day + $3 FROM rides", ["integer", "numeric(38,10)", "integer"]),
        ("SELECT started + $1, started - $2 FROM rides", ["interval", "timestamp without time zone"]),
        ("SELECT CASE WHEN $1 THEN id ELSE $2 END, coalesce(day, $3) FROM rides", ["boolean", "integer", "date"]),
        ("SELECT CASE $1 WHEN 1 THEN 2 END, CASE id WHEN $2 THEN 2 END FROM rides", ["integer", "integer"]),
        ("SELECT id FROM rides UNION SELECT $1", ["integer"]),
        ("SELECT upper($1), abs($2)", ["character varying", "double precision"]),
        ("SELECT nullif(id, $1), decode(id, $2, 'a') FROM rides", ["integer", "integer"]),
        ("INSERT INTO rides (day, fare) VALUES ($1, $2)", ["date", "numeric(38,10)"]),
        ("INSERT INTO rides (id, day) SELECT $1, $2", ["integer", "date"]),
        ("UPDATE rides SET started = $1 WHERE NOT $2", ["timestamp without time zone", "boolean"]),
        ("DELETE FROM rides WHERE id IN (SELECT $1::bigint)", ["bigint"]),
        ("SELECT $1,$2,'$3', $$ $4 $$ -- $5", ["character varying", "character varying"]),
        ("SELECT ?, ?::int", ["character varying", "integer"]),
        ("SELECT $2::int", ["character varying", "integer"]),
    ],
)  # fmt: skip
def test_a_parameter_has_the_type_of_what_it_stands_beside(session: Session, text: str, types: list[str]) -> None:
    assert types_of(session, text) == types


def test_a_declared_type_wins(session: Session) -> None:
    assert types_of(session, "SELECT $1 + 1, $2", INT8) == ["bigint", "character varying"]
    assert types_of(session, "SELECT 1", INT8, None) == ["bigint", "character varying"]


def test_too_many_parameters(session: Session) -> None:
    with pytest.raises(errors.UndefinedParameter, match=r"\$32768") as caught:
        session.prepare("SELECT $32768")
    assert caught.value.hint == "A statement has 32767 parameters at most."
    with pytest.raises(errors.UndefinedParameter, match=r"\$0"):
        session.prepare("SELECT $0")
    with pytest.raises(errors.ProtocolViolation, match="supplies 2 parameters, but prepared statement requires 1"):
        run(session, "SELECT $1", 1, 2)


def test_a_row_of_a_thousand_parameters(session: Session) -> None:
    columns = ", ".join(f"c{place} int" for place in range(1000))
    session.execute(f"CREATE TABLE wide ({columns})")
    places = ",".join(f"${place}" for place in range(1, 1001))
    assert run(session, f"INSERT INTO wide VALUES ({places})", *range(1000)).tag == "INSERT 0 1"
    assert session.execute("SELECT c0, c999 FROM wide").fetchall() == [(0, 999)]


# Values


def test_which_operator_is_meant_must_be_told(session: Session) -> None:
    with pytest.raises(errors.AmbiguousFunction, match="operator is not unique: unknown \\+ unknown") as refused:
        session.prepare("SELECT 1, $1 + $2")
    assert refused.value.sqlstate == "42725"
    assert session.run_prepared(session.prepare("SELECT $1 + $2", (INT4, INT4)), [1, 2]).scalar() == 3


@pytest.mark.parametrize(
    ("unit", "begin", "part"),
    [("month", dt.datetime(2024, 5, 1), 5.0), ("Qtr", dt.datetime(2024, 4, 1), 2.0),
     ("decade", dt.datetime(2020, 1, 1), 203.0), ("s", dt.datetime(2024, 5, 6, 7, 8, 9), 9.5)],
)  # fmt: skip
def test_parts_of_dates_may_be_parameters(session: Session, unit: str, begin: dt.datetime, part: float) -> None:
    prepared = session.prepare("SELECT date_trunc($1, $2::timestamp), date_part($1, $2::timestamp)")
    assert session.run_prepared(prepared, [unit, "2024-05-06 07:08:09.5"]).fetchall() == [(begin, part)]
    with pytest.raises(errors.InvalidParameterValue, match='timestamp units "nope" not recognized'):
        session.run_prepared(prepared, ["nope", "2024-05-06"]).fetchall()


@pytest.mark.parametrize(
    ("cast", "text", "value"),
    [
        ("int", " 42 ", 42),
        ("float8", "1e3", 1000.0),
        ("float8", "NaN", pytest.approx(float("nan"), nan_ok=True)),
        ("decimal(8,2)", "1.25", Decimal("1.25")),
        ("bool", "yes", True),
        ("date", "2020-02-29", dt.date(2020, 2, 29)),
        ("date", "Feb 29, 2020", dt.date(2020, 2, 29)),
        ("timestamp", "2020-01-01 10:11:12.5", dt.datetime(2020, 1, 1, 10, 11, 12, 500_000)),
        ("time", "10:00", dt.time(10)),
        ("timetz", "10:00 -05", dt.time(15, tzinfo=dt.UTC)),
        ("timetz", dt.time(10, tzinfo=dt.timezone(dt.timedelta(hours=-5))), dt.time(15, tzinfo=dt.UTC)),
        ("varchar(2)", "abc", "ab"),
    ],
)
def test_texts_are_read_as_the_type_they_stand_for(session: Session, cast: str, text: str, value: Any) -> None:
    assert run(session, f"SELECT $1::{cast}", text).scalar() == value


@pytest.mark.parametrize(
    ("cast", "value", "error"),
    [
        ("int", "4x", errors.InvalidTextRepresentation),
        ("int", "", errors.InvalidTextRepresentation),
        ("smallint", 40_000, errors.NumericValueOutOfRange),
        ("int", "1" * 40, errors.NumericValueOutOfRange),
        ("float8", "1_0", errors.InvalidTextRepresentation),
        ("decimal(8,2)", "ten", errors.InvalidTextRepresentation),
        ("decimal(8,2)", Decimal("NaN"), errors.InvalidTextRepresentation),
        ("bool", "maybe", errors.InvalidTextRepresentation),
        ("date", "no day", errors.InvalidDatetime),
        ("varchar", "a\0b", errors.CharacterNotInRepertoire),
    ],
)
def test_texts_that_are_none_of_the_type(session: Session, cast: str, value: Any, error: type[errors.Error]) -> None:
    with pytest.raises(error):
        run(session, f"SELECT $1::{cast}", value)


def test_decimals_keep_all_their_digits(session: Session) -> None:
    tiny = Decimal("0.00000000000001")
    assert run(session, "SELECT count(*) FROM rides WHERE fare > $1 AND fare - $1 < fare", tiny).scalar() == 2
    assert run(
        session, "SELECT $1 * $2", Decimal("10.5"), Decimal("2.25"), types=(NUMERIC, NUMERIC)
    ).scalar() == Decimal("23.625")
    with pytest.raises(errors.NumericValueOutOfRange):
        run(session, "SELECT $1", tiny, types=(NUMERIC,)).fetchall()


def test_arrays(session: Session) -> None:
    assert run(session, "SELECT id FROM rides WHERE id = ANY($1) ORDER BY id", [1, "3"]).fetchall() == [(1,), (3,)]
    assert run(session, "SELECT id FROM rides WHERE zone = ANY($1)", ["south", None]).fetchall() == [(2,)]


def test_parameters_of_statements_about_a_query(session: Session) -> None:
    run(session, "CREATE TABLE north AS SELECT id, $2 AS note FROM rides WHERE zone = $1", "north", "it's \\ here")
    assert session.execute("SELECT * FROM north").fetchall() == [(1, "it's \\ here")]
    session.execute("BEGIN")
    run(session, "DECLARE c CURSOR FOR SELECT id FROM rides WHERE day >= $1 ORDER BY id", dt.date(2020, 1, 1))
    assert run(session, "FETCH ALL FROM c").fetchall() == [(1,), (2,)]
    with pytest.raises(errors.SyntaxError, match="takes no parameters"):
        run(session, "DROP TABLE north", 1, types=(INT4,))


# As time goes by


def test_a_statement_survives_changes_of_the_catalog(session: Session) -> None:
    prepared = session.prepare("SELECT zone FROM rides WHERE id = $1")
    session.execute("ALTER TABLE rides ADD COLUMN tip int")
    assert session.run_prepared(prepared, [1]).fetchall() == [("north",)]
    session.execute("DROP TABLE rides; CREATE TABLE rides (id int, zone int)")
    with pytest.raises(errors.NotSupportedError, match="cached plan must not change result type"):
        session.run_prepared(prepared, [1])
    session.execute("DROP TABLE rides")
    with pytest.raises(errors.UndefinedTable):
        session.run_prepared(prepared, [1])


def test_a_statement_follows_the_search_path(session: Session) -> None:
    for schema in ("east", "west"):
        session.execute(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.signs AS SELECT '{schema}' AS says")
    session.execute("SET search_path TO east")
    prepared = session.prepare("SELECT says FROM signs")
    assert session.run_prepared(prepared, ()).scalar() == "east"
    session.execute("SELECT set_config('search_path', 'west', false)")
    assert session.run_prepared(prepared, ()).scalar() == "west"


def test_a_statement_prepared_in_sql_outlives_a_rollback(session: Session) -> None:
    session.execute("BEGIN; PREPARE counted AS SELECT count(*) FROM rides")
    session.execute("PREPARE all_of AS SELECT * FROM rides; ROLLBACK")
    session.execute("ALTER TABLE rides ADD COLUMN tip int")
    assert session.execute("EXECUTE counted").scalar() == 3
    with pytest.raises(errors.NotSupportedError, match="cached plan must not change result type"):
        session.execute("EXECUTE all_of")


def test_a_fetch_is_described_by_its_cursor(session: Session) -> None:
    session.execute("BEGIN; DECLARE c CURSOR FOR SELECT id FROM rides ORDER BY id")
    fetch = session.prepare("FETCH 2 FROM c")
    assert [column.name for column in fetch.columns or ()] == ["id"]
    assert session.run_prepared(fetch).fetchall() == [(1,), (2,)]
    session.execute("CLOSE c; DECLARE c CURSOR FOR SELECT zone FROM rides")
    with pytest.raises(errors.NotSupportedError, match="cached plan must not change result type"):
        session.run_prepared(fetch)


def test_a_cursor_streams_beside_other_statements_and_other_cursors(session: Session) -> None:
    session.execute("BEGIN; DECLARE c CURSOR FOR SELECT a.id FROM rides a, rides b, rides c ORDER BY 1")
    first = session.execute("FETCH 10 FROM c")
    session.execute("DELETE FROM rides")
    session.execute("DECLARE d CURSOR FOR SELECT count(*) FROM rides")
    assert len(first.fetchall()) == 10
    assert session.execute("FETCH d").scalar() == 0
    assert len(session.execute("FETCH ALL FROM c").fetchall()) == 17
    session.execute("COMMIT")
    with pytest.raises(errors.UndefinedCursor):
        session.execute("FETCH c")


def test_a_fetch_obeys_the_time_out(session: Session) -> None:
    session.execute("CREATE TEMP TABLE many AS SELECT a.id FROM rides a, rides b, rides c, rides d, rides e, rides f")
    session.execute("BEGIN; SET LOCAL statement_timeout TO 300")
    with pytest.raises(errors.QueryCanceled, match="statement timeout"):
        session.execute("DECLARE c CURSOR FOR SELECT count(*) FROM many a, many b, many c, many d WHERE a.id < b.id")
        session.execute("FETCH c").fetchall()
    assert session.transaction == "failed"
    session.execute("ROLLBACK")


def test_a_transaction_sees_its_own_tables_and_not_the_new_ones_of_others(session: Session) -> None:
    session.execute("BEGIN; CREATE TABLE own (a int)")
    assert run(session, "SELECT count(*) FROM own WHERE a = $1", 1).scalar() == 0
    session.execute("ROLLBACK; CREATE TEMP TABLE rides (other varchar)")
    assert session.prepare("SELECT * FROM rides").columns != ()
    assert [column.name for column in session.prepare("SELECT * FROM rides").columns or ()] == ["other"]
    with pytest.raises(errors.UndefinedTable):
        session.prepare("SELECT count(*) FROM own WHERE a = $1")


def test_a_repeated_text_is_not_translated_again_even_inside_transactions(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = session.prepare("SELECT id FROM rides WHERE id = $1")
    session.execute("BEGIN")
    assert session.prepare("SELECT id FROM rides WHERE id = $1") is first
    monkeypatch.setattr("restframe.warehouse.prepared.translate_prepared", None)
    assert session.run_prepared(first, [1]).scalar() == 1


def test_an_error_fails_the_block_and_only_its_end_can_be_prepared_then(session: Session) -> None:
    session.execute("BEGIN")
    with pytest.raises(errors.UndefinedColumn) as caught:
        session.prepare("SELECT nope FROM rides")
    assert caught.value.position == 8
    assert session.transaction == "failed"
    with pytest.raises(errors.InFailedTransaction):
        session.prepare("SELECT 1")
    assert session.run_prepared(session.prepare("ROLLBACK")).tag == "ROLLBACK"


def test_several_statements_cannot_be_prepared(session: Session) -> None:
    with pytest.raises(errors.SyntaxError, match="multiple commands"):
        session.prepare("SELECT 1; SELECT 2")


def test_a_statement_is_prepared_while_rows_are_on_their_way(session: Session) -> None:
    result = session.execute("SELECT n FROM (SELECT a.id AS n FROM rides a, rides b) ORDER BY n")
    assert session.prepare("SELECT zone FROM rides").columns is not None
    assert len(result.fetchall()) == 9


# One result after the other


def test_results_come_before_the_next_statement_runs(session: Session) -> None:
    results = session.execute_each("INSERT INTO rides (id) VALUES (4); SELECT count(*) FROM rides; SELECT 1/0")
    assert next(results).tag == "INSERT 0 1"
    assert next(results).scalar() == 4
    with pytest.raises(errors.DivisionByZero):
        next(results).fetchall()
    assert session.execute("SELECT count(*) FROM rides").scalar() == 3


def test_a_text_that_is_given_up_is_undone(session: Session) -> None:
    results = session.execute_each("DELETE FROM rides; SELECT 1")
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert session.transaction == "idle"
    assert session.execute("SELECT count(*) FROM rides").scalar() == 3


def test_the_last_result_is_handed_out_when_the_text_has_been_committed(session: Session) -> None:
    *_, last = session.execute_each("DELETE FROM rides WHERE id = 1; DELETE FROM rides WHERE id = 2")
    assert last.tag == "DELETE 1"
    assert session.transaction == "idle"


def long_insert(rows: int) -> str:
    places = (f"(${row * 3 + 1}, ${row * 3 + 2},\n ${row * 3 + 3})" for row in range(rows))
    return f"INSERT INTO rides (id, zone, started) VALUES {', '.join(places)};"


def test_a_long_insert_of_parameters_is_one_of_many_rows(session: Session) -> None:
    rows = [(i, None if i % 2 else f"it's {i}", dt.datetime(2024, 1, 1, i % 24)) for i in range(100, 400)]
    prepared = session.prepare(long_insert(len(rows)), (None, SqlType("varchar"), None, SqlType("int2")))
    assert [str(type_) for type_ in prepared.parameter_types[:6]] == [
        "integer", "character varying", "timestamp without time zone", "smallint", "character varying",
        "timestamp without time zone",
    ]  # fmt: skip
    values = [value for row in rows for value in row]
    assert session.run_prepared(prepared, values).tag == "INSERT 0 300"
    assert run(session, "SELECT id, zone, started FROM rides WHERE id >= 100 ORDER BY id").fetchall() == rows
    with pytest.raises(errors.ProtocolViolation, match=r"supplies 899 parameters, but .* requires 900"):
        session.run_prepared(prepared, values[1:])
    with pytest.raises(errors.InvalidTextRepresentation, match='invalid input syntax for type integer: "x"'):
        session.run_prepared(prepared, ["x", *values[1:]])
    with pytest.raises(errors.StringDataRightTruncation):
        session.run_prepared(prepared, [1, "longer than ten", *values[2:]])
    assert run(session, "SELECT count(*) FROM rides").scalar() == 303


def test_a_long_insert_of_other_things_keeps_their_meaning(session: Session) -> None:
    swapped = long_insert(300).replace("($1, $2", "($1, $5").replace("($4, $5", "($4, $2")
    values = [value for i in range(300) for value in (i, f"z{i}", None)]
    assert run(session, swapped, *values).tag == "INSERT 0 300"
    assert run(session, "SELECT zone FROM rides WHERE id = 0").scalar() == "z1"
    computed = long_insert(300).replace("$1,", "$1 + 1000,", 1)
    assert run(session, computed, *values).tag == "INSERT 0 300"
    assert run(session, "SELECT id FROM rides WHERE id >= 1000").scalar() == 1000
    with pytest.raises(errors.UndefinedTable) as caught:
        session.prepare(long_insert(300).replace("rides", "trips"))
    assert caught.value.position == 13


def test_declared_parameters_need_not_be_used(session: Session) -> None:
    result = run(session, "SELECT $1 + 1", 1, "x", None, types=(INT4, None, INT4))
    assert result.fetchall() == [(2,)]


def test_a_parameter_whose_type_alone_matters(session: Session) -> None:
    assert run(session, "SELECT pg_typeof($1::int) = pg_typeof(2)", 1).scalar() is True


def test_the_length_of_bytes(session: Session) -> None:
    assert run(session, "SELECT len($1::varbyte), octet_length($1::varbyte)", b"a\0b\xff").fetchall() == [(4, 4)]


def test_series_up_to_a_parameter(session: Session) -> None:
    assert run(session, "SELECT generate_series(1, $1)", 2).fetchall() == [(1,), (2,)]


def test_settings_by_parameters(session: Session) -> None:
    assert run(session, "SELECT set_config($1, $2, false)", "query_group", "late").scalar() == "late"
    assert run(session, "SHOW query_group").scalar() == "late"
    with pytest.raises(errors.InvalidParameterValue, match="set_config"):
        run(session, "SELECT set_config('query_group', $1, false)", None)


def test_columns_of_relations_say_whose_they_are(tmp_path: Path) -> None:
    with restframe.open(tmp_path) as warehouse, warehouse.session() as session:
        session.execute("create table rides (id int, note varchar(9), fare int)")
        session.execute("create view seen as select note as said, fare + 1 as more from rides")
        named = "select oid from pg_class where relname in ('rides', 'seen') order by relname"
        rides, seen = (number for (number,) in session.execute(named).fetchall())
        for query, expected in {
            "select note as n, id, id + 1, count(*) over () from rides": [(rides, 2), (rides, 1), None, None],
            "select * from rides": [(rides, 1), (rides, 2), (rides, 3)],
            "select b.fare, a.id from rides a join rides b on a.id = b.id": [(rides, 3), (rides, 1)],
            "select * from seen": [(seen, 1), (seen, 2)],
            "with w as (select note as x from rides) select q.x from (select x from w) q": [(rides, 2)],
            "select id from rides union all select 1": [None],
            "select max(id) from rides": [None],
        }.items():
            assert [column.origin for column in session.execute(query).columns] == expected
            assert [column.origin for column in session.prepare(query).columns or ()] == expected
