"""Kernels for text: UTF-8, lengths in bytes, blanks, and Arrow's string views of what lies in a block."""

from __future__ import annotations

from typing import Any

import numpy as np

from restframe.compiled import interpretable, part
from restframe.storage.loading.faults import Kind
from restframe.storage.loading.numbers import is_blank
from restframe.storage.loading.records import MISSING
from restframe.storage.writing.memory import address, load_32, load_64, load_word, store_8, store_64
from restframe.storage.writing.numbers import U

_TOO_LONG, _MULTIBYTE, _UTF8 = int(Kind.STRING_TOO_LONG), int(Kind.MULTIBYTE_CHAR), int(Kind.UTF8)
_NUL, _NO_NEWLINE = int(Kind.NUL), int(Kind.NO_NEWLINE)
_VIEW_BYTES = 16
_INLINE_BYTES = 12
_FIRST_BYTES = np.array([(1 << 8 * size) - 1 for size in range(8)] + [-1], np.int64)  # a mask for the first so many
_HIGH_BITS = -0x7F7F7F7F7F7F7F80
_EACH_ONE, _EACH_HIGH = U(0x0101010101010101), U(0x8080808080808080)
_int: Any = np.int64


@interpretable("loading")
def views(
    block: Any, starts: Any, ends: Any, null: Any, column: int, limit: int, is_char: bool, ascii_only: bool,
    empty_is_null: bool, blank_is_null: bool, missing_is_null: bool, trim: bool, truncate: bool, replacement: int,
    out: Any, valid: Any, kinds: Any, details: Any,
) -> None:  # fmt: skip
    """Arrow string views (16 bytes a row, in `out`) of text fields, whose long ones point into `block`.

    limit : bytes the column may hold; 0 when nothing is enforced
    ascii_only : the block is known to hold ASCII only
    replacement : the byte for what is not UTF-8, -1 to refuse it
    """
    to = address(out) - _VIEW_BYTES
    for row in range(len(kinds)):
        to += _VIEW_BYTES
        valid[row] = False
        store_64(to, 0)
        store_64(to + 8, 0)
        if kinds[row] != 0:
            continue
        start, end = starts[row], ends[row]
        if start < 0:
            valid[row] = start == MISSING and not missing_is_null
            continue
        size = end - start
        if size == len(null) and _equal(block, start, null):
            continue
        if size == 0 and empty_is_null:
            continue
        if trim or blank_is_null:
            last = end
            while last > start and is_blank(block[last - 1]):
                last -= 1
            if blank_is_null and last == start and size > 0:
                continue
            if trim and not is_char:
                end = last
        if is_char:
            while end > start and block[end - 1] == 32:
                end -= 1
        if not ascii_only:
            wrong = _check(block, start, end, is_char, -1 if is_char else replacement)
            if wrong >= 0:
                kinds[row] = _MULTIBYTE if is_char else _UTF8
                details[row, 0], details[row, 1] = column, wrong - start
                continue
        if limit > 0 and end - start > limit:
            if not truncate:
                kinds[row] = _TOO_LONG
                details[row, 0], details[row, 1] = column, 0
                continue
            end = start + limit
            while end > start and block[end] & 0xC0 == 0x80:
                end -= 1
        valid[row] = True
        _view(block, start, end - start, to)


@part
def _view(block: Any, start: int, size: int, to: int) -> None:
    """A view at an address, where there are zeros.

    https://arrow.apache.org/docs/format/Columnar.html#variable-size-binary-view-layout
    """
    at = address(block) + start
    if size > _INLINE_BYTES:
        store_64(to, size | _int(load_32(at)) << 32)
        store_64(to + 8, _int(start) << 32)
    elif start + _INLINE_BYTES > len(block):
        store_64(to, size)
        for k in range(size):
            store_8(to + 4 + k, block[start + k])
    else:
        head = load_64(at) & _FIRST_BYTES[min(size, 8)]
        tail = _int(load_32(at + 8)) & _FIRST_BYTES[max(size - 8, 0)]
        store_64(to, size | head << 32)
        store_64(to + 8, (head >> 32) & _FIRST_BYTES[4] | tail << 32)


@part
def _equal(block: Any, start: int, text: Any) -> bool:
    same = True
    for k in range(len(text)):
        same &= block[start + k] == text[k]
    return same


@part
def _check(block: Any, start: int, end: int, ascii_wanted: bool, replacement: int) -> Any:
    """Where the first byte stands that is not allowed, -1 when there is none or all were replaced."""
    i = _int(start)
    data = address(block)
    while i < end:
        if i + 8 <= end and load_64(data + i) & _HIGH_BITS == 0:
            i += 8
            continue
        if block[i] < 0x80:
            i += 1
            continue
        size = 0 if ascii_wanted else _sequence(block, i, end)
        if size > 0:
            i += size
        elif replacement < 0:
            return i
        else:
            block[i] = replacement
            i += 1
            while i < end and block[i] & 0xC0 == 0x80:
                block[i] = replacement
                i += 1
    return -1


@part
def _sequence(block: Any, i: int, end: int) -> int:
    """Bytes of the UTF-8 sequence of several bytes that starts here, 0 when it is none."""
    first = block[i]
    size = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    if first < 0xC2 or first > 0xF4 or i + size > end:
        return 0
    second = block[i + 1]
    if (first == 0xE0 and second < 0xA0) or (first == 0xED and second > 0x9F):
        return 0
    if (first == 0xF0 and second < 0x90) or (first == 0xF4 and second > 0x8F):
        return 0
    for k in range(1, size):
        if block[i + k] & 0xC0 != 0x80:
            return 0
    return size


@part
def _has_no_zero(word: Any) -> Any:
    """Whether none of 8 bytes is zero. Of those that follow a zero, it does not tell."""
    return (word - _EACH_ONE) & ~word & _EACH_HIGH == U(0)


@interpretable("loading")
def refuse_nul(block: Any, starts: Any, ends: Any, null: Any, bounds: Any, kinds: Any, details: Any) -> None:
    """Mark the records that hold a NUL byte other than as a whole field that is the NULL string."""
    columns = starts.shape[0]
    null_is_nul = len(null) == 1 and null[0] == 0
    data = address(block)
    for row in range(len(kinds)):
        for column in range(columns):
            start, end = starts[column, row], ends[column, row]
            if kinds[row] != 0 or start < 0 or (null_is_nul and end - start == 1):
                continue
            left = _int(start)
            while left + 8 <= end and _has_no_zero(load_word(data + left)):
                left += 8
            for i in range(left, end):
                if block[i] == 0:
                    kinds[row] = _NUL if null_is_nul else _NO_NEWLINE
                    details[row, 0] = column if null_is_nul else -1
                    details[row, 1] = 0 if null_is_nul else i - bounds[row, 0]
                    break
