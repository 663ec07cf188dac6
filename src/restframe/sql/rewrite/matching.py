"""Which types go together: in the branches of a CASE, in the rows of a UNION, as a condition.

A quoted literal has no type of its own yet and becomes one of what stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from restframe import errors
from restframe.sql.nodes import is_number, is_string
from restframe.sql.rewrite.casts import convert
from restframe.sql.rewrite.parameters import expect
from restframe.sql.rewrite.rules import BOOL, FLOAT8, SUPER, common, kind
from restframe.sql.rewrite.scope import Scope, Type
from restframe.sql.rewrite.visit import visit_argument
from restframe.types import SqlType


def match(what: str, nodes: Sequence[exp.Expr], types: Sequence[Type], scope: Scope) -> tuple[list[exp.Expr], Type]:
    """Values that share a column or a result, brought to one type, and that type.

    DatatypeMismatch at the first value of another kind than the ones before it.
    """
    own = [None if is_string(node) else type_ for node, type_ in zip(nodes, types, strict=True)]
    result = common(own)
    for node, type_ in zip(nodes, types, strict=True):
        if type_ is None:
            expect(node, result, scope)
    if result is None:
        return list(nodes), common(types)
    if any(type_ == SUPER for type_ in own):
        result = SUPER
    first: SqlType | None = None
    for node, type_ in zip(nodes, own, strict=True):
        first = first or type_
        if type_ is not None and first is not None and result != SUPER and kind(type_) != kind(first):
            raise mismatch(what, first, type_, node, scope)
    matched = []
    for node, type_ in zip(nodes, types, strict=True):
        fits = type_ is None or kind(type_) == kind(result)
        matched.append(node if fits else convert(node, type_, result, scope))
    return matched, result


def mismatch(what: str, left: SqlType, right: SqlType, node: exp.Expr, scope: Scope) -> errors.DatatypeMismatch:
    return errors.DatatypeMismatch(
        f"{what} types {SqlType(left.name)} and {SqlType(right.name)} cannot be matched",
        position=scope.context.position(node),
    )


def no_operator(node: exp.Expr, operator: str, left: Type, right: Type, scope: Scope) -> errors.UndefinedFunction:
    return errors.UndefinedFunction(
        f"operator does not exist: {_bare(left)} {operator} {_bare(right)}",
        position=scope.context.position(node),
        hint="No operator matches the given name and argument types. You may need to add explicit type casts.",
    )


def _bare(type_: Type) -> str:
    return "unknown" if type_ is None else str(SqlType(type_.name))


def visit_number(
    node: exp.Expr, key: str, scope: Scope, operator: str, *, literal: SqlType = FLOAT8, also: SqlType | None = None
) -> Type:
    """Visit an operand that has to be a number, in place; its type.

    literal : what a quoted one is read as; a SUPER value that is no number is NULL
    also : a type that the operator takes besides
    """
    type_ = visit_argument(node, key, scope)
    if type_ is None:
        expect(node.args[key], literal, scope)
    if type_ is None or type_.is_number or type_ == also:
        return type_
    value = node.args[key]
    if type_ != SUPER and not is_string(value):
        raise errors.UndefinedFunction(
            f"operator does not exist: {operator} {_bare(type_)}", position=scope.context.position(value)
        )
    node.set(key, convert(value, type_, literal, scope))
    return literal


def visit_condition(node: exp.Expr, key: str, scope: Scope, clause: str) -> None:
    """Visit what has to be true or false, in place."""
    around = scope.clause
    scope.clause = clause if clause in _WITHOUT_WINDOWS else around
    as_condition(node, key, visit_argument(node, key, scope), scope, clause)
    scope.clause = around


_WITHOUT_WINDOWS = frozenset({"WHERE", "HAVING", "JOIN/ON"})


def as_condition(node: exp.Expr, key: str, type_: Type, scope: Scope, clause: str) -> None:
    """Make sure that a visited value is true or false. SUPER values are where they are Boolean, and NULL elsewhere."""
    if type_ is None:
        expect(node.args[key], BOOL, scope)
    if type_ is None or type_ == BOOL:
        return
    value = node.args[key]
    if type_ != SUPER and not is_string(value) and not is_number(value):
        raise errors.DatatypeMismatch(
            f"argument of {clause} must be type boolean, not type {SqlType(type_.name)}",
            position=scope.context.position(value),
        )
    node.set(key, convert(value, type_, BOOL, scope))
