"""Which command carries out which statement."""

from __future__ import annotations

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
from restframe.warehouse.commands import (
    Command,
    alter_table,
    cancel,
    copy,
    copy_stream,
    cursor,
    explain,
    forecast_model,
    grant,
    group,
    maintenance,
    model,
    owner,
    prepare,
    returning,
    savepoint,
    schema,
    show,
    show_definition,
    show_functions,
    show_grants,
    table,
    transaction,
    unload,
    user,
    variable,
    view,
)

COMMANDS: dict[type[Statement], Command] = {
    Begin: Command(transaction.begin, transaction=False),
    Commit: Command(transaction.commit, transaction=False),
    Rollback: Command(transaction.rollback, transaction=False),
    Savepoint: Command(savepoint.save, transaction=False),
    ReleaseSavepoint: Command(savepoint.release, transaction=False),
    RollbackTo: Command(savepoint.roll_back, transaction=False),
    SetTransaction: Command(transaction.set_transaction, transaction=False),
    LockTable: Command(transaction.lock, transaction=False, locks=transaction.locks_of_lock),
    DeclareCursor: Command(cursor.declare, transaction=False),
    Fetch: Command(cursor.fetch, transaction=False, columns=cursor.columns_of_fetch),
    CloseCursor: Command(cursor.close, transaction=False),
    PrepareStatement: Command(prepare.prepare, transaction=False),
    Deallocate: Command(prepare.deallocate, transaction=False),
    Discard: Command(prepare.discard, transaction=False),
    Unlisten: Command(prepare.unlisten, transaction=False),
    SetVariable: Command(variable.set_variable, transaction=False),
    ResetVariable: Command(variable.reset, transaction=False),
    SetSessionAuthorization: Command(variable.set_session_authorization, transaction=False),
    CreateUser: Command(user.create, locks=user.locks),
    AlterUser: Command(user.alter, locks=user.locks),
    DropUser: Command(user.drop, locks=user.locks),
    CreateGroup: Command(group.create_group, locks=user.locks),
    AlterGroup: Command(group.alter_group, locks=user.locks),
    DropGroup: Command(group.drop_group, locks=user.locks),
    CreateRole: Command(group.create_role, locks=user.locks),
    AlterRole: Command(group.alter_role, locks=user.locks),
    DropRole: Command(group.drop_role, locks=user.locks),
    Grant: Command(grant.grant),
    Revoke: Command(grant.revoke),
    GrantRole: Command(grant.grant_role),
    RevokeRole: Command(grant.revoke_role),
    AlterDefaultPrivileges: Command(grant.alter_defaults),
    AlterOwner: Command(owner.alter),
    AlterSchemaQuota: Command(owner.set_quota),
    ShowVariable: Command(variable.show, transaction=False, columns=variable.columns_of_show),
    CreateTable: Command(table.create, locks=table.locks_of_create),
    CreateTableAs: Command(table.create_as, locks=table.locks_of_create),
    SelectInto: Command(table.select_into, locks=table.locks_of_create),
    DropTable: Command(table.drop, locks=table.locks_of_drop),
    AlterTable: Command(alter_table.alter, locks=alter_table.locks),
    Truncate: Command(table.truncate, locks=table.locks_of_table),
    CommentOn: Command(table.comment),
    Copy: Command(copy.run, locks=copy.locks),
    CopyFromStdin: Command(copy_stream.receive, locks=copy_stream.locks),
    CopyToStdout: Command(copy_stream.send, transaction=False),
    Unload: Command(unload.run, changes=False),
    CreateView: Command(view.create, locks=table.locks_of_create),
    DropView: Command(view.drop, locks=table.locks_of_drop),
    CreateSchema: Command(schema.create),
    DropSchema: Command(schema.drop),
    Analyze: Command(maintenance.analyze, changes=False),
    Vacuum: Command(maintenance.vacuum, transaction=False),
    Cancel: Command(cancel.cancel, transaction=False),
    Explain: Command(explain.explain, transaction=False, columns=returning(*explain.COLUMNS)),
    ShowDatabases: Command(show.databases, transaction=False, columns=returning(*show.DATABASES)),
    ShowSchemas: Command(show.schemas, transaction=False, columns=returning(*show.SCHEMAS)),
    ShowTables: Command(show.tables, transaction=False, columns=returning(*show.TABLES)),
    ShowColumns: Command(show.columns, transaction=False, columns=returning(*show.COLUMNS)),
    ShowPrimaryKeys: Command(show.primary_keys, transaction=False, columns=returning(*show.PRIMARY_KEYS)),
    ShowForeignKeys: Command(show.foreign_keys, transaction=False, columns=returning(*show.FOREIGN_KEYS)),
    ShowOfDatabase: Command(show_grants.of_database, transaction=False, columns=show_grants.columns_of_database),
    ShowGrants: Command(show_grants.grants, transaction=False, columns=show_grants.columns_of_grants),
    ShowGrantsFor: Command(show_grants.grants_for, transaction=False, columns=returning(*show_grants.TABLE)),
    ShowColumnGrants: Command(show_grants.column_grants, transaction=False, columns=returning(*show_grants.COLUMN)),
    ShowFunctions: Command(show_functions.functions, transaction=False, columns=show_functions.columns_of_functions),
    ShowParameters: Command(show_functions.parameters, transaction=False, columns=show_functions.columns_of_parameters),
    ShowTable: Command(show_definition.table, transaction=False, columns=returning(*show_definition.TABLE)),
    ShowView: Command(show_definition.view, transaction=False, columns=returning(*show_definition.VIEW)),
    CreateRemoteModel: Command(model.create, locks=model.locks_of_create),
    CreateLocalModel: Command(model.create),
    CreateAutoModel: Command(model.create),
    CreateXgboostModel: Command(model.create),
    CreateKMeansModel: Command(model.create),
    CreateForecastModel: Command(forecast_model.create, locks=model.locks_of_create),
    CreateExternalModel: Command(model.create),
    DropModel: Command(model.drop),
    ShowModel: Command(model.show, transaction=False, columns=model.columns_of_show),
}
