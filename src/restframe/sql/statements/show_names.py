"""What statements that SHOW the catalog share: names and patterns that may be parameters, LIKE and LIMIT.

Redshift's drivers ask for metadata with parameters wherever a name stands: SHOW TABLES FROM SCHEMA $1.$2 LIKE $3.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from sqlglot.tokens import TokenType

from restframe import errors
from restframe.sql.lexer import Cursor, folded
from restframe.sql.statements import Statement

_MOST_ROWS = 10_000  # which LIMIT may ask for
_MOST_PARAMETERS = 32_767


@dataclass(frozen=True, slots=True)
class Placeholder:
    """`$1` or `?` where a name or a pattern is to stand. name : whether it will be folded as a name is"""

    number: int
    name: bool


Text = str | Placeholder


@dataclass(frozen=True, slots=True)
class Path:
    """Names with dots between them, as many as were written; each in lower case."""

    parts: tuple[Text, ...]
    position: int = field(default=1, compare=False)

    def names(self, most: int) -> tuple[str | None, ...]:
        """As many names as there could be, from the outermost; None for those that were left out."""
        return (*[None] * (most - len(self.parts)), *map(str, self.parts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Show(Statement):
    """[ LIKE 'pattern' ] [ LIMIT n ]: what ends most statements that SHOW.

    like : `%` and `_` stand for any characters, upper and lower case differ
    """

    like: Text | None = None
    limit: int | None = None

    @property
    def placeholders(self) -> int:
        return max((found.number for found in _placeholders(self)), default=0)

    def bind(self, values: Sequence[Any]) -> Self:
        if len(values) != self.placeholders:
            message = f"{len(values)} parameters were given, and the statement takes {self.placeholders}"
            raise errors.SyntaxError(message, position=self.position)
        bound: Self = _bound(self, values)
        return bound


def _placeholders(node: Any) -> Iterator[Placeholder]:
    if isinstance(node, Placeholder):
        yield node
    elif isinstance(node, tuple):
        for one in node:
            yield from _placeholders(one)
    elif dataclasses.is_dataclass(node):
        for attribute in dataclasses.fields(node):
            yield from _placeholders(getattr(node, attribute.name))


def _bound(node: Any, values: Sequence[Any]) -> Any:
    """The node with a value in the place of each placeholder within it."""
    if isinstance(node, Placeholder):
        value = values[node.number - 1]
        if value is None:
            raise errors.InvalidParameterValue(f"parameter ${node.number} stands for a name and cannot be NULL")
        return folded(str(value)) if node.name else str(value)
    if isinstance(node, tuple):
        return tuple(_bound(one, values) for one in node)
    if dataclasses.is_dataclass(node) and not isinstance(node, type):
        changed = {one.name: _bound(getattr(node, one.name), values) for one in dataclasses.fields(node)}
        return dataclasses.replace(node, **changed)
    return node


# Reading


def read_path(cursor: Cursor, most: int) -> Path:
    """A name with at most so many parts."""
    position = cursor.position
    parts = [_name(cursor)]
    while cursor.accept("."):
        parts.append(_name(cursor))
    if len(parts) > most:
        raise errors.SyntaxError("improper qualified name (too many dotted names)", position=position)
    return Path(tuple(parts), position)


def read_like(cursor: Cursor) -> Text | None:
    return read_pattern(cursor) if cursor.accept("LIKE") else None


def read_pattern(cursor: Cursor) -> Text:
    return _placeholder(cursor, name=False) or cursor.string()


def read_limit(cursor: Cursor) -> int | None:
    """InvalidParameterValue for more rows than Redshift gives."""
    if not cursor.accept("LIMIT"):
        return None
    position, limit = cursor.position, cursor.integer()
    if not 0 <= limit <= _MOST_ROWS:
        raise errors.InvalidParameterValue(f"LIMIT must be between 0 and {_MOST_ROWS}", position=position)
    return limit


def read_list(cursor: Cursor, read: Callable[[Cursor], Text]) -> tuple[Text, ...]:
    """What stands between parentheses, with commas between; perhaps nothing."""
    cursor.expect("(")
    found: list[Text] = []
    while not cursor.accept(")"):
        if found:
            cursor.expect(",")
        found.append(read(cursor))
    return tuple(found)


def read_type(cursor: Cursor) -> Text:
    """A data type, as format_type() prints it."""
    return _placeholder(cursor, name=False) or str(cursor.data_type())


def _name(cursor: Cursor) -> Text:
    return _placeholder(cursor, name=True) or cursor.identifier()


def _placeholder(cursor: Cursor, *, name: bool) -> Placeholder | None:
    token = cursor.token
    if token is not None and token.token_type == TokenType.PLACEHOLDER:
        cursor.advance()
        # `?` counts itself: those before it in this statement
        before = cursor.tokens[: cursor.tokens.index(token)]
        return Placeholder(1 + sum(one.token_type == TokenType.PLACEHOLDER for one in before), name)
    if token is None or token.token_type != TokenType.PARAMETER:
        return None
    cursor.advance()
    position, number = cursor.position, cursor.integer()
    if not 1 <= number <= _MOST_PARAMETERS:
        raise errors.UndefinedParameter(f"there is no parameter ${number}", position=position)
    return Placeholder(number, name)
