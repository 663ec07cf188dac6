"""Rights that statements about tables and views need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from restframe import errors
from restframe.catalog.grants import SYSTEM
from restframe.catalog.relations import Relation
from restframe.sql import QualifiedName
from restframe.sql.statements.alter_table import AddConstraint, AlterTable, ChangeOwner, RenameTable
from restframe.sql.statements.columns import ColumnClause
from restframe.sql.statements.comment import CommentOn
from restframe.sql.statements.copy import Copy
from restframe.sql.statements.copy_stream import CopyFromStdin, CopyToStdout
from restframe.sql.statements.create_table import CreateTable, CreateTableAs, LikeClause
from restframe.sql.statements.drop import DropTable, DropView
from restframe.sql.statements.maintenance import Analyze, Truncate, Vacuum
from restframe.sql.statements.owner import AlterOwner
from restframe.sql.statements.query import SelectInto
from restframe.sql.statements.transaction import LockTable
from restframe.sql.statements.unload import Unload
from restframe.sql.statements.view import CreateView
from restframe.warehouse.privileges import (
    allows,
    check,
    check_any,
    check_creation,
    check_iam_role,
    check_owner,
    check_temporary,
    check_usage,
    denied,
    find,
)

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


def create_table(statement: CreateTable, session: Session) -> None:
    _create(statement.name, statement.temporary, session)
    for element in statement.elements:
        if isinstance(element, LikeClause):
            _relation(element.parent, "SELECT", session)
        elif isinstance(element, ColumnClause) and element.references is not None:
            _relation(element.references.table, "REFERENCES", session)
    for constraint in statement.constraints:
        if constraint.references is not None:
            _relation(constraint.references.table, "REFERENCES", session)


def create_table_as(statement: CreateTableAs | SelectInto, session: Session) -> None:
    _create(statement.name, statement.temporary or statement.name.name.startswith("#"), session)


def _create(name: QualifiedName, temporary: bool, session: Session) -> None:
    if temporary:
        check_temporary(session)
    else:
        check_creation(name, session, "CREATE TABLE")


def create_view(statement: CreateView, session: Session) -> None:
    check_creation(statement.name, session)
    old = find(statement.name, session)
    if statement.or_replace and old is not None and old.kind == "view":
        schema = session.catalog.creation_schema(statement.name.schema)
        if old.schema == schema:
            check_owner(old, session)


def _relation(name: QualifiedName, privilege: str, session: Session) -> None:
    relation = find(name, session)
    if relation is not None:
        check(relation, privilege, session)


def drop_relations(statement: DropTable | DropView, session: Session) -> None:
    for name in statement.names:
        relation = find(name, session)
        if relation is not None and not _owns_schema(relation, session):
            check_owner(relation, session, "DROP", "DROP TABLE")


def _owns_schema(relation: Relation, session: Session) -> bool:
    schema = session.catalog.find_schema(relation.schema)
    return schema is not None and schema.owner == session.catalog.rights.user.name


def alter_table(statement: AlterTable, session: Session) -> None:
    relation = find(statement.name, session)
    if relation is None:
        return
    check_owner(relation, session, "ALTER", "ALTER TABLE")
    for action in statement.actions:
        if isinstance(action, ChangeOwner):
            raise errors.InsufficientPrivilege("must be superuser to change owner")
        if isinstance(action, RenameTable) and relation.kind != "temporary table":
            check_creation(QualifiedName(relation.schema, relation.name), session, "ALTER TABLE")
        if isinstance(action, AddConstraint) and action.constraint.references is not None:
            _relation(action.constraint.references.table, "REFERENCES", session)


def alter_owner(statement: AlterOwner, session: Session) -> None:
    if statement.kind != "schema":
        check_usage(statement.name, session)
    # A view given away would be read with the new owner's rights.
    raise errors.InsufficientPrivilege("must be superuser to change owner")


def truncate(statement: Truncate, session: Session) -> None:
    relation = find(statement.name, session)
    if relation is not None and not session.catalog.rights.has(SYSTEM, "TRUNCATE TABLE"):
        check(relation, "TRUNCATE", session)


def comment(statement: CommentOn, session: Session) -> None:
    if statement.kind == "schema":
        schema = session.catalog.find_schema(statement.name.name)
        if schema is not None and schema.owner != session.catalog.rights.user.name:
            raise errors.InsufficientPrivilege(f"must be owner of schema {schema.name}")
        return
    relation = find(statement.name, session)
    if relation is not None:
        check_owner(relation, session)


def copy(statement: Copy | CopyFromStdin, session: Session) -> None:
    _relation(statement.table, "INSERT", session)
    if isinstance(statement, Copy):
        check_iam_role(statement.iam_role, "COPY", session)


def unload(statement: Unload, session: Session) -> None:
    """What the query reads is asked about when it is translated."""
    check_iam_role(statement.iam_role, "UNLOAD", session)


def copy_out(statement: CopyToStdout, session: Session) -> None:
    relation = find(statement.table, session) if statement.table is not None else None
    if relation is not None:
        check_any(relation, session)


def maintain(statement: Analyze | Vacuum, session: Session) -> None:
    relation = find(statement.name, session) if statement.name is not None else None
    if relation is not None:
        check_owner(relation, session, system="ANALYZE" if isinstance(statement, Analyze) else "VACUUM")


def lock(statement: LockTable, session: Session) -> None:
    rights = session.catalog.rights
    for name in statement.names:
        relation = find(name, session)
        if relation is not None and not any(allows(rights, relation, one) for one in ("UPDATE", "DELETE", "TRUNCATE")):
            raise denied(relation)
