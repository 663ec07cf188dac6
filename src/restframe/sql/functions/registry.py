"""The table of functions: name, number of arguments, and what is made of a call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sqlglot import exp

from restframe import errors
from restframe.sql.nodes import as_type, call, is_string
from restframe.sql.rewrite.casts import convert
from restframe.sql.rewrite.parameters import expect
from restframe.sql.rewrite.rules import (
    FLOAT8,
    INT4,
    INT8,
    TIMESTAMP,
)
from restframe.sql.rewrite.scope import Scope, Type
from restframe.sql.rewrite.texts import to_text
from restframe.sql.rewrite.visit import Typed, visit
from restframe.types import SqlType

Kind = Literal["scalar", "aggregate", "window"]
Wrap = Callable[[exp.Expr], exp.Expr]


def _as_it_is(node: exp.Expr) -> exp.Expr:
    return node


@dataclass(slots=True)
class Call:
    """One call of a function of Redshift's.

    arguments, types : visited, unless the function is `raw`
    over : puts the OVER clause of a windowed call around an aggregate of the engine's
    ignore_nulls : of a window function, whether it passes NULLs over
    order : the ORDER BY of a WITHIN GROUP clause, visited
    """

    name: str
    node: exp.Expr
    scope: Scope
    arguments: list[exp.Expr]
    types: list[Type]
    over: Wrap = _as_it_is
    ignore_nulls: bool = False
    order: list[exp.Ordered] = field(default_factory=list)

    @property
    def windowed(self) -> bool:
        return self.over is not _as_it_is

    def visit(self, place: int) -> Typed:
        """Visit an argument of a `raw` function."""
        new, type_ = visit(self.arguments[place], self.scope)
        self.arguments[place], self.types[place] = new, type_
        return new, type_

    def text(self, place: int) -> exp.Expr:
        """An argument as text."""
        return to_text(self.arguments[place], self.types[place], self.scope)

    def timestamp(self, place: int) -> tuple[exp.Expr, SqlType]:
        """An argument as a date or time, whichever it is; text and the unknown as a timestamp."""
        node, type_ = self.arguments[place], self.types[place]
        if type_ is not None and type_.name in _TIMES:
            return node, type_
        if type_ is not None and not type_.is_text and type_.name != "super":
            raise self.no_such_function()
        return convert(node, type_, TIMESTAMP, self.scope), TIMESTAMP

    def number(self, place: int) -> exp.Expr:
        """An argument as a number; a quoted literal is one in double precision."""
        node, type_ = self.arguments[place], self.types[place]
        if type_ is None:
            expect(node, FLOAT8, self.scope)
        if type_ is not None and type_.is_text:
            if not is_string(node):
                raise self.no_such_function()
            return convert(node, type_, FLOAT8, self.scope)
        if type_ is not None and type_.name == "super":
            return convert(node, type_, FLOAT8, self.scope)
        if type_ is not None and not type_.is_number:
            raise self.no_such_function()
        return node

    def whole(self, place: int) -> exp.Expr:
        """An argument as a number that counts something."""
        node, type_ = self.arguments[place], self.types[place]
        if type_ is None:
            expect(node, INT4, self.scope)
        if type_ is not None and type_.is_text and is_string(node):
            return convert(node, type_, INT4, self.scope)
        return self.number(place)

    def constant(self, place: int, what: str) -> str:
        """An argument that has to be a quoted literal."""
        node = self.arguments[place]
        if not is_string(node):
            raise errors.NotSupportedError(
                f"{what} that is not a literal is not supported", position=self.scope.context.position(node)
            )
        return str(node.args["this"])

    def no_such_function(self) -> errors.UndefinedFunction:
        return no_such_function(self.name, self.types, self.node, self.scope)


_TIMES = frozenset({"date", "time", "timetz", "timestamp", "timestamptz", "interval"})


def no_such_function(name: str, types: Sequence[Type], node: exp.Expr, scope: Scope) -> errors.UndefinedFunction:
    shown = ", ".join("unknown" if type_ is None else str(SqlType(type_.name)) for type_ in types[:20])
    return errors.UndefinedFunction(
        f"function {name[:64]}({shown}) does not exist",
        position=scope.context.position(node),
        hint=HINTS.get(name)
        or "No function matches the given name and argument types. You may need to add explicit type casts.",
    )


# For names people bring along from elsewhere.
HINTS = {
    "group_concat": "Use listagg(expression, delimiter) WITHIN GROUP (ORDER BY ...).",
    "date_format": "Use to_char(timestamp, format).",
    "strftime": "Use to_char(timestamp, format).",
    "ifnull": "Use nvl or coalesce.",
    "iff": "Use CASE WHEN ... THEN ... ELSE ... END.",
    "if": "Use CASE WHEN ... THEN ... ELSE ... END.",
    **dict.fromkeys(("read_csv", "read_parquet", "read_json", "read_text", "read_blob"), "Load files with COPY."),
    "unnest": "Name a SUPER array in FROM after its table: FROM t, t.array AS element.",
}

Build = Callable[[Call], Typed]


@dataclass(frozen=True, slots=True)
class Function:
    """What is known of a function.

    raw : its arguments are not expressions, or not all of them; it visits them itself
    """

    least: int
    most: int
    build: Build
    kind: Kind = "scalar"
    raw: bool = False


FUNCTIONS: dict[str, Function] = {}
_ANY_NUMBER = 1000


def function(
    names: str, least: int, most: int | None = -1, *, kind: Kind = "scalar", raw: bool = False
) -> Callable[[Build], Build]:
    """Register what builds the calls of these functions. `most` is `least` unless given, and None for no limit."""

    def register(build: Build) -> Build:
        highest = _ANY_NUMBER if most is None else least if most < 0 else most
        for name in names.split():
            FUNCTIONS[name] = Function(least, highest, build, kind, raw)
        return build

    return register


def without_effect(node: exp.Expr, arguments: Sequence[exp.Expr]) -> exp.Expr:
    """A call's result, where these arguments do not matter: the engine must see the parameters in them all the same."""
    parameters = [one for argument in arguments for one in argument.find_all(exp.Parameter)]
    if not parameters:
        return node
    never: exp.Expr = exp.Boolean(this=False)
    for one in parameters:
        never = exp.And(this=never, expression=exp.Is(this=one.copy(), expression=exp.Null()))
    return exp.Case(ifs=[exp.If(this=never, true=exp.Null())], default=node)


# Functions that the engine has as well


def simple(
    names: str, engine_name: str, arguments: str, result: SqlType | int, returned: SqlType | None = None
) -> None:
    """Register functions that are one of the engine's.

    arguments : a letter each: t text, n number, i whole number, s date or time, a anything; after | they may be missing
    result : a type, or the place of the argument whose type it has
    returned : the engine's type, when it is not that of the result
    """
    required, _, optional = arguments.partition("|")
    letters = required + optional

    def build(made: Call) -> Typed:
        nodes = [_PREPARE[letter](made, place) for place, letter in enumerate(letters[: len(made.arguments)])]
        found: exp.Expr = call(engine_name, *nodes)
        if isinstance(result, int):
            return found, made.types[result]
        return (found if returned is None else as_type(found, result)), result

    function(names, len(required), len(letters))(build)


_PREPARE: dict[str, Callable[[Call, int], exp.Expr]] = {
    "t": Call.text,
    "n": Call.number,
    "i": lambda made, place: _whole(made, place),
    "s": lambda made, place: made.timestamp(place)[0],
    "a": lambda made, place: made.arguments[place],
}


def _whole(made: Call, place: int) -> exp.Expr:
    type_ = made.types[place]
    if type_ is not None and type_.name in ("int2", "int4"):
        return made.arguments[place]
    return as_type(made.whole(place), INT8)
