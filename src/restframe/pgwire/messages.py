"""Messages of the PostgreSQL protocol 3.0: clients' are cut out of bytes and read here, ours are built.

Nothing here waits, sends or remembers anything but the bytes of a message that is not complete.
https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from restframe import errors
from restframe.errors import Error, ProtocolViolation
from restframe.result import Notice

_INT16 = struct.Struct("!h")
_UINT16 = struct.Struct("!H")
_INT32 = struct.Struct("!i")
_UINT32 = struct.Struct("!I")
_HEAD = struct.Struct("!BI")
_TWO = struct.Struct("!II")


class Message(NamedTuple):
    """type : the first byte
    body : what follows the length
    """

    type: int
    body: bytes


# Before anybody is logged in


@dataclass(frozen=True, slots=True)
class Startup:
    """minor : the version of protocol 3 that is asked for
    parameters : the user first of all, and what the session is to begin with
    """

    minor: int
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """Comes on a connection of its own, which ends with it."""

    pid: int
    key: bytes


@dataclass(frozen=True, slots=True)
class SslRequest:
    pass


@dataclass(frozen=True, slots=True)
class GssRequest:
    pass


First = Startup | CancelRequest | SslRequest | GssRequest

# Of all that comes before the client is known.
MAXIMAL_FIRST_BYTES = 10_000

_CANCEL, _SSL, _GSS = 80877102, 80877103, 80877104
_MAJOR = 3


def first_length(head: bytes | bytearray) -> int:
    """The length of a client's first packet by its first four bytes. ProtocolViolation when it cannot be."""
    (length,) = _UINT32.unpack_from(head)
    if not 8 <= length <= MAXIMAL_FIRST_BYTES:
        raise ProtocolViolation("invalid length of startup packet")
    return int(length)


def read_first(packet: bytes) -> First:
    """A client's first packet, the length included.

    NotSupportedError for another protocol, ProtocolViolation for what is none.
    """
    (code,) = _UINT32.unpack_from(packet, 4)
    if code == _SSL:
        return SslRequest()
    if code == _GSS:
        return GssRequest()
    if code == _CANCEL:
        # from protocol 3.2 on the key may be longer; we only ever give 4 bytes
        if len(packet) < 16:
            raise ProtocolViolation("invalid length of cancel request")
        return CancelRequest(_UINT32.unpack_from(packet, 8)[0], packet[12:])
    if code >> 16 != _MAJOR:
        raise errors.NotSupportedError(
            f"unsupported frontend protocol {code >> 16}.{code & 0xFFFF}: server supports 3.0 to 3.0"
        )
    return Startup(code & 0xFFFF, _parameters(packet[8:]))


def _parameters(content: bytes) -> dict[str, str]:
    """Names and values in turn, each ended by NUL, and an empty name at the end."""
    parts = content.split(b"\0")
    ended = len(parts) % 2 == 0 and not parts[-1] and not parts[-2]
    if not ended or not all(parts[:-2:2]):
        raise ProtocolViolation("invalid startup packet layout: expected terminator as last byte")
    texts = [text(part) for part in parts[:-2]]
    return dict(zip(texts[::2], texts[1::2], strict=True))


# Cutting

# What a client may say, to log in and then; what else it says begins no message, and has no length.
CLIENTS_TYPES = frozenset(b"PBDECQFHSXdcfpi")


class Splitter:
    """Cuts what a client sends into messages, wherever its packets are cut.

    limit : the largest body that is taken; may be changed at any time
    types : of the messages there are; all when None
    """

    def __init__(self, limit: int = MAXIMAL_FIRST_BYTES, types: frozenset[int] | None = None) -> None:
        self.limit = limit
        self._types = types
        self._kept = bytearray()
        self._wanted = 0  # bytes that must be there before looking again pays
        self._lost = False

    def feed(self, data: bytes) -> list[Message | ProtocolViolation]:
        """The messages that are complete now.

        The last is a ProtocolViolation when the type or the length of what follows cannot be, or the length is over
        the limit: nobody knows where the next message begins.
        """
        if self._lost:
            return []
        if self._kept:
            self._kept += data
            if len(self._kept) < self._wanted:
                return []
            data = bytes(self._kept)
            self._kept.clear()
        found: list[Message | ProtocolViolation] = []
        at, end = 0, len(data)
        self._wanted = 5
        while end - at >= 5:
            type_, length = _HEAD.unpack_from(data, at)
            after = at + 1 + length
            if self._types is not None and type_ not in self._types:
                self._lost = True
                found.append(ProtocolViolation(f"invalid frontend message type {type_}"))
                return found
            if length - 4 > self.limit or length < 4:
                self._lost = True
                found.append(ProtocolViolation(_bad_length(type_, length, self.limit)))
                return found
            if after > end:
                self._wanted = after - at
                break
            found.append(Message(type_, data[at + 5 : after]))
            at = after
        self._kept += data[at:] if at else data
        return found


def _bad_length(type_: int, length: int, limit: int) -> str:
    if length - 4 > limit:
        return f"a message of {length - 4} bytes is longer than the {limit} that are taken"
    return f"invalid message length {length} of type {type_}"


# Reading


class Parse(NamedTuple):
    name: str
    text: str
    types: tuple[int, ...]


class Bind(NamedTuple):
    """formats : none, one for all, or one for each; values are None for NULL"""

    portal: str
    statement: str
    formats: tuple[int, ...]
    values: tuple[bytes | None, ...]
    result_formats: tuple[int, ...]


class Named(NamedTuple):
    """Of Describe and Close: `S` for a statement, `P` for a portal."""

    kind: str
    name: str


class Execute(NamedTuple):
    """rows : at most so many; 0 is all"""

    portal: str
    rows: int


def text(data: bytes) -> str:
    """CharacterNotInRepertoire, as PostgreSQL words it, for what is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        shown = " ".join(f"0x{byte:02x}" for byte in data[error.start : error.start + 3])
        raise errors.CharacterNotInRepertoire(f'invalid byte sequence for encoding "UTF8": {shown}') from None


def read_string(body: bytes) -> str:
    """A body that is one string: of Query, PasswordMessage, CopyFail."""
    if not body or body.find(b"\0") != len(body) - 1:
        raise ProtocolViolation("invalid string in message")
    return text(body[:-1])


def read_parse(body: bytes) -> Parse:
    name, at = _string(body, 0)
    statement, at = _string(body, at)
    (count,) = _unpack(_UINT16, body, at)
    types = _unpack(struct.Struct(f"!{count}I"), body, at + 2)
    _end(body, at + 2 + 4 * count)
    return Parse(name, statement, types)


def read_bind(body: bytes) -> Bind:
    portal, at = _string(body, 0)
    statement, at = _string(body, at)
    formats, at = _formats(body, at)
    (count,) = _unpack(_UINT16, body, at)
    at += 2
    values: list[bytes | None] = []
    for _ in range(count):
        (length,) = _unpack(_INT32, body, at)
        at += 4
        if length < 0:
            values.append(None)
            continue
        if at + length > len(body):
            raise ProtocolViolation("insufficient data left in message")
        values.append(body[at : at + length])
        at += length
    result_formats, at = _formats(body, at)
    _end(body, at)
    if len(formats) not in (0, 1, count):
        raise ProtocolViolation(f"bind message has {len(formats)} parameter formats but {count} parameters")
    return Bind(portal, statement, formats, tuple(values), result_formats)


def read_named(body: bytes) -> Named:
    kind = body[:1]
    if kind not in (b"S", b"P"):
        raise ProtocolViolation("invalid kind of object in message")
    name, at = _string(body, 1)
    _end(body, at)
    return Named(kind.decode(), name)


def read_execute(body: bytes) -> Execute:
    portal, at = _string(body, 0)
    (rows,) = _unpack(_INT32, body, at)
    _end(body, at + 4)
    return Execute(portal, max(0, rows))


def _string(body: bytes, at: int) -> tuple[str, int]:
    end = body.find(b"\0", at)
    if end < 0:
        raise ProtocolViolation("invalid string in message")
    return text(body[at:end]), end + 1


def _formats(body: bytes, at: int) -> tuple[tuple[int, ...], int]:
    (count,) = _unpack(_UINT16, body, at)
    formats = _unpack(struct.Struct(f"!{count}H"), body, at + 2)
    for format_ in formats:
        if format_ > 1:
            raise errors.InvalidParameterValue(f"unsupported format code: {format_}")
    return formats, at + 2 + 2 * count


def _unpack(form: struct.Struct, body: bytes, at: int) -> tuple[int, ...]:
    try:
        return form.unpack_from(body, at)
    except struct.error:
        raise ProtocolViolation("insufficient data left in message") from None


def _end(body: bytes, at: int) -> None:
    if at != len(body):
        raise ProtocolViolation("invalid message format")


# Building


def build(type_: bytes, body: bytes = b"") -> bytes:
    return type_ + _UINT32.pack(len(body) + 4) + body


AUTHENTICATION_OK = build(b"R", bytes(4))
PARSE_COMPLETE = build(b"1")
BIND_COMPLETE = build(b"2")
CLOSE_COMPLETE = build(b"3")
NO_DATA = build(b"n")
EMPTY_QUERY = build(b"I")
PORTAL_SUSPENDED = build(b"s")
COPY_DONE = build(b"c")
READY = {state: build(b"Z", state.encode()) for state in "ITE"}
SSL_YES, NO = b"S", b"N"


def parameter_status(name: str, value: str) -> bytes:
    return build(b"S", _text(name) + _text(value))


def backend_key(pid: int, key: bytes) -> bytes:
    return build(b"K", _UINT32.pack(pid) + key)


def negotiate_version(unknown: Sequence[str]) -> bytes:
    """That we speak 3.0, and do not know these options of the protocol."""
    return build(b"v", _TWO.pack(_MAJOR << 16, len(unknown)) + b"".join(map(_text, unknown)))


def command_complete(tag: str) -> bytes:
    return build(b"C", _text(tag))


def parameter_description(oids: Sequence[int]) -> bytes:
    return build(b"t", struct.pack(f"!H{len(oids)}I", len(oids), *oids))


def copy_in(columns: int, binary: bool) -> bytes:
    return build(b"G", _copy(columns, binary))


def copy_out(columns: int, binary: bool) -> bytes:
    return build(b"H", _copy(columns, binary))


def _copy(columns: int, binary: bool) -> bytes:
    return struct.pack(f"!bH{columns}H", binary, columns, *[int(binary)] * columns)


def copy_data(data: bytes) -> bytes:
    return build(b"d", data)


def error(found: Error, fatal: bool = False) -> bytes:
    """ErrorResponse. The position is of characters, as our errors have it."""
    fields = _fields("FATAL" if fatal else "ERROR", found.sqlstate, found.message)
    for field, value in ((b"D", found.detail), (b"H", found.hint), (b"P", found.position), (b"W", found.where)):
        if value is not None:
            fields += field + _text(str(value))
    return build(b"E", fields + b"\0")


def notice(found: Notice) -> bytes:
    usual = "01000" if found.severity == "WARNING" else "00000"
    fields = _fields(found.severity, found.sqlstate or usual, found.message)
    if found.hint is not None:
        fields += b"H" + _text(found.hint)
    return build(b"N", fields + b"\0")


def _fields(severity: str, sqlstate: str, message: str) -> bytes:
    return b"S" + _text(severity) + b"V" + _text(severity) + b"C" + _text(sqlstate) + b"M" + _text(message)


def _text(value: str) -> bytes:
    return value.encode("utf-8", "replace").replace(b"\0", b"") + b"\0"
