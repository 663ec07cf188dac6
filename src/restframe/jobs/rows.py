"""Rows of SQL to an endpoint and answers back, in requests of bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from restframe import errors
from restframe.jobs.remote import Call, RemoteServer
from restframe.ml.codecs.columns import decode_values, encode_columns

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Request:
    """One request about some rows, not made yet.

    count : of the rows in the body
    """

    server: RemoteServer
    body: bytes
    count: int
    call: Call = field(default_factory=Call)

    def answer(self) -> pa.Array:
        """Make it: one value a row, text when the server speaks CSV, else what its JSON had.

        EndpointFailed when the server fails or answers nonsense, or when another thread stopped the request.
        """
        content_type = self.server.spec.content_type
        accept = "text/csv" if content_type == "text/csv" else "application/json"
        found, kind = self.server.invoke(self.body, content_type, accept, self.call)
        try:
            return decode_values(found, kind, self.count)
        except errors.DataError as error:
            raise errors.EndpointFailed(f'endpoint "{self.server.name}": {error.message}') from error

    def stop(self) -> None:
        self.call.stop()


def requests(
    server: RemoteServer, columns: Sequence[pa.Array], max_bytes: int, max_rows: int | None = None
) -> list[Request]:
    """The requests that ask a server about these rows, in order.

    No request has a body above `max_bytes` unless a single row has.
    """
    bodies = _bodies(server, list(columns), max_bytes, max_rows)
    return [Request(server, body, count) for body, count in bodies]


def _bodies(
    server: RemoteServer, columns: list[pa.Array], max_bytes: int, max_rows: int | None
) -> Iterator[tuple[bytes, int]]:
    """Request bodies, with the number of rows in each."""
    count = len(columns[0])
    if max_rows is None or count <= max_rows:
        body = _encode(server, columns)
        if len(body) <= max_bytes or count <= 1:
            yield body, count
            return
        size = max(1, count * max_bytes * 4 // (len(body) * 5))  # some room, because rows differ in length
    else:
        size = max_rows
    size = min(size, count - 1)
    for start in range(0, count, size):
        yield from _bodies(server, [column.slice(start, size) for column in columns], max_bytes, max_rows)


def _encode(server: RemoteServer, columns: list[pa.Array]) -> bytes:
    spec = server.spec
    if spec.header and len(spec.header) != len(columns):
        raise errors.EndpointFailed(
            f'endpoint "{server.name}" takes {len(spec.header)} columns, its function has {len(columns)} arguments'
        )
    # the header of CSV is put on by the server's invoke, as for anybody else's CSV
    return encode_columns(columns, spec.content_type, () if spec.content_type == "text/csv" else spec.header)
