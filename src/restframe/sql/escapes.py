"""What backslashes mean in a string.

https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-STRINGS-ESCAPE
"""

from __future__ import annotations

import re

from restframe import errors


def unescaped(body: str, extended: bool) -> str:
    """The text that is meant by what stands between the quotes of a string.

    extended : of `E'...'`, which knows characters by their number too. In `'...'` it is as in PostgreSQL 8.0, from
        which Redshift comes: control characters by their letter, bytes by octal digits, any other sign for itself.

    SyntaxError for a number that is no character's, CharacterNotInRepertoire for bytes that are none in UTF-8.
    """
    try:
        data = (_EXTENDED if extended else _PLAIN).sub(_meant, body.encode())
    except ValueError as error:
        raise errors.SyntaxError("invalid Unicode escape value") from error
    wrong = data.find(0)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        wrong = error.start
        text = ""
    if wrong >= 0:
        raise errors.CharacterNotInRepertoire(f'invalid byte sequence for encoding "UTF8": 0x{data[wrong]:02x}')
    return text


def _meant(match: re.Match[bytes]) -> bytes:
    if match["octal"]:
        return bytes([int(match["octal"], 8) & 255])
    if match["sign"]:
        return _CONTROLS.get(match["sign"], match["sign"])
    found = match.groupdict()
    if found.get("byte"):
        return bytes([int(found["byte"], 16)])
    return _characters(found["characters"]) if found.get("characters") else b"'"


def _characters(escapes: bytes) -> bytes:
    """Of `uXXXX` and `UXXXXXXXX` beside each other, because two surrogates make one character. ValueError."""
    numbers = [int(one[1:], 16) for one in escapes.split(b"\\")]
    return "".join(map(chr, numbers)).encode("utf-16", "surrogatepass").decode("utf-16").encode()


_CONTROLS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_PLAIN = re.compile(rb"''|\\(?: (?P<octal>[0-7]{1,3}) | (?P<sign>.) )", re.VERBOSE | re.DOTALL)
_EXTENDED = re.compile(
    rb"""''|\\(?: (?P<octal>[0-7]{1,3}) | x(?P<byte>[0-9A-Fa-f]{1,2})
                | (?P<characters> (?:u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}) (?:\\(?:u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}))*+ )
                | (?P<sign>.) )""",
    re.VERBOSE | re.DOTALL,
)
