"""What can go wrong, in the words of somebody who runs the engine.

Error
├── DataError       a file, row or array is not what its declaration says; names file, line and column
├── SchemaDrift     a file's columns are not the declared ones; tells the difference
├── NoData          what was asked for has no observations
├── ServerError     there is no way to the server, or no longer
└── UsageError      an option or a name that does not exist
"""

from __future__ import annotations


class Error(Exception):
    """hint : one sentence saying what to do, when there is one thing to do"""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class DataError(Error):
    pass


class SchemaDrift(DataError):
    pass


class NoData(Error):
    pass


class ServerError(Error):
    pass


class UsageError(Error):
    pass
