"""A request as it came and a response as it goes: what the wire formats, the signature and the operations share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Headers:
    """Header fields in their order; names in lower case, values as text of latin-1 without blanks around them."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = list(fields)
        # what stands twice means the same as one line with a comma
        self._values: dict[str, str] = {}
        for name, value in self._fields:
            self._values[name] = f"{self._values[name]},{value}" if name in self._values else value

    def get(self, name: str, default: str = "") -> str:
        """The value of a field, given by its name in lower case; several of one name are joined by commas."""
        return self._values.get(name, default)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)


class Body(Protocol):
    """The bytes of a request while they arrive, decoded from chunks and checked.

    Read by the operation, in its own thread. `read` raises AwsError as soon as something is wrong with what came: a
    length, a signature of a chunk, a checksum; what was read before must then be thrown away. Only an end of file that
    was reached says that all was well.
    """

    @property
    def length(self) -> int | None:
        """Bytes after decoding; None when the client did not say."""
        ...

    @property
    def checksums(self) -> Mapping[str, str]:
        """Those the client sent, in base64 by algorithm (crc32, crc32c, crc64nvme, sha1, sha256); complete and checked
        at the end of the file."""
        ...

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, none at the end; everything that is left without a size."""
        ...


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """method : in capitals
    scheme : http or https
    host : the Host header: where the client believes us to be
    path : percent-encoded as it was sent, beginning with a slash
    query : what stands behind the question mark, as it was sent
    """

    method: str
    scheme: str
    host: str
    path: str
    query: str
    headers: Headers


@dataclass(frozen=True, slots=True)
class Written:
    """A member of an answer that its operation has written in JSON itself, because it is long."""

    json: bytes


@dataclass(slots=True)
class HttpResponse:
    """body : bytes, or pieces that are made while they are sent; an iterator with a `close` is closed in any case"""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | Iterator[bytes] = b""
