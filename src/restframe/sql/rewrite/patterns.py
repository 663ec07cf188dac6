"""LIKE, SIMILAR TO and the regular expression operators.

https://docs.aws.amazon.com/redshift/latest/dg/pattern-matching-conditions.html
"""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.nodes import call, is_string, string
from restframe.sql.rewrite.rules import BOOL
from restframe.sql.rewrite.scope import Scope
from restframe.sql.rewrite.texts import to_text
from restframe.sql.rewrite.visit import Typed, only, refuse, visit_argument, visits

_LIKE = frozenset({"this", "expression", "negate"})


@visits(exp.Like, exp.ILike)
def visit_like(node: exp.Expr, scope: Scope) -> Typed:
    _visit_sides(node, scope)
    pattern = node.args["expression"]
    if is_string(pattern) and "\\" not in str(pattern.args["this"]):
        return node, BOOL
    return exp.Escape(this=node, expression=string("\\")), BOOL


@visits(exp.Escape)
def visit_escape(node: exp.Escape, scope: Scope) -> Typed:
    inner, sign = node.args["this"], node.args["expression"]
    if not is_string(sign) or len(str(sign.args["this"])) != 1:
        raise errors.InvalidParameterValue(
            "the escape character must be a single character", position=scope.context.position(node)
        )
    if inner.__class__ is exp.SimilarTo:
        return _similar(inner, str(sign.args["this"]), scope)
    if inner.__class__ not in (exp.Like, exp.ILike):
        refuse(node, scope, "ESCAPE")
    _visit_sides(inner, scope)
    return node, BOOL


def _visit_sides(node: exp.Expr, scope: Scope) -> None:
    """Numbers and dates are matched as the text they print as."""
    only(node, _LIKE, scope)
    for side in ("this", "expression"):
        type_ = visit_argument(node, side, scope)
        old = node.args[side]
        new = to_text(old, type_, scope)
        if new is not old:
            node.set(side, new)


@visits(exp.SimilarTo)
def visit_similar(node: exp.SimilarTo, scope: Scope) -> Typed:
    return _similar(node, "\\", scope)


def _similar(node: exp.Expr, escape: str, scope: Scope) -> Typed:
    _visit_sides(node, scope)
    text, pattern = node.args["this"], node.args["expression"]
    if not is_string(pattern):
        refuse(pattern, scope, "SIMILAR TO with a pattern that is not a literal")
    regex = string(similar_to_regex(str(pattern.args["this"]), escape))
    found = call("regexp_full_match", text, regex, string("s"))
    return exp.Not(this=found) if node.args.get("negate") else found, BOOL


def similar_to_regex(pattern: str, escape: str = "\\") -> str:
    """A SIMILAR TO pattern as a regular expression: % and _ are wildcards, . ^ $ mean themselves."""
    pieces = []
    at, in_brackets = 0, False
    while at < len(pattern):
        sign = pattern[at]
        if sign == escape and at + 1 < len(pattern):
            at += 1
            pieces.append(_quoted(pattern[at]))
        elif in_brackets:
            in_brackets = sign != "]"
            pieces.append("\\\\" if sign == "\\" else sign)
        elif sign == "[":
            in_brackets = True
            pieces.append(sign)
        else:
            pieces.append({"%": ".*", "_": "."}.get(sign) or (_quoted(sign) if sign in ".^$\\" else sign))
        at += 1
    return "".join(pieces)


def _quoted(sign: str) -> str:
    return sign if sign.isalnum() or ord(sign) > 127 else "\\" + sign


@visits(exp.RegexpLike, exp.RegexpILike)
def visit_regex(node: exp.Expr, scope: Scope) -> Typed:
    """~ and ~*: the pattern occurs somewhere in the text."""
    _visit_sides(node, scope)
    text, pattern = node.args["this"], node.args["expression"]
    flags = (string("i"),) if node.__class__ is exp.RegexpILike else ()
    return call("regexp_matches", text, pattern, *flags), BOOL
