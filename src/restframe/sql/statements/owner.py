"""ALTER SCHEMA, ALTER VIEW and ALTER MODEL: to whom something belongs. ALTER TABLE stands by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from restframe import errors
from restframe.sql.lexer import Cursor, QualifiedName
from restframe.sql.statements import Statement


@dataclass(frozen=True, slots=True)
class AlterOwner(Statement):
    """ALTER { SCHEMA | VIEW | MODEL } name OWNER TO user

    https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_SCHEMA.html
    """

    kind: Literal["schema", "view", "model"]
    name: QualifiedName
    owner: str


@dataclass(frozen=True, slots=True)
class AlterSchemaQuota(Statement):
    """ALTER SCHEMA name QUOTA { n [ MB | GB | TB ] | UNLIMITED }, which has no effect"""

    name: QualifiedName


def read_alter_schema(cursor: Cursor) -> AlterOwner | AlterSchemaQuota:
    cursor.expect("ALTER", "SCHEMA")
    name = cursor.qualified_name()
    if cursor.accept("QUOTA"):
        if not cursor.accept("UNLIMITED"):
            cursor.integer()
            cursor.accept_any(("MB", "GB", "TB"))
        return AlterSchemaQuota(name)
    if cursor.sees("RENAME"):
        raise errors.NotSupportedError("ALTER SCHEMA RENAME is not supported", position=cursor.position)
    return AlterOwner("schema", name, _owner(cursor))


def read_alter_view(cursor: Cursor) -> AlterOwner:
    cursor.expect("ALTER", "VIEW")
    return AlterOwner("view", cursor.qualified_name(), _owner(cursor))


def read_alter_model(cursor: Cursor) -> AlterOwner:
    cursor.expect("ALTER", "MODEL")
    return AlterOwner("model", cursor.qualified_name(), _owner(cursor))


def _owner(cursor: Cursor) -> str:
    cursor.expect("OWNER", "TO")
    return cursor.identifier()
