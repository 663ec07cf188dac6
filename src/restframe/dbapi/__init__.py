"""The DB-API 2.0 face of the embedded warehouse.

    connection = restframe.connect("rides")
    with connection, connection.cursor() as cursor:
        cursor.execute("select * from trips where passengers > ?", (30_000,))
        print(cursor.fetchall())

Beyond the standard: `fetch_arrow`, `fetch_dataframe`, `cancel`, `autocommit`, iteration, context managers, `:name`
parameters out of a mapping, and an `executemany` that inserts all its rows as one statement.

https://peps.python.org/pep-0249/
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from restframe.dbapi.connection import Connection
from restframe.dbapi.cursor import Cursor
from restframe.dbapi.sharing import lease
from restframe.dbapi.types import (
    BINARY,
    DATETIME,
    NUMBER,
    ROWID,
    STRING,
    Binary,
    Date,
    DateFromTicks,
    Time,
    TimeFromTicks,
    Timestamp,
    TimestampFromTicks,
)
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
    from restframe.warehouse import Warehouse

apilevel = "2.0"
threadsafety = 1  # threads may share the module, each with connections of its own
paramstyle = "qmark"  # `:name` works too, with a mapping

__all__ = [
    "BINARY",
    "DATETIME",
    "NUMBER",
    "ROWID",
    "STRING",
    "Binary",
    "Connection",
    "Cursor",
    "DataError",
    "DatabaseError",
    "Date",
    "DateFromTicks",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "Time",
    "TimeFromTicks",
    "Timestamp",
    "TimestampFromTicks",
    "Warning",
    "apilevel",
    "connect",
    "paramstyle",
    "threadsafety",
]


def connect(directory: str | Path | Warehouse, *, autocommit: bool = False, **settings: Any) -> Connection:
    """A connection to the warehouse in a directory, which is created when missing, or to one that is already open.

    All connections of a process to one directory share one warehouse; it closes with the last of them. A Warehouse
    that is passed in stays open.
    settings : fields of restframe.Settings

    WarehouseLocked when another process has the directory open. InterfaceError when this process has it open
    with other settings.
    """
    return Connection(lease(directory, settings), autocommit=autocommit)
