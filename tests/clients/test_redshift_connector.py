"""redshift_connector 2.2.0, unmodified, against a live server: logins, protocols, metadata, bulk rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]


# Logging in


def defaults(host: str) -> list[object]:
    """With the driver's own idea of TLS, which is to verify the server to the full."""
    import os

    import redshift_connector

    given = {
        "host": host,
        "port": int(os.environ["PGPORT"]),
        "database": os.environ["PGDATABASE"],
        "user": os.environ["PGUSER"],
        "password": os.environ["PGPASSWORD"],
    }
    found = []
    for more in ({}, {"sslmode": "verify-full"}, {"sslmode": "verify-ca"}, {"ssl": False}):
        with redshift_connector.connect(**given, **more) as connection, connection.cursor() as cursor:
            cursor.execute("select current_user, 1 + 1")
            found.append(list(cursor.fetchone()))
    return found


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_it_connects_with_its_defaults(sql_client: Run, host: str) -> None:
    assert sql_client(defaults, host) == [["awsuser", 2]] * 4


def refusals() -> list[str]:
    import os

    import redshift_connector

    given = {
        "host": "localhost",
        "port": int(os.environ["PGPORT"]),
        "database": os.environ["PGDATABASE"],
        "user": os.environ["PGUSER"],
        "password": os.environ["PGPASSWORD"],
    }
    said = []
    for wrong in ({"password": "Wrong-1"}, {"user": "nobody"}, {"database": "other"}, {"user": "IAM:awsuser"}):
        try:
            redshift_connector.connect(**{**given, **wrong})
            said.append("came in")
        except redshift_connector.ProgrammingError as error:
            said.append("{C} {M}".format(**error.args[0]))
    del os.environ["SSL_CERT_FILE"]
    try:
        redshift_connector.connect(**given)
        said.append("came in")
    except redshift_connector.InterfaceError as error:
        said.append("CERTIFICATE_VERIFY_FAILED" * ("CERTIFICATE_VERIFY_FAILED" in str(error)))
    return said


def test_what_it_is_told_when_it_may_not_come_in(sql_client: Run) -> None:
    assert sql_client(refusals) == [
        '28P01 password authentication failed for user "awsuser"',
        '28P01 password authentication failed for user "nobody"',
        '3D000 database "other" does not exist',
        '28P01 password authentication failed for user "IAM:awsuser"',
        "CERTIFICATE_VERIFY_FAILED",
    ]


def with_iam() -> list[object]:
    """Host, port, user and password come from the AWS APIs."""
    import os

    import boto3
    import redshift_connector

    common = {"iam": True, "database": os.environ["PGDATABASE"]}
    found = []
    for given in (
        {"cluster_identifier": "any", "db_user": "awsuser"},
        {"cluster_identifier": "any", "db_user": "newcomer", "auto_create": True},
        {"cluster_identifier": "any", "group_federation": True},
        {"is_serverless": True, "serverless_work_group": "default", "serverless_acct_id": "000000000000"},
    ):
        with redshift_connector.connect(**common, **given) as connection, connection.cursor() as cursor:
            cursor.execute("select current_user")
            found.append(cursor.fetchone()[0])
    temporary = boto3.client("redshift").get_cluster_credentials(DbUser="awsuser", ClusterIdentifier="x")
    with (
        redshift_connector.connect(
            host="localhost",
            port=int(os.environ["PGPORT"]),
            database="dev",
            user=temporary["DbUser"],
            password=temporary["DbPassword"],
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("select current_user")
        found.append(cursor.fetchone()[0])
    return found


def test_it_logs_in_with_temporary_credentials(sql_client: Run) -> None:
    assert sql_client(with_iam) == ["awsuser", "newcomer", "awsuser", "awsuser", "awsuser"]


def wrangled() -> list[object]:
    import json
    import os

    import awswrangler
    import boto3

    secret = {
        "engine": "redshift",
        "host": "localhost",
        "port": int(os.environ["PGPORT"]),
        "username": os.environ["PGUSER"],
        "password": os.environ["PGPASSWORD"],
        "dbname": os.environ["PGDATABASE"],
    }
    boto3.client("secretsmanager").create_secret(Name="wrangled/login", SecretString=json.dumps(secret))
    found = []
    for connect in (
        lambda: awswrangler.redshift.connect(secret_id="wrangled/login"),
        lambda: awswrangler.redshift.connect_temp(cluster_identifier="x", user="awsuser", database="dev"),
    ):
        connection = connect()
        frame = awswrangler.redshift.read_sql_query("select 42 as answer, current_user as who", connection)
        found.append(frame.values.tolist())
        connection.close()
    return found


def test_awswrangler_finds_its_way_by_a_secret_and_by_iam(sql_client: Run) -> None:
    assert sql_client(wrangled) == [[[42, "awsuser"]], [[42, "awsuser"]]]


# Values


def values(protocol: int) -> list[object]:
    import os

    import redshift_connector

    connection = redshift_connector.connect(
        host="localhost",
        port=int(os.environ["PGPORT"]),
        database="dev",
        user=os.environ["PGUSER"],
        password=os.environ["PGPASSWORD"],
        client_protocol_version=protocol,
    )
    cursor = connection.cursor()
    cursor.execute(
        "create temp table v (a smallint, b int, c bigint, d real, e float, f decimal(10,2), g decimal(38,10), "
        "h boolean, i varchar(20), j char(5), k date, l time, m timetz, n timestamp, o timestamptz, p super, q varbyte)"
    )
    cursor.execute(
        "insert into v values (-1, -2, -3000000000, 0.5, -0.25, -12345678.90, -123456789012345.0123456789, "
        "true, 'grün', 'abcde', '1999-12-31', '23:59:59.5', '10:00:00+00', '1969-12-31 23:59:59.999999', "
        "'2024-02-29 12:00:00+00', json_parse('{\"a\": [1, null]}'), to_varbyte('c3a4', 'hex'))"
    )
    cursor.execute("insert into v (a) values (null)")
    cursor.execute("select * from v order by a is null")
    rows = [[repr(value) for value in row] for row in cursor.fetchall()]
    described = [(column[0], column[1]) for column in cursor.description]
    cursor.execute("select %s, %s, %s, %s::int + 1, %s", (None, "x'y", 3.5, 41, True))
    return [connection._client_protocol_version, described, rows, [repr(value) for value in cursor.fetchone()]]


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_values_arrive_in_every_version_of_its_protocol(sql_client: Run, protocol: int) -> None:
    spoken, described, (row, nulls), parameters = sql_client(values, protocol)
    assert spoken == protocol
    assert described == [
        ["a", 21], ["b", 23], ["c", 20], ["d", 700], ["e", 701], ["f", 1700], ["g", 1700], ["h", 16], ["i", 1043],
        ["j", 1042], ["k", 1082], ["l", 1083], ["m", 1266], ["n", 1114], ["o", 1184], ["p", 4000], ["q", 6551],
    ]  # fmt: skip
    assert row == [
        "-1", "-2", "-3000000000", "0.5", "-0.25", "Decimal('-12345678.90')",
        "Decimal('-123456789012345.0123456789')", "True", "'grün'", "'abcde'",
        "datetime.date(1999, 12, 31)", "datetime.time(23, 59, 59, 500000)",
        "datetime.time(10, 0, tzinfo=datetime.timezone.utc)", "datetime.datetime(1969, 12, 31, 23, 59, 59, 999999)",
        "datetime.datetime(2024, 2, 29, 12, 0, tzinfo=datetime.timezone.utc)", "'{\"a\":[1,null]}'",
        "'c3a4'" if protocol == 2 else "'ä'",
    ]  # fmt: skip
    assert nulls == ["None"] * 17
    assert parameters == ["None", '"x\'y"', "3.5", "42", "True"]


def bytes_that_are_no_text() -> list[object]:
    import os

    import redshift_connector

    connection = redshift_connector.connect(
        host="localhost", port=int(os.environ["PGPORT"]), database="dev", user=os.environ["PGUSER"],
        password=os.environ["PGPASSWORD"],
    )  # fmt: skip
    cursor = connection.cursor()
    cursor.execute("select to_varbyte('ff00', 'hex'), from_hex('0001fe'), 'ab'::varbyte")
    return list(cursor.fetchone())


def test_bytes_are_hexadecimal_digits_in_version_2_of_its_protocol(sql_client: Run) -> None:
    """Its source takes the text as it comes there, and in versions 0 and 1 for the digits of UTF-8."""
    assert sql_client(bytes_that_are_no_text) == ["ff00", "0001fe", "6162"]


def paramstyles() -> list[object]:
    import os

    import redshift_connector

    connection = redshift_connector.connect(
        host="localhost", port=int(os.environ["PGPORT"]), database="dev", user=os.environ["PGUSER"],
        password=os.environ["PGPASSWORD"],
    )  # fmt: skip
    cursor = connection.cursor()
    found = []
    for style, text, given in (
        ("qmark", "select ?::int, ?", (1, "a")),
        ("numeric", "select :1::int, :2, :1::int", (1, "a")),
        ("named", "select :x::int, :y", {"x": 1, "y": "a"}),
        ("format", "select %s::int, %s", (1, "a")),
        ("pyformat", "select %(x)s::int, %(y)s", {"x": 1, "y": "a"}),
    ):
        cursor.paramstyle = style
        cursor.execute(text, given)
        found.append(list(cursor.fetchone()))
    return found


def test_all_its_paramstyles(sql_client: Run) -> None:
    assert sql_client(paramstyles) == [[1, "a"], [1, "a", 1], [1, "a"], [1, "a"], [1, "a"]]


# Transactions and errors


def transactions() -> list[object]:
    import os

    import redshift_connector

    given = {
        "host": "localhost", "port": int(os.environ["PGPORT"]), "database": "dev", "user": os.environ["PGUSER"],
        "password": os.environ["PGPASSWORD"],
    }  # fmt: skip
    connection, other = redshift_connector.connect(**given), redshift_connector.connect(**given)
    other.autocommit = True
    cursor, watcher = connection.cursor(), other.cursor()

    def seen() -> object:
        watcher.execute("select count(*) from rc_kept")
        return watcher.fetchone()[0]

    found: list[object] = []
    watcher.execute("create table rc_kept (a int, b varchar(10))")
    cursor.execute("insert into rc_kept values (1, 'a')")
    found.append([cursor.rowcount, seen()])
    connection.rollback()
    found.append(seen())
    cursor.executemany("insert into rc_kept values (%s, %s)", [(i, str(i)) for i in range(50)])
    found.append([cursor.rowcount, seen()])
    connection.commit()
    found.append(seen())
    for text in ("select nope from rc_kept", "select 1/0", "selec 1", "select * from rc_missing"):
        try:
            cursor.execute(text)
        except redshift_connector.ProgrammingError as error:
            found.append(error.args[0]["C"])
        try:
            cursor.execute("select 1")
        except redshift_connector.ProgrammingError as error:
            found.append(error.args[0]["C"])
        connection.rollback()
    # the driver has kept descriptions: a table made anew must not be read by the old ones
    watcher.execute("select * from rc_kept where a < 0")
    watcher.execute("drop table rc_kept")
    watcher.execute("create table rc_kept (a decimal(5,1))")
    watcher.execute("insert into rc_kept values (2.5)")
    watcher.execute("select * from rc_kept")
    found.append(str(watcher.fetchone()[0]))
    return found


def test_transactions_and_the_codes_of_errors(sql_client: Run) -> None:
    assert sql_client(transactions) == [
        [1, 0], 0, [50, 0], 50, "42703", "25P02", "22012", "25P02", "42601", "25P02", "42P01", "25P02", "2.5",
    ]  # fmt: skip


# Many rows


def frames() -> list[object]:
    import os
    import pathlib

    import pandas
    import redshift_connector

    connection = redshift_connector.connect(
        host="localhost", port=int(os.environ["PGPORT"]), database="dev", user=os.environ["PGUSER"],
        password=os.environ["PGPASSWORD"],
    )  # fmt: skip
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("create table rc_frames (id int, name varchar(20), share float)")
    cursor.write_dataframe(pandas.DataFrame({"id": [1, 2], "name": ["a", "ß"], "share": [0.5, 0.25]}), "rc_frames")
    pathlib.Path("bulk.csv").write_text("name;ignored;id\nx;0;3\ny;0;4\nz;0;5\n")
    cursor.insert_data_bulk("bulk.csv", "public.rc_frames", [2, 0], ["id", "name"], ";", batch_size=2)
    cursor.execute("select * from rc_frames order by id")
    frame = cursor.fetch_dataframe()
    cursor.execute("select id from rc_frames order by id")
    array = cursor.fetch_numpy_array().tolist()
    cursor.execute("select id, name from rc_frames order by id")
    parts = [[list(row) for row in cursor.fetchmany(2)], len(cursor.fetchall())]
    cursor.execute(
        "with r as (select row_number() over () as n from pg_class a, pg_class b) "
        "select n, n::text from r order by 1 limit 5000"
    )
    return [
        frame.fillna(0).values.tolist(),
        list(frame.columns),
        array,
        parts,
        sum(row[0] for row in cursor.fetchall()),
    ]


def test_data_frames_and_bulk_inserts(sql_client: Run) -> None:
    rows, names, array, parts, total = sql_client(frames)
    assert rows == [[1, "a", 0.5], [2, "ß", 0.25], [3, "x", 0], [4, "y", 0], [5, "z", 0]]
    assert names == ["id", "name", "share"]
    assert array == [[1], [2], [3], [4], [5]]
    assert parts == [[[1, "a"], [2, "ß"]], 3]
    assert total == 5000 * 5001 // 2


# Metadata


def metadata(protocol: int) -> dict[str, object]:
    import os

    import redshift_connector

    connection = redshift_connector.connect(
        host="localhost", port=int(os.environ["PGPORT"]), database="dev", user=os.environ["PGUSER"],
        password=os.environ["PGPASSWORD"], client_protocol_version=protocol,
    )  # fmt: skip
    connection.autocommit = True
    cursor = connection.cursor()
    for text in (
        "create schema if not exists rc_meta",
        "create table if not exists rc_meta.parent (id int primary key, name varchar(20) default 'x')",
        "create table if not exists rc_meta.child (k bigint not null, pid int references rc_meta.parent (id), "
        "price decimal(8,2), primary key (k, pid)) distkey (k) sortkey (pid)",
        "create or replace view rc_meta.seen as select id from rc_meta.parent",
        "grant select, insert on rc_meta.child to public",
        "grant select (id) on rc_meta.parent to public",
    ):
        cursor.execute(text)

    def rows(found: list[list[object]]) -> list[object]:
        return [[str(value) for value in row] for row in found]

    where = {"catalog": "dev", "schema": "rc_meta"}
    like = {"catalog": "dev", "schema_pattern": "rc\\_meta"}
    return {
        "discovery": cursor.get_show_discovery_version(),
        "catalogs": rows(cursor.get_catalogs()),
        "schemas": rows(cursor.get_schemas("dev", "rc%")),
        "tables": rows(cursor.get_tables(**like)),
        "only_views": [row[2] for row in cursor.get_tables(**like, types=["VIEW"])],
        "any": len(cursor.get_tables()) >= 3,
        "columns": [
            [row[i] for i in (3, 4, 5, 6, 8, 17, 16, 25, 26, 27)]
            for row in rows(cursor.get_columns(**like, tablename_pattern="child"))
        ],
        "one_column": [row[3] for row in cursor.get_columns(**like, columnname_pattern="pri%")],
        "primary_keys": rows(cursor.get_primary_keys(**where, table="child")),
        "imported_keys": rows(cursor.get_imported_keys(**where, table="child")),
        "exported_keys": rows(cursor.get_exported_keys(**where, table="parent")),
        "best": [row[1] for row in cursor.get_best_row_identifier(**where, table="child", scope=1, nullable=True)],
        "table_privileges": sorted(rows(cursor.get_table_privileges("dev", "rc\\_meta", "child"))),
        "column_privileges": rows(cursor.get_column_privileges(**where, table="parent")),
        "procedures": rows(cursor.get_procedures(**like)),
        "procedure_columns": rows(cursor.get_procedure_columns(**like)),
        "functions": rows(cursor.get_functions(**like)),
        "function_columns": rows(cursor.get_function_columns(**like)),
    }


@pytest.mark.parametrize("protocol", [0, 2])
def test_every_metadata_call(sql_client: Run, protocol: int) -> None:
    assert sql_client(metadata, protocol) == {
        "discovery": 5,
        "catalogs": [["dev"]],
        "schemas": [["rc_meta", "dev"]],
        "tables": [
            ["dev", "rc_meta", "child", "TABLE", *_BLANK, "awsuser", "None", "None", "KEY(k)", "REGULAR TABLE"],
            ["dev", "rc_meta", "parent", "TABLE", *_BLANK, "awsuser", "None", "None", "AUTO", "REGULAR TABLE"],
            ["dev", "rc_meta", "seen", "VIEW", *_BLANK, "awsuser", "None", "None", "None", "REGULAR VIEW"],
        ],
        "only_views": ["seen"],
        "any": True,
        # name, JDBC's type, type, size, scale, nullable, place, in the sort key, in the distribution key, encoding
        "columns": [
            ["k", "-5", "int8", "19", "0", "NO", "1", "None", "1", "az64"],
            ["pid", "4", "int4", "10", "0", "NO", "2", "1", "None", "none"],
            ["price", "2", "numeric", "8", "2", "YES", "3", "None", "None", "az64"],
        ],
        "one_column": ["price"],
        "primary_keys": [
            ["dev", "rc_meta", "child", "k", "1", "child_pkey"],
            ["dev", "rc_meta", "child", "pid", "2", "child_pkey"],
        ],
        "imported_keys": [_KEY],
        "exported_keys": [_KEY],
        "best": ["k", "pid"],
        "table_privileges": [
            ["dev", "rc_meta", "child", "awsuser", "public", "INSERT", "NO"],
            ["dev", "rc_meta", "child", "awsuser", "public", "SELECT", "NO"],
        ],
        "column_privileges": [["dev", "rc_meta", "parent", "id", "awsuser", "public", "SELECT", "NO"]],
        "procedures": [],
        "procedure_columns": [],
        "functions": [],
        "function_columns": [],
    }


_BLANK = ["None", "", "", "", "", ""]
_KEY = [
    "dev", "rc_meta", "parent", "id", "dev", "rc_meta", "child", "pid", "1", "3", "3", "child_pid_fkey", "parent_pkey",
    "7",
]  # fmt: skip
