"""ALTER TABLE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from restframe import errors
from restframe.sql.lexer import Cursor, QualifiedName
from restframe.sql.statements import Statement
from restframe.sql.statements.columns import (
    ColumnClause,
    ColumnName,
    read_column,
    read_column_names,
    read_encoding,
)
from restframe.sql.statements.create_table import TableConstraint, read_table_constraint
from restframe.types import SqlType


@dataclass(frozen=True, slots=True)
class AddColumn:
    column: ColumnClause


@dataclass(frozen=True, slots=True)
class DropColumn:
    column: ColumnName
    cascade: bool = False


@dataclass(frozen=True, slots=True)
class RenameTable:
    name: str


@dataclass(frozen=True, slots=True)
class RenameColumn:
    column: ColumnName
    name: str


@dataclass(frozen=True, slots=True)
class AlterColumnType:
    """Redshift lets only VARCHAR change its length; the command checks it."""

    column: ColumnName
    type: SqlType


@dataclass(frozen=True, slots=True)
class AlterColumnEncoding:
    column: ColumnName
    encoding: str


@dataclass(frozen=True, slots=True)
class AlterEncodeAuto:
    pass


@dataclass(frozen=True, slots=True)
class AlterDistribution:
    """style : AUTO, EVEN, ALL, or KEY, which goes with a column."""

    style: str
    column: ColumnName | None = None


@dataclass(frozen=True, slots=True)
class AlterSortKey:
    """style : COMPOUND with columns, AUTO, or nothing after SORTKEY NONE."""

    style: str
    columns: tuple[ColumnName, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeOwner:
    owner: str


@dataclass(frozen=True, slots=True)
class AddConstraint:
    constraint: TableConstraint


@dataclass(frozen=True, slots=True)
class DropConstraint:
    name: str
    cascade: bool = False


Action = (
    AddColumn | DropColumn | RenameTable | RenameColumn | AlterColumnType | AlterColumnEncoding | AlterEncodeAuto
    | AlterDistribution | AlterSortKey | ChangeOwner | AddConstraint | DropConstraint
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AlterTable(Statement):
    """ALTER TABLE name action [, ...]

    Actions: ADD [ COLUMN ] column, DROP [ COLUMN ] name [ CASCADE | RESTRICT ], RENAME TO name,
    RENAME [ COLUMN ] name TO name, ALTER [ COLUMN ] name TYPE type, ALTER [ COLUMN ] name ENCODE encoding,
    ALTER ENCODE AUTO, ALTER DISTKEY name, ALTER DISTSTYLE { AUTO | EVEN | ALL | KEY DISTKEY name },
    ALTER [ COMPOUND ] SORTKEY ( name [, ...] ), ALTER SORTKEY { AUTO | NONE }, OWNER TO user,
    ADD table_constraint, DROP CONSTRAINT name. Several only where Redshift lets them stand together.

    https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE.html
    """

    name: QualifiedName
    actions: tuple[Action, ...]


def read_alter_table(cursor: Cursor) -> AlterTable:
    cursor.expect("ALTER", "TABLE")
    name = cursor.qualified_name()
    actions = [_read_action(cursor)]
    while cursor.accept(","):
        position = cursor.position
        action = _read_action(cursor)
        if not isinstance(action, _TOGETHER) or not isinstance(actions[0], _TOGETHER):
            raise errors.SyntaxError("this ALTER TABLE action must stand alone", position=position)
        actions.append(action)
    return AlterTable(name, tuple(actions))


_TOGETHER = (AlterColumnEncoding, AlterEncodeAuto, AlterDistribution, AlterSortKey)


def _read_action(cursor: Cursor) -> Action:
    if cursor.word() in _REFUSED:
        raise errors.NotSupportedError(
            f"ALTER TABLE {_REFUSED[cursor.word() or '']} is not supported", position=cursor.position
        )
    verb = cursor.accept_any(_ACTIONS)
    if verb is None:
        cursor.fail()
    return _ACTIONS[verb](cursor)


_REFUSED = {
    "APPEND": "APPEND",
    "SET": "SET",
    "ROW": "ROW LEVEL SECURITY",
    "MASKING": "MASKING",
    "PARTITION": "PARTITION",
}


def _add(cursor: Cursor) -> Action:
    if cursor.word() == "PARTITION":
        raise errors.NotSupportedError("ALTER TABLE ADD PARTITION is not supported", position=cursor.position)
    if cursor.word() in ("CONSTRAINT", "UNIQUE", "PRIMARY KEY", "FOREIGN KEY"):
        return AddConstraint(read_table_constraint(cursor))
    cursor.accept("COLUMN")
    return AddColumn(read_column(cursor))


def _drop(cursor: Cursor) -> Action:
    if cursor.accept("CONSTRAINT"):
        return DropConstraint(cursor.identifier(), _cascade(cursor))
    cursor.accept("COLUMN")
    return DropColumn(_column(cursor), _cascade(cursor))


def _rename(cursor: Cursor) -> Action:
    if cursor.accept("TO"):
        return RenameTable(cursor.identifier())
    cursor.accept("COLUMN")
    column = _column(cursor)
    cursor.expect("TO")
    return RenameColumn(column, cursor.identifier())


def _owner(cursor: Cursor) -> Action:
    cursor.expect("TO")
    return ChangeOwner(cursor.identifier())


def _alter(cursor: Cursor) -> Action:
    if cursor.accept("DISTKEY"):
        return AlterDistribution("KEY", _column(cursor))
    if cursor.accept("DISTSTYLE"):
        return _diststyle(cursor)
    if cursor.accept("ENCODE", "AUTO"):
        return AlterEncodeAuto()
    if cursor.accept("SORTKEY", "AUTO"):
        return AlterSortKey("AUTO")
    if cursor.accept("SORTKEY", "NONE"):
        return AlterSortKey("")
    if cursor.accept("SORTKEY") or cursor.accept("COMPOUND", "SORTKEY"):
        return AlterSortKey("COMPOUND", read_column_names(cursor))
    cursor.accept("COLUMN")
    column = _column(cursor)
    if cursor.accept("ENCODE"):
        return AlterColumnEncoding(column, read_encoding(cursor))
    cursor.expect("TYPE")
    return AlterColumnType(column, cursor.data_type())


def _diststyle(cursor: Cursor) -> Action:
    if cursor.accept("KEY"):
        cursor.expect("DISTKEY")
        return AlterDistribution("KEY", _column(cursor))
    style = cursor.accept_any(("AUTO", "EVEN", "ALL"))
    if style is None:
        cursor.fail()
    return AlterDistribution(style)


def _column(cursor: Cursor) -> ColumnName:
    position = cursor.position
    return ColumnName(cursor.identifier(), position)


def _cascade(cursor: Cursor) -> bool:
    return cursor.accept_any(("CASCADE", "RESTRICT")) == "CASCADE"


_ACTIONS: dict[str, Callable[[Cursor], Action]] = {
    "ADD": _add,
    "DROP": _drop,
    "RENAME": _rename,
    "OWNER": _owner,
    "ALTER": _alter,
}
