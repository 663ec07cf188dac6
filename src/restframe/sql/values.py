"""Long INSERT ... VALUES lists of plain literals, read as columns of text instead of as a syntax tree.

A tree of thousands of rows takes longer to build, print and read again than to load. What is not plain, be it a
single expression, is left to the ordinary road.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from restframe.sql.escapes import unescaped


@dataclass(frozen=True, slots=True, eq=False)
class RowsOfLiterals:
    """The rows of a VALUES list, column by column.

    columns : the literals as text, None for NULL
    unquoted : for each column, whether numbers or booleans were written in it
    """

    columns: tuple[list[str | None], ...]
    unquoted: tuple[bool, ...]


def read_rows_of_literals(text: str) -> tuple[str, RowsOfLiterals] | None:
    """The statement with DEFAULT VALUES for its rows, and the rows; None when it had better be read as a tree."""
    if len(text) < _WORTH_IT_CHARACTERS:
        return None
    head = _HEAD.match(text)
    if head is None:
        return None
    found: list[Match] = _LITERAL.findall(text, head.end())
    width = next((place for place, match in enumerate(found, start=1) if match[_END][:1] == ")"), 0)
    if not width or not _are_rows(found, width):
        return None
    columns = tuple([_value(match) for match in found[place::width]] for place in range(width))
    unquoted = tuple(
        any(match[_BARE] and match[_BARE][0] not in "nN" for match in found[place::width]) for place in range(width)
    )
    return f"{head[1]} DEFAULT VALUES", RowsOfLiterals(columns, unquoted)


# Below this a tree is quick enough, and its errors name the place within a row.
_WORTH_IT_CHARACTERS = 4096

_NAME = r'(?:\w[\w$]*+|"(?:[^"]++|"")++")'
_HEAD = re.compile(
    rf"(\s*+INSERT\s++INTO\s++{_NAME}(?:\s*+\.\s*+{_NAME}){{0,2}}+"
    rf"(?:\s*+\(\s*+{_NAME}(?:\s*+,\s*+{_NAME})*+\s*+\))?+)\s*+VALUES\b",
    re.IGNORECASE,
)

# One literal with the punctuation around it; whatever else there is matches the last group, one sign at a time.
Match = tuple[str, str, str, str, str]
_OPEN, _QUOTED, _BARE, _END, _ELSE = range(5)
_LITERAL = re.compile(
    r"""\s*+ (\(?) \s*+
        (?: '((?: [^'\\]++ | '' | \\. )*+)'
          | ( -?[0-9]++(?:\.[0-9]*+)?(?:[eE][-+]?[0-9]++)?
            | [nN][uU][lL][lL]\b | [tT][rR][uU][eE]\b | [fF][aA][lL][sS][eE]\b ) )
        \s*+ ( , | \) \s*+ ,? )
      | (\S)""",
    re.VERBOSE | re.DOTALL,
)


_ZEROS_IN_FRONT = re.compile(r"^0+(?=[0-9])")


def _are_rows(found: Sequence[Match], width: int) -> bool:
    """Whether nothing but rows of `width` literals was found, each in parentheses, with commas between them."""
    if len(found) % width or any(match[_ELSE] for match in found):
        return False
    opened = {match[_OPEN] for match in found[::width]}
    inside = {match[_OPEN] for place in range(1, width) for match in found[place::width]}
    between = {match[_END] for place in range(width - 1) for match in found[place::width]}
    closed = [match[_END] for match in found[width - 1 :: width]]
    last = closed.pop()
    return (
        opened == {"("}
        and inside <= {""}
        and between <= {","}
        and last.rstrip() == ")"
        and all(len(end) > 1 and end[-1] == "," for end in set(closed))
    )


def _value(match: Match) -> str | None:
    bare = match[_BARE]
    if bare:
        # 007 is a number, and as text it is 7.
        bare = _ZEROS_IN_FRONT.sub("", bare) if bare[0] == "0" else bare
        return None if bare[0] in "nN" else bare
    text = match[_QUOTED]
    return unescaped(text, extended=False) if "\\" in text or "'" in text else text
