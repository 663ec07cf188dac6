"""What sessions do and have done since the server started, for the system views that show it.

The views ask for it, by a function of the engine's, when a statement reads them; it costs nothing else. What was done
is kept in memory, in bounds: the newest statements and the newest sessions.
"""

from __future__ import annotations

import json
import threading
import time
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.catalog.views.base import LIVE_FUNCTION
from restframe.sql.functions.server import SIGNAL_FUNCTION
from restframe.sql.secrets import masked
from restframe.types import SqlType
from restframe.warehouse.configuration import VARIABLES
from restframe.warehouse.signals import signal

if TYPE_CHECKING:
    import pyarrow as pa

    from restframe.engine import Connection
    from restframe.sql.statements import Statement
    from restframe.warehouse.session import Session

MOST_STATEMENTS = 10_000
MOST_SESSIONS = 2_000
# Of a statement's text that is kept, and of all texts together, in characters.
LONGEST_TEXT = 20_000
MOST_TEXT = 8_000_000

_STATEMENT = (
    "id", "pid", "user_id", "user_name", "database_name", "xid", "label", "kind", "text", "status", "error", "code",
    "rows", "planned_us", "started_us", "ended_us",
)  # fmt: skip
_TEXT = _STATEMENT.index("text")

_KINDS = {
    "Query": "SELECT", "TranslatedQuery": "SELECT", "Insert": "INSERT", "Update": "UPDATE", "Delete": "DELETE",
    "Merge": "MERGE", "Copy": "COPY", "CopyFromStdin": "COPY", "CopyToStdout": "UNLOAD", "Unload": "UNLOAD",
    "CreateTableAs": "CTAS", "SelectInto": "CTAS",
}  # fmt: skip
_DDL = ("Create", "Alter", "Drop", "Truncate", "Comment", "Grant", "Revoke")
# Statements about rows name no secrets, and are too many to look.
_WITHOUT_SECRETS = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "CTAS"})


class Activity:
    """The sessions of a warehouse, and the statements that were run."""

    def __init__(self) -> None:
        self._open: weakref.WeakValueDictionary[int, Session] = weakref.WeakValueDictionary()
        self._closed: deque[dict[str, Any]] = deque(maxlen=MOST_SESSIONS)
        self._statements: deque[tuple[Any, ...]] = deque()
        self._length = 0  # of the texts of all of them
        self._lock = threading.Lock()

    # What sessions tell

    def opened(self, session: Session) -> None:
        self._open[session.pid] = session

    def closed(self, session: Session) -> None:
        if self._open.pop(session.pid, None) is not None:
            self._closed.append({**_session(session), "state": "closed", "ended_us": _now_us()})

    def record(
        self,
        session: Session,
        statement: Statement,
        plan_s: float,
        rows: int | None,
        error: BaseException | None = None,
    ) -> None:
        """Remember a statement that has ended."""
        kind = kind_of(statement)
        text = _kept_text(statement.text, kind)
        status, message, code = "success", None, None
        if error is not None:
            cancelled = session.cancelled or isinstance(error, errors.QueryCanceled)
            status = "canceled" if cancelled else "failed"
            message = _kept_text(getattr(error, "message", type(error).__name__), "")
            code = getattr(error, "sqlstate", "XX000")
        entry = (
            session.statement_id, session.pid, session.user_id, session.user, session.settings.database,
            session.transaction_id, session.variables["query_group"], kind, text, status, message, code, rows,
            int(plan_s * 1e6), int(session.statement_started * 1e6), _now_us(),
        )  # fmt: skip
        # The statement itself may hold a great many rows.
        session.running, session.last_statement = None, (text, kind)
        with self._lock:
            self._statements.append(entry)
            self._length += len(text)
            while len(self._statements) > MOST_STATEMENTS or self._length > MOST_TEXT:
                self._length -= len(self._statements.popleft()[_TEXT])

    def find(self, pid: int) -> Session | None:
        """The open session of a number."""
        return self._open.get(pid)

    # What views ask

    def register(self, connection: Connection) -> None:
        """Make the function that the views call, before they are made, and the one that stops other sessions."""
        text, number = SqlType("varchar"), SqlType("int8")
        connection.create_function(LIVE_FUNCTION, self._answer, (text, number), text)
        connection.create_function(SIGNAL_FUNCTION, self._signal, (text, number, number), number, pure=False)

    def _answer(self, what: pa.Array, pid: pa.Array) -> pa.Array:
        import pyarrow as pa

        texts = [self._text(*asked) for asked in zip(what.to_pylist(), pid.to_pylist(), strict=True)]
        return pa.array(texts, pa.string())

    def _signal(self, what: pa.Array, pid: pa.Array, asking: pa.Array) -> pa.Array:
        import pyarrow as pa

        sent: list[int | None] = []
        for kind, number, own in zip(what.to_pylist(), pid.to_pylist(), asking.to_pylist(), strict=True):
            session = self._open.get(own)
            sent.append(None if number is None or session is None else int(signal(kind, number, session)))
        return pa.array(sent, pa.int64())

    def _text(self, what: str, pid: int) -> str:
        rows = json.dumps(self._rows(what, self._open.get(pid)), ensure_ascii=False)
        return rows.encode("utf-8", "replace").decode()

    def _rows(self, what: str, asking: Session | None) -> list[dict[str, Any]]:
        if what == "statements":
            with self._lock:
                entries = list(self._statements)
            return [dict(zip(_STATEMENT, entry, strict=True)) for entry in entries]
        if what == "sessions":
            # References in one step: values() finds out while it walks that others have opened or closed a session.
            sessions = [session for known in self._open.valuerefs() if (session := known()) is not None]
            return [*self._closed, *map(_session, sessions)]
        return [] if asking is None else _OWN[what](asking)


def _settings(session: Session) -> list[dict[str, Any]]:
    return [
        {"name": name, "value": value, "initial": known.default, "read_only": known.read_only}
        for name, value in session.variables.all()
        if (known := VARIABLES.get(name)) is not None
    ]


def _prepared(session: Session) -> list[dict[str, Any]]:
    return [
        {"name": name, "text": _kept_text(one.text, ""), "parameters": [str(type_) for type_ in one.parameter_types]}
        for name, one in list(session.prepared.items())
    ]


def _cursors(session: Session) -> list[dict[str, Any]]:
    return [{"name": name} for name in list(session.cursors)]


# What a session is told of itself alone.
_OWN = {"settings": _settings, "prepared": _prepared, "cursors": _cursors}


def kind_of(statement: Statement) -> str:
    """SELECT, INSERT, UPDATE, DELETE, MERGE, COPY, UNLOAD, CTAS, DDL or UTILITY."""
    prepared = getattr(statement, "prepared", None)
    name = type(getattr(prepared, "statement", None) or statement).__name__
    return _KINDS.get(name) or ("DDL" if name.startswith(_DDL) else "UTILITY")


def _kept_text(text: str, kind: str) -> str:
    if len(text) > LONGEST_TEXT:
        text = text[:LONGEST_TEXT]
    if kind not in _WITHOUT_SECRETS:
        text = masked(text)
    return text.replace("\0", "") if "\0" in text else text


def _now_us() -> int:
    return int(time.time() * 1e6)


def _session(session: Session) -> dict[str, Any]:
    statement = session.running
    text, kind = session.last_statement
    if statement is not None:
        kind = kind_of(statement)
        text = _kept_text(statement.text, kind)
    in_transaction = session.transaction != "idle"
    return {
        "pid": session.pid,
        "user_id": session.user_id,
        "user_name": session.user,
        "database_name": session.settings.database,
        "application": session.variables["application_name"],
        "address": session.address,
        "state": "active" if session.executing else "idle in transaction" if in_transaction else "idle",
        "timeout_s": session.login.session_timeout_s or 0,
        "statement": session.statement_id,
        "xid": session.transaction_id,
        "label": session.variables["query_group"],
        "text": text,
        "kind": kind,
        "started_us": int(session.started * 1e6),
        "transaction_us": int(session.transaction_started * 1e6) if in_transaction else None,
        "statement_us": int(session.statement_started * 1e6) or None,
        "ended_us": None,
    }
