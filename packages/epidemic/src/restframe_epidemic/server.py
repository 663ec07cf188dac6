"""A warehouse behind `restframe serve`, through its SQL door.

Rows go in and come out by COPY in CSV, which keeps every value exactly and tells NULL from the empty string. Nothing
passes through the server's buckets: whoever has an access key may read those. The lake stays on this machine.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import restframe.errors
from restframe_epidemic import errors

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa

SCHEMES = ("postgresql:", "postgres:")
_PLACEHOLDER = re.compile(r"\$(\d+)")
_ROWS = 65_536  # that are made into CSV at a time
_BYTES = 8 << 20  # of CSV that are parsed at a time
_WAIT_S = 10
_AGAIN = "What is finished is kept: run the same command again when the server is there."


class Answer:
    """Rows of a statement."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows

    def scalar(self) -> Any:
        return self._rows[0][0] if self._rows else None


class Server:
    """A Connection.

    address : postgresql://user@host:port/database without a password; what it leaves out, and the password, comes from
        the environment (PGHOST, PGUSER, PGPASSWORD, PGSSLMODE ...)
    lake : the folder of this machine that holds the lake; one process at a time has it
    UsageError for an address with a password and for a lake that is in use, ServerError when there is no way in.
    """

    def __init__(self, address: str, lake: Path | None = None) -> None:
        psycopg = _psycopg()
        said = _understood(address)
        try:
            self._connection = psycopg.connect(
                **{"connect_timeout": _WAIT_S, "application_name": "restframe-epidemic", **said},
                autocommit=True,
                prepare_threshold=None,
                cursor_factory=psycopg.RawCursor,
            )
        except psycopg.Error as error:
            raise _no_way_in(error) from None
        info = self._connection.info
        self._place = f"{info.host}:{info.port}"
        try:
            self.lake = lake or _home() / f"{info.host.replace('/', '+')}-{info.port}-{info.dbname}"
            self.lake.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.private = self.folder = self.lake = self.lake.resolve()
            self._lock = _locked(self.lake)
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        self._connection.close()
        os.close(self._lock)

    @property
    def in_block(self) -> bool:
        return self._connection.info.transaction_status.name in ("INTRANS", "INERROR")

    def begin(self) -> None:
        self.execute("BEGIN", ())

    def commit(self) -> None:
        self.execute("COMMIT", ())

    def rollback(self) -> None:
        """When the server is gone it has undone the transaction itself."""
        with contextlib.suppress(errors.ServerError):
            self.execute("ROLLBACK", ())

    def execute(self, text: str, parameters: Sequence[Any]) -> Answer:
        with self._translated():
            cursor = self._connection.execute(text.encode(), list(parameters) or None)
            return Answer(cursor.fetchall() if cursor.description else [])

    def batches(self, text: str, parameters: Sequence[Any]) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
        if parameters:  # COPY takes none
            text = _PLACEHOLDER.sub(lambda found: self._literal(parameters[int(found[1]) - 1]), text)
        schema = self._described(text)
        return schema, self._read(f"COPY ({text.rstrip().rstrip(';')}\n) TO STDOUT (FORMAT csv)", schema)

    def load(self, table: str, columns: str, files: Sequence[Path]) -> None:
        import pyarrow.parquet as pq
        from pyarrow import csv

        plain = csv.WriteOptions(include_header=False)
        copied = f"COPY {table} ({columns}) FROM STDIN (FORMAT csv)"
        with self._translated(), self._connection.cursor() as cursor, cursor.copy(copied.encode()) as copy:
            for path in files:
                with pq.ParquetFile(path) as file:
                    for batch in file.iter_batches(batch_size=_ROWS):
                        written = io.BytesIO()
                        csv.write_csv(batch, written, plain)
                        copy.write(written.getbuffer())

    def _literal(self, value: Any) -> str:
        from psycopg import sql

        return sql.Literal(value).as_string(self._connection)

    def _described(self, text: str) -> pa.Schema:
        """The columns that a query has, without running it."""
        import pyarrow as pa

        with self._translated():
            connection = self._connection.pgconn
            for result in (connection.prepare(b"", text.encode()), connection.describe_prepared(b"")):
                if result.status == _psycopg().pq.ExecStatus.FATAL_ERROR:
                    raise _psycopg().errors.error_from_result(result)
        columns = range(result.nfields)
        return pa.schema(
            [((result.fname(at) or b"").decode(), _arrow_type(result.ftype(at), result.fmod(at))) for at in columns]
        )

    def _read(self, text: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """What COPY TO STDOUT sends, a row in each message."""
        with self._translated(), self._connection.cursor() as cursor, cursor.copy(text.encode()) as copy:
            held = bytearray()
            for row in copy:
                held += row
                if len(held) > _BYTES:
                    yield from _parsed(bytes(held), schema)
                    held.clear()
            if held:
                yield from _parsed(bytes(held), schema)

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """Errors of statements as restframe's own, and those of the connection as one of ours."""
        psycopg = _psycopg()
        try:
            yield
        except psycopg.Error as error:
            if self._connection.closed:
                raise errors.ServerError(
                    f"the server at {self._place} is gone: {' '.join(str(error).split())[:200]}", hint=_AGAIN
                ) from None
            kind = _kinds().get(error.sqlstate or "", restframe.errors.DatabaseError)
            told = error.diag
            raise kind(
                told.message_primary or str(error)[:300], hint=told.message_hint, detail=told.message_detail
            ) from None


def _psycopg() -> Any:
    try:
        import psycopg
    except ImportError as error:
        raise errors.UsageError(
            "going through a server needs psycopg", hint='Run: pip install "restframe-epidemic[server]"'
        ) from error
    return psycopg


def _understood(address: str) -> dict[str, Any]:
    """The parts of an address. What is wrong with it is told without showing it: it may hold a password."""
    from psycopg import conninfo

    try:
        said = dict(conninfo.conninfo_to_dict(address))
    except _psycopg().Error:
        raise errors.UsageError(
            "--warehouse is no address of a server", hint="Write it as postgresql://user@localhost:5439/dev"
        ) from None
    if {"password", "sslpassword"} & said.keys():
        raise errors.UsageError(
            "the warehouse's address has a password in it, which others on this machine can read",
            hint='Leave it out and set PGPASSWORD; eval "$(restframe env)" does.',
        )
    return said


def _no_way_in(error: psycopg.Error) -> errors.ServerError:
    # libpq tries again without TLS, and tells the same of both.
    lines = dict.fromkeys(line.strip() for line in str(error).removeprefix("connection failed: ").splitlines())
    tried = error.pgconn
    if tried is not None and tried.needs_password:
        hint = 'The server asks for a password: set PGPASSWORD; eval "$(restframe env)" does.'
    elif tried is not None and tried.used_password:
        hint = 'The server is there, so look at user, password and database: eval "$(restframe env)" sets its own.'
    else:
        hint = 'Is `restframe serve` running? eval "$(restframe env)" says where it is and what its password is.'
    return errors.ServerError(f"no connection to the server: {' '.join(lines)[:300]}", hint=hint)


def _home() -> Path:
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "restframe-epidemic"


def _locked(lake: Path) -> int:
    """Take the lake for this process, until it ends however it ends."""
    descriptor = os.open(lake / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise errors.UsageError(
            f'the lake "{str(lake)[:200]}" is in use by another process', hint="Let that one end first."
        ) from None
    return descriptor


def _kinds() -> dict[str, type[restframe.errors.Error]]:
    """restframe's errors by SQLSTATE; of several with the same one the most general."""
    kinds: dict[str, type[restframe.errors.Error]] = {}
    waiting: list[type[restframe.errors.Error]] = [restframe.errors.DatabaseError]
    for kind in waiting:
        kinds.setdefault(kind.sqlstate, kind)
        waiting += kind.__subclasses__()
    return kinds


def _arrow_type(oid: int, modifier: int) -> pa.DataType:
    import pyarrow as pa

    if oid == 1700:  # numeric
        return pa.decimal128((modifier - 4) >> 16, (modifier - 4) & 0xFFFF)
    known = {
        16: pa.bool_(),
        20: pa.int64(),
        21: pa.int16(),
        23: pa.int32(),
        700: pa.float32(),
        701: pa.float64(),
        1042: pa.string(),  # char(n)
        1043: pa.string(),  # varchar(n)
        1082: pa.date32(),
        1114: pa.timestamp("us"),
    }
    if oid not in known:
        raise errors.UsageError(f"a column of type {oid} is not read", hint="Cast it to varchar.")
    return known[oid]


def _parsed(text: bytes, schema: pa.Schema) -> list[pa.RecordBatch]:
    """Rows of CSV as PostgreSQL writes them: NULL is nothing at all, an empty text is in quotes."""
    import pyarrow as pa
    from pyarrow import csv

    # Columns of a query may have the same name.
    numbered = {str(at): column.type for at, column in enumerate(schema)}
    table = csv.read_csv(
        pa.BufferReader(text),
        csv.ReadOptions(column_names=list(numbered)),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(
            column_types=numbered,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )
    batches: list[pa.RecordBatch] = table.rename_columns(schema.names).cast(schema).to_batches()
    return batches
