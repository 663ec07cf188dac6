"""restframe: a warehouse in your own process that speaks Redshift SQL and Redshift ML.

    import restframe

    with restframe.open("rides") as warehouse:
        warehouse.sql("create table trips (started timestamp, passengers int)")
        warehouse.sql("insert into trips values ('2014-11-02 01:00', 39197)")
        print(warehouse.sql("select * from trips").fetchall())

`open` gives a Warehouse, `connect` a DB-API 2.0 connection. `forecasting` makes channels of a query, `plot` figures.
The errors live in `restframe.errors`; those that DB-API names stand here too. Everything arrives when it is first used,
so that importing restframe costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from restframe.errors import (
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    Warning,  # noqa: A004  (the name DB-API 2.0 prescribes)
)

if TYPE_CHECKING:
    from restframe import forecasting, plot
    from restframe.dbapi import apilevel, connect, paramstyle, threadsafety
    from restframe.result import Column, Notice, Result
    from restframe.settings import S3Endpoint, Settings
    from restframe.warehouse import Session, Warehouse, open  # noqa: A004

__version__ = "0.1.0"

__all__ = [
    "Column",
    "DataError",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "Notice",
    "OperationalError",
    "ProgrammingError",
    "Result",
    "S3Endpoint",
    "Session",
    "Settings",
    "Warehouse",
    "Warning",
    "__version__",
    "apilevel",
    "connect",
    "forecasting",
    "open",
    "paramstyle",
    "plot",
    "threadsafety",
]

_HOME = {
    "open": "restframe.warehouse",
    "Warehouse": "restframe.warehouse",
    "Session": "restframe.warehouse",
    "Result": "restframe.result",
    "Column": "restframe.result",
    "Notice": "restframe.result",
    "Settings": "restframe.settings",
    "S3Endpoint": "restframe.settings",
    "connect": "restframe.dbapi",
    "apilevel": "restframe.dbapi",
    "threadsafety": "restframe.dbapi",
    "paramstyle": "restframe.dbapi",
}

_MODULES = ("forecasting", "plot")


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"restframe.{name}")
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
