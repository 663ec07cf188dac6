"""A session: one user's conversation with the warehouse, statement by statement.

A session may be used by one thread at a time; `cancel` alone may be called from any other.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from restframe import errors, sql
from restframe.catalog.store import TEMPORARY_SCHEMA, Catalog
from restframe.catalog.users import User
from restframe.engine import Connection, Parameters
from restframe.result import Notice, Result
from restframe.sql.parameter_rows import insert_of_rows
from restframe.sql.secrets import masked
from restframe.sql.statements import Statement
from restframe.sql.statements.transaction import Begin, Commit, Rollback, RollbackTo, Savepoint
from restframe.types import SqlType
from restframe.warehouse.cursors import OpenCursor
from restframe.warehouse.engine_variables import EngineVariables
from restframe.warehouse.plan import Plan, locate, plan, remembered
from restframe.warehouse.prediction.functions import StatementCalls
from restframe.warehouse.prepared import WITHOUT_ENGINE, Bound, Prepared, check_columns, prepare
from restframe.warehouse.savepoints import SavedState
from restframe.warehouse.variables import Variables
from restframe.warehouse.watch import Watch

if TYPE_CHECKING:
    import pyarrow as pa

    from restframe.warehouse.copy_streams import CopyStreams
    from restframe.warehouse.services import Services

logger = logging.getLogger(__name__)

TransactionState = Literal["idle", "open", "failed"]
Scope = Literal["statement", "text", "block"]
Progress = Callable[[float, float], None]

_statement_ids = itertools.count(1)
_transaction_ids = itertools.count(1)
_session_ids = itertools.count(1)

# Sets of parameters of one INSERT that are in memory together.
_ROWS_AT_ONCE = 50_000

# So many characters take long enough to read that somebody may cancel it.
_LONG_TEXT = 10_000


class Session:
    """One conversation: its transaction, its SET values, its temporary tables, its running statement.

    login : the user who came in; user, user_id : as whom the session acts now (SET SESSION AUTHORIZATION)
    on_progress : called with (done, total) while a long statement runs
    copy_streams : how COPY FROM STDIN and TO STDOUT reach the client, when the door can carry them
    savepoints : of the open transaction; None for clients that know Redshift, which has none
    pid : what pg_backend_pid() answers
    address : of the client, when it has come over a network
    running : the statement that runs
    last_statement : text and kind of the one before
    followed : what the user may do beside others' statements, as the running statement found it
    on_terminate : called, from any thread, when somebody ends the session: its door is to close it soon
    terminated : somebody has; what is asked of it now ends it
    started, statement_started, transaction_started : in seconds since 1970
    transaction_id : of the transaction that is open, or was the last
    ended_transactions : how many have ended, however they did
    """

    def __init__(self, services: Services, user: str) -> None:
        self.services = services
        self.settings = services.settings
        self.storage = services.storage
        self.jobs = services.jobs
        self.connection: Connection = services.engine.connect()
        self.catalog = Catalog(self.connection, services.cache, services.system_views)
        self.login = self._log_in(user)
        self.user, self.user_id = self.login.name, self.login.id
        self._authorized_before = self.user_id
        self.variables = Variables(
            {"statement_timeout": str(self.settings.statement_timeout_ms), **dict(self.login.settings)}
        )
        self.on_progress: Progress | None = None
        self.copy_streams: CopyStreams | None = None
        self.savepoints: list[SavedState] | None = None
        self.on_terminate: Callable[[], None] | None = None
        self.terminated = False
        self.pid = self.catalog.session_id = next(_session_ids)
        self.started = time.time()
        self.address: str | None = None
        self.running: Statement | None = None
        self.last_statement = ("", "UTILITY")
        self.statement_started = self.transaction_started = 0.0
        self.transaction_id = 0
        self.ended_transactions = 0
        self.transaction: TransactionState = "idle"
        self._scope: Scope = "statement"  # what the open transaction lasts for
        self._untouched = False  # the open transaction has carried out nothing yet
        self.has_written = False  # the open transaction, whatever: then it cannot go back to where it stands
        self._closed = False
        self._model_calls: StatementCalls | None = None  # kept, so that the engine finds them by the statement's id
        self.cursors: dict[str, OpenCursor] = {}  # of the open transaction, by name
        self._reading: OpenCursor | None = None  # the one whose rows the engine still computes
        self._undone = 0  # how often a transaction was undone by an error
        self.prepared: dict[str, Prepared] = {}  # by the names that PREPARE or a client gave them
        self._result: Result | None = None  # the last one, perhaps still streaming
        self._notices: list[Notice] = []
        self._watch = Watch(self.connection, lambda: self._result is not None and self._result.streams)
        self._engine_variables = EngineVariables(self)
        self.authorize(self.login.id)
        services.activity.opened(self)

    def _log_in(self, name: str) -> User:
        user = self.catalog.users.find(name) or self.catalog.users.find(name.lower())
        if user is None:
            self.connection.close()
            raise errors.InvalidAuthorization(f'user "{name[:100]}" does not exist')
        return user

    @property
    def is_current(self) -> bool:
        """Whether a new session of the same user would be like it: nobody has changed or dropped the user."""
        return (
            not self.terminated
            and self.user_id == self.login.id
            and self.catalog.users.find(self.login.name) == self.login
        )

    # Running statements

    def execute(self, text: str, parameters: Parameters = ()) -> Result:
        """Run a text and return its last statement's Result; an empty Result for a blank text.

        Several statements in one text are one transaction unless they bring their own BEGIN and COMMIT.
        parameters : values for `?`, `$1` or `:name` in a text of a single statement
        """
        return (self.execute_all(text, parameters) or [Result()])[-1]

    def execute_all(self, text: str, parameters: Parameters = ()) -> list[Result]:
        """Run a text and return every statement's Result; only the last one still streams."""
        return list(self.execute_each(text, parameters))

    def execute_each(self, text: str, parameters: Parameters = ()) -> Iterator[Result]:
        """Run a text and hand out each statement's Result before the next one runs.

        Rows that were not read by then wait in the spool. When reading them fails, or the iterator is closed, the
        statements that are left do not run, and unless the text has committed, all of it is undone.
        """
        self._check_open()
        known = None if parameters else remembered(text, self)
        statements = self.parse(text) if known is None else [known]
        if parameters and len(statements) > 1:
            raise errors.SyntaxError("cannot insert multiple commands into a prepared statement")
        undone = self._undone
        try:
            for left, statement in zip(reversed(range(len(statements))), statements, strict=True):
                if len(statements) > 1 and self.transaction == "idle" and not isinstance(statement, Begin):
                    self._begin("text")
                result = self._run(statement, parameters)
                if not left:
                    self.end_implicit()
                yield result
                if self._undone != undone:
                    return
        except GeneratorExit:
            if left:
                self.give_up()
            raise

    def prepare(self, text: str, parameter_types: Sequence[SqlType | None] = ()) -> Prepared:
        """Plan a text of one statement, or none, with values to come for `$1`, `$2` ...

        parameter_types : of the first parameters; None for one that shall have the type of what it stands beside

        An error fails the transaction block it happens in.
        """
        self._check_open()
        with self._failing():
            return prepare(self, text, tuple(parameter_types))

    def run_prepared(self, prepared: Prepared, values: Sequence[Any] = ()) -> Result:
        """Run a prepared statement; the Result has exactly the columns that were described.

        values : one for each parameter, of Python's types for it; a text is read as the type's input

        NotSupportedError when a change of the catalog would give it other columns.
        """
        self._check_open()
        if prepared.statement is None:
            return Result()
        if prepared.translation is None and not prepared.parameter_types:
            with self._failing():
                check_columns(prepared, self)
                statement = prepared.statement.bind(values)
            return self._run(statement, ())
        bound = Bound(prepared, values, text=prepared.text, position=prepared.statement.position)
        return self._run(bound, ())

    def _check_open(self) -> None:
        if self._closed:
            raise errors.InterfaceError("the session is closed")
        if self.terminated:
            self.close()
            raise _terminated()
        self.services.cluster.check_running()

    def execute_many(self, text: str, rows: Iterable[Parameters]) -> int:
        """Run one statement with each set of parameters, as one transaction; returns how many rows changed in all.

        INSERT ... VALUES (?, ...) takes many rows at once, other statements one set after the other.
        """
        self._check_open()
        remaining, changed = iter(rows), 0
        while part := list(itertools.islice(remaining, _ROWS_AT_ONCE)):
            insert = insert_of_rows(text, part)
            for statement, parameters in [(insert, ())] if insert else self._each(text, part):
                if self.transaction == "idle":
                    self._begin("text")
                changed += self._run(statement, parameters).row_count or 0
        self.end_implicit()
        return changed

    def parse(self, text: str) -> list[Statement]:
        """The statements of a text. One that cannot be read fails the block it stands in, like any other error.

        A long text can be cancelled while it is read, and is under the statement time-out.
        """
        with self._failing():
            if len(text) < _LONG_TEXT:
                return sql.parse(text)
            return self._watch.parsing(lambda: sql.parse(text), self.variables.statement_timeout_s)

    @contextlib.contextmanager
    def _failing(self) -> Iterator[None]:
        """What goes wrong before a statement runs fails the block it stands in."""
        try:
            yield
        except errors.Error:
            if self.transaction == "open" and self._scope == "block":
                self.close_cursors()
                self.settle()
                self._undo()
            raise

    def _each(self, text: str, rows: Iterable[Parameters]) -> Iterator[tuple[Statement, Parameters]]:
        statements = self.parse(text)
        if len(statements) != 1:
            raise errors.SyntaxError("a single statement is wanted here")
        return ((statements[0], row) for row in rows)

    def _run(self, statement: Statement, parameters: Parameters) -> Result:
        self.settle(cursors=not isinstance(statement, WITHOUT_ENGINE))
        if self.transaction == "failed" and not isinstance(statement, Commit | Rollback | RollbackTo):
            raise errors.InFailedTransaction(
                "current transaction is aborted, commands ignored until end of transaction block"
            )
        self._watch.begin(next(_statement_ids), self.variables.statement_timeout_s)
        self.running, self.statement_started = statement, time.time()
        if self.transaction == "idle":
            self.transaction_id = next(_transaction_ids)
        self._notices = []
        started = time.perf_counter()
        plan_s = 0.0
        with self._watch.running():
            try:
                if not isinstance(statement, WITHOUT_ENGINE):
                    self.followed = self.catalog.rights
                    self._engine_variables.follow_changes()
                planned = plan(statement, self, parameters)
                plan_s = time.perf_counter() - started
                result = self._carry_out(planned)
            except BaseException as error:
                self._log(type(error).__name__, None, started, statement)
                self.services.activity.record(self, statement, plan_s, None, error)
                self._undo()
                if isinstance(error, errors.DiskFull):
                    self._give_space_back()
                self._watch.raise_cancelled(error)
                if isinstance(error, errors.ProgrammingError):
                    locate(error, statement)
                raise
        result.notices = self._notices
        result.statistics.plan_s = plan_s
        result.statistics.run_s = time.perf_counter() - started - plan_s
        self._result = None if result.complete else result
        self._log(result.command, result.row_count, started, statement)
        self.services.activity.record(self, statement, plan_s, result.row_count)
        return result

    def _carry_out(self, planned: Plan) -> Result:
        if planned.changes and self.variables.read_only(in_transaction=self.transaction == "open"):
            raise errors.ReadOnlyTransaction("transaction is read-only")
        for table in planned.locks:
            self.write_lock(table)
        if planned.locks and self.transaction == "open" and self._untouched:
            # Looking names up has fixed what the transaction sees. What was committed while it waited would conflict.
            self.connection.rollback()
            self.catalog.rollback()
            self.connection.begin()
            self.catalog.begin()
        self._untouched = self._untouched and isinstance(self.running, Savepoint)
        alone = planned.transaction and self.transaction == "idle"
        if alone:
            self._begin("statement")
        result = planned.run()
        self.has_written = self.has_written or planned.transaction or bool(planned.locks)
        self.catalog.grants.write_lists()
        if alone and self.transaction == "open":
            self._commit()
        return result

    def guarded(self, batches: Generator[pa.RecordBatch]) -> Generator[pa.RecordBatch]:
        """The batches of a statement that streams, under its time-out and cancellation until the last is read."""
        with contextlib.closing(batches):
            while True:
                with self._watch.running():
                    try:
                        self.check_cancelled()
                        batch = next(batches, None)
                    except BaseException as error:
                        batches.close()  # the engine ends no transaction while rows are being read
                        self._undo()
                        self._watch.raise_cancelled(error)
                        raise
                if batch is None:
                    return
                yield batch

    # Cancellation

    def cancel(self, message: str | None = None) -> None:
        """Stop the running statement with QueryCanceled; no effect when none runs. Callable from any thread.

        Returns at once; a statement that cannot be stopped right now is stopped as soon as it can be.
        """
        statement_id = self.statement_id
        message = message or f"Query ({statement_id}) cancelled on user's request"
        self._watch.stop(statement_id, errors.QueryCanceled(message))

    def terminate(self) -> None:
        """End the session: what it runs now, or is asked next, fails with AdminShutdown. Callable from any thread.

        Its door is told, if it wants to be, and closes it; otherwise that happens when it is used again.
        """
        self.terminated = True
        self._watch.stop(self.statement_id, _terminated())
        if self.on_terminate is not None:
            self.on_terminate()

    def check_cancelled(self) -> None:
        """For Python loops inside a statement: QueryCanceled once somebody asked for it."""
        self._watch.check_cancelled()

    @property
    def statement_id(self) -> int:
        """Of the statement that runs, or was the last."""
        return self._watch.statement_id

    @property
    def executing(self) -> bool:
        return self._watch.executing

    @property
    def cancelled(self) -> bool:
        return self._watch.cancelled

    # What commands use

    def notice(
        self, message: str, severity: str = "INFO", hint: str | None = None, sqlstate: str | None = None
    ) -> None:
        self._notices.append(Notice(message, severity, hint, sqlstate))

    def progress(self, done: float, total: float) -> None:
        if self.on_progress is not None:
            self.on_progress(done, total)

    def write_lock(self, table: tuple[str, str]) -> None:
        """Wait until no other transaction writes this table, given by the engine's schema and name."""
        if table[0] != TEMPORARY_SCHEMA:
            self.services.locks.acquire(self, table, self.check_cancelled)

    def set_engine_variable(self, name: str, value: str | int | tuple[str | int, ...]) -> None:
        """Make a value readable in SQL as `getvariable('restframe_<name>')`, in this session."""
        self._engine_variables.set(name, value)

    def set_variable(self, name: str, value: str | None, *, local: bool = False) -> None:
        """SET, or RESET when there is no value; `all` resets everything. `local` is for the open transaction only."""
        if value is not None:
            self.variables.set(name, value, local=local)
        elif name.lower() == "all":
            self.variables.reset_all()
        else:
            self.variables.reset(name)
        self._engine_variables.follow_parameter(name)

    def authorize(self, user_id: int) -> None:
        """Act as this user from here on, until the transaction is rolled back or somebody else is authorized."""
        self.catalog.user_id = self.user_id = user_id
        self.followed = self.catalog.rights
        self.user = self.followed.user.name
        self._engine_variables.tell_user()

    def open_model_calls(self) -> StatementCalls:
        """From here on the running statement's calls of models share one memo."""
        self._model_calls = self.services.functions.open_statement(self.statement_id, self.check_cancelled)
        self.set_engine_variable("statement", self.statement_id)
        return self._model_calls

    @contextlib.contextmanager
    def separate_transaction(self) -> Iterator[Connection]:
        """A connection whose work stays even when this session's transaction fails."""
        connection = self.services.engine.connect()
        try:
            connection.begin()
            yield connection
            connection.commit()
        finally:
            connection.close()

    # Transactions

    def begin(self) -> None:
        """BEGIN: what an enclosing text has done so far becomes part of it."""
        if self.transaction == "idle":
            self._begin("block")
        elif self._scope == "block":
            self.notice("there is already a transaction in progress", "WARNING", sqlstate="25001")
        self._scope = "block"

    def commit(self) -> str:
        """COMMIT; returns the tag, which is ROLLBACK when the transaction had failed."""
        if self.transaction == "idle":
            self.notice("there is no transaction in progress", "WARNING", sqlstate="25P01")
        if self.transaction == "failed":
            return self.rollback()
        if self.transaction == "open":
            self._commit()
        return "COMMIT"

    def rollback(self) -> str:
        if self.transaction == "idle":
            self.notice("there is no transaction in progress", "WARNING", sqlstate="25P01")
        if self.transaction == "open":
            self._rollback()
        self.transaction = "idle"
        return "ROLLBACK"

    def start_over(self, state: SavedState) -> None:
        """Undo all that the transaction block has done, even if it has failed, and go on in a new one.

        state : of parameters and user in the new one, which sees what others have committed by now
        """
        savepoints = self.savepoints
        if self.transaction == "open":
            self._rollback()
        self._begin("block")
        self.savepoints = savepoints
        self.variables.restore(state.variables)
        self.authorize(state.user_id)

    @property
    def in_block(self) -> bool:
        """Whether a transaction lasts until its user ends it, even one that has failed."""
        return self.transaction == "failed" or (self.transaction == "open" and self._scope == "block")

    def begin_implicit(self) -> None:
        """Make what follows one transaction until `end_implicit`, as the statements of one text are."""
        if self.transaction == "idle":
            self._begin("text")

    def end_implicit(self) -> None:
        """Commit what `begin_implicit` began, unless it has ended already or become a block."""
        if self.transaction == "open" and self._scope == "text":
            self._end_text()

    def fail(self) -> None:
        """What an error does, for one outside of every statement: a value that has no such form, a broken message."""
        result, self._result = self._result, None
        if result is not None:
            result.when_closed(lambda: None)
            result.close()
        self._undo()

    def commit_now(self) -> None:
        """For statements that end the transaction they stand in, such as DROP MODEL."""
        if self.transaction == "open":
            scope = self._scope
            self._commit()
            self._begin(scope)

    def _begin(self, scope: Scope) -> None:
        self.settle()  # the engine begins no transaction while rows are being read
        self.connection.begin()
        self.catalog.begin()
        self.variables.begin()
        self._authorized_before = self.user_id
        self.transaction, self._scope, self._untouched, self.has_written = "open", scope, True, False
        self.savepoints = None if self.savepoints is None else []
        self.transaction_started = time.time()
        if scope == "text":
            self.transaction_id = next(_transaction_ids)

    def _commit(self) -> None:
        self.close_cursors()
        try:
            self.connection.commit()
        except errors.Error:
            self._rollback()
            raise
        self.catalog.commit()
        self._ended()
        if self.variables.commit():
            self._engine_variables.tell_parameters()

    def _rollback(self) -> None:
        self.close_cursors()
        try:
            self.connection.rollback()
        finally:
            self.catalog.rollback()
            self._ended()
        changed = self.variables.rollback()
        if self.user_id != self._authorized_before:
            self.authorize(self._authorized_before)
        elif changed:
            self._engine_variables.tell_parameters()

    def _ended(self) -> None:
        self.transaction = "idle"
        self.ended_transactions += 1
        self.services.locks.release_all(self)

    def _undo(self) -> None:
        """Roll back after an error; a BEGIN block stays failed until it is ended. Nothing may interrupt that."""
        with self._watch.undoing():
            if self.transaction == "open":
                self._undone += 1
                self._rollback()
                self.transaction = "failed" if self._scope == "block" else "idle"
            self.services.locks.release_all(self)

    def _give_space_back(self) -> None:
        """What was written before the disk was full fills it until a checkpoint, and nobody could write anything."""
        with contextlib.suppress(errors.Error):
            self.connection.run("CHECKPOINT")

    @property
    def streams(self) -> bool:
        """Whether the rows of a result or of a cursor are still on their way out of the engine."""
        return (self._result is not None and self._result.streams) or self._reading is not None

    def settle(self, *, cursors: bool = True) -> None:
        """Free the connection from what is still streaming: what is left of it waits in the spool.

        When reading it fails, whoever reads on is told, and here only who loses a text's changes by it.
        """
        result, self._result = self._result, None
        if result is not None:
            changes = self.transaction == "open" and self._scope == "text"
            failure = result.buffer(self.settings.spool)
            if failure is not None and changes:
                raise failure
        if cursors and self._reading is not None:
            cursor, self._reading = self._reading, None
            cursor.settle(self.settings.spool)

    def open_cursor(self, name: str, cursor: OpenCursor) -> None:
        """Keep a cursor until its transaction ends. Its rows stay in the engine until something else wants to run."""
        self.cursors[name] = self._reading = cursor

    def close_cursors(self) -> None:
        self._reading = None
        while self.cursors:
            self.cursors.popitem()[1].close()

    def give_up(self) -> None:
        """Leave what is left of the last result unread, and undo the text that it belongs to unless that is done."""
        result, self._result = self._result, None
        alone = self._scope == "text"
        if result is not None:
            if alone:
                result.when_closed(lambda: None)  # it was to commit
            result.close()
        if self.transaction == "open" and alone:
            self._rollback()

    def _end_text(self) -> None:
        """Commit the transaction of a text, when its last result has been read."""
        if self._result is None or not self._result.streams:
            self._commit()
        else:
            self._result.when_closed(self._commit_text)

    def _commit_text(self) -> None:
        if self.transaction == "open" and self._scope == "text":
            self._commit()

    def _log(self, tag: str, rows: int | None, started: float, statement: Statement) -> None:
        milliseconds = (time.perf_counter() - started) * 1000
        logger.info(
            "statement=%d user=%s tag=%s rows=%s ms=%.1f", self.statement_id, self.user, tag, rows, milliseconds
        )
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("statement=%d text=%s", self.statement_id, masked(statement.text))

    # The end

    def close(self) -> None:
        """End the session: an open transaction is rolled back, temporary tables are gone."""
        if self._closed:
            return
        self._closed = True
        if self._result is not None:
            self._result.close()
        if self.transaction == "open":
            self._rollback()
        self.services.activity.closed(self)
        self.catalog.close()
        self.connection.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _terminated() -> errors.AdminShutdown:
    return errors.AdminShutdown("terminating connection due to administrator command")
