"""The service itself: accepts, runs, remembers and forgets."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace

from restframe import errors
from restframe.catalog.store import Catalog
from restframe.journal import Journal
from restframe.settings import Settings
from restframe.sql import fill
from restframe.warehouse.runs.carrying_out import LiveRun, error_text, new_run
from restframe.warehouse.runs.faults import (
    DifferentRequest,
    NoResult,
    NoSuchRun,
    NotRunning,
    TextTooLong,
    TooManyRuns,
    TooManyWaiting,
    UnusedParameters,
)
from restframe.warehouse.runs.model import Caller, Filter, Request, Run, State, digest
from restframe.warehouse.runs.register import Register, SessionRecord
from restframe.warehouse.runs.results import Results, StoredResult, StoredRows
from restframe.warehouse.runs.sessions import KeptSession, KeptSessions, OpenSession, ReadySessions, ready_session

logger = logging.getLogger(__name__)

# https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html has the limits.
LONGEST_TEXT_BYTES = 100 * 1024
_MOST_RUNS = 500
_TOKEN_LIVES_S = 8 * 60 * 60
_LONGEST_RUN_S = 24 * 60 * 60
_MOST_WAITING = 20

# How long a cancellation is waited for; what cannot be interrupted goes on ending behind the answer.
_CANCELLING_S = 2.0
_SWEEP_EVERY_S = 600.0


@dataclass(frozen=True, slots=True)
class Page:
    """Some runs, the newest first. next : what `list` is to be given for those after them, None at the end"""

    runs: tuple[Run, ...]
    next: int | None


class Statements:
    """Statement runs of one warehouse. Usable from any thread.

    Only the caller's role sees a run; NoSuchRun for everybody else, and for everybody once it is forgotten.
    """

    def __init__(self, settings: Settings, journal: Journal, open_session: OpenSession) -> None:
        self._register = Register(journal)
        self._results = Results(settings.directory / "results", settings.statement_result_bytes)
        self._kept_for_s = settings.statement_retention_s
        self._database = settings.database
        self._ready = ReadySessions(open_session, settings.statement_workers)
        self._kept = KeptSessions(self._register, open_session)
        self._workers = ThreadPoolExecutor(settings.statement_workers, thread_name_prefix="statement")
        self._accepting = threading.Lock()
        self._live: dict[str, LiveRun] = {}
        self._wake = threading.Condition()
        self._keeper: threading.Thread | None = None
        self._closing = False
        self._register.recover(time.time())
        self._sweep()

    # Accepting

    def submit(self, request: Request, caller: Caller, token: str | None = None) -> Run:
        """Accept a request: it is on the disk when this returns, and runs as soon as a worker is free.

        token : the same token within eight hours gives the run that it gave before, whatever has become of it
        Raises TextTooLong, UnusedParameters, DifferentRequest, TooManyRuns, TooManySessions, NoSuchSession and
        SessionNotAvailable.
        """
        with self._accepting:
            if token is not None:
                earlier = self._register.by_token(caller, token, time.time() - _TOKEN_LIVES_S)
                if earlier is not None:
                    return self._again(request, *earlier)
            _check(request)
            if self._closing:
                raise errors.OperationalError("the warehouse is being closed")
            if (
                len(self._live) >= _MOST_RUNS
                and sum(not live.run.is_final for live in list(self._live.values())) >= _MOST_RUNS
            ):
                raise TooManyRuns(f"The number of active statements exceeds the limit of {_MOST_RUNS}")
            live = self._accept(request, caller, token)
            self._start_keeper()
        self._workers.submit(self._work, live)
        return live.run

    def _again(self, request: Request, earlier: Run, earlier_digest: bytes) -> Run:
        if digest(request.to_json()) != earlier_digest:
            raise DifferentRequest("the client token was used before with other parameters")
        live = self._live.get(earlier.id)
        return earlier if live is None else live.run

    def _accept(self, request: Request, caller: Caller, token: str | None) -> LiveRun:
        run_id = str(uuid.uuid4())
        session: SessionRecord | None = None
        opened = request.session_id is None and request.keep_alive_s is not None
        accepted = request
        if opened:
            session = self._kept.new(request, caller, run_id)
        elif request.session_id is not None:
            session = self._kept.claim(request, caller, run_id)
            accepted = replace(request, user=session.user, database=session.database)
        live = LiveRun(new_run(run_id, caller, accepted, session.id if session else None))
        try:
            self._register.accept(live.run, digest(request.to_json()), token, session if opened else None)
        except BaseException:
            if session is not None:
                self._kept.forget(session.id) if opened else self._kept.release(session.id)
            raise
        self._live[run_id] = live
        return live

    # Running

    def _work(self, live: LiveRun) -> None:
        if not live.pick():
            return
        results: dict[int, StoredRows] = {}
        try:
            results = self._carry_out(live)
        except errors.Error as error:  # no session could be had
            live.fail(error_text(error))
        except Exception as error:
            logger.exception("run=%s", live.run.id)
            live.fail(f"ERROR: internal error: {type(error).__name__}")
        self._end(live, results)

    def _carry_out(self, live: LiveRun) -> dict[int, StoredRows]:
        run = live.run
        if run.request.database is not None and run.request.database.lower() != self._database:
            live.fail(f'FATAL: database "{run.request.database[:100]}" does not exist')
            return {}
        if run.session_id is not None:
            return live.carry_out(self._kept.open(run.session_id), self._results)
        with ready_session(self._ready, run.request.user, live.leaves_no_trace) as session:
            return live.carry_out(session, self._results)

    def _end(self, live: LiveRun, results: dict[int, StoredRows]) -> None:
        """Put the end into the journal, and only then let it be seen."""
        run = live.outcome
        if run.session_id is not None:
            self._kept.release(run.session_id)
            self._wake_keeper()
        try:
            self._register.finish(run, results)
            self._live.pop(run.id, None)
        except errors.Error as error:  # it stays among the living, because the journal does not know better
            logger.error("run=%s cannot be written: %s", run.id, error.message)
            live.fail(error_text(error))
        live.end()
        logger.info("run=%s state=%s rows=%s ms=%.1f", run.id, run.state, run.parts[-1].rows, run.duration_ns / 1e6)

    def cancel(self, run_id: str, caller: Caller) -> None:
        """End a run as ABORTED: at once when it is waiting, otherwise as soon as its statement can be interrupted.

        NotRunning when it has ended.
        """
        live = self._live.get(run_id)
        run = self.get(run_id, caller)
        if live is None or run.is_final:
            raise NotRunning(f"Could not cancel a query that is already in {run.state} state with ID: {run_id}")
        self._stop(live, "ABORTED", "Query cancelled on user's request")
        live.wait(_CANCELLING_S)

    def _stop(self, live: LiveRun, state: State, reason: str) -> None:
        if live.cancel(state, reason):
            self._end(live, {})

    # Looking

    def get(self, run_id: str, caller: Caller) -> Run:
        live = self._live.get(run_id)
        run = self._register.find(run_id) if live is None else live.run
        if run is None or run.caller.role != caller.role or (live is None and run.created_at < self._oldest()):
            raise NoSuchRun("Query does not exist.")
        return run

    def wait(self, run_id: str, caller: Caller, timeout_s: float, given_up: threading.Event | None = None) -> Run:
        """As `get`, when the run has ended, the time is over, or soon after somebody has given up. TooManyWaiting."""
        run = self.get(run_id, caller)
        live = self._live.get(run_id)
        if live is not None and not run.is_final:
            with self._counted(live):
                live.wait(timeout_s, given_up)
        return self.get(run_id, caller)

    @contextmanager
    def _counted(self, live: LiveRun) -> Iterator[None]:
        with self._accepting:
            if live.waiting >= _MOST_WAITING:
                raise TooManyWaiting(f"more than {_MOST_WAITING} requests wait for this statement")
            live.waiting += 1
        try:
            yield
        finally:
            with self._accepting:
                live.waiting -= 1

    def result(self, run_id: str, part: int, caller: Caller) -> StoredResult:
        """The rows that a part of a run has answered. NoResult when it has none, or not yet."""
        self.get(run_id, caller)
        rows = self._register.rows(run_id, part)
        if rows is None:
            raise NoResult("Query does not have result. Please check query status with DescribeStatement.")
        return self._results.open(rows, run_id, part)

    def listed(self, caller: Caller, wanted: Filter, limit: int, after: int | None = None) -> Page:
        """Runs of the caller's role, the newest first."""
        runs: list[Run] = []
        while True:
            found = self._register.listed(caller, wanted, self._oldest(), after, limit + 1)
            for number, run in found:
                live = self._live.get(run.id)
                run = run if live is None else live.run
                if wanted.state is None or run.state == wanted.state:
                    if len(runs) == limit:
                        return Page(tuple(runs), after)
                    runs.append(run)
                after = number
            if len(found) <= limit:
                return Page(tuple(runs), None)

    def sessions(self, caller: Caller) -> list[KeptSession]:
        """The kept sessions of the caller's role, those closed within the retention time too."""
        return self._kept.listed(caller, self._oldest())

    def session(self, session_id: str, caller: Caller) -> KeptSession:
        """NoSuchSession."""
        return self._kept.find(session_id, caller)

    @contextmanager
    def catalog(self, user: str) -> Iterator[Catalog]:
        """The catalog as a new session of the user sees it. WarehousePaused."""
        with ready_session(self._ready, user, lambda _: True) as session:
            session.services.cluster.check_running()
            yield session.catalog

    # Forgetting

    def _oldest(self) -> float:
        return time.time() - self._kept_for_s

    def _start_keeper(self) -> None:
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._keep, name="statements", daemon=True)
            self._keeper.start()

    def _wake_keeper(self) -> None:
        with self._wake:
            self._wake.notify()

    def _keep(self) -> None:
        """Close sessions when their time is over, stop what runs too long, and forget what is old."""
        swept = time.time()
        while True:
            with self._wake:  # whoever changes what is looked at wakes us after, and would wake nobody before we wait
                next_end = self._kept.next_end()
                until = swept + _SWEEP_EVERY_S if next_end is None else min(next_end, swept + _SWEEP_EVERY_S)
                if not self._closing:
                    self._wake.wait(max(0.0, until - time.time()) + 0.001)
            if self._closing:
                return
            try:
                self._kept.close_expired()
                if time.time() >= swept + _SWEEP_EVERY_S:
                    swept = time.time()
                    self._sweep()
            except errors.Error as error:
                logger.error("statements cannot be swept: %s", error.message)

    def _sweep(self) -> None:
        for live in list(self._live.values()):
            if live.run.created_at < time.time() - _LONGEST_RUN_S:
                self._stop(live, "FAILED", "Query exceeded the maximum duration of 24 hours")
        self._register.forget(self._oldest())
        files = self._results.files()
        # In this order: a run that ends now is in the journal before it leaves the living.
        busy = set(self._live)
        self._results.remove({one for one in files - self._register.in_files() if one[0] not in busy})

    def close(self) -> None:
        """Stop what runs, and end all sessions."""
        with self._accepting:
            if self._closing:
                return
            self._closing = True
        for live in list(self._live.values()):
            self._stop(live, "FAILED", "The server was stopped while the statement was waiting or running.")
        self._workers.shutdown()
        self._wake_keeper()
        if self._keeper is not None:
            self._keeper.join()
        self._kept.close()
        self._ready.close()


def _check(request: Request) -> None:
    if any(len(text) > LONGEST_TEXT_BYTES or len(text.encode()) > LONGEST_TEXT_BYTES for text in request.texts):
        raise TextTooLong("Cannot process query string larger than 100kB")
    if request.parameters:
        values = dict(request.parameters)
        unused = set(values).difference(*(fill(text, values).names for text in request.texts))
        if unused:
            raise UnusedParameters(
                f"Parameters list contains unused parameters. Unused parameters: [{', '.join(sorted(unused))[:100]}]"
            )
