"""Models as SQL names them: CREATE MODEL's facts, and the prediction function it makes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from restframe.catalog.grants import Object
from restframe.types import SqlType, parse_type


@dataclass(frozen=True, slots=True)
class Model:
    """One model and its function.

    id : never used twice; names the engine function
    kind : remote, local, auto, xgboost, kmeans, forecast or external
    function_schema, function_name, returns : empty for a forecast, which has no function
    state : TRAINING, READY or FAILED
    argument_types, returns : of the function, as format_type() prints them
    endpoint : of a remote model, as CREATE MODEL named it
    target_model : the second string of SAGEMAKER, for endpoints that serve several models
    iam_role : as it was given; `default-aws-iam-role` for DEFAULT
    """

    id: int
    schema: str
    name: str
    owner: str
    created: datetime
    kind: str
    state: str
    function_schema: str
    function_name: str
    argument_types: list[str]
    returns: str
    endpoint: str | None
    target_model: str | None
    iam_role: str
    max_batch_rows: int | None

    FIELDS: ClassVar[tuple[str, ...]] = (
        "id",
        "schema_name",
        "name",
        "owner",
        "created",
        "kind",
        "state",
        "function_schema",
        "function_name",
        "argument_types",
        "returns",
        "endpoint",
        "target_model",
        "iam_role",
        "max_batch_rows",
    )
    DDL: ClassVar[str] = (
        "id BIGINT, schema_name VARCHAR, name VARCHAR, owner VARCHAR, created TIMESTAMP, kind VARCHAR, state VARCHAR, "
        "function_schema VARCHAR, function_name VARCHAR, argument_types VARCHAR[], returns VARCHAR, endpoint VARCHAR, "
        "target_model VARCHAR, iam_role VARCHAR, max_batch_rows BIGINT"
    )

    def values(self) -> list[Any]:
        return [getattr(self, field.name) for field in dataclasses.fields(self)]

    @property
    def object(self) -> Object:
        """What privileges are granted on."""
        return Object("model", self.id)

    @property
    def engine_function(self) -> str:
        return f"__m_{self.id}"

    @property
    def forecast_table(self) -> str:
        """Where the rows of a forecast are, in the catalog's own schema."""
        return f"forecast_{self.id}"

    @property
    def arguments(self) -> tuple[SqlType, ...]:
        return tuple(parse_type(text) for text in self.argument_types)

    @property
    def return_type(self) -> SqlType:
        return parse_type(self.returns)
