"""Kernels that cut a block of text into records and fields: delimited, CSV, escaped or quoted, fixed width.

All work on one block that begins with the start of a record, and fill the same arrays:

    starts, ends : (columns, capacity) int32, offsets of each field's content in `block`; a start of MISSING is a field
        that FILLRECORD supplies, one of NULL is NULL for certain
    bounds : (capacity, 3) int64, each record's start and end in the block, and the number of its line
    kinds : (capacity,) int32, faults.Kind of each record, 0 when it could be cut
    details : (capacity, 2) int32, the column of the fault (-1: the record as a whole) and an offset, see faults.fault

Escapes and doubled quotes are undone in place, so `block` must be a copy when the raw text is still wanted. Each
returns (records, offset after the last whole record, number of the next line). A record that the block does not hold
to its end is left for the next block, unless `final` says that there is none.
"""

from __future__ import annotations

from typing import Any

from restframe.compiled import interpretable, part
from restframe.storage.loading.faults import MAX_LINE_BYTES, Kind

MISSING = -1
NULL = -2

_NEWLINE, _RETURN, _BLANK, _TAB, _BACKSLASH, _QUOTE, _APOSTROPHE = 10, 13, 32, 9, 92, 34, 39
_NO_DELIMITER, _EXTRA, _BAD_QUOTE = int(Kind.NO_DELIMITER), int(Kind.EXTRA_COLUMNS), int(Kind.QUOTE)
_END_QUOTE, _TOO_LONG = int(Kind.END_QUOTE), int(Kind.LINE_TOO_LONG)
_NO_NEWLINE, _TOO_FEW = int(Kind.NO_NEWLINE), int(Kind.TOO_FEW_COLUMNS)
_MAX = MAX_LINE_BYTES


@part
def _finish(
    row: int, at: int, stop: int, line: int, fields: int, last: int, last_end: int, fill: bool, kind: int,
    starts: Any, bounds: Any, kinds: Any, details: Any,
) -> None:  # fmt: skip
    """Check the number of fields; `last` is where the last field starts, `last_end` where it ends."""
    columns = starts.shape[0]
    bounds[row, 0], bounds[row, 1], bounds[row, 2] = at, stop, line
    details[row, 0], details[row, 1] = min(fields, columns) - 1, 0
    if kind == 0 and stop - at > _MAX:
        kind = _TOO_LONG
    # A delimiter behind the last field ends the line; it does not begin another field.
    if kind == 0 and fields > columns and not (fields == columns + 1 and last == last_end):
        kind = _EXTRA
        details[row, 1] = last - at
    if kind == 0 and fields < columns:
        if fill:
            for column in range(fields, columns):
                starts[column, row] = MISSING
        else:
            kind = _NO_DELIMITER
    if kind in (_TOO_LONG, _EXTRA):
        details[row, 0] = -1
    kinds[row] = kind


@interpretable("loading")
def split_delimited(
    block: Any, begin: int, end: int, final: bool, line: int, delimiter: int, fill: bool, skip_blank: bool,
    starts: Any, ends: Any, bounds: Any, kinds: Any, details: Any,
) -> tuple[int, int, int]:  # fmt: skip
    """Fields between delimiters; nothing is special but the delimiter and the line end."""
    columns, capacity = starts.shape
    row, at = 0, begin
    while row < capacity and at < end:
        i = field = at
        column = 0
        while i < end:
            c = block[i]
            if c == delimiter:
                if column < columns:
                    starts[column, row] = field
                    ends[column, row] = i
                column += 1
                field = i + 1
            elif c == _NEWLINE:
                break
            i += 1
        if i == end and not final:
            break
        stop = i - 1 if i > field and block[i - 1] == _RETURN else i
        if column < columns:
            starts[column, row] = field
            ends[column, row] = stop
        if not (skip_blank and stop == at):
            _finish(row, at, stop, line, column + 1, field, stop, fill, 0, starts, bounds, kinds, details)
            row += 1
        line += 1
        at = min(i + 1, end)
    return row, at, line


@part
def _line_end(block: Any, i: int, end: int) -> int:
    while i < end and block[i] != _NEWLINE:
        i += 1
    return i


@interpretable("loading")
def split_csv(
    block: Any, begin: int, end: int, final: bool, line: int, delimiter: int, quote: int, fill: bool,
    skip_blank: bool, starts: Any, ends: Any, bounds: Any, kinds: Any, details: Any,
) -> tuple[int, int, int]:  # fmt: skip
    """Fields that may stand in quotes; a doubled quote inside is one quote, blanks around the quotes are nothing."""
    columns, capacity = starts.shape
    row, at = 0, begin
    while row < capacity and at < end:
        i, column, kind, breaks = at, 0, 0, 0
        field = to = i
        whole = True
        while True:
            field = i
            while i < end and (block[i] == _BLANK or block[i] == _TAB) and block[i] != delimiter:
                i += 1
            if i < end and block[i] == quote:
                i += 1
                field = to = i
                closed = False
                while i < end:
                    c = block[i]
                    if c == quote:
                        if i + 1 < end and block[i + 1] == quote:
                            i += 1
                        else:
                            closed = i + 1 < end or final
                            break
                    elif c == _NEWLINE:
                        breaks += 1
                    block[to] = c
                    to += 1
                    i += 1
                if closed:
                    i += 1
                    while i < end and (block[i] == _BLANK or block[i] == _TAB) and block[i] != delimiter:
                        i += 1
                    if i < end and block[i] == _RETURN and (i + 1 == end or block[i + 1] == _NEWLINE):
                        i += 1
                    if i == end and not final:
                        whole = False
                    elif i < end and block[i] != delimiter and block[i] != _NEWLINE:
                        kind = _BAD_QUOTE
                elif final:
                    kind = _BAD_QUOTE
                else:
                    whole = False
            else:
                i = field
                while i < end and block[i] != delimiter and block[i] != _NEWLINE and block[i] != quote:
                    i += 1
                to = i
                if i == end and not final:
                    whole = False
                elif i < end and block[i] == quote:
                    kind = _BAD_QUOTE
                elif (i == end or block[i] == _NEWLINE) and i > field and block[i - 1] == _RETURN:
                    to = i - 1
            if column < columns:
                starts[column, row] = field
                ends[column, row] = to
            if kind != 0:
                i = _line_end(block, i, end)
                whole = i < end or final
            if not whole or kind != 0 or i == end or block[i] == _NEWLINE:
                break
            i += 1  # over the delimiter
            column += 1
        if not whole:
            break
        stop = i - 1 if i > at and block[i - 1] == _RETURN else i
        if not (skip_blank and stop == at):
            _finish(row, at, stop, line, column + 1, field, to, fill, kind, starts, bounds, kinds, details)
            row += 1
        line += 1 + breaks
        at = min(i + 1, end)
    return row, at, line


@part
def _ends_field(block: Any, i: int, end: int, delimiter: int) -> bool:
    """Whether a quote before `i` is the last character of its field."""
    if i >= end or block[i] == delimiter or block[i] == _NEWLINE:
        return True
    return block[i] == _RETURN and (i + 1 >= end or block[i + 1] == _NEWLINE)


@part
def _is_last(block: Any, i: int, end: int) -> bool:
    """Whether the block ends before it is known what follows a quote."""
    return i >= end or (block[i] == _RETURN and i + 1 >= end)


@interpretable("loading")
def split_escaped(
    block: Any, begin: int, end: int, final: bool, line: int, delimiter: int, escape: bool, remove_quotes: bool,
    null: Any, fill: bool, skip_blank: bool, starts: Any, ends: Any, bounds: Any, kinds: Any, details: Any,
) -> tuple[int, int, int]:  # fmt: skip
    """ESCAPE: a backslash makes the next character ordinary. REMOVEQUOTES: a field may stand in ' or " quotes."""
    columns, capacity = starts.shape
    row, at = 0, begin
    while row < capacity and at < end:
        i, column, kind, breaks = at, 0, 0, 0
        field = to = i
        whole = True
        while True:
            opening = 0
            if remove_quotes and i < end and (block[i] == _QUOTE or block[i] == _APOSTROPHE):
                opening = block[i]
                i += 1
            # The NULL string is compared before backslashes are undone: \N would become N.
            is_null = escape and opening == 0 and _is(block, i, end, null, delimiter)
            field = to = kept = i
            while i < end:
                c = block[i]
                if escape and c == _BACKSLASH and i + 1 < end:
                    i += 1
                    c = block[i]
                    if c == _NEWLINE:
                        breaks += 1
                    kept = to + 1
                elif c == _NEWLINE or (
                    c == delimiter if opening == 0 else c == opening and _ends_field(block, i + 1, end, delimiter)
                ):
                    break
                block[to] = c
                to += 1
                i += 1
            if not final and (i >= end or (opening != 0 and block[i] == opening and _is_last(block, i + 1, end))):
                whole = False
            elif opening != 0:
                if i < end and block[i] == opening:
                    i += 1
                    if i < end and block[i] == _RETURN:
                        i += 1
                else:
                    kind = _END_QUOTE
            elif (i >= end or block[i] == _NEWLINE) and to > kept and block[to - 1] == _RETURN:
                to -= 1
            if column < columns:
                starts[column, row] = NULL if is_null else field
                ends[column, row] = to
            if not whole or kind != 0 or i >= end or block[i] == _NEWLINE:
                break
            i += 1
            column += 1
        if not whole:
            break
        stop = i - 1 if i > at and block[i - 1] == _RETURN else i
        if not (skip_blank and stop == at):
            _finish(row, at, stop, line, column + 1, field, to, fill, kind, starts, bounds, kinds, details)
            row += 1
        line += 1 + breaks
        at = min(i + 1, end)
    return row, at, line


@part
def _is(block: Any, i: int, end: int, null: Any, delimiter: int) -> Any:
    """Whether the field that starts at `i` is the NULL string."""
    if i + len(null) > end:
        return False
    for k in range(len(null)):
        if block[i + k] != null[k]:
            return False
    return _ends_field(block, i + len(null), end, delimiter)


@interpretable("loading")
def split_fixed(
    block: Any, begin: int, end: int, final: bool, line: int, widths: Any, skip_blank: bool,
    starts: Any, ends: Any, bounds: Any, kinds: Any, details: Any,
) -> tuple[int, int, int]:  # fmt: skip
    """Fields of a fixed number of characters; the last one may be shorter."""
    columns, capacity = starts.shape
    row, at = 0, begin
    while row < capacity and at < end:
        next_line = _line_end(block, at, end)
        if next_line == end and not final:
            break
        stop = next_line - 1 if next_line > at and block[next_line - 1] == _RETURN else next_line
        i = at
        found = 0
        for column in range(columns):
            if column > 0 and i == stop:
                break
            starts[column, row] = i
            left = widths[column]
            while i < stop and (left > 0 or block[i] & 0xC0 == 0x80):
                if block[i] & 0xC0 != 0x80:
                    left -= 1
                i += 1
            ends[column, row] = i
            found += 1
        if not (skip_blank and stop == at):
            bounds[row, 0], bounds[row, 1], bounds[row, 2] = at, stop, line
            details[row, 0], details[row, 1] = -1, i - at
            kinds[row] = 0
            if stop - at > _MAX:
                kinds[row] = _TOO_LONG
            elif found < columns:
                kinds[row] = _TOO_FEW
            elif i < stop:
                kinds[row] = _NO_NEWLINE
            row += 1
        line += 1
        at = min(next_line + 1, end)
    return row, at, line
