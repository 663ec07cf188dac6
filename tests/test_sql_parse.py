"""Every statement of ours as it is written, what is refused by name, and where errors point."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from restframe import errors
from restframe.sql.lexer import QualifiedName
from restframe.sql.parse import parse
from restframe.sql.statements import Statement
from restframe.sql.statements.columns import ColumnName
from restframe.sql.statements.comment import CommentOn
from restframe.sql.statements.copy import Copy
from restframe.sql.statements.create_table import CreateTable, CreateTableAs
from restframe.sql.statements.drop import DropSchema, DropTable, DropView
from restframe.sql.statements.explain import Explain
from restframe.sql.statements.maintenance import Analyze, Truncate, Vacuum
from restframe.sql.statements.model import CreateRemoteModel, DropModel, ShowModel
from restframe.sql.statements.query import Insert, Query, Update
from restframe.sql.statements.schema import CreateSchema
from restframe.sql.statements.show import ShowColumns, ShowSchemas, ShowTable, ShowTables, ShowView
from restframe.sql.statements.show_names import Path, Placeholder
from restframe.sql.statements.transaction import Begin, Commit, Rollback
from restframe.sql.statements.unload import Unload
from restframe.sql.statements.variable import ResetVariable, SetVariable, ShowVariable
from restframe.sql.statements.view import CreateView

T, U = QualifiedName(None, "t"), QualifiedName("s", "u")


def bare(statement: Statement) -> Statement:
    return dataclasses.replace(statement, text="", position=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DROP TABLE t", DropTable((T,))),
        ("drop table if exists t, s.u cascade", DropTable((T, U), if_exists=True, cascade=True)),
        ("drop view t restrict", DropView((T,))),
        ("DROP SCHEMA IF EXISTS t CASCADE", DropSchema((T,), True, True)),
        ("create schema s", CreateSchema("s")),
        ("CREATE SCHEMA IF NOT EXISTS S AUTHORIZATION bob", CreateSchema("s", True, "bob")),
        ("create schema authorization bob quota 5 GB", CreateSchema("bob", owner="bob", quota="5 GB")),
        ("create schema s quota unlimited", CreateSchema("s", quota="UNLIMITED")),
        ("begin", Begin()),
        ("BEGIN WORK", Begin()),
        ("begin transaction isolation level serializable", Begin()),
        ("start transaction isolation level repeatable read, read only", Begin(read_only=True)),
        ("begin read write", Begin(read_only=False)),
        ("commit", Commit()),
        ("COMMIT TRANSACTION", Commit()),
        ("end work", Commit()),
        ("rollback", Rollback()),
        ("abort transaction", Rollback()),
        ("SET query_group TO 'nightly'", SetVariable("query_group", ("nightly",))),
        ("set session Query_Group = nightly", SetVariable("query_group", ("nightly",))),
        ("set local statement_timeout to 60000", SetVariable("statement_timeout", ("60000",), local=True)),
        ("set search_path to '$user', public, \"S\"", SetVariable("search_path", ('"$user"', "public", "s"))),
        ("set extra_float_digits = -15", SetVariable("extra_float_digits", ("-15",))),
        ("set seed to 0.25", SetVariable("seed", ("0.25",))),
        ("set enable_result_cache_for_session to on", SetVariable("enable_result_cache_for_session", ("on",))),
        ("set app.tenant to 'x'", SetVariable("app.tenant", ("x",))),
        ("set time zone 'UTC'", SetVariable("timezone", ("UTC",))),
        ("set names 'UTF8'", SetVariable("client_encoding", ("UTF8",))),
        ("set datestyle to default", ResetVariable("datestyle")),
        ("reset datestyle", ResetVariable("datestyle")),
        ("RESET ALL", ResetVariable(None)),
        ("show all", ShowVariable(None)),
        ("SHOW search_path", ShowVariable("search_path")),
        ("show time zone", ShowVariable("time zone")),
        ("show schemas from database dev like 'a%' limit 3", ShowSchemas(Path(("dev",)), like="a%", limit=3)),
        ("show tables from schema S.u", ShowTables(Path(("s", "u")))),
        (
            "show tables from schema $1.$2 like $3",
            ShowTables(Path((Placeholder(1, True), Placeholder(2, True))), like=Placeholder(3, False)),
        ),
        ("show columns from table s.u limit 1", ShowColumns(Path(("s", "u")), limit=1)),
        ("show table t", ShowTable(T)),
        ("show view s.u", ShowView(U)),
        ("truncate t", Truncate(T)),
        ("TRUNCATE TABLE s.u", Truncate(U)),
        ("analyze", Analyze()),
        ("analyze verbose t (a, b) predicate columns", Analyze(T, (ColumnName("a"), ColumnName("b")))),
        ("analyze all columns", Analyze()),
        ("vacuum", Vacuum()),
        ("vacuum sort only t to 75 percent boost", Vacuum("SORT ONLY", T)),
        ("vacuum reindex s.u", Vacuum("REINDEX", U)),
        ("comment on table t is 'what it''s for'", CommentOn("table", T, "what it's for")),
        ("comment on view s.u is null", CommentOn("view", U, None)),
        ("comment on column s.u.a is 'x'", CommentOn("column", U, "x", ColumnName("a"))),
    ],
)
def test_statements(text: str, expected: Statement) -> None:
    (statement,) = parse(text)
    assert bare(statement) == expected


def test_every_statement_knows_its_text_and_place() -> None:
    text = "-- first\nset x to 1;\n\n  show all /* tail */;select 1;;"
    statements = parse(text)

    assert [type(statement) for statement in statements] == [SetVariable, ShowVariable, Query]
    assert [statement.text for statement in statements] == ["set x to 1", "show all /* tail */", "select 1"]
    for statement in statements:
        assert text[statement.position - 1 :].startswith(statement.text)


@pytest.mark.parametrize("text", ["", "  \n", ";;;", "-- a comment", "/* one */ ; -- two"])
def test_a_blank_text_has_no_statements(text: str) -> None:
    assert parse(text) == []


def test_names_inside_statements_count_from_the_start_of_the_text() -> None:
    text = "select 1; drop table a, b.c"
    _, drop = parse(text)

    assert isinstance(drop, DropTable)
    assert [text[name.position - 1 :] for name in drop.names] == ["a, b.c", "b.c"]


@pytest.mark.parametrize(
    "text",
    [
        "select 1",
        "(select 1 as a) union all (select 2)",
        "with x as (select 1 as a) select a from x",
        "insert into t values (1, 'a;b'), (2, null)",
        "insert into t (a) select a from s.u",
        "update t set a = 1 where b > 2",
        "delete from t using u where t.a = u.a",
        "merge into t using s on t.a = s.a when matched then update set b = s.b "
        "when not matched then insert values (s.a, s.b)",
    ],
)
def test_queries_and_changes_go_to_their_reader_whole(text: str) -> None:
    first, second = parse(f"show all; {text};")
    assert isinstance(first, ShowVariable)
    assert (second.text, second.position) == (text, 11)


def test_views() -> None:
    (statement,) = parse("CREATE OR REPLACE VIEW s.u (a) AS SELECT 1 -- one\n WITH NO SCHEMA BINDING;")

    assert isinstance(statement, CreateView)
    assert statement.or_replace and statement.late_binding
    assert (statement.name, statement.columns) == (U, (ColumnName("a"),))
    assert (statement.query.text, statement.query.position) == ("SELECT 1 -- one", 35)


def test_explain() -> None:
    text = "explain verbose select 1"
    (statement,) = parse(text)
    assert isinstance(statement, Explain) and statement.verbose
    assert (statement.statement.text, statement.statement.position) == ("select 1", 17)

    (statement,) = parse("explain create table t as select 1 as a")
    assert isinstance(statement, Explain) and isinstance(statement.statement, CreateTableAs)


# The documents

RIDES = """
DROP TABLE IF EXISTS public.rides CASCADE;
CREATE TABLE public.rides
(
  started timestamp,
  passengers int
);
COPY public.rides FROM 's3://sample-bucket/a/b.csv' iam_role 'r' ignoreheader 1 csv delimiter ',';
drop model if exists public.forest;CREATE MODEL public.forest
FUNCTION score_ride (int)
RETURNS decimal(10,6)
SAGEMAKER'forest-2021'
IAM_ROLE'r';
show model public.forest;
select started, passengers, public.score_ride(passengers) as score from public.rides;
with cut as (select stddev(public.score_ride(passengers)) as std, avg(public.score_ride(passengers)) as mean,
  ( mean + 3 * std ) as value from public.rides)
select started, public.score_ride(passengers) as score from public.rides where score > (select value from cut)
order by 2 desc;
drop table public.rides;
drop model public.forest;
"""


def test_the_ride_story_in_one_text() -> None:
    statements = parse(RIDES)

    assert [type(statement) for statement in statements] == [
        DropTable, CreateTable, Copy, DropModel, CreateRemoteModel, ShowModel, Query, Query, DropTable, DropModel,
    ]  # fmt: skip
    for statement in statements:
        assert RIDES[statement.position - 1 :].startswith(statement.text)


DEMOS = {
    # setting the scene
    "CREATE SCHEMA ml": CreateSchema,
    "create table ml.activity (state varchar(2), account_length int, churn varchar(6), record_date date)": CreateTable,
    "COPY ml.activity FROM 's3://b/activity/' IAM_ROLE 'r' delimiter ',' IGNOREHEADER 1 region 'us-east-1'": Copy,
    "copy t from 's3://b/t' iam_role default FORMAT csv IGNOREHEADER 1 DATEFORMAT 'auto' TIMEFORMAT 'auto' gzip": Copy,
    "create table train as select * from (select *, random() as r from t) where r < 0.8": CreateTableAs,
    "create view by_hour as select to_char(started, 'hh24')::int as hour, trunc(started) as day from t": CreateView,
    # what the models say
    "SELECT m.report.explanations.kernel_shap.label0.global_shap_values "
    "FROM (select explain_model('ml.leaving') as report) as m": Query,
    "create table ml.outlook as SELECT FORECAST(ml.demand)": CreateTableAs,
    "select avg(power(y - guess, 2)) mse, sqrt(mse) rmse from (select y, f(a, b) as guess from t)": Query,
    "with s as (select case when y = guess then 1 else 0 end as hit from t) select sum(hit) / count(*) from s": Query,
    "select stddev(f(n)) as std, avg(f(n)) as mean, ( mean - 3 * std ) as low from t": Query,
    "update t set x = (select value from shown where key like '%Schema Name%')": Update,
    "insert into t select 'create model ' || quote_literal(trim(both from name)) from s": Insert,
}  # fmt: skip


@pytest.mark.parametrize("text", DEMOS)
def test_what_the_demos_say_around_their_models(text: str) -> None:
    (statement,) = parse(text + ";")
    assert type(statement) is DEMOS[text]


def test_an_unload_whose_query_holds_a_semicolon() -> None:
    (statement,) = parse(
        "UNLOAD('select to_char(started, ''YYYY-MM'') from rides;') to 's3://b/out' iam_role 'r' "
        "format as CSV header ALLOWOVERWRITE GZIP"
    )
    assert isinstance(statement, Unload)


# What is refused


@pytest.mark.parametrize(
    "name",
    [
        "CALL", "CREATE DATABASE", "CREATE FUNCTION", "CREATE PROCEDURE", "CREATE EXTERNAL SCHEMA",
        "CREATE EXTERNAL TABLE", "CREATE EXTERNAL FUNCTION", "CREATE MATERIALIZED VIEW", "CREATE LIBRARY",
        "CREATE DATASHARE", "DROP FUNCTION", "DROP MATERIALIZED VIEW", "SHOW DATASHARES", "SHOW PROCEDURE",
    ],
)  # fmt: skip
def test_statements_restframe_has_not_got_are_refused_by_name(name: str) -> None:
    with pytest.raises(errors.NotSupportedError, match=f"^{name} is not supported$") as caught:
        parse(f"select 1; {name.lower()} x")
    assert caught.value.position == 11


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("BOGUS stuff", "BOGUS"),
        ("select 1; BOGUS stuff", "BOGUS"),
        ("create bogus x", "bogus"),
        ("create or replace bogus x", "bogus"),
        ("drop bogus x", "bogus"),
        ("alter bogus x", "bogus"),
        ("create", ""),
        ("drop table", ""),
        ("drop table t u", "u"),
        ("show", ""),
        ("show tables", ""),
        ("begin isolation level nice", "nice"),
        ("begin read only read only", "read only"),
        ("set x", ""),
        ("set x to", ""),
        ("set x to - y", "y"),
        ("truncate t, u", ", u"),
        ("vacuum t to 5", ""),
        ("comment on table t is 5", "5"),
        ("explain drop table t", "drop"),
        ("explain Create table t (a int)", "Create"),
        ("create view v as", ""),
        ("create view v as drop table t", "drop"),
        ("create table t as insert into u values (1)", "insert"),
        ("create model m from (show all)", "show"),
        ("values (1)", "values"),
        ("insert into t", ""),
        ("insert into t (a)", ""),
        ("from t", "from"),
        ("ATTACH 'x.db'", "ATTACH"),
        ("INSTALL httpfs", "INSTALL"),
        ("LOAD httpfs", "LOAD"),
        ("PRAGMA version", "PRAGMA"),
        ("EXPORT DATABASE 'x'", "EXPORT"),
        ("12", "12"),
        ("'text'", "'text'"),
    ],
)
def test_syntax_errors_point_at_the_word(text: str, place: str) -> None:
    with pytest.raises(errors.SyntaxError) as caught:
        parse(text)
    expected = f'syntax error at or near "{place.split()[0] if place else ""}"'
    assert caught.value.message == (expected if place else "syntax error at end of input")
    assert caught.value.position is not None
    shown = text[caught.value.position - 1 :]
    assert shown.startswith(place) if place else not shown.strip()


def test_set_of_what_is_no_parameter() -> None:
    with pytest.raises(errors.NotSupportedError, match="SET ROLE is not supported"):
        parse("set role x")


@pytest.mark.parametrize("text", ["select " + "1," * 300_000 + "1", "show " + "a " * 600_000], ids=["query", "other"])
def test_what_would_fill_the_memory_is_refused(text: str) -> None:
    with pytest.raises(errors.StatementTooComplex, match="it has more than 500000 words and signs"):
        parse(text)


@pytest.mark.parametrize(
    "text",
    ["select '" + "it''s, " * 200_000 + "'", "insert into t values " + "(1, 2), " * 150_000 + "(3, 4)"],
    ids=["string", "rows"],
)
def test_long_texts_of_few_words_and_rows_of_literals_are_taken(text: str) -> None:
    (statement,) = parse(text)
    assert statement.text == text


def test_a_huge_number_is_no_number() -> None:
    with pytest.raises(errors.SyntaxError):
        parse(f"create table t (a bigint identity({'9' * 5000}, 1))")


# Anything at all

WORDS = [
    "create", "table", "temp", "model", "external", "view", "drop", "alter", "if", "exists", "not", "null", "t", "s.u",
    "(", ")", ",", ";", "'x'", '"q"', "5", "-", "=", "int", "varchar(3)", "decimal(", "default", "identity(1,1)",
    "encode", "zstd", "distkey", "sortkey", "(a)", "primary key", "references", "like", "function", "f(int)", "returns",
    "sagemaker", "iam_role", "auto", "off", "on", "settings(s3_bucket 'b')", "hyperparameters", "preprocessors",
    "'none'", "objective", "from", "target", "to", "set", "show", "all", "reset", "begin", "transaction", "select",
    "1", "as", "with", "no", "schema", "binding", "copy", "csv", "'s3://b/k'", "unload", "explain", "vacuum",
    "analyze", "comment", "is", "column", "a", ".", "::", "$1", "$$", "--", "/*", "*/", "\n", "é", "'", '"',
]  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
@example("create table t ( a decimal( ) )")
@example("create model m from ( select 1 ) ")
def test_any_words_parse_or_raise_an_error_of_ours(text: str) -> None:
    try:
        statements = parse(text)
    except errors.Error as error:
        assert error.position is None or 1 <= error.position <= len(text) + 1
        return
    for statement in statements:
        assert text[statement.position - 1 :].startswith(statement.text)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
@example("create table t (a varchar(²))")
@example("\x00")
@example("select '\ud800'")
def test_any_text_parses_or_raises_an_error_of_ours(text: str) -> None:
    for start in ("", "create table ", "create model m ", "set x to ", "drop table "):
        try:
            parse(start + text)
        except errors.Error as error:
            assert error.position is None or 1 <= error.position <= len(start + text) + 1
