"""Which command carries out which statement."""

from __future__ import annotations

from restframe.sql.statements import Statement
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
from restframe.sql.statements.transaction import Begin, Commit, Rollback
from restframe.sql.statements.variable import ResetVariable, SetVariable, ShowVariable
from restframe.warehouse.commands import Command, model, transaction, variable

COMMANDS: dict[type[Statement], Command] = {
    Begin: Command(transaction.begin, transaction=False),
    Commit: Command(transaction.commit, transaction=False),
    Rollback: Command(transaction.rollback, transaction=False),
    SetVariable: Command(variable.set_variable, transaction=False),
    ResetVariable: Command(variable.reset, transaction=False),
    ShowVariable: Command(variable.show, transaction=False),
    CreateRemoteModel: Command(model.create),
    CreateLocalModel: Command(model.create),
    CreateAutoModel: Command(model.create),
    CreateXgboostModel: Command(model.create),
    CreateKMeansModel: Command(model.create),
    CreateForecastModel: Command(model.create),
    CreateExternalModel: Command(model.create),
    DropModel: Command(model.drop),
    ShowModel: Command(model.show, transaction=False),
}
