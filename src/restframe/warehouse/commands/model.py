"""CREATE MODEL, SHOW MODEL and DROP MODEL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from restframe import errors
from restframe.catalog.models import Model
from restframe.catalog.store import INTERNAL_SCHEMA
from restframe.ml.algorithm import RowPredictor
from restframe.result import Column, Result
from restframe.sql.statements.iam_role import role_name
from restframe.sql.statements.model import (
    CreateExternalModel,
    CreateModel,
    CreateRemoteModel,
    DropModel,
    ShowModel,
)
from restframe.types import SqlType
from restframe.warehouse.commands import Columns, Locks
from restframe.warehouse.commands.model_rows import describe
from restframe.warehouse.privileges import is_visible

if TYPE_CHECKING:
    from restframe.warehouse.session import Session

_TEXT = SqlType("varchar", length=65535)


def create(statement: CreateModel | CreateExternalModel, session: Session) -> Result:
    """Name an endpoint's model in SQL; it is READY at once.

    The models that Redshift trains itself, and endpoints of several models, are understood and refused by name;
    forecasts have a command of their own. UndefinedObject for an unknown endpoint, EndpointNotReady for one that is
    not in service, WrongObjectType for one that forecasts.
    """
    if not isinstance(statement, CreateRemoteModel):
        raise errors.NotSupportedError(
            f"CREATE MODEL with {statement.label} is not supported yet",
            position=statement.name.position,
            hint="Train the model as a job, deploy it as an endpoint, and name that with SAGEMAKER.",
        )
    schema = session.catalog.creation_schema(statement.name.schema, statement.name.position)
    model = Model(
        id=session.catalog.next_model_id(),
        schema=schema,
        name=statement.name.name,
        owner=session.user,
        created=datetime.now(UTC).replace(tzinfo=None, microsecond=0),
        kind=statement.kind,
        state="READY",
        # A function named without a schema stands in its model's.
        function_schema=statement.function.schema or schema,
        function_name=statement.function.name,
        argument_types=[str(type_) for type_ in statement.argument_types],
        returns=str(statement.returns),
        endpoint=statement.endpoint,
        target_model=statement.target_model,
        iam_role=role_name(statement.iam_role),
        max_batch_rows=statement.settings.max_batch_rows,
    )
    _check_free(statement, model, session)
    _check_endpoint(statement, session)
    session.catalog.add_model(model)
    session.services.functions.register(model, session.connection)
    return Result(command="CREATE MODEL")


def locks_of_create(statement: CreateModel | CreateExternalModel, session: Session) -> Locks:
    """The name itself: of two who create it, the second waits, and is told that it exists."""
    schema = session.catalog.creation_schema(statement.name.schema, statement.name.position)
    return ((INTERNAL_SCHEMA, f"model {schema}.{statement.name.name}"),)


def _check_free(statement: CreateRemoteModel, model: Model, session: Session) -> None:
    if session.catalog.find_model(model.schema, model.name) is not None:
        raise errors.DuplicateObject(f'model "{model.name}" already exists', position=statement.name.position)
    if not session.catalog.has_schema(model.function_schema):
        raise errors.UndefinedSchema(
            f'schema "{model.function_schema}" does not exist', position=statement.function.position
        )
    for other in session.catalog.functions(model.function_schema, model.function_name):
        if len(other.argument_types) == len(model.argument_types):
            if other.argument_types != model.argument_types:
                raise errors.NotSupportedError(
                    f'function "{model.function_name}" exists with as many arguments of other types',
                    position=statement.function.position,
                    hint="Functions of one name must differ in their number of arguments.",
                )
            raise errors.DuplicateFunction(
                f'function "{model.function_name}" already exists with same argument types',
                position=statement.function.position,
            )


def _check_endpoint(statement: CreateRemoteModel, session: Session) -> None:
    if statement.returns.name not in _RETURNS:
        raise errors.NotSupportedError(
            f"RETURNS {statement.returns} is not supported for remote inference", position=statement.function.position
        )
    if statement.target_model is not None:
        raise errors.NotSupportedError(
            "endpoints of several models are not supported",
            position=statement.endpoint_position,
            hint="Deploy the model as an endpoint of its own.",
        )
    try:
        session.jobs.check_in_service(statement.endpoint)
    except (errors.UndefinedObject, errors.EndpointNotReady) as error:
        error.position = statement.endpoint_position
        raise
    predictor = session.jobs.predictor(statement.endpoint)
    if predictor is not None and not isinstance(predictor, RowPredictor):
        raise errors.WrongObjectType(
            f'endpoint "{statement.endpoint}" forecasts series and cannot be asked about rows',
            position=statement.endpoint_position,
            hint="CREATE MODEL with MODEL_TYPE FORECAST makes a forecast that SELECT FORECAST(model) reads.",
        )


_RETURNS = ("int2", "int4", "int8", "float4", "float8", "numeric", "bool", "varchar", "bpchar")


def drop(statement: DropModel, session: Session) -> Result:
    """Commits at once, as in Redshift; the endpoint stays, a training of the model's ends.

    DependentObjectsStillExist when views call the model's function: there is no CASCADE that could drop them.
    """
    model = session.catalog.find_model(statement.name.schema, statement.name.name)
    if model is None:
        if not statement.if_exists:
            raise errors.UndefinedObject(f'model "{statement.name}" does not exist', position=statement.name.position)
        session.notice(f'Model "{statement.name}" does not exist and will be skipped')
        return Result(command="DROP MODEL")
    callers = session.catalog.callers(model)
    if callers:
        raise errors.DependentObjectsStillExist(
            f"cannot drop model {model.name} because other objects depend on it",
            position=statement.name.position,
            detail=f"dependent views: {', '.join(f'{schema}.{view}' for schema, view in callers[:10])}",
            hint="Drop the views first.",
        )
    session.catalog.remove_model(model)
    session.commit_now()
    session.services.functions.forget(model)
    if model.kind == "forecast":
        session.services.forecasts.dropped(model)
    return Result(command="DROP MODEL")


def columns_of_show(statement: ShowModel, session: Session) -> Columns:
    names = ("Schema Name", "Model Name") if statement.name is None else ("Key", "Value")
    return tuple(Column(name, _TEXT) for name in names)


def show(statement: ShowModel, session: Session) -> Result:
    columns = [(column.name, column.type) for column in columns_of_show(statement, session) or ()]
    if statement.name is None:
        models = session.catalog.models()
        rows = [(one.schema, one.name) for one in models if is_visible(one.object, one.owner, session)]
        return Result.of_rows(columns, rows, "SHOW MODEL")
    name = statement.name
    model = session.catalog.model(name.schema, name.name, name.position)
    return Result.of_rows(columns, describe(model, session), "SHOW MODEL")
