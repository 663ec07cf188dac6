"""As much of the protobuf wire format as SageMaker's Record needs: tags, varints, packed numbers.

ValueError, without a place, for bytes that are no such message.

https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# Fields of the message Value, which tell the kind of tensor.
FLOAT32, FLOAT64, INT32 = 2, 3, 7
_BYTES = 9

_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5  # wire types
_WIRE_TYPE = {FLOAT32: _FIXED32, FLOAT64: _FIXED64, INT32: _VARINT}
_DTYPE = {FLOAT32: "<f4", FLOAT64: "<f8"}


@dataclass(frozen=True, slots=True)
class Tensor:
    """kind : FLOAT32, FLOAT64 or INT32
    span : where the packed values lie in the message, when they lie in one piece and nothing else varies
    """

    kind: int
    values: npt.NDArray[np.generic]
    keys: list[int]
    shape: list[int]
    span: tuple[int, int] | None


def read_record(message: bytes, field: int, key: str) -> Tensor | None:
    """The tensor under a key of one of Record's maps (features = 1, label = 2); None when it is not there."""
    found = None
    for number, wire, start, end in _fields(message, 0, len(message)):
        if number == field:
            _expect(wire, _DELIMITED)
            entry = {n: (w, s, e) for n, w, s, e in _fields(message, start, end)}
            name = message[slice(*entry[1][1:])] if 1 in entry else b""
            if name == key.encode() and 2 in entry:
                _expect(entry[2][0], _DELIMITED)
                found = _read_value(message, *entry[2][1:])
    return found


def _read_value(message: bytes, start: int, end: int) -> Tensor:
    for kind, wire, begin, stop in _fields(message, start, end):
        if kind == _BYTES:
            raise ValueError("it holds bytes, not numbers")
        if kind in _WIRE_TYPE:
            _expect(wire, _DELIMITED)
            return _read_tensor(message, kind, begin, stop)
    raise ValueError("it holds no tensor")


def _read_tensor(message: bytes, kind: int, start: int, end: int) -> Tensor:
    pieces: list[tuple[int, int]] = []
    packed = True
    keys: list[int] = []
    shape: list[int] = []
    for number, wire, begin, stop in _fields(message, start, end):
        if number == 1:
            if wire != _DELIMITED:
                _expect(wire, _WIRE_TYPE[kind])
                packed = False
            pieces.append((begin, stop))
        elif number in (2, 3):
            data = _bytes(message, begin, stop)
            (keys if number == 2 else shape).extend(varints(data).tolist())
    values = _numbers(kind, b"".join(message[begin:stop] for begin, stop in pieces))
    whole = packed and len(pieces) == 1 and pieces[0][0] < pieces[0][1] and not keys
    if not keys and shape and len(values):
        _check_shape(shape, len(values))
    return Tensor(kind, values, keys, shape, pieces[0] if whole else None)


def _check_shape(shape: list[int], count: int) -> None:
    cells = 1
    for side in shape:
        cells *= side
    if cells != count:
        raise ValueError(f"{count} values do not fill its shape")


def _numbers(kind: int, data: bytes) -> npt.NDArray[np.generic]:
    import numpy as np

    if kind == INT32:
        return varints(_bytes(data, 0, len(data))).astype(np.int32)
    dtype = np.dtype(_DTYPE[kind])
    if len(data) % dtype.itemsize:
        raise ValueError("its packed numbers are cut off")
    return np.frombuffer(data, dtype)


def _bytes(message: bytes, start: int, end: int) -> npt.NDArray[np.uint8]:
    import numpy as np

    return np.frombuffer(message, np.uint8)[start:end]


def varints(data: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """All varints of a run of bytes, as two's complement 64-bit numbers."""
    import numpy as np

    if not data.size:
        return np.empty(0, np.int64)
    ends = np.flatnonzero(data < 0x80)
    if not ends.size or ends[-1] != data.size - 1:
        raise ValueError("a number is cut off")
    starts = np.concatenate(([0], ends[:-1] + 1))
    sizes = ends - starts + 1
    if sizes.max() > 10:
        raise ValueError("a number has more than ten bytes")
    shifts = (np.arange(data.size) - np.repeat(starts, sizes)) * 7
    bits = (data & 0x7F).astype(np.uint64) << shifts.astype(np.uint64)
    return np.add.reduceat(bits, starts).view(np.int64)


def write_varints(values: npt.NDArray[np.generic]) -> tuple[bytes, list[int]]:
    """(n, d) integers as varints, row after row, and the n + 1 positions where rows begin and end."""
    import numpy as np

    left = values.reshape(-1).astype(np.int64).view(np.uint64)
    shifts = np.arange(0, 70, 7, dtype=np.uint64)
    groups = (left[:, None] >> shifts) & np.uint64(0x7F)
    groups[:, 9] &= np.uint64(1)  # a shift by 63 leaves one bit
    sizes = np.maximum(1, 10 - (groups[:, ::-1] != 0).argmax(axis=1))
    sizes[left == 0] = 1
    position = np.arange(10)
    groups |= np.where(position < sizes[:, None] - 1, np.uint64(0x80), np.uint64(0))
    data = groups[position < sizes[:, None]].astype(np.uint8).tobytes()
    row_sizes = sizes.reshape(values.shape).sum(axis=1)
    return data, [0, *np.cumsum(row_sizes).tolist()]


def varint(number: int) -> bytes:
    """One non-negative number."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _fields(message: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Field number, wire type, and where the content starts and ends."""
    while at < end:
        tag, at = _read_varint(message, at, end)
        wire = tag & 7
        if wire == _VARINT:
            _, stop = _read_varint(message, at, end)
        elif wire == _DELIMITED:
            size, at = _read_varint(message, at, end)
            stop = at + size
        elif wire in (_FIXED32, _FIXED64):
            stop = at + (4 if wire == _FIXED32 else 8)
        else:
            raise ValueError(f"wire type {wire} is unknown")
        if stop > end:
            raise ValueError("a field is cut off")
        yield tag >> 3, wire, at, stop
        at = stop


def _read_varint(message: bytes, at: int, end: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        if at >= end:
            raise ValueError("a number is cut off")
        byte = message[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise ValueError("a number has more than ten bytes")


def _expect(wire: int, wanted: int) -> None:
    if wire != wanted:
        raise ValueError(f"wire type {wire} where {wanted} belongs")
