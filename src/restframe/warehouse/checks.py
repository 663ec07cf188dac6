"""Which rights each statement needs, by its kind. One that is not in the table is for superusers only.

Queries and changes of rows are asked about when they are translated (`privileges.check_query`).
https://docs.aws.amazon.com/redshift/latest/dg/r_Privileges.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.catalog.grants import DATABASE, SYSTEM
from restframe.catalog.relations import Relation
from restframe.catalog.users import Principal
from restframe.sql import QualifiedName
from restframe.sql.statements import Statement
from restframe.sql.statements.alter_table import AddConstraint, AlterTable, ChangeOwner, RenameTable
from restframe.sql.statements.cancel import Cancel
from restframe.sql.statements.columns import ColumnClause
from restframe.sql.statements.comment import CommentOn
from restframe.sql.statements.copy import Copy
from restframe.sql.statements.copy_stream import CopyFromStdin, CopyToStdout
from restframe.sql.statements.create_table import CreateTable, CreateTableAs, LikeClause
from restframe.sql.statements.cursor import CloseCursor, DeclareCursor, Fetch
from restframe.sql.statements.drop import DropSchema, DropTable, DropView
from restframe.sql.statements.explain import Explain
from restframe.sql.statements.grant import AlterDefaultPrivileges, Grant, GrantRole, Revoke, RevokeRole
from restframe.sql.statements.group import AlterGroup, AlterRole, CreateGroup, CreateRole, DropGroup, DropRole
from restframe.sql.statements.maintenance import Analyze, Truncate, Vacuum
from restframe.sql.statements.model import (
    CreateAutoModel,
    CreateExternalModel,
    CreateForecastModel,
    CreateKMeansModel,
    CreateLocalModel,
    CreateRemoteModel,
    CreateXgboostModel,
    DropModel,
    ShowModel,
)
from restframe.sql.statements.owner import AlterOwner, AlterSchemaQuota
from restframe.sql.statements.prepare import Deallocate, Discard, PrepareStatement, Unlisten
from restframe.sql.statements.query import SelectInto
from restframe.sql.statements.schema import CreateSchema
from restframe.sql.statements.show import (
    ShowColumns,
    ShowDatabases,
    ShowForeignKeys,
    ShowOfDatabase,
    ShowPrimaryKeys,
    ShowSchemas,
    ShowTable,
    ShowTables,
    ShowView,
)
from restframe.sql.statements.show_functions import ShowFunctions, ShowParameters
from restframe.sql.statements.show_grants import ShowColumnGrants, ShowGrants, ShowGrantsFor
from restframe.sql.statements.transaction import (
    Begin,
    Commit,
    LockTable,
    ReleaseSavepoint,
    Rollback,
    RollbackTo,
    Savepoint,
    SetTransaction,
)
from restframe.sql.statements.unload import Unload
from restframe.sql.statements.user import AlterUser, CreateUser, DropUser, UserOptions
from restframe.sql.statements.variable import ResetVariable, SetSessionAuthorization, SetVariable, ShowVariable
from restframe.sql.statements.view import CreateView
from restframe.warehouse.privileges import (
    allows,
    check,
    check_any,
    check_creation,
    check_database,
    check_model,
    check_owner,
    check_system,
    check_temporary,
    check_usage,
    denied,
    find,
    is_visible,
)

if TYPE_CHECKING:
    from restframe.warehouse.session import Session

Check = Callable[[Any, "Session"], None]


def check_statement(statement: Statement, session: Session) -> None:
    """InsufficientPrivilege when the session's user may not run it."""
    needed = CHECKS.get(type(statement))
    if needed is _free or session.catalog.rights.superuser:
        return
    if needed is None:
        raise errors.InsufficientPrivilege("permission denied", hint="This takes a superuser.")
    needed(statement, session)


def _free(statement: Statement, session: Session) -> None:
    """Anybody may, or it asks by itself when it meets the objects that it is about."""


# Tables and views


def _create_table(statement: CreateTable, session: Session) -> None:
    _create(statement.name, statement.temporary, session)
    for element in statement.elements:
        if isinstance(element, LikeClause):
            _relation(element.parent, "SELECT", session)
        elif isinstance(element, ColumnClause) and element.references is not None:
            _relation(element.references.table, "REFERENCES", session)
    for constraint in statement.constraints:
        if constraint.references is not None:
            _relation(constraint.references.table, "REFERENCES", session)


def _create_table_as(statement: CreateTableAs | SelectInto, session: Session) -> None:
    _create(statement.name, statement.temporary or statement.name.name.startswith("#"), session)


def _create(name: QualifiedName, temporary: bool, session: Session) -> None:
    if temporary:
        check_temporary(session)
    else:
        check_creation(name, session, "CREATE TABLE")


def _create_view(statement: CreateView, session: Session) -> None:
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


def _drop_relations(statement: DropTable | DropView, session: Session) -> None:
    for name in statement.names:
        relation = find(name, session)
        if relation is not None and not _owns_schema(relation, session):
            check_owner(relation, session, "DROP", "DROP TABLE")


def _owns_schema(relation: Relation, session: Session) -> bool:
    schema = session.catalog.find_schema(relation.schema)
    return schema is not None and schema.owner == session.catalog.rights.user.name


def _alter_table(statement: AlterTable, session: Session) -> None:
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


def _alter_owner(statement: AlterOwner, session: Session) -> None:
    if statement.kind != "schema":
        check_usage(statement.name, session)
    # A view given away would be read with the new owner's rights.
    raise errors.InsufficientPrivilege("must be superuser to change owner")


def _truncate(statement: Truncate, session: Session) -> None:
    relation = find(statement.name, session)
    if relation is not None and not session.catalog.rights.has(SYSTEM, "TRUNCATE TABLE"):
        check(relation, "TRUNCATE", session)


def _comment(statement: CommentOn, session: Session) -> None:
    if statement.kind == "schema":
        schema = session.catalog.find_schema(statement.name.name)
        if schema is not None and schema.owner != session.catalog.rights.user.name:
            raise errors.InsufficientPrivilege(f"must be owner of schema {schema.name}")
        return
    relation = find(statement.name, session)
    if relation is not None:
        check_owner(relation, session)


def _copy(statement: Copy | CopyFromStdin, session: Session) -> None:
    _relation(statement.table, "INSERT", session)


def _copy_out(statement: CopyToStdout, session: Session) -> None:
    relation = find(statement.table, session) if statement.table is not None else None
    if relation is not None:
        check_any(relation, session)


def _maintain(statement: Analyze | Vacuum, session: Session) -> None:
    relation = find(statement.name, session) if statement.name is not None else None
    if relation is not None:
        check_owner(relation, session, system="ANALYZE" if isinstance(statement, Analyze) else "VACUUM")


def _lock(statement: LockTable, session: Session) -> None:
    rights = session.catalog.rights
    for name in statement.names:
        relation = find(name, session)
        if relation is not None and not any(allows(rights, relation, one) for one in ("UPDATE", "DELETE", "TRUNCATE")):
            raise denied(relation)


# Schemas


def _create_schema(statement: CreateSchema, session: Session) -> None:
    rights = session.catalog.rights
    if statement.owner not in (None, rights.user.name):
        raise errors.InsufficientPrivilege("must be superuser to create a schema for another user")
    if not (rights.has(DATABASE, "CREATE") or rights.has(SYSTEM, "CREATE SCHEMA")):
        check_database("CREATE", session)


def _drop_schema(statement: DropSchema, session: Session) -> None:
    rights = session.catalog.rights
    for name in statement.names:
        schema = session.catalog.find_schema(name.name)
        if schema is None or schema.owner == rights.user.name:
            continue
        if not (rights.has(schema.object, "DROP") or rights.has(SYSTEM, "DROP SCHEMA")):
            raise errors.InsufficientPrivilege(f"must be owner of schema {schema.name}")


def _alter_schema_quota(statement: AlterSchemaQuota, session: Session) -> None:
    schema = session.catalog.find_schema(statement.name.name)
    rights = session.catalog.rights
    if schema is not None and schema.owner != rights.user.name and not rights.has(schema.object, "ALTER"):
        raise errors.InsufficientPrivilege(f"must be owner of schema {schema.name}")


# Models


def _create_model(statement: Any, session: Session) -> None:
    check_system(session, "CREATE MODEL")
    check_creation(statement.name, session)
    function = getattr(statement, "function", None)
    if function is not None and function.schema is not None:
        check_creation(function, session)


def _drop_model(statement: DropModel, session: Session) -> None:
    check_usage(statement.name, session)
    model = session.catalog.find_model(statement.name.schema, statement.name.name)
    if model is not None:
        check_model(model, session, owner=True)


def _show_model(statement: ShowModel, session: Session) -> None:
    if statement.name is not None:
        check_usage(statement.name, session)
        model = session.catalog.find_model(statement.name.schema, statement.name.name)
        if model is not None and not is_visible(model.object, model.owner, session):
            raise errors.InsufficientPrivilege(f"permission denied for model {model.name}")


# Users, groups and roles


def _create_user(statement: CreateUser, session: Session) -> None:
    check_system(session, "CREATE USER")
    _check_options(statement.options)


def _check_options(options: UserOptions) -> None:
    if options.superuser or options.sees_all:
        raise errors.InsufficientPrivilege("must be superuser to make superusers")


def _alter_user(statement: AlterUser, session: Session) -> None:
    """Users may change their own passwords and what their sessions start with."""
    rights = session.catalog.rights
    mine = statement.name == rights.user.name
    harmless = statement.options == UserOptions(password=statement.options.password) and statement.new_name is None
    enables = statement.options.password is not None and (
        statement.options.password.text is None or rights.user.verifiers is None
    )
    if mine and harmless and not enables:
        return
    check_system(session, "ALTER USER")
    _check_options(statement.options)
    _check_no_superuser(statement.name, session)


def _drop_user(statement: DropUser, session: Session) -> None:
    check_system(session, "DROP USER")
    for name in statement.names:
        _check_no_superuser(name, session)


def _check_no_superuser(name: str, session: Session) -> None:
    user = session.catalog.users.find(name)
    rights = None if user is None else session.catalog.grants.rights(user.id)
    if rights is not None and rights.superuser:
        raise errors.InsufficientPrivilege("must be superuser to alter or drop superusers")


def _system(*privileges: str) -> Check:
    return lambda statement, session: check_system(session, *privileges)


def _own_role(privilege: str) -> Check:
    def needed(statement: AlterRole | DropRole, session: Session) -> None:
        rights = session.catalog.rights
        role = session.catalog.users.find_role(statement.name)
        if role is None or role.owner != rights.user.name:
            held = session.catalog.users.roles_of(Principal("user", rights.user.id))
            if role is None or not held.get(role.id, False):
                check_system(session, privilege)

    return needed


def _alter_defaults(statement: AlterDefaultPrivileges, session: Session) -> None:
    if any(name != session.catalog.rights.user.name for name in statement.users):
        check_system(session, "ALTER DEFAULT PRIVILEGES")
    for name in statement.schemas:
        check_usage(QualifiedName(name, ""), session)


CHECKS: dict[type[Statement], Check] = {
    AlterDefaultPrivileges: _alter_defaults,
    AlterGroup: _system(),
    AlterOwner: _alter_owner,
    AlterRole: _own_role("ALTER ROLE"),
    AlterSchemaQuota: _alter_schema_quota,
    AlterTable: _alter_table,
    AlterUser: _alter_user,
    Analyze: _maintain,
    Begin: _free,
    Cancel: _free,
    CommentOn: _comment,
    CloseCursor: _free,
    Commit: _free,
    Copy: _copy,
    CopyFromStdin: _copy,
    CopyToStdout: _copy_out,
    CreateAutoModel: _create_model,
    CreateExternalModel: _create_model,
    CreateForecastModel: _create_model,
    CreateGroup: _system(),
    CreateKMeansModel: _create_model,
    CreateLocalModel: _create_model,
    CreateRemoteModel: _create_model,
    CreateRole: _system("CREATE ROLE"),
    CreateSchema: _create_schema,
    CreateTable: _create_table,
    CreateTableAs: _create_table_as,
    CreateUser: _create_user,
    CreateView: _create_view,
    CreateXgboostModel: _create_model,
    Deallocate: _free,
    DeclareCursor: _free,
    Discard: _free,
    DropGroup: _system(),
    DropModel: _drop_model,
    DropRole: _own_role("DROP ROLE"),
    DropSchema: _drop_schema,
    DropTable: _drop_relations,
    DropUser: _drop_user,
    DropView: _drop_relations,
    Explain: _free,
    Fetch: _free,
    Grant: _free,
    GrantRole: _free,
    LockTable: _lock,
    PrepareStatement: _free,
    ReleaseSavepoint: _free,
    ResetVariable: _free,
    Revoke: _free,
    RevokeRole: _free,
    Rollback: _free,
    RollbackTo: _free,
    Savepoint: _free,
    SelectInto: _create_table_as,
    SetSessionAuthorization: _free,
    SetTransaction: _free,
    SetVariable: _free,
    ShowColumnGrants: _free,
    ShowColumns: _free,
    ShowDatabases: _free,
    ShowForeignKeys: _free,
    ShowFunctions: _free,
    ShowGrants: _free,
    ShowGrantsFor: _free,
    ShowModel: _show_model,
    ShowOfDatabase: _free,
    ShowParameters: _free,
    ShowPrimaryKeys: _free,
    ShowSchemas: _free,
    ShowTable: _free,
    ShowTables: _free,
    ShowVariable: _free,
    ShowView: _free,
    Truncate: _truncate,
    Unlisten: _free,
    Unload: _free,
    Vacuum: _maintain,
}
