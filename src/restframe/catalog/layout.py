"""The catalog's tables in a new file, and what brings an old file up to date."""

from __future__ import annotations

from restframe import errors
from restframe.catalog import classes, grants, users
from restframe.catalog.models import Model
from restframe.catalog.records import Cache, Executor
from restframe.catalog.store import Catalog

FORMAT = 3

_TABLES = f"""
CREATE SCHEMA IF NOT EXISTS _restframe;
CREATE TABLE IF NOT EXISTS _restframe.format (version INTEGER, definitions VARCHAR);
CREATE SEQUENCE IF NOT EXISTS _restframe.oids START 100000;
CREATE TABLE IF NOT EXISTS _restframe.schemas (name VARCHAR, owner VARCHAR, oid BIGINT);
CREATE TABLE IF NOT EXISTS _restframe.tables (
    schema_name VARCHAR, table_name VARCHAR, kind VARCHAR, diststyle VARCHAR, sortstyle VARCHAR, backup BOOLEAN,
    owner VARCHAR, definition VARCHAR, models VARCHAR[], constraints VARCHAR[], oid BIGINT);
CREATE TABLE IF NOT EXISTS _restframe.columns (
    schema_name VARCHAR, table_name VARCHAR, position INTEGER, name VARCHAR, type VARCHAR, not_null BOOLEAN,
    default_text VARCHAR, encoding VARCHAR, identity_seed BIGINT, identity_step BIGINT, identity_always BOOLEAN,
    distkey BOOLEAN, sortkey INTEGER);
CREATE TABLE IF NOT EXISTS _restframe.dependencies (
    schema_name VARCHAR, view_name VARCHAR, on_schema VARCHAR, on_name VARCHAR);
CREATE TABLE IF NOT EXISTS _restframe.comments (oid BIGINT, column_name VARCHAR, comment VARCHAR);
CREATE SEQUENCE IF NOT EXISTS _restframe.model_ids;
CREATE TABLE IF NOT EXISTS _restframe.models ({Model.DDL});
CREATE TABLE IF NOT EXISTS _restframe.view_reads (oid BIGINT, on_schema VARCHAR, on_name VARCHAR, columns VARCHAR[]);
{classes.TABLES}{users.TABLES}{grants.TABLES}"""

# What makes a file of each format one of the next.
_MIGRATIONS = {
    1: f"""
CREATE SEQUENCE _restframe.oids START 100000;
CREATE TABLE _restframe.comments (oid BIGINT, column_name VARCHAR, comment VARCHAR);
ALTER TABLE _restframe.schemas ADD COLUMN oid BIGINT;
ALTER TABLE _restframe.tables ADD COLUMN oid BIGINT;
UPDATE _restframe.schemas SET oid = CASE name WHEN 'public' THEN 2200 ELSE nextval('_restframe.oids') END;
UPDATE _restframe.tables SET oid = nextval('_restframe.oids');
INSERT INTO _restframe.comments SELECT t.oid, d.column_name, d.comment FROM _restframe.tables t JOIN (
    SELECT schema_name, table_name, NULL AS column_name, comment FROM duckdb_tables()
    UNION ALL SELECT schema_name, view_name, NULL, comment FROM duckdb_views()
    UNION ALL SELECT schema_name, table_name, column_name, comment FROM duckdb_columns()) AS d
    ON d.schema_name IN (t.schema_name, '_restframe_' || t.schema_name) AND d.table_name = t.table_name
    WHERE d.comment IS NOT NULL;
CREATE TABLE IF NOT EXISTS _restframe.view_reads (oid BIGINT, on_schema VARCHAR, on_name VARCHAR, columns VARCHAR[]);
INSERT INTO _restframe.view_reads
    SELECT t.oid, d.on_schema, d.on_name, list(c.name)
    FROM _restframe.dependencies d
    JOIN _restframe.tables t ON t.schema_name = d.schema_name AND t.table_name = d.view_name
    JOIN _restframe.columns c ON c.schema_name = d.on_schema AND c.table_name = d.on_name
    GROUP BY ALL;
{classes.TABLES}{users.TABLES}{grants.TABLES}""",
    2: f"""
INSERT INTO _restframe.grants
    SELECT 'iam role', 0, NULL, unnest({list(grants.PRIVILEGES["iam role"])}), 'public', 0, {users.SUPERUSER_ID}, false;
""",
}

# Whoever owned something in a file of this format need not have been a user.
_BEFORE_USERS = 1
_OWNERS_AS_USERS = """
INSERT INTO _restframe.users (id, name, superuser, createdb, sees_all, settings)
    SELECT nextval('_restframe.principal_ids'), owner, false, false, false, []
    FROM (SELECT owner FROM _restframe.tables UNION SELECT owner FROM _restframe.schemas
          UNION SELECT owner FROM _restframe.models) AS owners
    WHERE owner NOT IN (SELECT name FROM _restframe.users)
"""
_PUBLIC_OID = 2200


def create(connection: Executor, owner: str) -> bool:
    """Make the catalog's tables and schema `public` in a new file, or bring an old one up to date.

    owner : the superuser's name, which may have been another before
    Returns whether the file was new.

    InterfaceError when a newer restframe wrote the file, or another user has the superuser's name.
    """
    known = connection.run("SELECT 1 FROM duckdb_tables() WHERE schema_name = '_restframe' AND table_name = 'format'")
    if known:
        version = connection.run("SELECT version FROM _restframe.format")[0][0]
        if version > FORMAT:
            raise errors.InterfaceError(
                f"the warehouse was written by a newer restframe (format {version}, this one reads {FORMAT})",
                hint="Upgrade restframe.",
            )
        for older in range(version, FORMAT):
            _run_all(connection, _MIGRATIONS[older])
        users.create(Catalog(connection, Cache(), {}), owner)
        if version == _BEFORE_USERS:
            _run_all(connection, _OWNERS_AS_USERS)
            grants.create(Catalog(connection, Cache(), {}), _PUBLIC_OID)
            _describe_all(Catalog(connection, Cache(), {}), connection)
        classes.forget_session(connection, None)
        connection.run("UPDATE _restframe.format SET version = ?", [FORMAT])
        return False
    _run_all(connection, _TABLES)
    connection.run("CREATE SCHEMA public")
    connection.run("INSERT INTO _restframe.schemas VALUES ('public', ?, ?)", [owner, _PUBLIC_OID])
    users.create(Catalog(connection, Cache(), {}), owner)
    grants.create(Catalog(connection, Cache(), {}), _PUBLIC_OID)
    connection.run("INSERT INTO _restframe.format VALUES (?, NULL)", [FORMAT])
    return True


def _describe_all(catalog: Catalog, connection: Executor) -> None:
    """Write the rows of pg_catalog for every relation of an old file."""
    for schema in catalog.schemas():
        for relation in catalog.relations(schema):
            owner = catalog.users.get(relation.owner)
            found = catalog.find_schema(schema)
            assert found is not None
            classes.write(connection, relation, found.oid, owner.id, exists=catalog.has_relation)


def _run_all(connection: Executor, statements: str) -> None:
    for statement in filter(str.strip, statements.split(";")):
        connection.run(statement)
