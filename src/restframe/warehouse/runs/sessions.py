"""Sessions for runs: some that are ready, because opening one takes longer than many a statement, and those that
clients keep between statements."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from restframe import errors
from restframe.warehouse.runs.faults import NoSuchSession, SessionNotAvailable, TooManySessions
from restframe.warehouse.runs.model import Caller, Request
from restframe.warehouse.runs.register import Register, SessionRecord

if TYPE_CHECKING:
    from restframe.warehouse.session import Session

OpenSession = Callable[[str], "Session"]

# https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
_LONGEST_S = 24 * 60 * 60
_MOST_KEPT = 500


class ReadySessions:
    """Sessions that were used and show nothing of it, by user."""

    def __init__(self, open_session: OpenSession, most: int) -> None:
        self._open_session = open_session
        self._most = most
        self._lock = threading.Lock()
        self._ready: list[Session] = []
        self._closed = False

    def take(self, user: str) -> Session:
        while (session := self._take(user)) is not None:
            if session.is_current:
                return session
            session.close()
        return self._open_session(user)

    def _take(self, user: str) -> Session | None:
        with self._lock:
            for place in range(len(self._ready) - 1, -1, -1):
                if self._ready[place].login.name == user:
                    return self._ready.pop(place)
        return None

    def give_back(self, session: Session) -> None:
        """A session that is as good as new; one too many, the longest unused, is closed."""
        with self._lock:
            if not self._closed:
                self._ready.append(session)
                if len(self._ready) <= self._most:
                    return
                session = self._ready.pop(0)
        session.close()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            sessions, self._ready = self._ready, []
        for session in sessions:
            session.close()


@dataclass(frozen=True, slots=True)
class KeptSession:
    """A session that a client keeps, as it stands. run_id : of the run that it is busy with"""

    record: SessionRecord
    status: Literal["AVAILABLE", "BUSY", "CLOSED"]
    run_id: str | None = None


class _Held:
    """A kept session that is open, or will be by its first run."""

    def __init__(self, record: SessionRecord, run_id: str) -> None:
        self.record = record
        self.run_id: str | None = run_id
        self.session: Session | None = None


class KeptSessions:
    """Usable from any thread. One run at a time has a session, from `new` or `claim` until `release`."""

    def __init__(self, register: Register, open_session: OpenSession) -> None:
        self._register = register
        self._open_session = open_session
        self._lock = threading.Lock()
        self._held: dict[str, _Held] = {}

    def new(self, request: Request, caller: Caller, run_id: str) -> SessionRecord:
        """A session that the run is to open. TooManySessions."""
        now, keep_s = time.time(), request.keep_alive_s or 0
        record = SessionRecord(
            str(uuid.uuid4()),
            caller,
            request.user,
            request.database,
            request.labels,
            now,
            now,
            keep_s,
            now + _LONGEST_S,
        )
        with self._lock:
            if len(self._held) >= _MOST_KEPT:
                raise TooManySessions(f"Maximum number of active sessions exceeded: there are {_MOST_KEPT}")
            self._held[record.id] = _Held(record, run_id)
        return record

    def claim(self, request: Request, caller: Caller, run_id: str) -> SessionRecord:
        """The session a request names, for one of its caller's runs. NoSuchSession, SessionNotAvailable."""
        session_id = request.session_id or ""
        with self._lock:
            held = self._held.get(session_id)
            if held is None or held.record.caller.role != caller.role:
                self._find(session_id, caller)
                raise SessionNotAvailable("Session is not available")
            if held.run_id is not None or held.record.expires_at <= time.time():
                raise SessionNotAvailable("Session is not available")
            held.run_id = run_id
            held.record = replace(
                held.record, updated_at=time.time(), expires_at=held.record.created_at + _LONGEST_S,
                keep_alive_s=held.record.keep_alive_s if request.keep_alive_s is None else request.keep_alive_s,
            )  # fmt: skip
            return held.record

    def _find(self, session_id: str, caller: Caller) -> SessionRecord:
        record = self._register.find_session(session_id)
        if record is None or record.caller.role != caller.role:
            raise NoSuchSession(f"Session with Id: {session_id[:100]} is invalid")
        return record

    def open(self, session_id: str) -> Session:
        """The session of a run that has claimed it."""
        held = self._held[session_id]
        if held.session is None:
            held.session = self._open_session(held.record.user)
            held.session.on_terminate = lambda: self._close([held], idle=True)
        return held.session

    def release(self, session_id: str) -> None:
        """After a run: keep the session for its time, or close it when that is none."""
        now = time.time()
        with self._lock:
            held = self._held.get(session_id)
            if held is None:
                return
            record = held.record
            held.run_id = None
            held.record = replace(
                record, updated_at=now, expires_at=min(now + record.keep_alive_s, record.created_at + _LONGEST_S)
            )
            gone = held.session is None or held.session.terminated or held.record.expires_at <= now
        if gone:
            self._close([held])

    def forget(self, session_id: str) -> None:
        """Undo `new` for a run that was not accepted after all."""
        with self._lock:
            self._held.pop(session_id, None)

    def next_end(self) -> float | None:
        """When the next session that is idle is to be closed."""
        with self._lock:
            return min((one.record.expires_at for one in self._held.values() if one.run_id is None), default=None)

    def close_expired(self) -> None:
        now = time.time()
        with self._lock:
            expired = [one for one in self._held.values() if one.run_id is None and one.record.expires_at <= now]
        self._close(expired)

    def listed(self, caller: Caller, since: float) -> list[KeptSession]:
        """The sessions of the caller's role, closed ones included; the newest first."""
        return [self._shown(record) for record in self._register.sessions(caller, since)]

    def find(self, session_id: str, caller: Caller) -> KeptSession:
        return self._shown(self._find(session_id, caller))

    def _shown(self, record: SessionRecord) -> KeptSession:
        with self._lock:
            held = self._held.get(record.id)
            if held is None:
                return KeptSession(record, "CLOSED")
            return KeptSession(held.record, "AVAILABLE" if held.run_id is None else "BUSY", held.run_id)

    def close(self) -> None:
        self._close(list(self._held.values()))

    def _close(self, held: list[_Held], *, idle: bool = False) -> None:
        """idle : only those that no run is busy with"""
        with self._lock:
            chosen = [one for one in held if not (idle and one.run_id)]
            ours = [one for one in chosen if self._held.pop(one.record.id, None) is not None]
        for one in ours:
            if one.session is not None:
                one.session.close()
        if ours:
            now = time.time()
            self._register.write_sessions([replace(one.record, updated_at=now, closed=True) for one in ours])


@contextlib.contextmanager
def ready_session(sessions: ReadySessions, user: str, may_return: Callable[[Session], bool]) -> Iterator[Session]:
    """A session for one run, which is closed after it unless it may be given back."""
    session = sessions.take(user)
    good = False
    try:
        yield session
        good = may_return(session)
    finally:
        if good:
            sessions.give_back(session)
        else:
            with contextlib.suppress(errors.Error):
                session.close()
