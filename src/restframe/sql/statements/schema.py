"""CREATE SCHEMA."""

from __future__ import annotations

from dataclasses import dataclass, field

from restframe import errors
from restframe.sql.lexer import Cursor
from restframe.sql.statements import Statement


@dataclass(frozen=True, slots=True)
class CreateSchema(Statement):
    """CREATE SCHEMA [ IF NOT EXISTS ] name [ AUTHORIZATION user ] [ QUOTA { n [ MB | GB | TB ] | UNLIMITED } ]
    CREATE SCHEMA AUTHORIZATION user [ QUOTA ... ]

    The second form names the schema after the user. A quota is read and has no effect.

    quota : as it was written, None when there was none
    name_position : where the name stands

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_SCHEMA.html
    """

    name: str
    if_not_exists: bool = False
    owner: str | None = None
    quota: str | None = None
    name_position: int = field(default=1, compare=False)


def read_create_schema(cursor: Cursor) -> CreateSchema:
    cursor.expect("CREATE", "SCHEMA")
    if_not_exists = cursor.accept("IF", "NOT", "EXISTS")
    position = cursor.position
    name = None if cursor.sees("AUTHORIZATION") else cursor.identifier()
    owner = cursor.identifier() if cursor.accept("AUTHORIZATION") else None
    quota = _quota(cursor) if cursor.accept("QUOTA") else None
    if cursor.word() in ("CREATE", "GRANT"):
        raise errors.NotSupportedError(
            f"{cursor.word()} inside CREATE SCHEMA is not supported",
            position=cursor.position,
            hint="Write it as a statement of its own.",
        )
    chosen = name or owner
    if chosen is None:
        cursor.fail()
    return CreateSchema(chosen, if_not_exists, owner, quota, position)


def _quota(cursor: Cursor) -> str:
    if cursor.accept("UNLIMITED"):
        return "UNLIMITED"
    amount = cursor.integer()
    unit = cursor.accept_any(("MB", "GB", "TB"))
    return f"{amount} {unit or 'MB'}"
