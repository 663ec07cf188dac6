"""What clients ask of the system tables, in the shapes in which each of them asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import restframe
from restframe import errors
from restframe.warehouse import Session

SCHEMA = """
    create schema other;
    create table customers (
        id bigint not null primary key, name varchar(40) not null, balance numeric(10,2) default 0.00, born date);
    create table "order lines" (
        order_id int not null, line_no smallint not null, customer_id bigint references customers (id),
        "quantity sold" int, primary key (order_id, line_no), unique (customer_id, line_no));
    create view debtors as select id, name from customers where balance < 0;
    create table other.notes (id int identity(1, 1), note varchar(200));
    comment on table customers is 'who buys';
    comment on column customers.born is 'on which day'
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with restframe.open(tmp_path_factory.mktemp("shop") / "shop") as warehouse, warehouse.session() as opened:
        opened.execute(SCHEMA)
        yield opened


@pytest.fixture
def rows(session: Session) -> Any:
    def run(text: str, *values: Any) -> list[tuple[Any, ...]]:
        if not values:
            return session.execute(text).fetchall()
        return session.run_prepared(session.prepare(text), values).fetchall()

    return run


# Casts among names and numbers


def test_names_are_looked_up_and_printed_as_far_as_they_must_be(rows: Any) -> None:
    assert rows("""select 'customers'::regclass, 'public.customers'::pg_catalog.regclass, 'other.notes'::regclass,
                   '"order lines"'::regclass::text, 'customers_pkey'::regclass, 0::regclass, 77::regclass""") == [
        ("customers", "customers", "other.notes", '"order lines"', "customers_pkey", "-", "77")
    ]
    assert rows("select relname from pg_class where oid = 'other.notes'::regclass") == [("notes",)]
    assert rows("select relname from pg_class where oid = $1::regclass", "customers") == [("customers",)]
    assert rows("select count(*) from pg_class where oid = any(array['customers'::regclass::oid, 1])") == [(1,)]
    assert rows("select cast('public' as regnamespace), 'public'::regnamespace::oid, 100::regrole") == [
        ("public", 2200, "awsuser")
    ]


def test_types_are_known_by_all_their_names(rows: Any) -> None:
    assert rows("""select 'int4'::regtype, 'character varying'::regtype::oid, 'varchar(9)'::regtype::oid,
                   'integer[]'::regtype::oid, '"char"'::regtype::oid, 'char'::regtype::oid, 1043::regtype""") == [
        ("integer", 1043, 1043, 1007, 18, 1042, "character varying")
    ]
    assert rows("""select format_type(1043, 44), format_type(1700, 655366), format_type(1042, -1),
                   format_type(23, null), format_type(1015, 14), format_type(0, null),
                   format_type(99999, 1), format_type(null, 1)""") == [
        (
            "character varying(40)",
            "numeric(10,2)",
            "character",
            "integer",
            "character varying(10)[]",
            "-",
            "???",
            None,
        )
    ]


@pytest.mark.parametrize(
    ("text", "state", "message"),
    [
        ("select 'nope'::regclass", "42P01", 'relation "nope" does not exist'),
        ("select 'nope.customers'::regclass", "42P01", 'relation "nope.customers" does not exist'),
        ("select 'notes'::regclass", "42P01", 'relation "notes" does not exist'),
        ("select 'nope'::regtype", "42704", 'type "nope" does not exist'),
        ("select 'nope'::regnamespace", "3F000", 'schema "nope" does not exist'),
        ("select true::regclass", "42846", "cannot cast type boolean to regclass"),
        ("select '{1'::int[]", "22P02", 'malformed array literal: "{1"'),
        ("select 1 = any(2)", "42809", "op ANY/ALL (array) requires array on right side"),
        ("select (array[1]).x", "42804", "cannot navigate into a value of type integer[]"),
        ("select unnest(3)", "42883", "function unnest(integer) does not exist"),
        ("select pg_no_such_function(1)", "42883", "function pg_no_such_function(integer) does not exist"),
        ("select pg_catalog.no_such_function(1)", "42883", "function no_such_function(integer) does not exist"),
        ("select * from pg_no_such_rows()", "42883", "function pg_no_such_rows() does not exist"),
        ("select current_setting('nope')", "42704", 'unrecognized configuration parameter "nope"'),
    ],
)
def test_what_does_not_exist_is_named(session: Session, text: str, state: str, message: str) -> None:
    with pytest.raises(errors.Error) as caught:
        session.execute(text).fetchall()
    assert (caught.value.sqlstate, caught.value.message) == (state, message)


def test_to_regclass_and_its_kin_fail_for_nothing(rows: Any) -> None:
    assert rows("""select to_regclass('nope'), to_regclass('customers'), to_regtype('int8'), to_regtype('nope'),
                   to_regnamespace('other'), to_regproc('pg_typeof'), to_regproc('nope')""") == [
        (None, "customers", "bigint", None, "other", "pg_typeof", None)
    ]


# Arrays


def test_arrays_are_written_taken_apart_and_joined(rows: Any) -> None:
    assert rows("""select array['a', 'b'], array[1, 2.5], '{x,"y z",NULL,"\\\\""}'::text[], array[]::int[],
                   (array[5, 6, 7])[2:3], (array[5, 6])[1], (array[5, 6])[3], (array[5, 6])[0]""") == [
        (["a", "b"], [1, 2.5], ["x", "y z", None, '"'], [], [6, 7], 5, None, None)
    ]
    assert rows("""select array_to_string(array['a', null, 'b'], ','), array_to_string(array['a', null], ',', '-'),
                   array_length(array[1, 2], 1), array_upper(array[1, 2], 1), array_lower(array[1], 1),
                   array_length(array[]::int[], 1), array[1] || array[2], array['a'] || 'b'::text,
                   array['x,y', 'z']::text, string_to_array('a b', ' ')""") == [
        ("a,b", "a,-", 2, 2, 1, None, [1, 2], ["a", "b"], '{"x,y",z}', ["a", "b"])
    ]
    assert rows("select array(select relname from pg_class where relkind = 'v' and relnamespace = 2200)") == [
        (["debtors"],)
    ]


def test_any_and_all_look_into_arrays(rows: Any) -> None:
    assert rows("""select 'a' = any(array['a', 'b']), 'c' <> all('{a,b}'), 3 = any('{1,2}'), 2 > all(array[1]),
                   'public' = any(current_schemas(false)), 1 = any(null::int[]), not 1 = any(null::int[])""") == [
        (True, True, False, True, True, None, None)
    ]
    assert rows("select typname from pg_type where oid = any($1) order by 1", [16, 23]) == [("bool",), ("int4",)]
    assert rows("select typname from pg_type where oid = any('{16,23}'::oid[]) order by 1") == [("bool",), ("int4",)]
    assert rows("select relname from pg_class where relkind = any(array['v']) and relnamespace = 2200") == [
        ("debtors",)
    ]


def test_functions_stand_in_from(rows: Any) -> None:
    assert rows("select * from unnest(array['x', 'y']) with ordinality as t (v, n)") == [("x", 1), ("y", 2)]
    assert rows("select s.i, k from pg_catalog.generate_series(1, 2) as s(i), unnest(array[s.i * 10]) k") == [
        (1, 10), (2, 20),
    ]  # fmt: skip
    assert rows("select current_database as table_cat from current_database()") == [("dev",)]
    assert rows("select word, catcode from pg_get_keywords() where word in ('oid', 'name')") == [("oid", "R")]
    assert rows("select grantee, privilege_type, is_grantable from aclexplode(array['awsuser=r*w/awsuser']) order by 2"
                ) == [(100, "SELECT", True), (100, "UPDATE", False)]  # fmt: skip


def test_queries_see_what_stands_before_them_where_lateral_says_so(rows: Any) -> None:
    assert rows("""select c.relname, a.attname from pg_class c cross join lateral (
                       select attname from pg_attribute where attrelid = c.oid and attnum = 1) a
                   where c.relnamespace = 2200 and c.relkind = 'r' order by 1""") == [
        ("customers", "id"), ("order lines", "order_id"),
    ]  # fmt: skip
    assert rows("select * from (values (1, 'a'), (2, 'b')) as t (n, c) order by n desc") == [(2, "b"), (1, "a")]


def test_aggregates_take_orders_and_filters(rows: Any) -> None:
    assert rows("""select string_agg(attname, ',' order by attnum desc), array_agg(attnum order by attnum),
                          count(*) filter (where attnotnull), string_agg(attname, '') filter (where attnum > 9)
                   from pg_attribute where attrelid = 'customers'::regclass""") == [
        ("born,balance,name,id", [1, 2, 3, 4], 2, None)
    ]


def test_look_ups_in_the_catalog_mistake_no_column_for_another(rows: Any) -> None:
    """The tables that a look-up reads have columns such as oid and name, and tables in it are called c, r and t."""
    for alias in ("c", "r", "t", "u", "s", "k", "d", "f", "h", "x"):
        assert rows(f"""
            select {alias}.oid::regclass, pg_get_userbyid({alias}.relowner), relnamespace::regnamespace,
                   obj_description({alias}.oid), has_table_privilege({alias}.oid, 'select'), oid::regclass::text
            from pg_class {alias} where relname in ('customers', 'notes') order by 1""") == [
            ("customers", "awsuser", "public", "who buys", True, "customers"),
            ("other.notes", "awsuser", "other", None, True, "other.notes"),
        ]
    assert rows("""select format_type(t.oid, null), oid::regtype from pg_type t where t.typname = 'int2'""") == [
        ("smallint", "smallint")
    ]
    assert rows("select max(oid)::regclass from pg_class where relname = 'customers'") == [("customers",)]
    with pytest.raises(errors.NotSupportedError, match="a window function as an argument"):
        rows("select (row_number() over (order by oid))::oid::regclass from pg_class")


def test_vectors_count_from_nothing(rows: Any) -> None:
    assert rows("""select indkey, indkey[0], indkey[1], array_lower(indkey, 1), array_upper(indkey, 1)
                   from pg_index where indexrelid = '"order lines_pkey"'::regclass""") == [([1, 2], 1, 2, 0, 1)]
    assert rows(
        """select unnest(indkey), generate_subscripts(indkey, 1), generate_subscripts(indkey, $1::int)
                   from pg_index where indexrelid = '"order lines_pkey"'::regclass""",
        1,
    ) == [(1, 0, 0), (2, 1, 1)]
    assert rows("select (information_schema._pg_expandarray(conkey)).n from pg_constraint where contype = 'u'") == [
        (1,), (2,),
    ]  # fmt: skip


def test_rows_do_not_leave(session: Session) -> None:
    with pytest.raises(errors.NotSupportedError, match="a row as a column of a result"):
        session.execute("select information_schema._pg_expandarray(array[1])")


# What objects are made of


def test_definitions_are_printed(rows: Any) -> None:
    assert rows(
        "select conname, pg_get_constraintdef(oid, true), conrelid::regclass from pg_constraint order by 1"
    ) == [
        ("customers_pkey", "PRIMARY KEY (id)", "customers"),
        ("order lines_customer_id_fkey", "FOREIGN KEY (customer_id) REFERENCES customers(id)", '"order lines"'),
        ("order lines_customer_id_line_no_key", "UNIQUE (customer_id, line_no)", '"order lines"'),
        ("order lines_pkey", "PRIMARY KEY (order_id, line_no)", '"order lines"'),
    ]
    assert rows("select pg_get_indexdef(indexrelid), pg_get_indexdef(indexrelid, 2, false) from pg_index "
                "where indrelid = '\"order lines\"'::regclass and indisprimary") == [
        ('CREATE UNIQUE INDEX "order lines_pkey" ON public."order lines" USING btree (order_id, line_no)', "line_no")
    ]  # fmt: skip
    assert rows("select pg_get_viewdef('debtors'::regclass, true), pg_get_viewdef('customers')") == [
        ("select id, name from customers where balance < 0;", None)
    ]


def test_comments_owners_visibility_and_sizes(rows: Any) -> None:
    assert rows("""select obj_description('customers'::regclass, 'pg_class'), obj_description('debtors'::regclass),
                          col_description('customers'::regclass, 4), pg_get_userbyid(relowner),
                          pg_table_is_visible(oid), pg_table_is_visible('other.notes'::regclass),
                          pg_catalog.pg_size_pretty(pg_catalog.pg_table_size(oid)), pg_relation_size('debtors')
                   from pg_class where relname = 'customers'""") == [
        ("who buys", None, "on which day", "awsuser", True, False, "0 bytes", 0)
    ]
    assert rows("select pg_size_pretty(10239::bigint), pg_size_pretty(10240::bigint), pg_size_pretty(123456789)") == [
        ("10239 bytes", "10 kB", "118 MB")
    ]


def test_the_server_answers_for_itself(rows: Any) -> None:
    assert rows("""select pg_is_in_recovery(), pg_client_encoding(), pg_encoding_to_char(6),
                          pg_char_to_encoding('utf8'), current_setting('search_path'),
                          current_setting('nope', true), inet_server_addr(),
                          pg_typeof(1), pg_advisory_unlock(1), pg_postmaster_start_time() < getdate() + 1""") == [
        (False, "UTF8", "UTF8", 6, '"$user", public', None, None, "integer", True, True)
    ]
    assert rows("select pg_catalog.version()")[0][0].startswith("PostgreSQL 8.0.2 on")


def test_parameters_that_do_not_matter_are_taken(rows: Any) -> None:
    text = "select pg_get_constraintdef(oid, $1), pg_get_expr(conbin, $2) from pg_constraint where contype = $3"
    assert rows(text, True, 0, "u") == [("UNIQUE (customer_id, line_no)", None)]


def test_set_config_sets(session: Session) -> None:
    assert session.execute("select set_config('application_name', 'shop', false)").fetchall() == [("shop",)]
    assert session.execute("show application_name").fetchall() == [("shop",)]
    session.execute("begin; select set_config('application_name', 'for the transaction', true)")
    assert session.execute("show application_name").fetchall() == [("for the transaction",)]
    session.execute("commit")
    assert session.execute("show application_name").fetchall() == [("shop",)]


# As clients ask


def test_psql_lists_relations(rows: Any) -> None:
    assert rows(r"""
        SELECT n.nspname as "Schema", c.relname as "Name",
               CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' END,
               pg_catalog.pg_get_userbyid(c.relowner) as "Owner"
        FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r','p','v','m','S','f','') AND n.nspname <> 'pg_catalog' AND n.nspname !~ '^pg_toast'
              AND n.nspname <> 'information_schema' AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1,2""") == [
        ("public", "customers", "table", "awsuser"),
        ("public", "debtors", "view", "awsuser"),
        ("public", "order lines", "table", "awsuser"),
    ]
    assert rows(r"""
        SELECT c.oid::pg_catalog.regclass FROM pg_catalog.pg_class c
        WHERE c.relname OPERATOR(pg_catalog.~) '^(cust.*)$' COLLATE pg_catalog.default AND c.relkind = 'r'""") == [
        ("customers",)
    ]


def test_psql_describes_a_table(rows: Any) -> None:
    assert rows("""
        SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
          (SELECT substring(pg_catalog.pg_get_expr(d.adbin, d.adrelid) for 128) FROM pg_catalog.pg_attrdef d
           WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef), a.attnotnull,
          (SELECT c.collname FROM pg_catalog.pg_collation c, pg_catalog.pg_type t
           WHERE c.oid = a.attcollation AND t.oid = a.atttypid AND a.attcollation <> t.typcollation) AS attcollation
        FROM pg_catalog.pg_attribute a WHERE a.attrelid = 'customers'::regclass AND a.attnum > 0
        AND NOT a.attisdropped ORDER BY a.attnum""") == [
        ("id", "bigint", None, True, None),
        ("name", "character varying(40)", None, True, None),
        ("balance", "numeric(10,2)", "0.00", False, None),
        ("born", "date", None, False, None),
    ]


def test_jdbc_finds_primary_keys(rows: Any) -> None:
    text = """
        SELECT result.table_name, result.column_name, result.key_seq, result.pk_name FROM
          (SELECT ct.relname AS table_name, a.attname AS column_name,
                  (information_schema._pg_expandarray(i.indkey)).n AS key_seq, ci.relname AS pk_name,
                  information_schema._pg_expandarray(i.indkey) AS keys, a.attnum AS a_attnum
           FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid)
             JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid)
             JOIN pg_catalog.pg_index i ON (a.attrelid = i.indrelid)
             JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid)
           WHERE n.nspname = $1 AND ct.relname = $2 AND i.indisprimary) result
        WHERE result.a_attnum = (result.keys).x ORDER BY result.table_name, result.pk_name, result.key_seq"""
    assert rows(text, "public", "order lines") == [
        ("order lines", "order_id", 1, "order lines_pkey"),
        ("order lines", "line_no", 2, "order lines_pkey"),
    ]


def test_jdbc_finds_foreign_keys(rows: Any) -> None:
    assert rows("""
        SELECT pkc.relname, pka.attname, fkc.relname, fka.attname, pos.n, con.conname
        FROM pg_catalog.pg_class pkc, pg_catalog.pg_attribute pka, pg_catalog.pg_class fkc,
             pg_catalog.pg_attribute fka, pg_catalog.pg_constraint con, pg_catalog.generate_series(1, 32) pos(n)
        WHERE pkc.oid = pka.attrelid AND pka.attnum = con.confkey[pos.n] AND con.confrelid = pkc.oid
          AND fkc.oid = fka.attrelid AND fka.attnum = con.conkey[pos.n] AND con.conrelid = fkc.oid
          AND con.contype = 'f' AND fkc.relname = $1""", "order lines") == [
        ("customers", "id", "order lines", "customer_id", 1, "order lines_customer_id_fkey")
    ]  # fmt: skip


def test_jdbc_asks_where_types_are(rows: Any) -> None:
    assert rows("""
        SELECT typinput = 'pg_catalog.array_in'::regproc as is_array, typtype, typname FROM pg_catalog.pg_type
        LEFT JOIN (select ns.oid as nspoid, ns.nspname, r.r from pg_namespace as ns
              join (select s.r, (current_schemas(false))[s.r] as nspname
                    from generate_series(1, array_upper(current_schemas(false), 1)) as s(r)) as r
              using (nspname)) as sp ON sp.nspoid = typnamespace
        WHERE typname in ('_int4', 'int4') ORDER BY sp.r, pg_type.oid DESC""") == [
        (True, "b", "_int4"), (False, "b", "int4"),
    ]  # fmt: skip


def test_asyncpg_asks_for_types_and_what_they_are_made_of(rows: Any) -> None:
    text = """
        WITH RECURSIVE tree (oid, name, kind, elemtype, attrtypoids, attrnames, depth) AS (
            SELECT ti.oid, ti.name, ti.kind, ti.elemtype, ti.attrtypoids, ti.attrnames, 0 FROM (%(types)s) AS ti
            WHERE ti.oid = any($1::oid[])
            UNION ALL
            SELECT ti.oid, ti.name, ti.kind, ti.elemtype, ti.attrtypoids, ti.attrnames, tt.depth + 1
            FROM (%(types)s) ti, tree tt
            WHERE (tt.elemtype IS NOT NULL AND ti.oid = tt.elemtype)
               OR (tt.attrtypoids IS NOT NULL AND ti.oid = any(tt.attrtypoids)))
        SELECT DISTINCT *, elemtype::regtype::text AS elemtype_name FROM tree ORDER BY depth DESC, oid"""
    types = """
        SELECT t.oid, t.typname AS name, t.typtype AS kind, nullif(t.typelem, 0) AS elemtype,
          (CASE WHEN t.typtype = 'c' THEN (
              SELECT array_agg(ia.atttypid ORDER BY ia.attnum) FROM pg_attribute ia
              INNER JOIN pg_class c ON (ia.attrelid = c.oid)
              WHERE ia.attnum > 0 AND NOT ia.attisdropped AND c.reltype = t.oid) ELSE NULL END) AS attrtypoids,
          (CASE WHEN t.typtype = 'c' THEN (
              SELECT array_agg(ia.attname::text ORDER BY ia.attnum) FROM pg_attribute ia
              INNER JOIN pg_class c ON (ia.attrelid = c.oid)
              WHERE ia.attnum > 0 AND NOT ia.attisdropped AND c.reltype = t.oid) ELSE NULL END) AS attrnames
        FROM pg_catalog.pg_type AS t"""
    assert rows(text % {"types": types}, [1007]) == [
        (23, "int4", "b", None, None, None, 1, None),
        (1007, "_int4", "b", 23, None, None, 0, "integer"),
    ]
    ((row_type,),) = rows("select 'debtors'::regtype::oid")
    made_of = rows(text % {"types": types}, [row_type])
    assert made_of[-1][1:6] == ("debtors", "c", None, [20, 1043], ["id", "name"])


def test_sqlalchemy_reflects_constraints(rows: Any) -> None:
    assert rows("""
        SELECT attr.conname, array_agg(attr.attname ORDER BY attr.ord) AS cols
        FROM (SELECT con.conrelid, con.conname, con.ord, pg_catalog.pg_attribute.attname
              FROM pg_catalog.pg_attribute JOIN (
                  SELECT pg_catalog.pg_constraint.conrelid AS conrelid, pg_catalog.pg_constraint.conname AS conname,
                         unnest(pg_catalog.pg_constraint.conkey) AS attnum,
                         generate_subscripts(pg_catalog.pg_constraint.conkey, 1) AS ord
                  FROM pg_catalog.pg_constraint WHERE pg_catalog.pg_constraint.contype = 'u') AS con
              ON pg_catalog.pg_attribute.attnum = con.attnum
              AND pg_catalog.pg_attribute.attrelid = con.conrelid) AS attr
        GROUP BY attr.conrelid, attr.conname""") == [
        ("order lines_customer_id_line_no_key", ["customer_id", "line_no"])
    ]


def test_sqlalchemy_redshift_filters_by_what_it_selects(rows: Any) -> None:
    assert rows("""
        SELECT n.nspname as "schema", c.relname, CASE c.reldiststyle WHEN 0 THEN 'EVEN' WHEN 8 THEN 'ALL' END AS style,
               TRIM(TRAILING ';' FROM pg_catalog.pg_get_viewdef(c.oid, true)) AS "view_definition",
               pg_catalog.array_to_string(c.relacl, '\n') AS "privileges"
        FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             JOIN pg_catalog.pg_user u ON u.usesysid = c.relowner
        WHERE c.relkind IN ('r', 'v') AND n.nspname !~ '^pg_' AND schema = 'public' AND relname = 'debtors'
        UNION SELECT s.schemaname AS "schema", t.tablename AS "relname", null, null, null
        FROM svv_external_tables t JOIN svv_external_schemas s ON s.schemaname = t.schemaname where 1
        ORDER BY "schema", "relname\"""") == [
        ("public", "debtors", "EVEN", "select id, name from customers where balance < 0", None)
    ]
    assert rows("""
        SELECT c.relname, t.conname, t.conkey, a.attnum, a.attname FROM pg_catalog.pg_class c
        JOIN pg_catalog.pg_constraint t ON t.conrelid = c.oid
        JOIN pg_catalog.pg_attribute a ON t.conrelid = a.attrelid AND a.attnum = ANY(t.conkey)
        WHERE t.contype = 'f'
        UNION SELECT 'x', 'x_pkey', array[1::SMALLINT], 1, 'y' WHERE false""") == [
        ("order lines", "order lines_customer_id_fkey", [3], 3, "customer_id")
    ]


def test_odbc_joins_within_parentheses(rows: Any) -> None:
    assert rows("""
        select n.nspname, c.relname, a.attname, case t.typtype when 'd' then t.typbasetype else 0 end
        from (((pg_catalog.pg_class c inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                and c.relname = E'customers' and n.nspname = E'public')
            inner join pg_catalog.pg_attribute a on (not a.attisdropped) and a.attnum > 0 and a.attrelid = c.oid)
            inner join pg_catalog.pg_type t on t.oid = a.atttypid)
            left outer join pg_attrdef d on a.atthasdef and d.adrelid = a.attrelid and d.adnum = a.attnum
        where d.adrelid is not null order by n.nspname, c.relname, attnum""") == [("public", "customers", "balance", 0)]
    assert rows("""
        select ta.attname, ia.attnum from pg_catalog.pg_attribute ta, pg_catalog.pg_attribute ia, pg_catalog.pg_index i
        where i.indisprimary = 't' and ia.attrelid = i.indexrelid and ta.attrelid = i.indrelid
          and ta.attnum = i.indkey[ia.attnum-1] and i.indrelid = '"order lines"'::regclass order by 2""") == [
        ("order_id", 1), ("line_no", 2),
    ]  # fmt: skip


def test_browsers_ask_with_catalog_casts_and_dependencies(rows: Any) -> None:
    assert rows("""
        SELECT c.relname, d.description, pg_catalog.pg_get_expr(c.relpartbound, c.oid) as bound, c.tableoid::regclass
        FROM pg_catalog.pg_class c LEFT OUTER JOIN pg_catalog.pg_description d
          ON d.objoid = c.oid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass
        WHERE c.relnamespace = $1 AND c.relkind not in ('i', 'I', 'c') ORDER BY 1""", 2200) == [
        ("customers", "who buys", None, "pg_class"),
        ("debtors", None, None, "pg_class"),
        ("order lines", None, None, "pg_class"),
    ]  # fmt: skip
    assert rows("""
        SELECT CASE WHEN trim(s[i]) = '"$user"' THEN user ELSE trim(s[i]) END
        FROM generate_series(array_lower(string_to_array(current_setting('search_path'), ','), 1),
                             array_upper(string_to_array(current_setting('search_path'), ','), 1)) as i,
             string_to_array(current_setting('search_path'), ',') s""") == [("awsuser",), ("public",)]


def test_columns_are_called_as_in_postgresql(session: Session) -> None:
    result = session.execute("""
        select 'customers'::regclass, relname::text, 1::oid, array[1], '{}'::text[], array(select 1), 'r'::"char",
               count(*) filter (where true), indkey[0] from pg_class, pg_index group by relname, indkey""")
    assert [column.name for column in result.columns] == [
        "regclass", "relname", "oid", "array", "text", "array", "char", "count", "indkey",
    ]  # fmt: skip
    assert [str(column.type) for column in result.columns] == [
        "regclass", "character varying", "oid", "integer[]", "character varying[]", "integer[]", '"char"', "bigint",
        "smallint",
    ]  # fmt: skip
