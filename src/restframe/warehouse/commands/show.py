"""SHOW of what the catalog holds, in the columns of Redshift's answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.catalog import listings
from restframe.catalog.grants import Object
from restframe.catalog.listings import SYSTEM_SCHEMAS, Listed, Patterns, exactly
from restframe.catalog.relations import Relation
from restframe.catalog.users import SUPERUSER_ID
from restframe.result import Result
from restframe.sql import QualifiedName
from restframe.sql.statements.show import (
    ShowColumns,
    ShowDatabases,
    ShowForeignKeys,
    ShowPrimaryKeys,
    ShowSchemas,
    ShowTables,
)
from restframe.sql.statements.show_names import Path, Show
from restframe.types import SqlType
from restframe.warehouse import privileges

if TYPE_CHECKING:
    from restframe.warehouse.session import Session

TEXT = SqlType("varchar", length=65535)
INT = SqlType("int4")
TIMESTAMP = SqlType("timestamp")


def databases(statement: ShowDatabases, session: Session) -> Result:
    name = session.settings.database.lower()
    rows = [(name, SUPERUSER_ID, "local", None, None, "Snapshot Isolation")] if like(statement, [name], session) else []
    return result(DATABASES, rows, statement)


DATABASES = (
    ("database_name", TEXT), ("database_owner", INT), ("database_type", TEXT), ("database_acl", TEXT),
    ("parameters", TEXT), ("database_isolation_level", TEXT),
)  # fmt: skip


def schemas(statement: ShowSchemas, session: Session) -> Result:
    database = check_database(statement.database, session)
    rows = [
        (database, name, owner_id, "local", None, None, None)
        for name, _, owner_id in listings.schemas(session.catalog.read, pattern(statement))
        if _may_use(name, session)
    ]
    return result(SCHEMAS, rows, statement)


SCHEMAS = (
    ("database_name", TEXT), ("schema_name", TEXT), ("schema_owner", INT), ("schema_type", TEXT),
    ("schema_acl", TEXT), ("source_database", TEXT), ("schema_option", TEXT),
)  # fmt: skip


def tables(statement: ShowTables, session: Session) -> Result:
    schema = find_schema(statement.schema, session)
    return tables_like(Patterns(exactly(schema), pattern(statement)), statement, session)


def tables_like(patterns: Patterns, statement: Show, session: Session) -> Result:
    database = session.settings.database.lower()
    found = listings.relations(session.catalog.read, patterns)
    return result(TABLES, [(database, *one.row) for one in found if sees(one, session)], statement)


TABLES = (
    ("database_name", TEXT), ("schema_name", TEXT), ("table_name", TEXT), ("table_type", TEXT), ("table_acl", TEXT),
    ("remarks", TEXT), ("owner", TEXT), ("last_altered_time", TIMESTAMP), ("last_modified_time", TIMESTAMP),
    ("dist_style", TEXT), ("table_subtype", TEXT),
)  # fmt: skip


def columns(statement: ShowColumns, session: Session) -> Result:
    relation = find_relation(statement.table, session)
    temporary = relation.kind == "temporary table"
    schema = None if temporary else exactly(relation.schema)
    return columns_like(Patterns(schema, exactly(relation.name), pattern(statement)), statement, session, temporary)


def columns_like(patterns: Patterns, statement: Show, session: Session, temporary: bool = False) -> Result:
    database = session.settings.database.lower()
    found = listings.columns(session.catalog.read, patterns, temporary)
    return result(COLUMNS, [(database, *one.row) for one in found if temporary or sees(one, session)], statement)


COLUMNS = (
    ("database_name", TEXT), ("schema_name", TEXT), ("table_name", TEXT), ("column_name", TEXT),
    ("ordinal_position", INT), ("column_default", TEXT), ("is_nullable", TEXT), ("data_type", TEXT),
    ("character_maximum_length", INT), ("numeric_precision", INT), ("numeric_scale", INT), ("remarks", TEXT),
    ("sort_key_type", TEXT), ("sort_key", INT), ("dist_key", INT), ("encoding", TEXT), ("collation", TEXT),
)  # fmt: skip


def primary_keys(statement: ShowPrimaryKeys, session: Session) -> Result:
    relation = find_relation(statement.table, session)
    of_table = (session.settings.database.lower(), relation.schema, relation.name)
    rows = [(*of_table, *row) for row in listings.primary_key(session.catalog.read, relation)]
    return result(PRIMARY_KEYS, rows, statement)


PRIMARY_KEYS = (
    ("database_name", TEXT), ("schema_name", TEXT), ("table_name", TEXT), ("pk_name", TEXT), ("column_name", TEXT),
    ("key_seq", INT),
)  # fmt: skip


def foreign_keys(statement: ShowForeignKeys, session: Session) -> Result:
    """The rules are JDBC's numbers for no action and not deferrable."""
    relation = find_relation(statement.table, session)
    database = session.settings.database.lower()
    found = listings.foreign_keys(session.catalog.read, relation, statement.exported)
    rows = [(database, *one.row[:3], database, *one.row[3:]) for one in found if sees(one, session)]
    return result(FOREIGN_KEYS, rows, statement)


FOREIGN_KEYS = (
    ("pk_database_name", TEXT), ("pk_schema_name", TEXT), ("pk_table_name", TEXT), ("pk_column_name", TEXT),
    ("fk_database_name", TEXT), ("fk_schema_name", TEXT), ("fk_table_name", TEXT), ("fk_column_name", TEXT),
    ("key_seq", INT), ("fk_name", TEXT), ("pk_name", TEXT), ("update_rule", INT), ("delete_rule", INT),
    ("deferrability", INT),
)  # fmt: skip


# What they share


def find_relation(path: Path, session: Session) -> Relation:
    """The relation a path means, of which the user may know. UndefinedTable, InsufficientPrivilege."""
    schema, name = check_path(path, session)
    privileges.check_usage(QualifiedName(schema, name, path.position), session)
    relation = session.catalog.relation(schema, name, path.position)
    privileges.check_any(relation, session)
    return relation


def check_path(path: Path, session: Session) -> tuple[str | None, str]:
    """Schema and name of a path, in which our database may be named. UndefinedDatabase for another."""
    database, schema, name = path.names(3)
    _check_database(database, path.position, session)
    return schema, name or ""


def find_schema(path: Path, session: Session) -> str:
    """The schema a path means, which the user may use. UndefinedSchema, InsufficientPrivilege."""
    database, schema = path.names(2)
    _check_database(database, path.position, session)
    name = schema or ""
    if name not in SYSTEM_SCHEMAS and not session.catalog.has_schema(name):
        raise errors.UndefinedSchema(f'schema "{name}" does not exist', position=path.position)
    privileges.check_usage(QualifiedName(name, ""), session)
    return name


def check_database(path: Path, session: Session) -> str:
    """The name of the database, which must be ours. UndefinedDatabase."""
    (name,) = path.names(1)
    _check_database(name, path.position, session)
    return name or ""


def _check_database(name: str | None, position: int, session: Session) -> None:
    if name is not None and name != session.settings.database.lower():
        raise errors.UndefinedDatabase(f'database "{name}" does not exist', position=position)


def sees(listed: Listed, session: Session) -> bool:
    """Whether the user may know of a relation, or of a column: who may read it, and who owns it."""
    rights = session.catalog.rights
    if rights.superuser or listed.schema in SYSTEM_SCHEMAS or listed.owner == rights.user.name:
        return True
    on = Object("table", listed.oid)
    readable = rights.columns_with(on, "SELECT")
    allowed = rights.has(on, "SELECT") or (listed.column in readable if listed.column else bool(readable))
    return allowed and _may_use(listed.schema, session)


def _may_use(name: str, session: Session) -> bool:
    schema = session.catalog.find_schema(name)
    return name in SYSTEM_SCHEMAS or (schema is not None and session.catalog.may_use(schema))


def pattern(statement: Show) -> str | None:
    return None if statement.like is None else str(statement.like)


def like(statement: Show, names: Sequence[str], session: Session) -> frozenset[str]:
    """Those of the names that fit LIKE."""
    if statement.like is None:
        return frozenset(names)
    fitting = "SELECT name FROM (SELECT unnest(?::VARCHAR[]) AS name) WHERE name LIKE ? ESCAPE '\\'"
    return frozenset(name for (name,) in session.catalog.read(fitting, [list(names), str(statement.like)]))


def result(columns: Sequence[tuple[str, SqlType]], rows: Iterable[tuple[Any, ...]], statement: Show) -> Result:
    return Result.of_rows(columns, list(rows)[: statement.limit], "SHOW")
