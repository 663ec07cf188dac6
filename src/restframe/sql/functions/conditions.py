"""Functions that choose among their arguments.

https://docs.aws.amazon.com/redshift/latest/dg/c_conditional_expressions.html
"""

from __future__ import annotations

from sqlglot import exp

from restframe.sql.functions.registry import Call, function
from restframe.sql.nodes import call, when
from restframe.sql.rewrite.comparisons import align, check_comparable
from restframe.sql.rewrite.matching import match
from restframe.sql.rewrite.parameters import expect
from restframe.sql.rewrite.scope import Type
from restframe.sql.rewrite.visit import Typed


@function("coalesce nvl", 1, None)
def coalesce(made: Call) -> Typed:
    nodes, type_ = match("COALESCE", made.arguments, made.types, made.scope)
    return call("coalesce", *nodes), type_


@function("greatest least", 1, None)
def extreme(made: Call) -> Typed:
    nodes, type_ = match(made.name.upper(), made.arguments, made.types, made.scope)
    return call(made.name, *nodes), type_


@function("nullif", 2)
def nullif(made: Call) -> Typed:
    left, right = made.types
    nodes = made.arguments
    if left is None or right is None:
        expect(nodes[0 if left is None else 1], left or right, made.scope)
    if left is not None and right is not None:
        check_comparable(made.node, "=", nodes[0], left, nodes[1], right, made.scope)
    if left is not None and right is not None and left.name != right.name:
        nodes = [align(nodes[0], left, nodes[1], right, made.scope), align(nodes[1], right, nodes[0], left, made.scope)]
        if nodes[0] is not made.arguments[0]:
            equal = exp.EQ(this=nodes[0], expression=nodes[1])
            return when(equal, exp.Null(), made.arguments[0].copy()), left
    return call("nullif", *nodes), left


@function("nvl2", 3)
def nvl2(made: Call) -> Typed:
    present = exp.Not(this=exp.Is(this=exp.Paren(this=made.arguments[0]), expression=exp.Null()))
    results, type_ = match("NVL2", made.arguments[1:], made.types[1:], made.scope)
    return when(present, *results), type_


@function("decode", 3, None)
def decode(made: Call) -> Typed:
    """DECODE ( value, search, result [, search, result ]... [, default ] ), in which NULL is equal to NULL."""
    value, type_ = made.arguments[0], made.types[0]
    rest, types = made.arguments[1:], made.types[1:]
    branches: list[exp.Expr] = []
    results: list[Type] = []
    for place in range(0, len(rest) - 1, 2):
        search, searched = rest[place], types[place]
        left, right = value.copy(), search
        if type_ is None or searched is None:
            expect(value if type_ is None else search, type_ or searched, made.scope)
        if type_ is not None and searched is not None:
            check_comparable(search, "=", value, type_, search, searched, made.scope)
        if type_ is not None and searched is not None and type_.name != searched.name:
            left = align(value.copy(), type_, search, searched, made.scope)
            right = align(search, searched, value, type_, made.scope)
        same: exp.Expr
        if search.__class__ is exp.Null:
            same = exp.Is(this=exp.Paren(this=left), expression=exp.Null())
        elif search.__class__ is exp.Literal:
            same = exp.EQ(this=exp.Paren(this=left), expression=right)
        else:
            same = exp.NullSafeEQ(this=exp.Paren(this=left), expression=exp.Paren(this=right))
        branches.append(exp.If(this=same, true=rest[place + 1]))
        results.append(types[place + 1])
    values = [branch.args["true"] for branch in branches]
    if len(rest) % 2:
        values.append(rest[-1])
        results.append(types[-1])
    values, result = match("DECODE", values, results, made.scope)
    for branch, chosen in zip(branches, values, strict=False):
        branch.set("true", chosen)
    return exp.Case(ifs=branches, default=values[-1] if len(rest) % 2 else None), result
