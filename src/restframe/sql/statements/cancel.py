"""CANCEL: stop what another session runs."""

from __future__ import annotations

from dataclasses import dataclass

from restframe.sql.lexer import Cursor
from restframe.sql.statements import Statement


@dataclass(frozen=True, slots=True)
class Cancel(Statement):
    """CANCEL process_id [ 'message' ]

    message : what the session is told instead of the usual

    https://docs.aws.amazon.com/redshift/latest/dg/r_CANCEL.html
    """

    pid: int
    message: str | None = None


def read_cancel(cursor: Cursor) -> Cancel:
    cursor.expect("CANCEL")
    pid = cursor.integer()
    return Cancel(pid, None if cursor.at_end() else cursor.string())
