"""Comparisons. A number beside text is compared as text, as Redshift does: dirty data then cannot fail a query."""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.nodes import as_type, call, identifier, is_string, macro, string
from restframe.sql.rewrite.arrays import as_membership, elements_as_text, is_of_array
from restframe.sql.rewrite.casts import convert
from restframe.sql.rewrite.matching import no_operator
from restframe.sql.rewrite.parameters import expect
from restframe.sql.rewrite.rules import BOOL, DATETIMES, OID, REGISTERED, TIMESTAMP, VARCHAR, kind
from restframe.sql.rewrite.scope import Scope, Type
from restframe.sql.rewrite.texts import to_text
from restframe.sql.rewrite.visit import Typed, only, visit_argument, visit_list, visit_query, visits
from restframe.types import SqlType


@visits(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)
def visit_comparison(node: exp.Expr, scope: Scope) -> Typed:
    if node.args["expression"].__class__ is exp.Anonymous:
        _read_quantifier(node)
    left = visit_argument(node, "this", scope)
    right = visit_argument(node, "expression", scope)
    align_sides(node, "this", left, "expression", right, scope, _SIGNS[node.__class__])
    if is_of_array(node.args["expression"]):
        return as_membership(node), BOOL
    return node, BOOL


def _read_quantifier(node: exp.Expr) -> None:
    """ALL and SOME of an array, which the parser takes for functions."""
    called = node.args["expression"]
    name, arguments = str(called.name).lower(), called.args["expressions"]
    if name in ("all", "some") and len(arguments) == 1:
        node.set("expression", (exp.All if name == "all" else exp.Any)(this=exp.Paren(this=arguments[0])))


_SIGNS: dict[type[exp.Expr], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.NullSafeEQ: "=", exp.NullSafeNEQ: "<>",
}  # fmt: skip


@visits(exp.Between)
def visit_between(node: exp.Between, scope: Scope) -> Typed:
    only(node, _BETWEEN, scope)
    this = visit_argument(node, "this", scope)
    bounds = {key: visit_argument(node, key, scope) for key in ("low", "high")}
    value = node.args["this"]
    if any(_changes(value, this, node.args[key], bound, scope) for key, bound in bounds.items()):
        # Beside the two bounds it may have to be two different things.
        sides = [sign(this=value.copy(), expression=node.args[key]) for key, sign in _BOUNDS.items()]
        for side, bound in zip(sides, bounds.values(), strict=True):
            align_sides(side, "this", this, "expression", bound, scope, _SIGNS[side.__class__])
        return exp.Paren(this=exp.And(this=sides[0], expression=sides[1])), BOOL
    for key, bound in bounds.items():
        align_sides(node, "this", this, key, bound, scope, _SIGNS[_BOUNDS[key]])
    return node, BOOL


def _changes(node: exp.Expr, type_: Type, other_node: exp.Expr, other: Type, scope: Scope) -> bool:
    return type_ is not None and other is not None and align(node, type_, other_node, other, scope) is not node


_BOUNDS: dict[str, type[exp.Binary]] = {"low": exp.GTE, "high": exp.LTE}
_BETWEEN = frozenset({"this", "low", "high"})


def align_sides(
    node: exp.Expr, left_key: str, left: Type, right_key: str, right: Type, scope: Scope, sign: str
) -> None:
    """Bring two sides of a comparison to one type, in place."""
    if left is not None and right is not None:
        check_comparable(node, sign, node.args[left_key], left, node.args[right_key], right, scope)
    if left is None or right is None:
        expect(node.args[left_key if left is None else right_key], left or right, scope)
    if left is None or right is None or (left.name == right.name and left.name not in ("super", "bpchar")):
        return
    old = node.args[left_key], node.args[right_key]
    new = align(old[0], left, old[1], right, scope), align(old[1], right, old[0], left, scope)
    for place, key in enumerate((left_key, right_key)):
        if new[place] is not old[place]:
            node.set(key, new[place])


def check_comparable(
    node: exp.Expr, sign: str, left_node: exp.Expr, left: SqlType, right_node: exp.Expr, right: SqlType, scope: Scope
) -> None:
    """UndefinedFunction for two types that cannot be compared."""
    kinds = {kind(left), kind(right)}
    if len(kinds) == 1 or "super" in kinds or is_string(left_node) or is_string(right_node):
        return
    if "registered" in kinds and kinds & {"number", "text"}:
        return
    if "text" not in kinds or not kinds & {"number", "date"}:
        raise no_operator(node, sign, left, right, scope)


def align(node: exp.Expr, type_: SqlType, other_node: exp.Expr, other: SqlType, scope: Scope) -> exp.Expr:
    """One side of a comparison, brought to what it is compared as."""
    if is_of_array(node):
        return elements_as_text(node) if other.is_text and not type_.is_text else node
    if node.__class__ in (exp.Any, exp.All) and other.is_text and not type_.is_text:
        node.set("this", _as_texts(node.args["this"], type_, scope))
        return node
    if type_.is_number and other.is_text and not is_string(other_node):
        return string(str(node.args["this"])) if node.__class__ is exp.Literal else to_text(node, type_, scope)
    if type_.name == "super":
        return _dynamic(node, other)
    if type_.name in DATETIMES and other.is_text and not is_string(other_node):
        return to_text(node, type_, scope)
    if other.name == "super" and type_.is_text:
        return node
    if is_string(node) and other.name == "bpchar":
        return string(str(node.args["this"]).rstrip(" "))
    if is_string(node) and not other.is_text:
        # '2020-01-01 10:00' beside a date is not cut down to a date, where it can be helped.
        target = TIMESTAMP if other.name == "date" and len(str(node.args["this"])) > 10 else other
        return convert(node, type_, target, scope)
    if type_.name in REGISTERED and other.is_number:
        return convert(node, type_, OID, scope)
    return node


def _dynamic(node: exp.Expr, other: SqlType) -> exp.Expr:
    """A SUPER value beside one of a given type: NULL when it is of another one."""
    if other.is_number:
        return macro("super_number", node)
    if other.is_text:
        return macro("super_string", node)
    if other.name == "super":
        return call("json", node)
    return exp.TryCast(this=call("json_extract_string", node, string("$")), to=as_type(node, other).args["to"])


@visits(exp.In)
def visit_in(node: exp.In, scope: Scope) -> Typed:
    only(node, _IN, scope)
    this = visit_argument(node, "this", scope)
    if node.args.get("query") is not None:
        return _in_query(node, this, scope)
    if not node.args.get("expressions"):
        raise errors.SyntaxError("IN needs a list or a query", position=scope.context.position(node, "IN"))
    types = visit_list(node, "expressions", scope)
    items = node.args["expressions"]
    if this is None:
        expect(node.args["this"], next((type_ for type_ in types if type_ is not None), None), scope)
        return node, BOOL
    if this.is_number and any(
        type_ is not None and type_.is_text and not is_string(item) for item, type_ in zip(items, types, strict=True)
    ):
        node.set("this", to_text(node.args["this"], this, scope))
        this = VARCHAR
    for place, (item, type_) in enumerate(zip(items, types, strict=True)):
        if type_ is None:
            expect(item, this, scope)
        else:
            check_comparable(node, "=", node.args["this"], this, item, type_, scope)
        if type_ is not None and (type_.name != this.name or this.name in ("super", "bpchar")):
            items[place] = align(item, type_, node.args["this"], this, scope)
    node.set("expressions", items)
    if this.name == "super" and types[0] is not None:
        node.set("this", _dynamic(node.args["this"], types[0]))
    return node, BOOL


_IN = frozenset({"this", "expressions", "query"})


def _in_query(node: exp.In, this: Type, scope: Scope) -> Typed:
    query, outputs = visit_query(node.args["query"], scope)
    only_type = outputs[0].type if len(outputs) == 1 else None
    if this is None:
        expect(node.args["this"], only_type, scope)
    if this is not None and only_type is not None:
        check_comparable(node, "=", node.args["this"], this, query, only_type, scope)
        if only_type.is_text and kind(this) in ("number", "date"):
            node.set("this", to_text(node.args["this"], this, scope))
        elif is_string(node.args["this"]) and not only_type.is_text:
            node.set("this", convert(node.args["this"], this, only_type, scope))
        elif this.is_text and kind(only_type) in ("number", "date"):
            query = _as_texts(query, only_type, scope)
        elif this.name == "super":
            node.set("this", _dynamic(node.args["this"], only_type))
    node.set("query", query)
    return node, BOOL


def _as_texts(query: exp.Expr, type_: SqlType, scope: Scope) -> exp.Subquery:
    """A query of one column with its values as text."""
    named = exp.TableAlias(this=identifier("q"), columns=[identifier("c")])
    source = exp.Subquery(this=query.this if isinstance(query, exp.Subquery) else query, alias=named)
    value = to_text(exp.Column(this=identifier("c")), type_, scope)
    return exp.Subquery(this=exp.Select(expressions=[value], from_=exp.From(this=source)))
