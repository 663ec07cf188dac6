"""Values for `:name` in a text, where they stand as quoted literals.

What the Data API passes is text whose type its place decides, and a quoted literal is exactly that. Unlike a bound
value it may also stand where the grammar wants a literal, and in each of several statements.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from restframe.sql.split import end_of_comment


@dataclass(frozen=True, slots=True)
class FilledText:
    """names : those that were found
    _edits : per value, where it ends in `text` and by how much everything behind it has moved
    """

    text: str
    names: frozenset[str]
    _edits: tuple[tuple[int, int], ...] = ()

    def original_position(self, position: int) -> int:
        """A position in the text, from 1, as one in the text that had the names; that of the name for a value's."""
        at = bisect_right([end for end, _ in self._edits], position - 1)
        behind = position - (self._edits[at - 1][1] if at else 0)
        if at < len(self._edits):
            following_end, following_shift = self._edits[at]
            return min(behind, following_end - following_shift)
        return behind


def fill(text: str, values: Mapping[str, str]) -> FilledText:
    """The text with its parameters written out. A name that has no value stays, for the parser to complain about."""
    pieces: list[str] = []
    edits: list[tuple[int, int]] = []
    names = set()
    done = length = 0
    for start, end, name in _placeholders(text):
        if name not in values:
            continue
        names.add(name)
        # Blanks around it keep it from becoming part of what stands beside it: E'...', 'a''b'.
        literal = " '" + values[name].replace("\\", "\\\\").replace("'", "''") + "' "
        pieces += [text[done:start], literal]
        length += start - done + len(literal)
        done = end
        edits.append((length, length - end))
    return FilledText("".join((*pieces, text[done:])), frozenset(names), tuple(edits))


# What is no placeholder, taken whole; then a name; then a quote that never ends, behind which nothing is replaced.
_PIECE = re.compile(
    r"""  \w[\w$]*+
        | ' (?: [^'\\]++ | \\. | '' )*+ '
        | " (?: [^"]++ | "" )*+ "
        | --[^\n]*+
        | \$ (?P<tag> (?:[^\W\d]\w*+)?+ ) \$ .*? \$(?P=tag)\$
        | ::
        | : (?P<name> [0-9A-Za-z_]++ )
        | (?P<comment> /\* )
        | (?P<open> ['"] | \$ (?:[^\W\d]\w*+)?+ \$ )""",
    re.VERBOSE | re.DOTALL,
)


def _placeholders(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and name of each."""
    at = 0
    while match := _PIECE.search(text, at):
        at = match.end()
        if match["open"]:
            return
        if match["comment"]:
            at = end_of_comment(text, match.start())
        elif match["name"]:
            yield match.start(), match.end(), match["name"]
