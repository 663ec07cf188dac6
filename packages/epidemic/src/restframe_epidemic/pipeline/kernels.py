"""Kernels over the bytes of many rows."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def fnv(characters, starts, result):  # type: ignore[no-untyped-def]
    """Go on with the FNV-1a hash of each row by one of its texts, and a byte for the text's end.

    characters : (c,) uint8 of all texts. starts : (n + 1,) int64 of each text in them, and the last one's end
    result : (n,) uint64, changed in place

    Fowler, Noll, Vo, Eastlake: The FNV Non-Cryptographic Hash Algorithm, RFC 9923.
    """
    prime = np.uint64(0x100000001B3)
    for row in range(len(result)):
        value = result[row]
        for at in range(starts[row], starts[row + 1]):
            value = (value ^ np.uint64(characters[at])) * prime
        result[row] = (value ^ np.uint64(0xFF)) * prime


@numba.njit(cache=True, nogil=True)
def well_quoted(text, delimiter):  # type: ignore[no-untyped-def]
    """Whether each quote of delimited text opens a value, closes one on the same line, or is one of two inside.

    text : (c,) uint8, in which \\r stands before \\n alone
    """
    plain, quoted, closed = 1, 2, 3  # where in a value; 0 at its beginning
    state = 0
    for character in text:
        if character == ord('"'):
            if state == plain:
                return False
            state = closed if state == quoted else quoted
        elif character == ord("\n"):
            if state == quoted:
                return False
            state = 0
        elif state == quoted:
            continue
        elif character == delimiter:
            state = 0
        elif state == closed:
            if character != ord("\r"):
                return False
        else:
            state = plain
    return state != quoted
