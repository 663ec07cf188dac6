"""Two ways of typing one password made one: SASLprep, with Unicode's normal form KC.

https://www.rfc-editor.org/rfc/rfc4013
"""

from __future__ import annotations

import stringprep
import unicodedata

_PROHIBITED = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
    stringprep.in_table_a1,
)


def saslprep(text: str) -> str:
    """The prepared password; the text itself when the profile prohibits it, as PostgreSQL's clients do then."""
    if text.isascii() and text.isprintable():
        return text
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in text
        if not stringprep.in_table_b1(character)
    )
    normal = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if not normal or any(prohibits(character) for prohibits in _PROHIBITED for character in normal):
        return text
    return normal if _reads_one_way(normal) else text


def _reads_one_way(text: str) -> bool:
    """RFC 3454, section 6: text from right to left holds nothing from left to right, and begins and ends so."""
    rightward = [stringprep.in_table_d1(character) for character in text]
    if not any(rightward):
        return True
    return rightward[0] and rightward[-1] and not any(map(stringprep.in_table_d2, text))
