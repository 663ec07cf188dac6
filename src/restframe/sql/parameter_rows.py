"""INSERT of many rows: VALUES (?, ?) with many sets of parameters, or VALUES ($1, $2), ($3, $4) and so on.

The rows take the road of a long VALUES list of literals: columns of text, which the target's types turn into values.
"""

from __future__ import annotations

import datetime
import numbers
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from restframe import errors
from restframe.sql.statements.query import Insert
from restframe.sql.tree import Tree, parse_tree
from restframe.sql.values import RowsOfLiterals

Parameters = Sequence[Any] | Mapping[str, Any]

_NAME = r'(?:\w[\w$]*+|"(?:[^"]++|"")++")'
_PLACE = r"(?:\?|:[A-Za-z_]\w*+)"
_HEAD = (
    rf"(\s*+INSERT\s++INTO\s++{_NAME}(?:\s*+\.\s*+{_NAME}){{0,2}}+(?:\s*+\(\s*+{_NAME}(?:\s*+,\s*+{_NAME})*+\s*+\))?+)"
)
_INSERT = re.compile(
    rf"{_HEAD}\s*+VALUES\s*+\(\s*+({_PLACE}(?:\s*+,\s*+{_PLACE})*+)\s*+\)[\s;]*+",
    re.IGNORECASE,
)
_NUMBERED = re.compile(rf"{_HEAD}\s*+VALUES\s*+((?:\s*+\([\s\d$,]++\)\s*+,?+)++)[\s;]*+", re.IGNORECASE)
_LONG_TEXT = 1_000


@dataclass(frozen=True, slots=True)
class NumberedRows:
    """A long INSERT of nothing but $1, $2 ... in their order.

    start : its text up to VALUES
    width, count : of a row, and of all, in parameters
    """

    start: str
    width: int
    count: int

    @property
    def first_row(self) -> str:
        """The text with its first row only."""
        return f"{self.start} VALUES ({', '.join([f'${number}' for number in range(1, self.width + 1)])})"

    def insert(self, values: Sequence[Any], text: str) -> Insert | None:
        """The rows of these values; None when one of them has no literal."""
        rows = [values[start : start + self.width] for start in range(0, self.count, self.width)]
        return _insert(self.start, rows, text)


def numbered_rows(text: str) -> NumberedRows | None:
    """None for a text that has to be read otherwise."""
    match = _NUMBERED.fullmatch(text) if len(text) > _LONG_TEXT else None
    if match is None:
        return None
    rows = match[2].rstrip()
    width = rows.partition(")")[0].count(",") + 1
    count = rows.count("$")
    numbers = [f"${number}" for number in range(1, count + 1)]
    written = ",".join([f"({','.join(numbers[start : start + width])})" for start in range(0, count, width)])
    if count == width or written != _BLANKS.sub("", rows):
        return None
    return NumberedRows(match[1], width, count)


_BLANKS = re.compile(r"\s+")


def insert_of_rows(text: str, rows: Sequence[Parameters]) -> Insert | None:
    """All rows as one statement; None for a text or values that have to be run row by row.

    SyntaxError for a row that has more or fewer values than the text has places, UndefinedParameter for a name that
    a row does not have.
    """
    match = _INSERT.fullmatch(text)
    if match is None:
        return None
    places = [place.strip() for place in match[2].split(",")]
    if len({place == "?" for place in places}) > 1:
        return None
    return _insert(match[1], [_values(row, places) for row in rows], text)


def _insert(start: str, rows: Sequence[Sequence[Any]], text: str) -> Insert | None:
    """start : of the statement, up to its VALUES"""
    columns = tuple(_text_column(values) for values in zip(*rows, strict=True))
    if any(column is None for column in columns):
        return None
    texts = tuple(column[0] for column in columns if column is not None)
    unquoted = tuple(column[1] for column in columns if column is not None)
    head = f"{start} DEFAULT VALUES"
    return Insert(Tree(head, 1, parse_tree(head)), RowsOfLiterals(texts, unquoted), text=text)


def _values(row: Parameters, places: list[str]) -> Sequence[Any]:
    if places[0] == "?":
        if isinstance(row, Mapping) or len(row) != len(places):
            raise errors.SyntaxError(f"the statement has {len(places)} parameters, and {len(row)} were given")
        return row
    if not isinstance(row, Mapping):
        raise errors.SyntaxError("the statement's parameters have names, and the values have none")
    try:
        return [row[place[1:]] for place in places]
    except KeyError as error:
        raise errors.UndefinedParameter(f"there is no parameter :{str(error.args[0])[:100]}") from error


def _text_column(values: Sequence[Any]) -> tuple[list[str | None], bool] | None:
    """The values as literals would have them, and whether any would stand without quotes; None when one cannot."""
    texts: list[str | None] = []
    unquoted = False
    for value in values:
        if value is None or type(value) is str:
            texts.append(value)
            continue
        text, bare = _literal(value)
        if bare is None:
            return None
        texts.append(text)
        unquoted = unquoted or bare
    return texts, unquoted


def _literal(value: Any) -> tuple[str | None, bool | None]:
    """A value as text, and whether it is a number or boolean; (None, None) for one that has no literal."""
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()  # NumPy's numbers are not Python's
    match value:
        case bool():
            return ("true" if value else "false"), True
        case numbers.Integral():
            return str(int(value)), True
        case Decimal():
            return format(value, "f"), True
        case float():
            return repr(value), True
        case datetime.datetime():
            # pandas' missing time is unequal to itself
            return (value.isoformat(" ") if value == value else None), False
        case datetime.date() | datetime.time():
            return value.isoformat(), False
        case str():
            return str(value), False
        case _:
            return None, None
