"""Literals, conditions, CASE, and queries as values."""

from __future__ import annotations

import math
import re

from sqlglot import exp

from restframe import errors
from restframe.sql.nodes import as_type, call, is_string, macro, string
from restframe.sql.rewrite.casts import convert
from restframe.sql.rewrite.comparisons import align, check_comparable
from restframe.sql.rewrite.matching import as_condition, match, no_operator, visit_condition, visit_number
from restframe.sql.rewrite.parameters import expect
from restframe.sql.rewrite.rules import BOOL, FLOAT8, INT4, INT8, INTERVAL, VARCHAR, common, numeric
from restframe.sql.rewrite.scope import Scope, Type
from restframe.sql.rewrite.visit import Typed, only, refuse, visit, visit_argument, visit_list, visit_query, visits
from restframe.sql.units import interval_text
from restframe.types import SqlType

# Literals


@visits(exp.Literal)
def visit_literal(node: exp.Literal, scope: Scope) -> Typed:
    if node.args["is_string"]:
        return node, VARCHAR
    return node, _type_of_number(str(node.args["this"]), node, scope)


def _type_of_number(text: str, node: exp.Expr, scope: Scope) -> SqlType:
    if text.isdecimal():
        if len(text) < 10:
            return INT4
        value = int(text[:40])
        if value < 2**31:
            return INT4
        if value < 2**63:
            return INT8
        digits, scale = len(text.lstrip("0")), 0
    elif "e" in text or "E" in text:
        if not text[-1].isdecimal():  # 1e, which a name may follow
            place = scope.context.position(node)
            raise errors.SyntaxError(f'syntax error at or near "{text[:50]}"', position=place)
        if math.isinf(float(text)):
            raise errors.NumericValueOutOfRange(
                f'"{text[:50]}" is out of range for type double precision', position=scope.context.position(node)
            )
        return FLOAT8
    else:
        whole, _, fraction = text.partition(".")
        digits, scale = len(whole.lstrip("0")) + len(fraction), len(fraction)
    if digits > 38:
        raise errors.NumericValueOutOfRange(
            f'"{text[:50]}" is out of range for type numeric', position=scope.context.position(node)
        )
    return numeric(max(digits, scale, 1), scale)


@visits(exp.Concat)
def visit_adjacent_strings(node: exp.Concat, scope: Scope) -> Typed:
    """'a' 'b', one literal in two pieces; concat(a, b) is no node of this class here."""
    pieces = node.args["expressions"]
    if not all(is_string(piece) for piece in pieces):
        refuse(node, scope)
    return string("".join(str(piece.args["this"]) for piece in pieces)), VARCHAR


@visits(exp.Null)
def visit_null(node: exp.Null, scope: Scope) -> Typed:
    return node, None


@visits(exp.Boolean)
def visit_boolean(node: exp.Boolean, scope: Scope) -> Typed:
    return node, BOOL


@visits(exp.Interval)
def visit_interval(node: exp.Interval, scope: Scope) -> Typed:
    text, unit = node.args.get("this"), node.args.get("unit")
    if text is None or not is_string(text):
        refuse(node, scope, "INTERVAL without a quoted quantity")
    quantity = str(text.args["this"])
    if unit.__class__ is exp.IntervalSpan:
        months = re.fullmatch(r"\s*([-+]?)([0-9]{1,6})-([0-9]{1,2})\s*", quantity)
        span = (unit.args["this"].name.upper(), unit.args["expression"].name.upper())
        if months is None or span != ("YEAR", "MONTH"):
            refuse(node, scope, "this form of INTERVAL")
        written = f"{months[1]}{int(months[2]) * 12 + int(months[3])} months"
    else:
        written = f"{quantity} {unit.name}" if unit is not None else quantity
    try:
        shown = interval_text(written)
    except errors.Error as error:
        error.position = scope.context.position(node)
        raise
    return exp.Interval(this=string(shown)), INTERVAL


# Conditions


@visits(exp.And, exp.Or)
def visit_connective(node: exp.Expr, scope: Scope) -> Typed:
    # Conditions chain to the left and may be thousands long: a loop, not recursion.
    top = node
    for _ in range(_MOST_CONDITIONS):
        clause = node.key.upper()
        visit_condition(node, "expression", scope, clause)
        below = node.args["this"]
        if below.__class__ is not exp.And and below.__class__ is not exp.Or:
            visit_condition(node, "this", scope, clause)
            return top, BOOL
        node = below
    raise errors.StatementTooComplex(
        f"more than {_MOST_CONDITIONS} conditions in a row",
        position=scope.context.position(node),
        hint="Use IN (...), or a table of the values.",
    )


_MOST_CONDITIONS = 10_000  # the engine's time grows with their square


@visits(exp.Not)
def visit_not(node: exp.Not, scope: Scope) -> Typed:
    visit_condition(node, "this", scope, "NOT")
    return node, BOOL


@visits(exp.Is)
def visit_is(node: exp.Is, scope: Scope) -> Typed:
    """IS NULL, IS TRUE, IS FALSE, IS UNKNOWN; JSON's null is a NULL as well."""
    type_ = visit_argument(node, "this", scope)
    if node.args["expression"].__class__ not in (exp.Null, exp.Boolean):
        refuse(node, scope, "this form of IS")
    if node.args["expression"].__class__ is exp.Boolean:
        as_condition(node, "this", type_, scope, "IS TRUE" if node.args["expression"].args["this"] else "IS FALSE")
    elif type_ is not None and type_.name == "super":
        node.set("this", macro("super_value", node.args["this"]))
    return node, BOOL


@visits(exp.Paren)
def visit_paren(node: exp.Paren, scope: Scope) -> Typed:
    return node, visit_argument(node, "this", scope)


@visits(exp.Neg)
def visit_negative(node: exp.Neg, scope: Scope) -> Typed:
    return node, visit_number(node, "this", scope, "-", also=INTERVAL)


@visits(exp.Tuple)
def visit_tuple(node: exp.Tuple, scope: Scope) -> Typed:
    visit_list(node, "expressions", scope)
    return node, None


@visits(exp.Case)
def visit_case(node: exp.Case, scope: Scope) -> Typed:
    certain, scope.certain = scope.certain, False
    subject: Type = None
    if node.args.get("this") is not None:
        subject = visit_argument(node, "this", scope)
    places: list[tuple[exp.Expr, str]] = []
    for branch in node.args["ifs"]:
        if node.args.get("this") is None:
            visit_condition(branch, "this", scope, "CASE/WHEN")
        else:
            _visit_search(branch, node, subject, scope)
        places.append((branch, "true"))
    if node.args.get("default") is not None:
        places.append((node, "default"))
    types = [visit_argument(place, key, scope) for place, key in places]
    results, type_ = match("CASE", [place.args[key] for place, key in places], types, scope)
    for (place, key), result in zip(places, results, strict=True):
        place.set(key, result)
    scope.certain = certain
    return node, type_


def _visit_search(branch: exp.If, case: exp.Case, subject: Type, scope: Scope) -> None:
    """What CASE compares its subject with; here only this side can be brought to the other's type."""
    type_ = visit_argument(branch, "this", scope)
    value = branch.args["this"]
    if subject is None or type_ is None:
        expect(case.args["this"] if subject is None else value, type_ or subject, scope)
        return
    check_comparable(value, "=", case.args["this"], subject, value, type_, scope)
    if subject.name != type_.name:
        branch.set("this", align(value, type_, case.args["this"], subject, scope))


# Operators on numbers


@visits(exp.Pow)
def visit_power(node: exp.Pow, scope: Scope) -> Typed:
    visit_number(node, "this", scope, "^")
    visit_number(node, "expression", scope, "^")
    return exp.Anonymous(this="power", expressions=[node.args["this"], node.args["expression"]]), FLOAT8


@visits(exp.Sqrt, exp.Cbrt)
def visit_root(node: exp.Expr, scope: Scope) -> Typed:
    """`|/ x` and `||/ x`."""
    visit_number(node, "this", scope, "|/" if node.__class__ is exp.Sqrt else "||/")
    if node.__class__ is exp.Sqrt:
        return call("sqrt", node.args["this"]), FLOAT8
    return macro("cube_root", as_type(node.args["this"], FLOAT8)), FLOAT8


@visits(exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseLeftShift, exp.BitwiseRightShift)
def visit_bits(node: exp.Expr, scope: Scope) -> Typed:
    left = visit_argument(node, "this", scope)
    right = visit_argument(node, "expression", scope)
    for key, type_ in (("this", left), ("expression", right)):
        if type_ is not None and is_string(node.args[key]):
            node.set(key, convert(node.args[key], type_, INT8, scope))
        elif type_ is not None and not type_.is_integer:
            raise no_operator(node, _BIT_SIGNS[node.__class__], left, right, scope)
    return node, common((left, right))


_BIT_SIGNS: dict[type[exp.Expr], str] = {
    exp.BitwiseAnd: "&", exp.BitwiseOr: "|", exp.BitwiseLeftShift: "<<", exp.BitwiseRightShift: ">>",
}  # fmt: skip


@visits(exp.BitwiseNot)
def visit_bitwise_not(node: exp.BitwiseNot, scope: Scope) -> Typed:
    return node, visit_number(node, "this", scope, "~", literal=INT8)


# Queries as values


@visits(exp.Subquery)
def visit_scalar_query(node: exp.Subquery, scope: Scope) -> Typed:
    only(node, _SCALAR, scope)
    query, outputs = visit_query(node.args["this"], scope)
    if len(outputs) != 1:
        raise errors.SyntaxError("subquery must return only one column", position=scope.context.position(node))
    node.set("this", query)
    return node, outputs[0].type


_SCALAR = frozenset({"this"})


@visits(exp.Exists)
def visit_exists(node: exp.Exists, scope: Scope) -> Typed:
    node.set("this", visit_query(node.args["this"], scope)[0])
    return node, BOOL


@visits(exp.Collate)
def visit_collate(node: exp.Collate, scope: Scope) -> Typed:
    """COLLATE with what texts are compared by anyway."""
    if str(node.args["expression"].name).lower() not in _BYTE_ORDER:
        refuse(node, scope, "COLLATE")
    return visit(node.args["this"], scope)


_BYTE_ORDER = frozenset({"c", "posix", "default", "ucs_basic", "case_sensitive"})


@visits(exp.Distinct)
def visit_distinct(node: exp.Distinct, scope: Scope) -> Typed:
    """DISTINCT in front of an aggregate's argument."""
    only(node, _DISTINCT, scope)
    types = visit_list(node, "expressions", scope)
    return node, types[0] if types else None


_DISTINCT = frozenset({"expressions"})


@visits(exp.AtTimeZone)
def visit_at_time_zone(node: exp.AtTimeZone, scope: Scope) -> Typed:
    """A timestamp at a zone is a timestamptz, and the other way round."""
    type_ = visit_argument(node, "this", scope)
    visit_argument(node, "zone", scope)
    if type_ is not None and type_.name == "timestamptz":
        return node, SqlType("timestamp")
    if type_ is None or type_.name != "timestamp":
        node.set("this", exp.Cast(this=node.args["this"], to=exp.DataType(this=exp.DType.TIMESTAMP)))
    return node, SqlType("timestamptz")


@visits(exp.Star)
def visit_star(node: exp.Star, scope: Scope) -> Typed:
    raise errors.SyntaxError('syntax error at or near "*"', position=scope.context.position(node))
