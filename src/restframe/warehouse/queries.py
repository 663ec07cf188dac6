"""Queries as a session runs them: with the names its catalog knows, and the models they call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from restframe import errors
from restframe.catalog.relations import Relation
from restframe.engine import Parameters, Stream
from restframe.result import Column, Result
from restframe.sql import ForecastReference, FunctionReference, QualifiedName, TableReference, Translation
from restframe.warehouse.forecasts.rows import forecast_reference
from restframe.warehouse.prediction.prefetch import prefetch
from restframe.warehouse.privileges import check_any, check_model, check_query, check_usage

if TYPE_CHECKING:
    from restframe.warehouse.session import Session


def stream(translation: Translation, session: Session, parameters: Parameters) -> Stream:
    """Start a translated query; calls of models in it belong to the session's running statement."""
    prepare_models(translation, session)
    found = session.connection.stream(translation.sql, parameters, few=translation.few)
    types = tuple(ours or theirs for ours, theirs in zip(translation.types, found.types, strict=True))
    batches = found.batches if found.complete else session.guarded(found.batches)
    return Stream(translation.labels or found.names, types, batches, found.complete)


def select(
    translation: Translation, session: Session, parameters: Parameters = (), described: tuple[Column, ...] | None = None
) -> Result:
    """A translated query's Result, which streams.

    described : the columns it shall have, when they have been told already
    """
    for name, value, local in translation.settings:
        if not local or session.transaction == "open":
            session.set_variable(_given(name, parameters), _given(value, parameters), local=local)
    found = stream(translation, session, parameters)
    origins = translation.origins or (None,) * len(found.names)
    columns = described or tuple(map(Column, found.names, found.types, origins))
    return Result(columns, "SELECT", 0, _batches=found.batches, complete=found.complete)


def _given(setting: str | int, parameters: Parameters) -> str:
    """A name or value of set_config(): itself, or the parameter of that number."""
    if isinstance(setting, str):
        return setting
    value = parameters[setting - 1] if isinstance(parameters, Sequence) else None
    if not isinstance(value, str):
        raise errors.InvalidParameterValue("set_config() needs the name and the value of a configuration parameter")
    return value


def prepare_models(translation: Translation, session: Session) -> None:
    """Whatever must happen before the engine runs a statement: whether the user may, and the models that it calls,
    itself or through a view."""
    check_query(translation, session)
    if not translation.calls and not any(table.models for table in translation.reads):
        return
    prefetch(translation, session.open_model_calls(), session)


class SessionNames:
    """The names a statement may use, as its session's catalog knows them.

    checked : whether what the session's user has no right to is kept secret, with InsufficientPrivilege
    """

    def __init__(self, session: Session, *, checked: bool = True) -> None:
        self._session = session
        self._checked = checked

    def relation(self, name: QualifiedName) -> TableReference:
        if self._checked:
            check_usage(name, self._session)
        found = self._session.catalog.relation(name.schema, name.name, name.position)
        if self._checked:
            check_any(found, self._session)
        return table_reference(found)

    def function(self, name: QualifiedName, argument_count: int) -> FunctionReference | None:
        if self._checked:
            check_usage(name, self._session)
        models = self._session.catalog.functions(name.schema, name.name)
        if not models:
            return None
        if self._checked:
            check_model(models[0], self._session)
        fitting = [model for model in models if len(model.argument_types) == argument_count]
        if not fitting:
            wanted = " or ".join(str(len(model.argument_types)) for model in models)
            raise errors.UndefinedFunction(
                f"function {name} takes {wanted} arguments, not {argument_count}", position=name.position
            )
        model = fitting[0]
        return FunctionReference(model.engine_function, model.arguments, model.return_type, origin=model)

    def forecast(self, name: QualifiedName) -> ForecastReference:
        if self._checked:
            check_usage(name, self._session)
        model = self._session.catalog.model(name.schema, name.name, name.position)
        if self._checked:
            check_model(model, self._session)
        return forecast_reference(model, self._session, name.position)


def table_reference(relation: Relation) -> TableReference:
    return TableReference(
        relation.engine_schema,
        relation.engine_name,
        {column.name: column.type for column in relation.columns},
        identities=frozenset(column.name for column in relation.columns if column.identity is not None),
        generated=frozenset(column.name for column in relation.columns if column.identity and column.identity.always),
        models=relation.models,
        is_view=relation.kind.endswith("view"),
        origin=relation,
        oid=relation.oid,
    )
