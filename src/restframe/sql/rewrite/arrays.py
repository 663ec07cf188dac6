"""Arrays as PostgreSQL has them, in queries of the system tables: `ARRAY[...]`, `= ANY (array)`, `array[1]`, `(row).n`.

https://www.postgresql.org/docs/15/arrays.html
"""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.nodes import as_type, call, identifier, is_string, macro, number, operation, string, whole_number
from restframe.sql.rewrite.casts import convert
from restframe.sql.rewrite.matching import match
from restframe.sql.rewrite.parameters import expect
from restframe.sql.rewrite.rules import INT4, VARCHAR, array_of
from restframe.sql.rewrite.scope import Scope, Type
from restframe.sql.rewrite.visit import Typed, visit, visit_list, visit_query, visits
from restframe.types import SqlType

_QUERIES = (exp.Select, exp.Union, exp.Except, exp.Intersect, exp.Subquery, exp.Values)


@visits(exp.Array)
def visit_array(node: exp.Array, scope: Scope) -> Typed:
    types = visit_list(node, "expressions", scope)
    values, element = match("ARRAY", node.args["expressions"], types, scope)
    array = exp.Array(expressions=values)
    if not values or element is None:
        return array, array_of(element)
    return as_type(array, array_of(element)) if element.element is None else array, array_of(element)


@visits(exp.Any, exp.All)
def visit_quantified(node: exp.Expr, scope: Scope) -> Typed:
    """= ANY ( query ), > ALL ( query ), and the same with an array."""
    inside = node.args["this"]
    if inside.__class__ in _QUERIES:
        return _visit_quantified_query(node, scope)
    inside = inside.unnest()
    array, type_ = visit(inside, scope)
    if is_string(array):
        type_, array = array_of(VARCHAR), convert(array, VARCHAR, array_of(VARCHAR), scope)
    elif type_ is not None and type_.element is None:
        raise errors.WrongObjectType(
            "op ANY/ALL (array) requires array on right side", position=scope.context.position(inside)
        )
    node.set("this", exp.Paren(this=array))
    return node, None if type_ is None else type_.element


def _visit_quantified_query(node: exp.Expr, scope: Scope) -> Typed:
    query, outputs = visit_query(node.args["this"], scope)
    type_ = outputs[0].type if len(outputs) == 1 else None
    if type_ is not None and type_.element is not None and query.args["this"].__class__ is exp.Subquery:
        node.set("this", exp.Paren(this=query.args["this"]))  # ANY ((query)), whose one row is an array
        return node, type_.element
    node.set("this", query)
    return node, type_


def is_of_array(node: exp.Expr) -> bool:
    """Whether it is ANY or ALL of an array, once visited."""
    return node.__class__ in (exp.Any, exp.All) and node.args["this"].__class__ is exp.Paren


def elements_as_text(node: exp.Expr) -> exp.Expr:
    """ANY or ALL of an array, with its elements as text."""
    node.set("this", exp.Paren(this=as_type(node.args["this"].args["this"], array_of(VARCHAR))))
    return node


def as_membership(node: exp.Expr) -> exp.Expr:
    """`x = ANY (array)` and `x <> ALL (array)` as look-ups, which the engine joins by and which know NULL arrays.

    Only arrays that are no columns of the system tables can have NULL among their elements.
    """
    quantified = node.args["expression"]
    array = quantified.args["this"].args["this"]
    sides = array, node.args["this"]
    among = call("list_contains", *sides) if array.__class__ is exp.Column else macro("list_among", *sides)
    if node.__class__ is exp.EQ and quantified.__class__ is exp.Any:
        return among
    if node.__class__ is exp.NEQ and quantified.__class__ is exp.All:
        return exp.Paren(this=exp.Not(this=among))
    return node


# Subscripts


def element_of(array: exp.Expr, type_: SqlType, place: exp.Expr) -> Typed:
    """An element by its number, NULL where there is none. int2vector and oidvector count from 0."""
    known = whole_number(place)
    if known is not None:
        known += type_.name != "array"
        return (call("list_extract", array, number(known)) if known > 0 else exp.Null()), type_.element
    if type_.name != "array":
        place = operation(exp.Add, place, number(1))
    return macro("list_item", array, place), type_.element


def slice_of(array: exp.Expr, type_: SqlType, bounds: exp.Slice, scope: Scope) -> Typed:
    sides = []
    for key, missing in (("this", number(1)), ("expression", call("len", array.copy()))):
        side = bounds.args.get(key)
        sides.append(missing if side is None else visit(side, scope)[0])
    return macro("list_part", array, *sides), array_of(type_.element)


def field_of(row: exp.Expr, type_: SqlType, name: str, node: exp.Expr, scope: Scope) -> Typed:
    """Field x or n of what _pg_expandarray returns."""
    if name not in ("x", "n"):
        raise errors.UndefinedColumn(
            f'could not identify column "{name[:64]}" in record data type', position=scope.context.position(node)
        )
    return call("struct_extract", row, string(name)), type_.element if name == "x" else INT4


def concatenate(node: exp.Expr, left: Type, right: Type, scope: Scope) -> Typed:
    """array || array, array || element, element || array"""
    array = left if left is not None and left.element is not None else right
    assert array is not None
    sides = []
    for key, type_ in (("this", left), ("expression", right)):
        side = node.args[key]
        if type_ is None or (is_string(side) and str(side.args["this"]).startswith("{")):
            expect(side, array, scope)
            sides.append(convert(side, type_, array, scope))
        else:
            sides.append(side if type_.element is not None else exp.Array(expressions=[side]))
    return call("list_concat", *sides), array_of(array.element)


def row_of(element: exp.Expr, place: exp.Expr) -> exp.Expr:
    """The engine's row with fields x and n."""
    fields = [exp.PropertyEQ(this=identifier(name), expression=value) for name, value in (("x", element), ("n", place))]
    return exp.Struct(expressions=fields)
