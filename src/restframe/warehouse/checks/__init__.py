"""Which rights each statement needs, by its kind. One that is not in the table is for superusers only.

Queries and changes of rows are asked about when they are translated (`privileges.check_query`).
https://docs.aws.amazon.com/redshift/latest/dg/r_Privileges.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from restframe import errors
from restframe.sql.statements import Statement
from restframe.sql.statements.alter_table import AlterTable
from restframe.sql.statements.cancel import Cancel
from restframe.sql.statements.comment import CommentOn
from restframe.sql.statements.copy import Copy
from restframe.sql.statements.copy_stream import CopyFromStdin, CopyToStdout
from restframe.sql.statements.create_table import CreateTable, CreateTableAs
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
from restframe.sql.statements.user import AlterUser, CreateUser, DropUser
from restframe.sql.statements.variable import ResetVariable, SetSessionAuthorization, SetVariable, ShowVariable
from restframe.sql.statements.view import CreateView
from restframe.warehouse.checks import relations, schemas, users

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


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


CHECKS: dict[type[Statement], users.Check] = {
    AlterDefaultPrivileges: users.alter_defaults,
    AlterGroup: users.system(),
    AlterOwner: relations.alter_owner,
    AlterRole: users.own_role("ALTER ROLE"),
    AlterSchemaQuota: schemas.alter_schema_quota,
    AlterTable: relations.alter_table,
    AlterUser: users.alter_user,
    Analyze: relations.maintain,
    Begin: _free,
    Cancel: _free,
    CommentOn: relations.comment,
    CloseCursor: _free,
    Commit: _free,
    Copy: relations.copy,
    CopyFromStdin: relations.copy,
    CopyToStdout: relations.copy_out,
    CreateAutoModel: schemas.create_model,
    CreateExternalModel: schemas.create_model,
    CreateForecastModel: schemas.create_model,
    CreateGroup: users.system(),
    CreateKMeansModel: schemas.create_model,
    CreateLocalModel: schemas.create_model,
    CreateRemoteModel: schemas.create_model,
    CreateRole: users.system("CREATE ROLE"),
    CreateSchema: schemas.create_schema,
    CreateTable: relations.create_table,
    CreateTableAs: relations.create_table_as,
    CreateUser: users.create_user,
    CreateView: relations.create_view,
    CreateXgboostModel: schemas.create_model,
    Deallocate: _free,
    DeclareCursor: _free,
    Discard: _free,
    DropGroup: users.system(),
    DropModel: schemas.drop_model,
    DropRole: users.own_role("DROP ROLE"),
    DropSchema: schemas.drop_schema,
    DropTable: relations.drop_relations,
    DropUser: users.drop_user,
    DropView: relations.drop_relations,
    Explain: _free,
    Fetch: _free,
    Grant: _free,
    GrantRole: _free,
    LockTable: relations.lock,
    PrepareStatement: _free,
    ReleaseSavepoint: _free,
    ResetVariable: _free,
    Revoke: _free,
    RevokeRole: _free,
    Rollback: _free,
    RollbackTo: _free,
    Savepoint: _free,
    SelectInto: relations.create_table_as,
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
    ShowModel: schemas.show_model,
    ShowOfDatabase: _free,
    ShowParameters: _free,
    ShowPrimaryKeys: _free,
    ShowSchemas: _free,
    ShowTable: _free,
    ShowTables: _free,
    ShowVariable: _free,
    ShowView: _free,
    Truncate: relations.truncate,
    Unlisten: _free,
    Unload: relations.unload,
    Vacuum: relations.maintain,
}
