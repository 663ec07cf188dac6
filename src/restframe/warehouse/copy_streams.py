"""How COPY ... FROM STDIN and TO STDOUT reach the client: a door that can carry them gives its session these."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

Bytes = bytes | memoryview


class CopyStreams(Protocol):
    """The two directions. Both are used by the thread that runs the statement, and block as long as the client does.

    columns : how many the rows have
    binary : whether the format is PostgreSQL's binary one
    """

    def receive(self, columns: int, binary: bool) -> Iterator[bytes]:
        """Ask the client for its data, and hand it out in pieces, cut anywhere, until the client says that was all.

        QueryCanceled when the client gives up; nothing may be stored then.
        """
        ...

    def send(self, columns: int, binary: bool) -> Callable[[Bytes, Sequence[int]], None]:
        """Announce data to the client; what is returned sends whole rows, of which each ends at one of the offsets.

        A client may take each for a message of its own, as PostgreSQL sends them. The last one ends with the data.
        """
        ...
