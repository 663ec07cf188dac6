"""text/csv as SageMaker's containers and Redshift write it: no header, an empty field for a missing value.

pyarrow reads and writes it: thirty thousand numbers take about a millisecond each way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from restframe import errors

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    FloatArray = npt.NDArray[np.float64]

_MAX_BLOCK = 2**31 - 1  # pyarrow's own limit
# As many as SageMaker's random cut forest takes. pyarrow needs four kilobytes for each, which the six megabytes of a
# request could make into thirteen gigabytes.
_MAX_COLUMNS = 10_000
_NUMBER = re.compile(rb'\s*"?\s*([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|infinity)|nan|)\s*"?\s*', re.I)


def decode(body: bytes) -> FloatArray:
    """The table, (n, d) float64. An empty line is one missing value when rows have one column, else nothing."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    if not body:
        return np.empty((0, 0))
    width = _width(body)
    if width > _MAX_COLUMNS:
        raise errors.DataError(f"a line has {width} columns, the limit is {_MAX_COLUMNS}")
    names = [f"f{i}" for i in range(width)]
    try:
        table = csv.read_csv(
            pa.BufferReader(body),
            csv.ReadOptions(use_threads=False, column_names=names, block_size=min(len(body) + 1, _MAX_BLOCK)),
            csv.ParseOptions(ignore_empty_lines=width > 1),
            csv.ConvertOptions(column_types=dict.fromkeys(names, pa.float64()), null_values=[""]),
        )
    except pa.ArrowInvalid as error:
        raise _first_fault(body, width, error) from error
    values = np.empty((table.num_rows, width))
    for i in range(width):
        values[:, i] = table.column(i).to_numpy()
    return values


def decode_scores(body: bytes) -> FloatArray:
    """One value a line, (n,) float64."""
    table = decode(body)
    if table.shape[0] and table.shape[1] != 1:
        raise errors.DataError(f"an answer has {table.shape[1]} values in a line")
    return table.reshape(-1)


def encode(points: npt.NDArray[np.generic], labels: FloatArray | None = None) -> bytes:
    """One row a line, numbers in the shortest form that reads back equal; NaN is an empty field."""
    import pyarrow as pa

    if points.shape[1] == 0:
        return b"\n" * len(points)
    columns = [*([] if labels is None else [labels]), *(points[:, i] for i in range(points.shape[1]))]
    return write([pa.array(column, from_pandas=True) for column in columns])


def encode_scores(scores: FloatArray) -> bytes:
    return encode(scores.reshape(-1, 1))


def write(columns: list[pa.Array], names: list[str] | None = None) -> bytes:
    """Arrow columns of any type as CSV, with a header line when names are given; NULL is an empty field.

    Timestamps have a fraction of a second only when there is one among them.
    """
    import pyarrow as pa
    from pyarrow import csv

    out = pa.BufferOutputStream()
    labels = names or [str(i) for i in range(len(columns))]
    table = pa.Table.from_arrays([_without_fraction(column) for column in columns], names=labels)
    csv.write_csv(table, out, csv.WriteOptions(include_header=names is not None))
    return bytes(out.getvalue())


def _without_fraction(column: pa.Array) -> pa.Array:
    import pyarrow as pa

    if not pa.types.is_timestamp(column.type):
        return column
    try:
        return column.cast(pa.timestamp("s", column.type.tz))
    except pa.ArrowInvalid:
        return column


def _width(body: bytes) -> int:
    """Columns of the first line that has something in it."""
    line = re.search(rb"[^\r\n]+", body)
    return line[0].count(b",") + 1 if line else 1


def _first_fault(body: bytes, width: int, error: Exception) -> errors.DataError:
    """What was wrong, with its line and column: pyarrow names the line only where it knows it."""
    for number, line in enumerate(body.split(b"\n"), 1):
        fields = line.rstrip(b"\r").split(b",")
        if len(fields) != width and line.strip():
            return errors.DataError(f"line {number} has {len(fields)} columns, the first line {width}")
        for column, field in enumerate(fields, 1):
            if not _NUMBER.fullmatch(field):
                shown = field[:100].decode("utf-8", "replace")
                return errors.InvalidTextRepresentation(f'line {number}, column {column}: "{shown}" is not a number')
    return errors.DataError(f"not CSV: {str(error)[:200]}")
