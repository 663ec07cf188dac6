"""application/x-recordio-protobuf: SageMaker's framed records, read and written without a protobuf library.

A frame is the magic number 0xCED7230A and the body's length, both uint32 little-endian, the body, and zeros up to
a multiple of four bytes. The body is the message Record of SageMaker's record.proto:

    Record  { map<string, Value> features = 1; map<string, Value> label = 2; uid = 3; metadata = 4; ... }
    Value   { Float32Tensor = 2 | Float64Tensor = 3 | Int32Tensor = 7 | Bytes = 9 }
    Tensor  { repeated number values = 1; repeated uint64 keys = 2; repeated uint64 shape = 3 }   all packed

Files hold many records of the same layout. So one record is parsed field by field and the others of its length are
compared with it byte by byte, all at once: where they differ only in the numbers, the numbers are taken as arrays.

https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from restframe import errors
from restframe.ml.codecs.protobuf import FLOAT32, FLOAT64, INT32, Tensor, read_record, varint, varints, write_varints
from restframe.ml.codecs.vectors import SparseVector, stack

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float64]
    IntArray = npt.NDArray[np.int64]
    ByteArray = npt.NDArray[np.uint8]

_MAGIC = 0xCED7230A
_HEADER = struct.Struct("<II")
_MAX_BODY = 2**29 - 1  # the upper three bits of a length mark parts of a split record
_FEATURES, _LABEL = 1, 2  # fields of Record

# More layouts than this among records of one length: the rest is read one by one.
_MAX_LAYOUTS = 4


def decode(body: bytes) -> tuple[FloatArray, FloatArray | None]:
    """Features (n, d) from "values", and labels (n,) when every record has the label "values".

    DataError naming the record, from 1, for damaged frames and messages, and for rows of different width.
    """
    features, labels = _read(body, ((_FEATURES, "values"), (_LABEL, "values")))
    if features is None:
        raise errors.DataError('the records have no feature "values"')
    return features, None if labels is None else _flat(labels)


def decode_scores(body: bytes) -> FloatArray:
    """The label "score" of every record, (n,) float64."""
    (scores,) = _read(body, ((_LABEL, "score"),))
    if scores is None:
        raise errors.DataError('the records have no label "score"')
    return _flat(scores)


def encode(points: npt.NDArray[np.generic], labels: FloatArray | None = None) -> bytes:
    """One record a row: Float32Tensor or Float64Tensor as the array is, Int32Tensor for integers that fit one."""
    columns = [(_FEATURES, "values", _tensor_of(points))]
    if labels is not None:
        columns.append((_LABEL, "values", (FLOAT64, labels.reshape(-1, 1))))
    return _write(points.shape[0], columns)


def encode_scores(scores: FloatArray) -> bytes:
    """One record a score, in the label "score" as float32."""
    import numpy as np

    return _write(len(scores), [(_LABEL, "score", (FLOAT32, scores.astype(np.float32).reshape(-1, 1)))])


def _flat(column: FloatArray) -> FloatArray:
    if column.shape[0] and column.shape[1] != 1:
        raise errors.DataError(f"a label has {column.shape[1]} values, not one")
    return column.reshape(-1)


# Frames


def _frames(body: bytes) -> tuple[IntArray, IntArray]:
    """Where each record's message starts, and how long it is."""
    import numpy as np

    fixed = _equal_frames(body)
    if fixed is not None:
        return fixed
    starts: list[int] = []
    lengths: list[int] = []
    at = 0
    while at < len(body):
        if len(body) - at < _HEADER.size:
            raise errors.DataError(f"record {len(starts) + 1} is cut off in its header")
        magic, length = _HEADER.unpack_from(body, at)
        at += _HEADER.size
        if magic != _MAGIC:
            raise errors.DataError(f"record {len(starts) + 1} does not begin with the recordio magic number")
        if length > _MAX_BODY:
            raise errors.DataError(f"record {len(starts) + 1} is split into parts, which is not supported")
        if length > len(body) - at:
            raise errors.DataError(f"record {len(starts) + 1} is cut off: {length} bytes announced")
        starts.append(at)
        lengths.append(length)
        at += (length + 3) & ~3
    return np.array(starts, dtype=np.int64), np.array(lengths, dtype=np.int64)


def _equal_frames(body: bytes) -> tuple[IntArray, IntArray] | None:
    """The frames when all take as many bytes as the first, found without a loop; else None."""
    import numpy as np

    if len(body) < _HEADER.size:
        return None
    size = _HEADER.size + ((_HEADER.unpack_from(body)[1] + 3) & ~3)
    if len(body) % size:
        return None
    headers = np.frombuffer(body, "<u4").reshape(-1, size // 4)[:, :2]
    lengths = headers[:, 1].astype(np.int64)
    if (headers[:, 0] != _MAGIC).any() or (_HEADER.size + ((lengths + 3) & ~3) != size).any():
        return None
    return np.arange(len(lengths), dtype=np.int64) * size + _HEADER.size, lengths


# Reading some columns of all records

_Wanted = Sequence[tuple[int, str]]


def _read(body: bytes, wanted: _Wanted) -> list[FloatArray | None]:
    """Each wanted feature or label of all records as a table; None when no record has it."""
    import numpy as np

    starts, lengths = _frames(body)
    if not len(starts):
        return [np.empty((0, 0))] * len(wanted)
    columns = [_Column(name, len(starts)) for _, name in wanted]
    rest: list[int] = []
    for length in np.unique(lengths):
        group = np.flatnonzero(lengths == length)
        for _ in range(_MAX_LAYOUTS):
            if not group.size:
                break
            first = _Record(body, starts, lengths, int(group[0]), wanted)
            if not first.is_dense:
                break
            members, tables = _same_layout(body, starts[group], int(length), first.tensors)
            for column, table in zip(columns, tables, strict=True):
                column.add(group[members], table)
            group = group[~members]
        rest.extend(group.tolist())
    records = [_Record(body, starts, lengths, i, wanted) for i in rest]
    for j, column in enumerate(columns):
        rows = [(record.index, row) for record in records if (row := record.row(j)) is not None]
        if rows:
            column.add(np.array([i for i, _ in rows]), stack([row for _, row in rows], "record"))
    return [column.table() for column in columns]


class _Record:
    """One record's wanted tensors."""

    def __init__(self, body: bytes, starts: IntArray, lengths: IntArray, index: int, wanted: _Wanted) -> None:
        self.index = index
        message = body[starts[index] : starts[index] + lengths[index]]
        try:
            self.tensors = [read_record(message, field, key) for field, key in wanted]
        except ValueError as error:
            raise errors.DataError(f"record {index + 1} is not a protobuf record: {error}") from error

    @property
    def is_dense(self) -> bool:
        return all(tensor is None or tensor.span is not None for tensor in self.tensors)

    def row(self, j: int) -> Sequence[Any] | SparseVector | None:
        tensor = self.tensors[j]
        if tensor is None:
            return None
        values: list[float] = tensor.values.tolist()
        # a sparse row of nothing but zeros has neither keys nor values, only its shape
        if not tensor.keys and (values or not tensor.shape):
            return values
        if len(tensor.shape) != 1:
            raise errors.DataError(f"record {self.index + 1} is sparse and needs a shape of one number")
        return SparseVector(tensor.keys, values, tensor.shape[0])


class _Column:
    """A table that is filled as its rows are found, in any order."""

    def __init__(self, name: str, count: int) -> None:
        self.name, self.count = name, count
        self.pieces: list[tuple[IntArray, FloatArray]] = []

    def add(self, members: IntArray, table: FloatArray | None) -> None:
        if table is not None and len(members):
            self.pieces.append((members, table))

    def table(self) -> FloatArray | None:
        import numpy as np

        if not self.pieces:
            return None
        found = sum(len(members) for members, _ in self.pieces)
        if found < self.count:
            raise errors.DataError(f'{self.count - found} of {self.count} records lack "{self.name}"')
        width = self.pieces[0][1].shape[1]
        out = np.empty((self.count, width))
        for members, table in self.pieces:
            if table.shape[1] != width:
                raise errors.DataError(f"record {members[0] + 1} has {table.shape[1]} features, another {width}")
            out[members] = table
        return out


def _same_layout(
    body: bytes, starts: IntArray, length: int, tensors: list[Tensor | None]
) -> tuple[npt.NDArray[np.bool_], list[FloatArray | None]]:
    """Which records equal the first except for their tensors' numbers, and those numbers as tables."""
    import numpy as np

    windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(body, np.uint8), length)
    messages = windows[starts]
    fixed = np.ones(length, dtype=bool)
    members = np.ones(len(starts), dtype=bool)
    for tensor in tensors:
        if tensor is not None and tensor.span is not None:
            begin, end = tensor.span
            fixed[begin:end] = False
            if tensor.kind == INT32:
                # every row must end with a number's last byte and hold as many numbers as the first
                finals = messages[:, begin:end] < 0x80
                members &= finals[:, -1] & (finals.sum(axis=1) == finals[0].sum())
    members &= (messages[:, fixed] == messages[0, fixed]).all(axis=1)
    return members, [_table(messages[members], tensor) for tensor in tensors]


def _table(messages: ByteArray, tensor: Tensor | None) -> FloatArray | None:
    import numpy as np

    if tensor is None or tensor.span is None:
        return None
    payload = np.ascontiguousarray(messages[:, slice(*tensor.span)])
    if tensor.kind == INT32:
        numbers = varints(payload.reshape(-1)).astype(np.int32).reshape(len(messages), -1)
    else:
        numbers = payload.view("<f4" if tensor.kind == FLOAT32 else "<f8")
    return numbers.astype(np.float64)


# Writing


def _tensor_of(points: npt.NDArray[np.generic]) -> tuple[int, npt.NDArray[np.generic]]:
    import numpy as np

    if points.dtype == np.float32:
        return FLOAT32, points
    if np.issubdtype(points.dtype, np.integer):
        limits = np.iinfo(np.int32)
        if not points.size or (points.min() >= limits.min and points.max() <= limits.max):
            return INT32, points.astype(np.int64)
    return FLOAT64, points.astype(np.float64)


def _write(count: int, columns: list[tuple[int, str, tuple[int, npt.NDArray[np.generic]]]]) -> bytes:
    rows = [(field, key, kind, _packed(kind, values)) for field, key, (kind, values) in columns]
    out = []
    for i in range(count):
        message = b""
        for field, key, kind, packed in rows:
            message += _entry_head(field, key, kind, len(packed[i])) + packed[i]
        if len(message) > _MAX_BODY:
            raise errors.DataError(f"record {i + 1} is longer than recordio allows")
        out.append(_HEADER.pack(_MAGIC, len(message)) + message + bytes(-len(message) % 4))
    return b"".join(out)


def _packed(kind: int, values: npt.NDArray[np.generic]) -> list[bytes]:
    """The packed numbers of each row."""
    import numpy as np

    if kind == INT32:
        data, ends = write_varints(values)
        return [data[begin:end] for begin, end in pairwise(ends)]
    table = np.ascontiguousarray(values, dtype="<f4" if kind == FLOAT32 else "<f8")
    data, size = table.tobytes(), table.itemsize * table.shape[1]
    return [data[size * i : size * (i + 1)] for i in range(table.shape[0])]


@lru_cache(maxsize=256)
def _entry_head(field: int, key: str, kind: int, size: int) -> bytes:
    """One entry of Record's maps (key = 1, value = 2) up to its `size` bytes of packed numbers, which end it."""
    tensor_head = _head(1, size)
    value_head = _head(kind, len(tensor_head) + size)
    name = _head(1, len(key)) + key.encode()
    value_size = len(value_head) + len(tensor_head) + size
    entry = name + _head(2, value_size) + value_head + tensor_head
    return _head(field, len(entry) + size) + entry


def _head(field: int, size: int) -> bytes:
    return bytes((field << 3 | 2,)) + varint(size)
