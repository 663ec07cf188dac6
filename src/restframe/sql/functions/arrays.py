"""Functions on arrays as PostgreSQL has them, for queries of the system tables. Redshift's own arrays are SUPER values.

https://www.postgresql.org/docs/15/functions-array.html
"""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.functions.registry import Call, function
from restframe.sql.nodes import as_type, call, macro, number, operation, when, whole_number
from restframe.sql.rewrite.arrays import row_of
from restframe.sql.rewrite.casts import convert
from restframe.sql.rewrite.rules import INT4, VARCHAR, array_of
from restframe.sql.rewrite.texts import to_text
from restframe.sql.rewrite.visit import Typed, visit_argument, visit_list, visit_query
from restframe.types import SqlType


@function("array_of_query", 1, raw=True)
def array_of_query(made: Call) -> Typed:
    """ARRAY ( query )"""
    query, outputs = visit_query(made.arguments[0], made.scope)
    if len(outputs) != 1:
        raise errors.SyntaxError(
            "subquery must return only one column", position=made.scope.context.position(made.node)
        )
    return call("array", query), array_of(outputs[0].type)


def _array(made: Call, place: int = 0) -> tuple[exp.Expr, SqlType]:
    """An argument that has to be an array; a literal is one of texts."""
    node, type_ = made.arguments[place], made.types[place]
    if type_ is None or type_.is_text:
        return convert(node, type_, array_of(VARCHAR), made.scope), array_of(VARCHAR)
    if type_.element is None:
        raise made.no_such_function()
    return node, type_


@function("array_to_string", 2, 3)
def array_to_string(made: Call) -> Typed:
    """NULLs are left out, unless a text for them is given."""
    array, _ = _array(made)
    if len(made.arguments) > 2:
        array = macro("list_with_nulls", as_type(array, array_of(VARCHAR)), made.text(2))
    return macro("list_joined", array, made.text(1)), VARCHAR


@function("string_to_array", 2)
def string_to_array(made: Call) -> Typed:
    return macro("split_text", made.text(0), made.text(1)), array_of(VARCHAR)


@function("regexp_split_to_array", 2)
def regexp_split_to_array(made: Call) -> Typed:
    return call("regexp_split_to_array", made.text(0), made.text(1)), array_of(VARCHAR)


@function("array_length array_upper array_lower", 2)
def array_bounds(made: Call) -> Typed:
    array, type_ = _array(made)
    bound: exp.Expr = macro(f"pg_{made.name}", array, made.number(1))
    if made.name != "array_length" and type_.name != "array":
        bound = operation(exp.Sub, bound, number(1))
    return as_type(bound, INT4), INT4


@function("cardinality array_ndims", 1)
def cardinality(made: Call) -> Typed:
    array, _ = _array(made)
    return as_type(call("len", array) if made.name == "cardinality" else macro("pg_array_ndims", array), INT4), INT4


@function("array_position", 2)
def array_position(made: Call) -> Typed:
    array, type_ = _array(made)
    wanted = convert(made.arguments[1], made.types[1], type_.element or VARCHAR, made.scope)
    return as_type(call("nullif", call("list_position", array, wanted), number(0)), INT4), INT4


@function("array_append array_remove", 2)
def array_with(made: Call) -> Typed:
    array, type_ = _array(made)
    value = convert(made.arguments[1], made.types[1], type_.element or VARCHAR, made.scope)
    if made.name == "array_append":
        return call("list_append", array, value), array_of(type_.element)
    return macro("list_without", array, value), array_of(type_.element)


@function("array_cat", 2)
def array_cat(made: Call) -> Typed:
    array, type_ = _array(made)
    return call("list_concat", array, _array(made, 1)[0]), array_of(type_.element)


# Rows of arrays


@function("unnest", 1)
def unnest(made: Call) -> Typed:
    type_ = made.types[0]
    if type_ is not None and type_.element is None and not type_.is_text:
        raise made.no_such_function()
    array, type_ = _array(made)
    return call("unnest", array), type_.element


@function("generate_subscripts", 2, 3)
def generate_subscripts(made: Call) -> Typed:
    array, type_ = _array(made)
    first = 1 if type_.name == "array" else 0
    behind = call("len", array) if first == 0 else operation(exp.Add, call("len", array), number(1))
    places: exp.Expr = call("range", number(first), behind)
    if whole_number(made.arguments[1]) != 1:
        places = when(exp.EQ(this=made.number(1), expression=number(1)), places)
    return as_type(call("unnest", places), INT4), INT4


@function("_pg_expandarray", 1)
def expand_array(made: Call) -> Typed:
    """Rows of an element x and its number n, from 1."""
    array, type_ = _array(made)
    row = row_of(exp.Column(this=exp.to_identifier("x")), exp.Column(this=exp.to_identifier("n")))
    rows = call("list_transform", array, exp.Lambda(this=row, expressions=[exp.to_identifier(n) for n in ("x", "n")]))
    return call("unnest", rows), SqlType("record", element=type_.element)


# Aggregates


@function("array_agg", 1, kind="aggregate", raw=True)
def array_agg(made: Call) -> Typed:
    """ARRAY_AGG ( [ DISTINCT ] value [ ORDER BY ... ] )"""
    value, type_, order = _ordered(made, made.arguments[0])
    return made.over(call("array_agg", _in_order(value, order))), array_of(type_)


@function("string_agg", 2, kind="aggregate", raw=True)
def string_agg(made: Call) -> Typed:
    """STRING_AGG ( [ DISTINCT ] value, delimiter [ ORDER BY ... ] )"""
    first, *rest = made.arguments
    distinct = first.__class__ is exp.Distinct
    parts = [*first.args["expressions"], *rest] if distinct else [first, *rest]
    value, type_, _ = _ordered(made, parts[0])
    delimiter, delimiter_type, order = _ordered(made, parts[1])
    text = to_text(value, type_, made.scope)
    separator = to_text(delimiter, delimiter_type, made.scope)
    return made.over(
        call("string_agg", exp.Distinct(expressions=[text]) if distinct else text, _in_order(separator, order))
    ), VARCHAR


def _ordered(made: Call, node: exp.Expr) -> tuple[exp.Expr, SqlType | None, list[exp.Ordered]]:
    """An argument visited, its type, and the ORDER BY behind it."""
    order: list[exp.Ordered] = []
    if node.__class__ is exp.Order:
        for item in node.args["expressions"]:
            visit_argument(item, "this", made.scope)
        order, node = list(node.args["expressions"]), node.args["this"]
    holder = exp.Paren(this=node)
    if node.__class__ is exp.Distinct:
        types = visit_list(node, "expressions", made.scope)
        return node, types[0], order
    type_ = visit_argument(holder, "this", made.scope)
    return holder.args["this"], type_, order


def _in_order(node: exp.Expr, order: list[exp.Ordered]) -> exp.Expr:
    return exp.Order(this=node, expressions=order) if order else node
