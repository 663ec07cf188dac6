"""Kernels that cut a block of a stream into records and fields: PostgreSQL's text and CSV formats.

They fill the arrays that `storage.loading.records` describes, with NULL for the fields that are NULL: it is told from
a field's text as it stood, before escapes and quotes are undone. The last of `details` is how many fields there were.
They stop behind the first record that is wrong, and where the data ends.

https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np

from restframe.compiled import interpretable, part
from restframe.storage.loading.records import NULL


class Wrong(IntEnum):
    """What a record can have wrong as a whole; the numbers continue those of `faults.Kind`."""

    EXTRA = 101
    MISSING = 102
    RETURN = 103  # a carriage return among line feeds
    NEWLINE = 104  # a line feed among other line ends
    MARKER = 105  # \. and more on its line
    QUOTE = 106  # one that is never closed


class State(IntEnum):
    """Places in the array of what is known from one block to the next."""

    LINE_END = 0  # 0 as long as no line has ended, else 1 for LF, 2 for CR, 3 for CRLF
    ENDED = 1  # \. has been read
    ESCAPED = 2  # an escape has made a byte that is not printable ASCII


_NEWLINE, _RETURN, _BACKSLASH, _PERIOD = 10, 13, 92, 46
_LF, _CR, _CRLF = 1, 2, 3
_LINE_END, _ENDED, _ESCAPED = int(State.LINE_END), int(State.ENDED), int(State.ESCAPED)
_EXTRA, _MISSING, _BAD_RETURN = int(Wrong.EXTRA), int(Wrong.MISSING), int(Wrong.RETURN)
_BAD_NEWLINE, _MARKER, _QUOTE = int(Wrong.NEWLINE), int(Wrong.MARKER), int(Wrong.QUOTE)
_INCOMPLETE = -1
_int: Any = np.int64  # bytes are unsigned; arithmetic with them shall not be


@part
def line_end(block: Any, i: int, end: int, final: bool, state: Any) -> tuple[int, int]:
    """How many bytes the line end at `i` has, and what is wrong with it; (-1, 0) when the next block will tell."""
    if block[i] == _NEWLINE:
        if state[_LINE_END] == 0:
            state[_LINE_END] = _LF
        return 1, 0 if state[_LINE_END] == _LF else _BAD_NEWLINE
    if i + 1 >= end and not final and state[_LINE_END] != _CR:
        return _INCOMPLETE, 0
    two = i + 1 < end and block[i + 1] == _NEWLINE
    if state[_LINE_END] == 0:
        state[_LINE_END] = _CRLF if two else _CR
    if state[_LINE_END] == _CRLF and two:
        return 2, 0
    return 1, 0 if state[_LINE_END] == _CR else _BAD_RETURN


@part
def _is(block: Any, start: int, end: int, text: Any) -> bool:
    if end - start != len(text):
        return False
    same = True
    for k in range(len(text)):
        same &= block[start + k] == text[k]
    return same


@part
def _finish(
    row: int, at: int, stop: int, line: int, fields: int, kind: int, bounds: Any, kinds: Any, details: Any, columns: int
) -> int:  # fmt: skip
    bounds[row, 0], bounds[row, 1], bounds[row, 2] = at, stop, line
    if kind == 0 and fields > columns:
        kind = _EXTRA
    elif kind == 0 and fields < columns:
        kind = _MISSING
    kinds[row] = kind
    details[row, 0], details[row, 1] = -1, fields
    return kind


@interpretable("copying")
def split_text(
    block: Any, begin: int, end: int, final: bool, line: int, delimiter: int, stops: Any, null: Any, state: Any,
    starts: Any, ends: Any, bounds: Any, kinds: Any, details: Any,
) -> tuple[int, int, int]:  # fmt: skip
    """Fields between delimiters, with backslash escapes.

    stops : a boolean for each of the 256 bytes, for those at which a field may end or an escape may begin
    """
    columns, capacity = starts.shape
    row, at = 0, begin
    while row < capacity and at < end and state[_ENDED] == 0:
        i, column, kind, breaks, after = at, 0, 0, 0, 0
        stop = i
        while True:
            field = i
            while i < end and not stops[block[i]]:
                i += 1
            to = i
            is_null = False
            if i < end and block[i] == _BACKSLASH:
                i, breaks_inside, marker = _raw_end(block, i, end, stops)
                breaks += breaks_inside
                if marker >= 0:
                    i, kind = marker, _after_marker(block, marker + 2, end, final)
                    if kind == _INCOMPLETE:
                        after = _INCOMPLETE
                        break
                    state[_ENDED] = 1
                is_null = _is(block, field, i, null)
                to = _unescape(block, to, i, state)
            else:
                is_null = _is(block, field, i, null)
            if column < columns:
                starts[column, row] = NULL if is_null else field
                ends[column, row] = to
            column += 1
            stop = i
            if i >= end or state[_ENDED] == 1:
                after = 0 if final or state[_ENDED] == 1 else _INCOMPLETE
                break
            if block[i] != delimiter:
                after, kind = line_end(block, i, end, final, state)
                break
            i += 1
        if after == _INCOMPLETE:
            break
        if state[_ENDED] == 1 and kind == 0 and stop == at:
            at = end
            break
        kind = _finish(row, at, stop, line, column, kind, bounds, kinds, details, columns)
        row += 1
        at = stop + after
        line += 1 + breaks
        if kind != 0:
            break
    return row, at, line


@part
def _raw_end(block: Any, i: int, end: int, stops: Any) -> tuple[int, int, int]:
    """Where a field with a backslash at `i` ends, how many lines end within it, and where \\. stands (-1: nowhere)."""
    breaks = 0
    while i < end:
        c = block[i]
        if c == _BACKSLASH:
            if i + 1 < end and block[i + 1] == _PERIOD:
                return i, breaks, i
            if i + 1 < end and block[i + 1] == _NEWLINE:
                breaks += 1
            i += 2
            continue
        if stops[c]:
            break
        i += 1
    return min(i, end), breaks, -1


@part
def _after_marker(block: Any, i: int, end: int, final: bool) -> int:
    """0 when a line or the data ends at `i`, else what is wrong."""
    if i >= end:
        return 0 if final else _INCOMPLETE
    return 0 if block[i] == _NEWLINE or block[i] == _RETURN else _MARKER


@part
def _unescape(block: Any, i: int, end: int, state: Any) -> int:
    """Undo the escapes from `i` to `end` in place; returns where the text ends then."""
    to = i
    while i < end:
        c = block[i]
        i += 1
        if c == _BACKSLASH:
            if i >= end:
                break
            c = block[i]
            i += 1
            if 48 <= c <= 55:
                value = _int(c) - 48
                for _ in range(2):
                    if i < end and 48 <= block[i] <= 55:
                        value = value * 8 + _int(block[i]) - 48
                        i += 1
                c = np.uint8(value & 255)
            elif c == 120 and i < end and _hex(block[i]) >= 0:
                value = _hex(block[i])
                i += 1
                if i < end and _hex(block[i]) >= 0:
                    value = value * 16 + _hex(block[i])
                    i += 1
                c = np.uint8(value)
            elif c == 98:
                c = np.uint8(8)
            elif c == 102:
                c = np.uint8(12)
            elif c == 110:
                c = np.uint8(10)
            elif c == 114:
                c = np.uint8(13)
            elif c == 116:
                c = np.uint8(9)
            elif c == 118:
                c = np.uint8(11)
            if c == 0 or c >= 128:
                state[_ESCAPED] = 1
        block[to] = c
        to += 1
    return to


@part
def _hex(c: int) -> int:
    if 48 <= c <= 57:
        return int(_int(c) - 48)
    letter: int = _int(c) | 32
    return letter - 87 if 97 <= letter <= 102 else -1


@interpretable("copying")
def split_csv(
    block: Any, begin: int, end: int, final: bool, line: int, delimiter: int, quote: int, escape: int, stops: Any,
    null: Any, never_null: Any, null_in_quotes: Any, state: Any,
    starts: Any, ends: Any, bounds: Any, kinds: Any, details: Any,
) -> tuple[int, int, int]:  # fmt: skip
    """Fields of which any part may stand in quotes.

    stops : as for split_text, with the quote in place of the backslash
    never_null, null_in_quotes : a boolean a column
    """
    columns, capacity = starts.shape
    row, at = 0, begin
    while row < capacity and at < end and state[_ENDED] == 0:
        if block[at] == _BACKSLASH and (at + 1 >= end or block[at + 1] == _PERIOD):
            marker = _after_marker(block, at + 2, end, final)
            if marker == _INCOMPLETE:
                break
            if marker == 0 and at + 1 < end:
                state[_ENDED] = 1
                at = end
                break
        i, column, kind, breaks, after = at, 0, 0, 0, 0
        stop = i
        while True:
            field = i
            while i < end and not stops[block[i]]:
                i += 1
            to = i
            in_quotes = was_quoted = False
            while i < end:
                c = block[i]
                if in_quotes:
                    if c == escape and (i + 1 < end or not final):
                        if i + 1 >= end:
                            after = _INCOMPLETE
                            break
                        following = block[i + 1]
                        if following in (escape, quote):
                            block[to] = following
                            to += 1
                            i += 2
                            continue
                    if c == quote:
                        in_quotes = False
                        i += 1
                        continue
                    if c == _NEWLINE:
                        breaks += 1
                elif c == quote:
                    in_quotes = was_quoted = True
                    i += 1
                    continue
                elif stops[c]:
                    break
                block[to] = c
                to += 1
                i += 1
            if in_quotes and i >= end:
                if not final:
                    after = _INCOMPLETE
                else:
                    kind = _QUOTE
            if column < columns:
                is_null = _is(block, field, to, null) and (
                    null_in_quotes[column] if was_quoted else not never_null[column]
                )
                starts[column, row] = NULL if is_null else field
                ends[column, row] = to
            column += 1
            stop = i
            if after == _INCOMPLETE or kind != 0:
                break
            if i >= end:
                after = 0 if final else _INCOMPLETE
                break
            if block[i] != delimiter:
                after, kind = line_end(block, i, end, final, state)
                break
            i += 1
        if after == _INCOMPLETE:
            break
        kind = _finish(row, at, stop, line, column, kind, bounds, kinds, details, columns)
        row += 1
        at = stop + after
        line += 1 + breaks
        if kind != 0:
            break
    return row, at, line
