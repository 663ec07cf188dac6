"""Text to statements: cut at semicolons, sent to a reader by the first word.

Queries and changes of rows go to sqlglot as text and are tokenized once, there; everything else is read from tokens
by the functions of `statements/`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from restframe import errors
from restframe.sql.lexer import Cursor, tokenize
from restframe.sql.split import split
from restframe.sql.statements import Statement
from restframe.sql.statements.alter_table import read_alter_table
from restframe.sql.statements.cancel import read_cancel
from restframe.sql.statements.comment import read_comment
from restframe.sql.statements.copy_stream import read_any_copy
from restframe.sql.statements.create_model import read_create_model, read_drop_model, read_show_model
from restframe.sql.statements.create_table import CreateTableAs, read_create_table
from restframe.sql.statements.cursor import read_close, read_declare, read_fetch
from restframe.sql.statements.drop import read_drop_schema, read_drop_table, read_drop_view
from restframe.sql.statements.explain import Explain
from restframe.sql.statements.grant import read_alter_default_privileges, read_grant, read_revoke
from restframe.sql.statements.group import (
    read_alter_group,
    read_alter_role,
    read_create_group,
    read_create_role,
    read_drop_group,
    read_drop_role,
)
from restframe.sql.statements.maintenance import read_analyze, read_truncate, read_vacuum
from restframe.sql.statements.owner import read_alter_model, read_alter_schema, read_alter_view
from restframe.sql.statements.prepare import read_deallocate, read_discard, read_execute, read_prepare, read_unlisten
from restframe.sql.statements.query import QUERY_WORDS, RowStatement, read_statement
from restframe.sql.statements.schema import read_create_schema
from restframe.sql.statements.show import (
    read_show_columns,
    read_show_constraints,
    read_show_databases,
    read_show_schemas,
    read_show_table,
    read_show_tables,
    read_show_view,
)
from restframe.sql.statements.show_functions import read_show_functions, read_show_parameters
from restframe.sql.statements.show_grants import read_show_column_grants, read_show_grants
from restframe.sql.statements.transaction import (
    read_begin,
    read_commit,
    read_lock,
    read_release,
    read_rollback,
    read_savepoint,
)
from restframe.sql.statements.unload import read_unload
from restframe.sql.statements.user import read_alter_user, read_create_user, read_drop_user
from restframe.sql.statements.variable import read_reset, read_set, read_show_variable
from restframe.sql.statements.view import read_create_view

Reader = Callable[[Cursor], Statement]


def parse(text: str) -> list[Statement]:
    """The statements of a text, separated by semicolons; blank ones are dropped.

    Every position, in statements and in errors, counts characters of the whole text from 1. SyntaxError for a
    statement that is not Redshift's, NotSupportedError for one that is and that restframe does not carry out.
    """
    return [_parse_span(span.keyword, span.text, span.start) for span in split(text)]


def _parse_span(keyword: str, text: str, base: int) -> Statement:
    if keyword in _ROW_WORDS:
        return read_statement(text, base + 1)
    cursor = Cursor(text, tokenize(text, base), base)
    statement = _read_explain(cursor) if keyword == "EXPLAIN" else _reader(keyword, cursor)(cursor)
    cursor.expect_end()
    return dataclasses.replace(statement, text=text, position=base + 1)


def _read_explain(cursor: Cursor) -> Explain:
    cursor.expect("EXPLAIN")
    verbose = cursor.accept("VERBOSE")
    keyword = "(" if cursor.sees("(") else cursor.word() or ""
    if keyword not in _ROW_WORDS and keyword != "CREATE":
        cursor.fail()
    position, text = cursor.position, cursor.rest()
    explained = _parse_span(keyword, text, position - 1)
    if not isinstance(explained, RowStatement | CreateTableAs):
        raise errors.SyntaxError(f'syntax error at or near "{text[: len(keyword)]}"', position=position)
    return Explain(explained, verbose)


_ROW_WORDS = QUERY_WORDS | {"INSERT", "UPDATE", "DELETE", "MERGE"}


def _reader(keyword: str, cursor: Cursor) -> Reader:
    """The reader for a statement's first words. Raises for statements that nothing reads."""
    phrase, ahead = keyword, 0
    if keyword in _VERBS:
        ahead = 1
        while cursor.word(ahead) in _BEFORE_THE_OBJECT:
            ahead += 1
        phrase = f"{keyword} {cursor.word(ahead)}"
        if cursor.word(ahead) in _TWO_WORDS:
            phrase = f"{phrase} {cursor.word(ahead + 1)}"
    if phrase in _REFUSED:
        raise errors.NotSupportedError(f"{phrase} is not supported", position=cursor.position)
    reader = _READERS.get(phrase, read_show_variable if keyword == "SHOW" else None)
    if reader is None:
        for _ in range(ahead):
            cursor.advance()
        cursor.fail()
    return reader


_VERBS = frozenset({"CREATE", "ALTER", "DROP", "SHOW"})
_BEFORE_THE_OBJECT = frozenset({"OR", "REPLACE", "LOCAL", "TEMP", "TEMPORARY"})
_TWO_WORDS = frozenset({"EXTERNAL", "MATERIALIZED", "DEFAULT", "IDENTITY", "MASKING", "RLS"})

_READERS: dict[str, Reader] = {
    "ABORT": read_rollback,
    "ALTER DEFAULT PRIVILEGES": read_alter_default_privileges,
    "ALTER GROUP": read_alter_group,
    "ALTER MODEL": read_alter_model,
    "ALTER ROLE": read_alter_role,
    "ALTER SCHEMA": read_alter_schema,
    "ALTER TABLE": read_alter_table,
    "ALTER USER": read_alter_user,
    "ALTER VIEW": read_alter_view,
    "ANALYZE": read_analyze,
    "BEGIN": read_begin,
    "CANCEL": read_cancel,
    "CLOSE": read_close,
    "COMMENT": read_comment,
    "COMMIT": read_commit,
    "COPY": read_any_copy,
    "CREATE EXTERNAL MODEL": read_create_model,
    "CREATE GROUP": read_create_group,
    "CREATE MODEL": read_create_model,
    "CREATE ROLE": read_create_role,
    "CREATE SCHEMA": read_create_schema,
    "CREATE USER": read_create_user,
    "CREATE TABLE": read_create_table,
    "CREATE VIEW": read_create_view,
    "DROP GROUP": read_drop_group,
    "DEALLOCATE": read_deallocate,
    "DECLARE": read_declare,
    "DISCARD": read_discard,
    "DROP MODEL": read_drop_model,
    "DROP ROLE": read_drop_role,
    "DROP USER": read_drop_user,
    "DROP SCHEMA": read_drop_schema,
    "DROP TABLE": read_drop_table,
    "DROP VIEW": read_drop_view,
    "END": read_commit,
    "EXECUTE": read_execute,
    "FETCH": read_fetch,
    "GRANT": read_grant,
    "LOCK": read_lock,
    "MOVE": read_fetch,
    "PREPARE": read_prepare,
    "RELEASE": read_release,
    "RESET": read_reset,
    "REVOKE": read_revoke,
    "ROLLBACK": read_rollback,
    "SAVEPOINT": read_savepoint,
    "SET": read_set,
    "SHOW COLUMN": read_show_column_grants,
    "SHOW COLUMNS": read_show_columns,
    "SHOW CONSTRAINTS": read_show_constraints,
    "SHOW DATABASES": read_show_databases,
    "SHOW FUNCTIONS": read_show_functions,
    "SHOW GRANTS": read_show_grants,
    "SHOW MODEL": read_show_model,
    "SHOW PARAMETERS": read_show_parameters,
    "SHOW PROCEDURES": read_show_functions,
    "SHOW SCHEMAS": read_show_schemas,
    "SHOW TABLE": read_show_table,
    "SHOW TABLES": read_show_tables,
    "SHOW VIEW": read_show_view,
    "START": read_begin,
    "TRUNCATE": read_truncate,
    "UNLISTEN": read_unlisten,
    "UNLOAD": read_unload,
    "VACUUM": read_vacuum,
}

# What Redshift knows and restframe does not do, and what clients of PostgreSQL say. Anything else is a syntax error.
_REFUSED = frozenset(
    {
        "CALL", "DO", "LISTEN", "NOTIFY", "REFRESH",
        "USE",
        "ALTER DATABASE", "ALTER DATASHARE", "ALTER EXTERNAL SCHEMA", "ALTER EXTERNAL VIEW",
        "ALTER FUNCTION", "ALTER IDENTITY PROVIDER", "ALTER MASKING POLICY",
        "ALTER MATERIALIZED VIEW", "ALTER PROCEDURE", "ALTER RLS POLICY", "ALTER SYSTEM",
        "CREATE DATABASE", "CREATE DATASHARE", "CREATE DOMAIN", "CREATE EXTENSION",
        "CREATE EXTERNAL FUNCTION", "CREATE EXTERNAL SCHEMA",
        "CREATE EXTERNAL TABLE", "CREATE EXTERNAL VIEW", "CREATE FUNCTION",
        "CREATE IDENTITY PROVIDER", "CREATE INDEX", "CREATE LIBRARY", "CREATE MASKING POLICY",
        "CREATE MATERIALIZED VIEW", "CREATE PROCEDURE", "CREATE RLS POLICY", "CREATE SEQUENCE", "CREATE TRIGGER",
        "CREATE TYPE",
        "DROP DATABASE", "DROP DATASHARE", "DROP EXTERNAL VIEW", "DROP FUNCTION",
        "DROP IDENTITY PROVIDER", "DROP LIBRARY", "DROP MASKING POLICY", "DROP MATERIALIZED VIEW", "DROP PROCEDURE",
        "DROP RLS POLICY",
        "SHOW DATASHARES", "SHOW EXTERNAL TABLE", "SHOW POLICIES", "SHOW PROCEDURE", "SHOW TEMPLATE",
    }
)  # fmt: skip
