"""COMMENT ON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from restframe import errors
from restframe.sql.lexer import Cursor, QualifiedName
from restframe.sql.statements import Statement
from restframe.sql.statements.columns import ColumnName


@dataclass(frozen=True, slots=True)
class CommentOn(Statement):
    """COMMENT ON { TABLE name | VIEW name | COLUMN table.column | SCHEMA name } IS { 'text' | NULL }

    name : of a schema, itself without one
    column : of COMMENT ON COLUMN
    comment : None removes it

    https://docs.aws.amazon.com/redshift/latest/dg/r_COMMENT.html
    """

    kind: Literal["table", "view", "column", "schema"]
    name: QualifiedName
    comment: str | None
    column: ColumnName | None = None


def read_comment(cursor: Cursor) -> CommentOn:
    cursor.expect("COMMENT", "ON")
    if cursor.word() in ("CONSTRAINT", "DATABASE", "FUNCTION", "PROCEDURE"):
        raise errors.NotSupportedError(f"COMMENT ON {cursor.word()} is not supported", position=cursor.position)
    kind = cursor.accept_any(("TABLE", "VIEW", "COLUMN", "SCHEMA"))
    if kind == "COLUMN":
        name, column = _column(cursor)
        return CommentOn("column", name, _text(cursor), column)
    if kind is None:
        cursor.fail()
    if kind == "SCHEMA":
        position = cursor.position
        return CommentOn("schema", QualifiedName(None, cursor.identifier(), position), _text(cursor))
    return CommentOn("view" if kind == "VIEW" else "table", cursor.qualified_name(), _text(cursor))


def _column(cursor: Cursor) -> tuple[QualifiedName, ColumnName]:
    position = cursor.position
    parts = [cursor.identifier()]
    while cursor.accept("."):
        parts.append(cursor.identifier())
    if not 2 <= len(parts) <= 4:
        raise errors.SyntaxError("a column is named as table.column", position=position)
    schema = parts[-3] if len(parts) > 2 else None
    return QualifiedName(schema, parts[-2], position), ColumnName(parts[-1], position)


def _text(cursor: Cursor) -> str | None:
    cursor.expect("IS")
    return None if cursor.accept("NULL") else cursor.string()
