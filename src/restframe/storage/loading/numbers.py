"""Kernels that read integers, decimals, booleans and the grammar of floats out of fields, exactly as COPY does.

Blanks around a number are nothing; a field of blanks only is NULL, as is one that equals the NULL string. The arrays
are those of `records`; a row that already has a fault is passed over, a row that gets one has its column and the
offset of the wrong character noted.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from restframe.compiled import interpretable, part
from restframe.storage.loading.faults import Kind

_DIGIT, _OVERFLOW, _BOOLEAN = int(Kind.DIGIT), int(Kind.OVERFLOW), int(Kind.BOOLEAN)
_POINT, _PLUS, _MINUS = 46, 43, 45
_TEN = np.uint64(10)
_int: Any = np.int64  # bytes are unsigned; arithmetic with them shall not be


@part
def is_blank(c: int) -> bool:
    """Blank, tab, line feed, vertical tab, form feed or return."""
    return c == 32 or 9 <= c <= 13


@part
def trimmed(block: Any, start: int, end: int, null: Any) -> tuple[int, int]:
    """The field without blanks around it; (end, end) when it is NULL, empty or blank."""
    if start < 0:
        return 0, 0
    if end - start == len(null):
        same = True
        for k in range(len(null)):
            same &= block[start + k] == null[k]
        if same:
            return end, end
    while start < end and is_blank(block[start]):
        start += 1
    while start < end and is_blank(block[end - 1]):
        end -= 1
    return start, end


@interpretable("loading")
def integers(
    block: Any, starts: Any, ends: Any, null: Any, column: int, plain: bool, largest: Any,
    out: Any, valid: Any, kinds: Any, details: Any,
) -> None:  # fmt: skip
    """[+-] digits, to int64.

    plain : the NULL string is not a number, so that a field of digits need not be compared with it
    largest : uint64, the greatest positive value; the smallest one is -largest - 1
    """
    for row in range(len(out)):
        out[row] = 0
        valid[row] = False
        if kinds[row] != 0:
            continue
        if plain:
            good, quick = _plain(block, starts[row], ends[row])
            if good and np.uint64(abs(quick)) <= largest:
                out[row] = quick
                valid[row] = True
                continue
        i, end = trimmed(block, starts[row], ends[row], null)
        if i == end:
            continue
        negative = block[i] == _MINUS
        if negative or block[i] == _PLUS:
            i += 1
        digits = 0
        value = np.uint64(0)
        wrong = i == end
        while i < end:
            digit = np.uint64(block[i]) - np.uint64(48)
            if digit > np.uint64(9):
                wrong = True
                break
            if digits > 0 or digit > np.uint64(0):
                digits += 1
            value = value * _TEN + digit
            i += 1
        if wrong:
            kinds[row] = _DIGIT
            details[row, 0], details[row, 1] = column, min(i, end - 1) - starts[row]
        elif digits > 19 or value > largest + np.uint64(negative):
            kinds[row] = _OVERFLOW
            details[row, 0], details[row, 1] = column, 0
        else:
            out[row] = -np.int64(value) if negative else np.int64(value)
            valid[row] = True


@part
def _plain(block: Any, i: int, end: int) -> tuple[bool, int]:
    """[-] digits, if that is all there is: the case worth being quick."""
    negative = 0 <= i < end and block[i] == _MINUS
    if negative:
        i += 1
    good = 0 <= i < end <= i + 18
    value = 0
    while good and i < end:
        digit = _int(block[i]) - 48
        good = 0 <= digit <= 9
        value = value * 10 + digit
        i += 1
    return good, -value if negative else value


@part
def _plain_decimal(block: Any, i: int, end: int, scale: int) -> tuple[bool, int]:
    """[-] digits [ . digits ] with as many digits behind the point as the scale has, or none."""
    negative = 0 <= i < end and block[i] == _MINUS
    if negative:
        i += 1
    good = 0 <= i < end <= i + 17
    point = end
    value = 0
    while good and i < end:
        digit = _int(block[i]) - 48
        if digit == -2 and point == end and i + 1 < end:
            point = i
        else:
            good = 0 <= digit <= 9
            value = value * 10 + digit
        i += 1
    good &= end - point == scale + 1
    return good, -value if negative else value


@interpretable("loading")
def decimals(
    block: Any, starts: Any, ends: Any, null: Any, column: int, plain: bool, precision: int, scale: int,
    rounded: bool, out: Any, valid: Any, kinds: Any, details: Any,
) -> None:  # fmt: skip
    """[+-] digits [ . digits ], to int64 in units of 10 ** -scale; precision is at most 18.

    plain : as for integers
    rounded : half away from zero, instead of cutting off the digits behind the scale
    """
    tenth = 10 ** (precision - 1)  # a value below it can take one more digit
    for row in range(len(out)):
        out[row] = 0
        valid[row] = False
        if kinds[row] != 0:
            continue
        if plain:
            good, quick = _plain_decimal(block, starts[row], ends[row], scale)
            if good and abs(quick) // 10 < tenth:
                out[row] = quick
                valid[row] = True
                continue
        i, end = trimmed(block, starts[row], ends[row], null)
        if i == end:
            continue
        negative = block[i] == _MINUS
        if negative or block[i] == _PLUS:
            i += 1
        value = 0
        behind = -1  # digits behind the point, -1 before it
        digits = 0
        overflow = False
        up = False
        wrong = i == end
        while i < end:
            digit = _int(block[i]) - 48
            if block[i] == _POINT and behind < 0 and (digits > 0 or i + 1 < end):
                behind = 0
            elif digit < 0 or digit > 9:
                wrong = True
                break
            else:
                digits += 1
                if behind < scale:
                    overflow |= value >= tenth
                    value = 0 if overflow else value * 10 + digit
                elif behind == scale:
                    up = digit >= 5
                if behind >= 0:
                    behind += 1
            i += 1
        for _ in range(max(behind, 0), scale):
            overflow |= value >= tenth
            value = 0 if overflow else value * 10
        if rounded and up:
            value += 1
            overflow |= value == tenth * 10
        if wrong or overflow:
            kinds[row] = _DIGIT if wrong else _OVERFLOW
            details[row, 0], details[row, 1] = column, min(i, end - 1) - starts[row]
        else:
            out[row] = -value if negative else value
            valid[row] = True


@interpretable("loading")
def number_texts(
    block: Any, starts: Any, ends: Any, null: Any, column: int, exponents: bool,
    valid: Any, kinds: Any, details: Any,
) -> None:  # fmt: skip
    """Leave in starts and ends the bounds of [+-] digits [ . digits ] [ e [+-] digits ], for others to convert.

    With exponents also NaN, Infinity and inf in any case. `valid` tells which rows have a number.
    """
    for row in range(len(valid)):
        valid[row] = False
        if kinds[row] != 0:
            continue
        begin = starts[row]
        i, end = trimmed(block, begin, ends[row], null)
        if i == end:
            continue
        starts[row], ends[row] = i, end
        if block[i] == _MINUS or block[i] == _PLUS:
            i += 1
            if block[i - 1] == _PLUS:
                starts[row] = i
        if exponents and _is_special(block, i, end):
            valid[row] = True
            continue
        digits = 0
        point = exponent = False
        while i < end:
            c = block[i]
            if 48 <= c <= 57:
                digits += 1
            elif c == _POINT and not point and not exponent and (digits > 0 or i + 1 < end):
                point = True
            elif (c | 32) == 101 and exponents and not exponent and digits > 0 and i + 1 < end:
                exponent = True
                if (block[i + 1] == _MINUS or block[i + 1] == _PLUS) and i + 2 < end:
                    i += 1
            else:
                break
            i += 1
        if i < end or digits == 0:
            kinds[row] = _DIGIT
            details[row, 0], details[row, 1] = column, min(i, end - 1) - begin
            starts[row] = begin
        else:
            valid[row] = True


@part
def _is_special(block: Any, i: int, end: int) -> bool:
    """nan, inf or infinity in any case."""
    for word in (b"nan", b"inf", b"infinity"):
        if end - i == len(word):
            same = True
            for k in range(len(word)):
                same &= (block[i + k] | 32) == word[k]
            if same:
                return True
    return False


@interpretable("loading")
def booleans(
    block: Any, starts: Any, ends: Any, null: Any, column: int, out: Any, valid: Any, kinds: Any, details: Any
) -> None:
    """t, true, y, yes, 1 and f, false, n, no, 0 in any case."""
    for row in range(len(out)):
        out[row] = False
        valid[row] = False
        if kinds[row] != 0:
            continue
        i, end = trimmed(block, starts[row], ends[row], null)
        if i == end:
            continue
        found = _truth(block, i, end)
        if found < 0:
            kinds[row] = _BOOLEAN
            details[row, 0], details[row, 1] = column, 0
        else:
            out[row] = found == 1
            valid[row] = True


@part
def _truth(block: Any, i: int, end: int) -> int:
    size = end - i
    if size == 1 and (block[i] == 49 or block[i] == 48):
        return 1 if block[i] == 49 else 0
    for truth, word in ((1, b"true"), (0, b"false"), (1, b"yes"), (0, b"no")):
        if size == len(word) or size == 1:
            same = True
            for k in range(size):
                same &= (block[i + k] | 32) == word[k]
            if same:
                return truth
    return -1
