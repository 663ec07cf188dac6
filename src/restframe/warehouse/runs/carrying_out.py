"""One run, from its acceptance to its end: its state while it runs, and the running itself."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from restframe import errors
from restframe.jobs.waiting import wait_for
from restframe.result import Result
from restframe.sql import fill
from restframe.warehouse.runs.faults import ResultTooLarge
from restframe.warehouse.runs.model import Caller, Part, Request, Run, State
from restframe.warehouse.runs.results import Results, StoredRows

if TYPE_CHECKING:
    from restframe.warehouse.session import Session

logger = logging.getLogger(__name__)

_INTERRUPT_EVERY_S = 0.02

# What leaves a session as it was for whoever has it next.
_LEAVES_NO_TRACE = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", ""})


class LiveRun:
    """A run that has not ended. One thread carries it out; any thread may look at it, wait for it and cancel it.

    waiting : how many requests wait for its end
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._cancelled: tuple[State, str] | None = None  # the state it shall end in, and why
        self._results: dict[int, StoredRows] = {}
        self._traceless = True
        self._ending = threading.Condition()
        self._ended = False  # and its end is in the journal
        self.waiting = 0

    @property
    def run(self) -> Run:
        """As others may see it: it has no end before that is in the journal, where its results are."""
        run = self._run
        return replace(run, state="STARTED", error=None) if run.is_final and not self._ended else run

    @property
    def outcome(self) -> Run:
        """As it is, for the journal."""
        return self._run

    def _set(self, **changes: object) -> None:
        self._run = replace(self._run, updated_at=time.time(), **changes)  # type: ignore[arg-type]

    def wait(self, timeout_s: float, given_up: threading.Event | None = None) -> None:
        """Until its end is in the journal, the time is over, or soon after somebody has given up."""
        wait_for(self._ending, lambda: self._ended, timeout_s, given_up)

    def end(self) -> None:
        """Let go whoever waits for it."""
        with self._ending:
            self._ended = True
            self._ending.notify_all()

    # Cancelling

    def cancel(self, state: State, reason: str) -> bool:
        """See to it that the run ends, in this state and for this reason unless it ends by itself before.

        Returns whether it was still waiting: then it has ended, and nobody will pick it any more.
        """
        with self._lock:
            if self._run.state == "SUBMITTED":
                self._end(state, reason)
                return True
            if self._cancelled is not None or self._run.is_final:
                return False
            self._cancelled = (state, reason)
        threading.Thread(target=self._interrupt, name="cancelling", daemon=True).start()
        return False

    def _interrupt(self) -> None:
        """Until it helps: what comes while no statement is being executed has no effect."""
        while not self._ended:
            with self._lock:  # or another run might have the session by now
                if self._session is not None:
                    self._session.cancel()
            self.wait(_INTERRUPT_EVERY_S)

    # Running

    def pick(self) -> bool:
        """Take the run up; False when it was cancelled while it waited."""
        with self._lock:
            if self._run.state != "SUBMITTED":
                return False
            self._set(state="PICKED")
            return True

    def carry_out(self, session: Session, results: Results) -> dict[int, StoredRows]:
        """Run all texts in a session, and return the rows they answered by the number of the text.

        Raises nothing that a statement may do wrong; that stands in the run afterwards.
        """
        self._session = session
        self._set(state="STARTED", pid=session.pid)
        request = self._run.request
        together = request.batch and request.one_transaction
        block = together and session.transaction == "idle"
        try:
            if block:
                session.begin()
            failed = self._run_texts(session, results, together)
            if block and session.transaction != "idle":
                if failed:
                    session.rollback()
                else:
                    session.commit()
        except errors.Error as error:  # of the transaction: a statement's own are its part's
            self.fail(error_text(error))
            return {}
        finally:
            with self._lock:
                self._session = None
        self._end_by_parts()
        return self._results

    def _run_texts(self, session: Session, results: Results, together: bool) -> bool:
        """Whether any failed."""
        values = dict(self._run.request.parameters)
        failed = False
        for number, text in enumerate(self._run.request.texts):
            if self._cancelled is not None or (failed and together):
                state, reason = self._cancelled or ("ABORTED", None)
                self._set_part(number, state=state, error=reason)
                failed = True
                continue
            started = time.perf_counter_ns()
            self._set_part(number, state="STARTED")
            changes = self._run_text(session, results, number, text, values)
            failed |= changes["state"] != "FINISHED"
            self._set_part(number, duration_ns=time.perf_counter_ns() - started, **changes)
        return failed

    def _run_text(
        self, session: Session, results: Results, number: int, text: str, values: dict[str, str]
    ) -> dict[str, object]:
        """What the part is to be told."""
        filled = fill(text, values) if values else None
        before = session.statement_id
        try:
            answered = session.execute_all(filled.text if filled else text)
            last = answered[-1] if answered else Result()
            for result in answered[:-1]:
                result.close()
            self._traceless &= all(result.command in _LEAVES_NO_TRACE for result in answered)
            changes: dict[str, object] = {"state": "FINISHED", "size_bytes": 0, "has_result": last.returns_rows}
            if last.returns_rows:
                try:
                    self._results[number], changes["size_bytes"] = results.store(last, self._run.id, number)
                except BaseException:
                    session.give_up()
                    raise
            return {**changes, "rows": last.row_count or 0, "query_id": session.statement_id if answered else None}
        except errors.Error as error:
            self._traceless = False
            if filled is not None and error.position is not None:
                error.position = filled.original_position(error.position)
            cancelled = self._cancelled if isinstance(error, errors.QueryCanceled) else None
            state, reason = cancelled or ("FAILED", error_text(error))
            query_id = session.statement_id if session.statement_id != before else None
            return {"state": state, "error": reason, "query_id": query_id}

    def leaves_no_trace(self, session: Session) -> bool:
        """Whether another run may have the session next, and notice nothing of this one."""
        return self._traceless and session.transaction == "idle" and session.catalog.is_everybodys

    # Ending

    def fail(self, reason: str) -> None:
        """End it as a whole, whatever it has done."""
        self._end("FAILED", reason)

    def _end(self, state: State, error: str) -> None:
        for number, part in enumerate(self._run.parts):
            if not part.is_final:
                self._set_part(number, state=state, error=error)
        self._set(state=state, error=error)

    def _end_by_parts(self) -> None:
        parts = self._run.parts
        wrong = [number for number, part in enumerate(parts) if part.state != "FINISHED"]
        if not wrong:
            self._set(state="FINISHED")
            return
        if self._cancelled is not None and any(parts[number].error == self._cancelled[1] for number in wrong):
            self._set(state=self._cancelled[0], error=self._cancelled[1])
            return
        error = parts[wrong[0]].error
        if self._run.request.batch:
            error = f"Query #{wrong[0] + 1} failed with {error}"
        self._set(state="FAILED", error=error)

    def _set_part(self, number: int, **changes: object) -> None:
        parts = list(self._run.parts)
        parts[number] = replace(parts[number], updated_at=time.time(), **changes)  # type: ignore[arg-type]
        self._set(parts=tuple(parts))


def new_run(run_id: str, caller: Caller, request: Request, session_id: str | None) -> Run:
    now = time.time()
    part = Part(created_at=now, updated_at=now)
    return Run(run_id, caller, request, "SUBMITTED", now, now, (part,) * len(request.texts), session_id=session_id)


def error_text(error: errors.Error) -> str:
    """As Redshift's JDBC driver shows an error, and so the Data API: the lines behind the first where there are any."""
    lines = [error.message if isinstance(error, ResultTooLarge) else f"ERROR: {error.message}"]
    if error.detail:
        lines.append(f"Detail: {error.detail}")
    if error.hint:
        lines.append(f"Hint: {error.hint}")
    if error.position is not None:
        lines.append(f"Position: {error.position}")
    return "\n  ".join(lines)
