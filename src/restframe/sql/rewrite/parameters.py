"""Parameters: `$1`, `?` and `:name`, and the types of those of which none was declared.

A parameter whose type is known from the start becomes a cast of the value to that type, so that an expression has one
type whatever value is passed. One of which nothing is known takes the type of what it first stands beside, as an
unknown literal would: whoever meets it calls `expect`.
"""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.nodes import as_type, call, macro, number, string, whole_number
from restframe.sql.rewrite.rules import REGISTERED, VARCHAR, numeric
from restframe.sql.rewrite.scope import Scope, Type
from restframe.sql.rewrite.visit import Typed, refuse, visits
from restframe.types import SqlType

# A parameter's declaration has no precision. This leaves room for products, and for most numbers there are.
_DECIMALS = 10
NUMERIC = numeric(38, _DECIMALS)

MOST_PARAMETERS = 32_767  # as in Redshift


def parameter_type(type_: SqlType) -> SqlType:
    """The type of a parameter that stands beside a value of this type: without a length, and with room for decimals.

    A text beside a SUPER value is that text, and not the JSON it may look like.
    """
    if type_.name == "numeric":
        return NUMERIC if type_.precision is None or _fits(type_) else type_
    if type_.name == "bpchar":
        return SqlType("bpchar")
    if type_.name == "varbyte":
        return SqlType("varbyte")
    if type_.element is not None:
        return SqlType("array", element=parameter_type(type_.element))
    return VARCHAR if type_.is_text or type_.name in _AS_TEXT else type_


def _fits(type_: SqlType) -> bool:
    """Whether NUMERIC has all its digits."""
    precision, scale = type_.precision or 38, type_.scale or 0
    return scale <= _DECIMALS and precision - scale <= 38 - _DECIMALS


_AS_TEXT = frozenset({"super", "name", "char", "aclitem", *REGISTERED})


def expect(node: exp.Expr, type_: Type, scope: Scope) -> None:
    """Note what a visited node is wanted as, which is the type of a parameter of which nothing else is known."""
    found = scope.context.found
    if found is None or type_ is None:
        return
    if node.__class__ is exp.Any or node.__class__ is exp.All:
        node, type_ = node.args["this"], SqlType("array", element=type_)
    while node.__class__ is exp.Paren:
        node = node.args["this"]
    if node.__class__ is exp.Array and type_.element is not None:
        for element in node.args["expressions"]:
            expect(element, type_.element, scope)
    if node.__class__ is exp.Parameter:
        place = int(node.args["this"].args["this"]) - 1
        if scope.context.parameter_types.get(place) is None:
            found.setdefault(place, parameter_type(type_))


def is_parameter(node: exp.Expr) -> bool:
    """Whether it is a parameter; asked where its value has no type of its own."""
    return node.__class__ in (exp.Parameter, exp.Placeholder)


@visits(exp.Placeholder)
def visit_placeholder(node: exp.Placeholder, scope: Scope) -> Typed:
    """`?` and `:name`."""
    name = node.args.get("this")
    if name:
        if scope.context.found is not None:
            refuse(node, scope, "a parameter by name in a prepared statement")
        return node, scope.context.parameter_types.get(str(name))
    if not node.args.get("jdbc") or not node.comments:
        refuse(node, scope, "the placeholder %")
    return _parameter(node, int(node.comments[0]), scope)


@visits(exp.Parameter)
def visit_parameter(node: exp.Parameter, scope: Scope) -> Typed:
    """`$1`; `@x` would be the absolute value of x."""
    place = node.args["this"]
    if place.__class__ is not exp.Literal or whole_number(place) is None:
        refuse(node, scope, "the operator @")
    return _parameter(node, int(place.args["this"]), scope)


def _parameter(node: exp.Expr, ordinal: int, scope: Scope) -> Typed:
    context = scope.context
    if not 1 <= ordinal <= MOST_PARAMETERS:
        # the engine's binding makes a list of all that are missing
        raise errors.UndefinedParameter(
            f"there is no parameter ${str(ordinal)[:20]}",
            position=context.position(node),
            hint=f"A statement has {MOST_PARAMETERS} parameters at most." if ordinal else None,
        )
    context.parameter_count = max(context.parameter_count, ordinal)
    parameter = exp.Parameter(this=number(ordinal))
    type_ = context.parameter_types.get(ordinal - 1)
    if type_ is not None and type_.name == "timetz":
        return macro("timetz", as_type(parameter, VARCHAR)), type_
    if context.found is None or type_ is None:
        return parameter, type_
    if type_.name == "bpchar":
        return call("rtrim", as_type(parameter, type_), string(" ")), type_
    return as_type(parameter, type_), type_
