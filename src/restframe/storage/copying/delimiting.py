"""Kernels that make lines of rows of binary COPY whose fields are texts, find where rows end, and frame them."""

from __future__ import annotations

from typing import Any

import numpy as np

from restframe.compiled import kernel, part

_BACKSLASH, _NEWLINE, _PERIOD = 92, 10, 46
_int: Any = np.int64


@part
def _int32(block: Any, i: int) -> int:
    value: int = _int(block[i]) << 24 | _int(block[i + 1]) << 16 | _int(block[i + 2]) << 8 | _int(block[i + 3])
    return value - (1 << 32) if value >= 1 << 31 else value


@kernel
def row_ends(block: Any, columns: int, ends: Any) -> None:
    """Where each row ends; a row is a 16 bit count and fields, each behind its length in 32 bits, -1 for NULL."""
    i = 0
    for row in range(len(ends)):
        i += 2
        for _ in range(columns):
            i += 4 + max(_int32(block, i), 0)
        ends[row] = i


@kernel
def text_lines(block: Any, columns: int, delimiter: int, null: Any, escapes: Any, out: Any, ends: Any) -> int:
    """Lines of the text format, and where each ends; returns where the last one does.

    escapes : for each byte the one that stands for it behind a backslash, 0 for those that stand for themselves
    """
    i = to = 0
    for row in range(len(ends)):
        i += 2
        for column in range(columns):
            if column > 0:
                out[to] = delimiter
                to += 1
            size = _int32(block, i)
            i += 4
            if size < 0:
                for k in range(len(null)):
                    out[to + k] = null[k]
                to += len(null)
                continue
            for k in range(i, i + size):
                c = block[k]
                letter = escapes[c]
                if letter != 0:
                    out[to] = _BACKSLASH
                    to += 1
                    c = letter
                out[to] = c
                to += 1
            i += size
        out[to] = _NEWLINE
        to += 1
        ends[row] = to
    return to


@kernel
def csv_lines(
    block: Any, columns: int, delimiter: int, null: Any, quote: int, escape: int, special: Any, quoted: Any,
    out: Any, ends: Any,
) -> int:  # fmt: skip
    """The same in CSV.

    special : a boolean for each byte that a field must be quoted for
    quoted : a boolean for each column that is quoted always
    """
    i = to = 0
    for row in range(len(ends)):
        i += 2
        for column in range(columns):
            if column > 0:
                out[to] = delimiter
                to += 1
            size = _int32(block, i)
            i += 4
            if size < 0:
                for k in range(len(null)):
                    out[to + k] = null[k]
                to += len(null)
                continue
            in_quotes = quoted[column] or _means_else(block, i, size, null, columns)
            for k in range(i, i + size):
                in_quotes |= special[block[k]]
            if in_quotes:
                out[to] = quote
                to += 1
            for k in range(i, i + size):
                c = block[k]
                if in_quotes and (c in (quote, escape)):
                    out[to] = escape
                    to += 1
                out[to] = c
                to += 1
            if in_quotes:
                out[to] = quote
                to += 1
            i += size
        out[to] = _NEWLINE
        to += 1
        ends[row] = to
    return to


@part
def _means_else(block: Any, start: int, size: int, null: Any, columns: int) -> bool:
    """Whether a field without quotes would be read as NULL, or a line of it alone as the end of the data."""
    if columns == 1 and size == 2 and block[start] == _BACKSLASH and block[start + 1] == _PERIOD:
        return True
    same = size == len(null)
    for k in range(size if same else 0):
        same &= block[start + k] == null[k]
    return same


@kernel
def copy_data(block: Any, ends: Any, out: Any) -> None:
    """Each row as a message CopyData: the letter d, the length in 32 bits, which counts itself too, and the row."""
    start = to = 0
    for row in range(len(ends)):
        size = ends[row] - start
        out[to] = 100
        for k in range(4):
            out[to + 1 + k] = (size + 4) >> (24 - 8 * k) & 255
        to += 5
        for k in range(size):
            out[to + k] = block[start + k]
        to += size
        start = ends[row]
