"""The rows of a forecast, as SQL reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from restframe import errors
from restframe.catalog.models import Model
from restframe.catalog.store import INTERNAL_SCHEMA
from restframe.sql import ForecastReference, FunctionReference, TableReference
from restframe.types import SqlType

if TYPE_CHECKING:
    from restframe.warehouse.session import Session

DEFAULT_PERCENTILES = ("0.1", "0.5", "0.9")
MAX_ITEM_BYTES = 256

_ITEM = SqlType("varchar", length=MAX_ITEM_BYTES)
_TIME = SqlType("varchar", length=20)  # 2020-11-01T00:00:00Z
_VALUE = SqlType("float8")


def column_name(percentile: str) -> str:
    """p25 for 0.25, mean for mean."""
    return percentile if percentile == "mean" else f"p{round(float(percentile) * 100)}"


def columns(percentiles: Sequence[str]) -> dict[str, SqlType]:
    return {"id": _ITEM, "time": _TIME} | {column_name(one): _VALUE for one in percentiles}


def forecast_reference(model: Model, session: Session, position: int | None) -> ForecastReference:
    """What `FORECAST(model)` stands for. WrongObjectType, or ObjectNotInPrerequisiteState when there are no rows."""
    if model.kind != "forecast":
        raise errors.WrongObjectType(
            f'model "{model.name}" makes no forecast',
            position=position,
            hint=f"Call its function {model.function_schema}.{model.function_name}.",
        )
    record = session.services.forecasts.find(model.id)
    if model.state != "READY" or record is None:
        raise _not_ready(model, session, position)
    table = TableReference(INTERNAL_SCHEMA, model.forecast_table, columns(record.percentiles))
    return ForecastReference(table, FunctionReference(model.engine_function, (), _VALUE, origin=model))


def _not_ready(model: Model, session: Session, position: int | None) -> errors.Error:
    progress = session.services.forecasts.progress(model)
    hint = f"SHOW MODEL {model.schema}.{model.name} tells how far it is."
    if progress.state == "FAILED":
        hint = "Drop the model and create it again."
    elif progress.state == "READY":
        hint = "It has become ready after this transaction began: commit, and ask again."
    return errors.ObjectNotInPrerequisiteState(
        f'model "{model.name}" is not ready: it is {progress.state}',
        position=position,
        detail=progress.told,
        hint=hint,
    )
