"""The embedded engine: DuckDB in this process. The only module that imports duckdb."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import os
import re
import sys
import threading
import warnings
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
from duckdb.func import ARROW, SPECIAL

from restframe import errors
from restframe.engine import BATCH_ROWS, ArrowFunction, Parameters, Stream, few_rows
from restframe.engine.conditions import translate_error
from restframe.engine.known import Known, KnownStatements
from restframe.settings import Settings
from restframe.types import SqlType, from_engine_type

if TYPE_CHECKING:
    import pyarrow as pa

# The engine's own folder within the spool.
ENGINE_SPOOL = "engine"

# Marks, in the text DuckDB keeps of it, an error that was raised inside a function of ours.
_KEPT = "restframe-error-"
_KEPT_AT_MOST = 100

# Of a result that has more rows than were expected.
_ROWS_AT_ONCE = 4_096

_ENGINE_SETTINGS = (
    "integer_division = true",
    "ieee_floating_point_ops = false",  # the logarithm or root of a negative number is an error, not NaN
    "TimeZone = 'UTC'",
    "default_null_order = 'nulls_last'",
    "python_enable_replacements = false",  # a table name must never mean a Python variable
    "autoinstall_known_extensions = false",
    "autoload_known_extensions = false",
    "errors_as_json = true",
)

# What can only be set for one connection: counting progress, and keeping it off the terminal.
_CONNECTION_SETTINGS = ("enable_progress_bar = true", "enable_progress_bar_print = false")


class DuckDB:
    """One warehouse file, opened by this process alone.

    The engine may touch files in the spool and in the buckets and nowhere else, whatever SQL reaches it.
    WarehouseLocked when another process has the file.
    """

    def __init__(self, file: Path | None, settings: Settings) -> None:
        config: dict[str, Any] = {"allow_unsigned_extensions": "false"}
        if settings.threads is not None:
            config["threads"] = settings.threads
        config["memory_limit"] = settings.memory_limit or f"{int(_memory_bytes() * 0.6) >> 20}MB"
        self._root = _open(str(file) if file else ":memory:", config, settings.engine_niceness or 0)
        self._errors: dict[int, BaseException] = {}
        self._functions: dict[str, ArrowFunction] = {}
        self._error_ids = itertools.count(1)
        self._lock = threading.Lock()
        self.known = KnownStatements()
        settings.spool.mkdir(parents=True, exist_ok=True)
        settings.buckets.mkdir(parents=True, exist_ok=True)
        for setting in _ENGINE_SETTINGS:
            self._root.execute(f"SET GLOBAL {setting}")
        self._root.execute(f"SET GLOBAL temp_directory = {_literal(settings.spool / ENGINE_SPOOL)}")
        if settings.spill_limit is not None:
            self._root.execute(f"SET GLOBAL max_temp_directory_size = {_literal(settings.spill_limit)}")
        allowed = ", ".join(_literal(path) for path in (settings.spool, settings.buckets))
        self._root.execute(f"SET GLOBAL allowed_directories = [{allowed}]")
        self._root.execute("SET GLOBAL enable_external_access = false")

    def connect(self) -> DuckDBConnection:
        with self._lock:
            connection = self._root.cursor()
        for setting in _CONNECTION_SETTINGS:
            connection.execute(f"SET {setting}")
        return DuckDBConnection(connection, self)

    def hold(self, name: str, function: ArrowFunction) -> None:
        """Keep a function alive: DuckDB lets go of it with the connection that made it, and still calls it."""
        self._functions[name] = function

    def keep(self, error: BaseException) -> int:
        """DuckDB keeps only the text of an error in a function; the error itself waits here for its statement."""
        number = next(self._error_ids)
        self._errors[number] = error
        self._errors.pop(number - _KEPT_AT_MOST, None)  # not every error comes back: constants are tried in advance
        return number

    def kept(self, text: str) -> BaseException | None:
        match = re.search(rf"{_KEPT}(\d+);", text)
        return self._errors.pop(int(match[1]), None) if match else None

    def close(self) -> None:
        self._root.close()


class DuckDBConnection:
    """A DuckDB connection that speaks restframe's errors and types."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, engine: DuckDB) -> None:
        self._connection = connection
        self._engine = engine
        self._in_transaction = False
        self._lock = threading.Lock()
        self._registered_in_vain: list[str] = []
        self._calling = False  # the engine works for us right now
        self._interrupted = False

    def run(self, sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
        with self._interruptible():
            # a text without parameters is another one the next time
            cursor = self._connection.execute(self._known(sql).statement if parameters else sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def stream(
        self, sql: str, parameters: Parameters = (), batch_rows: int = BATCH_ROWS, *, few: bool = False
    ) -> Stream:
        with self._interruptible() as opened:
            known = self._known(sql)
            if few or known.few:
                return self._few(known, parameters, opened)
            # A relation streams; the result of execute() would be copied as a whole.
            relation = self._connection.sql(known.statement, params=parameters or None)
            names, types = tuple(relation.columns), tuple(map(str, relation.types))
            reader = relation.to_arrow_reader(min(batch_rows, _READ_ROWS))
            opened.append(reader)
        if few_rows.schema(names, types) is None:
            known.learn(False)
        return Stream(names, tuple(map(from_engine_type, types)), _started(self._batches(reader, known, batch_rows)))

    def _known(self, sql: str) -> Known:
        return self._engine.known.find(sql, self._connection.extract_statements)

    def _few(self, known: Known, parameters: Parameters, opened: list[Any]) -> Stream:
        """The rows at once. Should there be more than a few, they stream in their slower form."""
        connection = self._connection
        pending = _Pending(connection)
        opened.append(pending)
        connection.execute(known.statement, parameters or None)
        names, types = zip(*[(column[0], str(column[1])) for column in connection.description or ()], strict=True)
        sql_types = tuple(map(from_engine_type, types))
        schema = few_rows.schema(names, types)
        if schema is None:
            known.learn(False)
            warnings.filterwarnings("ignore", "Arrow output on a DB-API result", UserWarning)
            table: pa.Table = connection.to_arrow_table(BATCH_ROWS)
            batches = table.to_batches()
            return Stream(names, sql_types, (batch for batch in batches), complete=True)
        rows = connection.fetchmany(few_rows.FEW_ROWS + 1)
        known.learn(few_rows.few(len(rows), len(names)))
        first = few_rows.batch(rows, schema)
        if len(rows) > few_rows.FEW_ROWS:
            return Stream(names, sql_types, _started(self._rows(pending, first)))
        connection.complete()
        return Stream(names, sql_types, (batch for batch in (first,)), complete=True)

    def _rows(self, pending: _Pending, first: pa.RecordBatch) -> Generator[Any]:
        """Nothing at first, then a batch that has been read and those that follow it."""
        try:
            yield None
            yield first
            while True:
                with self._interruptible(pending):
                    rows = self._connection.fetchmany(_ROWS_AT_ONCE)
                    batch = few_rows.batch(rows, first.schema)
                if not rows:
                    return
                yield batch
        finally:
            pending.close()

    def _batches(self, reader: pa.RecordBatchReader, known: Known, most_rows: int) -> Generator[Any]:
        """Nothing at first, then the reader's batches."""
        rows = 0
        try:
            yield None
            while True:
                with self._interruptible(reader):
                    batch = _joined(reader, most_rows)
                if batch is None:
                    break
                rows += batch.num_rows
                yield batch
            known.learn(few_rows.few(rows, len(reader.schema)))
        finally:
            reader.close()

    @contextlib.contextmanager
    def _interruptible(self, *readers: Any) -> Iterator[list[Any]]:
        """A call of the engine that `interrupt` can stop, with its errors made ours.

        DuckDB remembers an interrupt that comes too late and stops the next statement with it, so interrupts reach
        it only during a call, and what it may remember is used up before the call ends. For that no reader may be
        open: the call adds those it opens to the list it is given.
        """
        opened = list(readers)
        with self._lock:
            self._calling, self._interrupted = True, False
        failure: BaseException | None = None
        try:
            yield opened
        except (duckdb.Error, OSError, ValueError, RuntimeError) as error:  # Arrow wraps the engine's errors in its own
            failure = error
        finally:
            with self._lock:
                self._calling = False
        if self._interrupted or failure is not None:
            for reader in opened:
                reader.close()
        if self._interrupted:
            with contextlib.suppress(duckdb.Error):
                self._connection.execute("SELECT 1").fetchall()
            raise errors.QueryCanceled("query cancelled on user's request") from failure
        if failure is not None:
            raise self._translated(failure) from failure

    def begin(self) -> None:
        self._at_once("BEGIN TRANSACTION")
        self._in_transaction = True

    def commit(self) -> None:
        self._in_transaction = False
        self._at_once("COMMIT")

    def rollback(self) -> None:
        self._in_transaction = False
        with contextlib.suppress(errors.NoActiveTransaction):  # the engine may have ended it itself
            self._at_once("ROLLBACK")
        while self._registered_in_vain:
            self._connection.unregister(self._registered_in_vain.pop())

    def _at_once(self, sql: str) -> None:
        """Begin or end a transaction beyond the reach of `interrupt`, which must not leave open whether one is open."""
        try:
            self._connection.execute(sql)
        except duckdb.Error as error:
            raise self._translated(error) from error

    @property
    def in_transaction(self) -> bool:
        return self._in_transaction

    def interrupt(self) -> None:
        with self._lock:
            if self._calling:
                self._interrupted = True
                self._connection.interrupt()

    def progress(self) -> float | None:
        percent = float(self._connection.query_progress())
        return percent if percent >= 0 else None

    def register(self, name: str, rows: pa.Table | pa.RecordBatchReader) -> None:
        self._connection.register(name, rows)

    def unregister(self, name: str) -> None:
        try:
            self._connection.unregister(name)
        except duckdb.TransactionException:  # the transaction has failed, and can only be rolled back
            self._registered_in_vain.append(name)

    def create_function(
        self, name: str, function: ArrowFunction, arguments: Sequence[SqlType], returns: SqlType, *, pure: bool = True
    ) -> None:
        def call(*columns: Any) -> Any:
            try:
                return function(*columns)
            except Exception as error:
                raise RuntimeError(f"{_KEPT}{self._engine.keep(error)};") from error

        # DuckDB counts the parameters of the function it is given.
        names = [inspect.Parameter(f"_{i}", inspect.Parameter.POSITIONAL_ONLY) for i in range(len(arguments))]
        call.__signature__ = inspect.Signature(names)  # type: ignore[attr-defined]
        self._engine.hold(name, call)
        parameters: Any = [argument.engine_type for argument in arguments]
        try:
            self._connection.create_function(
                name,
                call,
                parameters,
                returns.engine_type,
                type=ARROW,
                null_handling=SPECIAL,
                side_effects=not pure,
            )
        except duckdb.Error as error:
            raise self._translated(error) from error

    def close(self) -> None:
        self._connection.close()

    def _translated(self, error: BaseException) -> errors.Error:
        kept = self._engine.kept(str(error))
        if isinstance(kept, errors.Error):
            return kept
        if kept is not None:
            return errors.InternalError(f"{type(kept).__name__} in a function: {kept}")
        return translate_error(error)


class _Pending:
    """The result of execute() while rows may be left in it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def close(self) -> None:
        self._connection.abort()


def _started(batches: Generator[Any]) -> Generator[Any]:
    """One that was never started would not close what it reads when it is closed."""
    next(batches)
    return batches


def _joined(reader: pa.RecordBatchReader, most_rows: int) -> pa.RecordBatch | None:
    """The next batches as one: of at most so many rows, and of few where rows are wide, which only batches show."""
    found: list[pa.RecordBatch] = []
    rows = size = 0
    while rows + _READ_ROWS <= max(most_rows, _READ_ROWS) and size < _BATCH_BYTES:
        batch = next(reader, None)
        if batch is None:
            break
        found.append(batch)
        rows += batch.num_rows
        size += batch.nbytes
    if len(found) < 2:
        return found[0] if found else None
    import pyarrow as pa

    return pa.concat_batches(found)


# What the engine computes at once, and how many bytes make a batch.
_READ_ROWS = 2048
_BATCH_BYTES = 1 << 20


# Opening


def _open(file: str, config: dict[str, Any], niceness: int) -> duckdb.DuckDBPyConnection:
    try:
        if not niceness or sys.platform != "linux":
            return duckdb.connect(file, config=config)
        with ThreadPoolExecutor(1) as one:
            # the engine's threads are as nice as the thread that makes them
            one.submit(os.setpriority, os.PRIO_PROCESS, 0, niceness).result()
            return one.submit(duckdb.connect, file, config=config).result()
    except duckdb.IOException as error:
        text = str(error)
        if "lock" in text:
            holder = re.search(r"PID (\d+)", text)
            who = f" (process {holder[1]})" if holder else ""
            raise errors.WarehouseLocked(
                f"the warehouse is open in another process{who}",
                hint="Close the other process, or connect to it as a client.",
            ) from error
        raise translate_error(error) from error
    except duckdb.Error as error:
        raise translate_error(error) from error


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _literal(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"
