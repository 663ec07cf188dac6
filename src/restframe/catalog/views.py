"""The system tables clients read, as SQL views over the catalog.

Each is a view in schema `_restframe`, found under its Redshift name when no table of the user's has it.
https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_system-tables.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from restframe.catalog import loads
from restframe.catalog.relations import ColumnDefinition, Relation
from restframe.catalog.store import INTERNAL_SCHEMA, Executor
from restframe.types import from_engine_type

_MODEL_INFO = """
    SELECT {database} schema_name, owner AS user_name, name AS model_name, 'CREATED' AS life_cycle,
           1::INTEGER AS is_refreshable,
           CASE state WHEN 'READY' THEN 'Model is Ready' WHEN 'FAILED' THEN 'Model Training Failed'
                ELSE 'Train Model On SageMaker In Progress' END AS model_state
    FROM _restframe.models ORDER BY schema_name, model_name
"""

VIEWS = {
    "stv_ml_model_info": _MODEL_INFO.format(database=""),
    "svv_ml_model_info": _MODEL_INFO.format(database="getvariable('restframe_database')::VARCHAR AS database_name,"),
    **loads.VIEWS,
}


def create(connection: Executor, macros: Iterable[str]) -> dict[str, Relation]:
    """Make the macros and views in the engine; the relations by the name they are found under."""
    definitions = [*macros]
    definitions += [f"CREATE OR REPLACE VIEW {INTERNAL_SCHEMA}.{name} AS {query}" for name, query in VIEWS.items()]
    signature = hashlib.sha256("\n".join(definitions).encode()).hexdigest()
    if signature != connection.run("SELECT definitions FROM _restframe.format")[0][0]:
        loads.create(connection)
        for definition in definitions:
            connection.run(definition)
        connection.run("UPDATE _restframe.format SET definitions = ?", [signature])
    columns = connection.run(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE schema_name = ? AND internal = false "
        "ORDER BY table_name, column_index",
        [INTERNAL_SCHEMA],
    )
    return {
        name: Relation(
            schema="pg_catalog",
            name=name,
            kind="system view",
            columns=tuple(
                ColumnDefinition(column, from_engine_type(type_)) for table, column, type_ in columns if table == name
            ),
            engine_schema=INTERNAL_SCHEMA,
        )
        for name in VIEWS
    }
