"""Models, as svv_ml_model_info and stv_ml_model_info show them."""

from __future__ import annotations

from restframe.catalog.views.base import KNOWN_MODEL
from restframe.catalog.views.definition import View, view

_COLUMNS = """
    schema_name    varchar(128)  m.
    user_name      varchar(128)  m.owner
    model_name     varchar(128)  m.name
    life_cycle     varchar(20)   'CREATED'
    is_refreshable int4          1
    model_state    varchar(128)  CASE state WHEN 'READY' THEN 'Model is Ready' WHEN 'FAILED' THEN 'Model Training Failed' ELSE 'Train Model On SageMaker In Progress' END
"""  # noqa: E501
_SOURCE = f"FROM _restframe.models m WHERE {KNOWN_MODEL} ORDER BY m.schema_name, m.name"

VIEWS: tuple[View, ...] = (
    view("stv_ml_model_info", _COLUMNS, _SOURCE),
    view(
        "svv_ml_model_info",
        f"database_name varchar(128) getvariable('restframe_database')\n{_COLUMNS}",
        _SOURCE,
    ),
)
