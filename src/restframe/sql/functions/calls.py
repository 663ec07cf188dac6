"""Visits of function calls: look-up by name, OVER, WITHIN GROUP, and the functions of models."""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.functions.registry import FUNCTIONS, Call, Function, no_such_function
from restframe.sql.lexer import QualifiedName
from restframe.sql.names import FunctionReference
from restframe.sql.nodes import as_type, call, fold, string
from restframe.sql.rewrite.casts import convert
from restframe.sql.rewrite.columns import visit_path
from restframe.sql.rewrite.forecasts import NAME as FORECAST
from restframe.sql.rewrite.forecasts import refuse_forecast
from restframe.sql.rewrite.matching import visit_condition
from restframe.sql.rewrite.rules import INT8
from restframe.sql.rewrite.scope import ModelCall, Scope
from restframe.sql.rewrite.visit import Typed, only, refuse, visit_argument, visit_list, visits
from restframe.sql.tree import MARK


@visits(exp.Anonymous)
def visit_call(node: exp.Anonymous, scope: Scope) -> Typed:
    name = _name(node)
    found = FUNCTIONS.get(name)
    if found is None:
        return _visit_model_call(node, QualifiedName(None, name, scope.context.position(node)), scope)
    if found.kind == "window":
        raise errors.SyntaxError(
            f"window function {name} requires an OVER clause", position=scope.context.position(node)
        )
    if found.kind != "aggregate":
        return found.build(_call(node, name, found, scope))
    if scope.clause in _WITHOUT_AGGREGATES:
        raise errors.GroupingError(_WITHOUT_AGGREGATES[scope.clause], position=scope.context.position(node))
    scope.aggregates = True
    around, scope.clause = scope.clause, "aggregate"
    made = _call(node, name, found, scope)
    scope.clause = around
    return found.build(made)


_WITHOUT_AGGREGATES = {
    "WHERE": "aggregates not allowed in WHERE clause",
    "JOIN/ON": "aggregates not allowed in JOIN conditions",
    "aggregate": "aggregate function calls may not be nested",
}


@visits(exp.Dot)
def visit_dot(node: exp.Dot, scope: Scope) -> Typed:
    """A function named with its schema, or a path into a SUPER value."""
    called = node.args["expression"]
    if called.__class__ is not exp.Anonymous:
        return visit_path(node, scope)
    schema = node.args["this"]
    if schema.__class__ is exp.Dot:  # database.schema.function
        schema = schema.args["expression"]
    if schema.__class__ is not exp.Identifier:
        refuse(node, scope)
    position = scope.context.position(node)
    if "start" not in schema.meta:  # sqlglot has kept the place of the function's own name only
        position -= len(str(schema.args["this"])) + 1
    name = QualifiedName(fold(schema), _name(called), position)
    if name.schema == "pg_catalog" or (name.schema == "information_schema" and name.name == "_pg_expandarray"):
        return visit_call(called, scope)
    return _visit_model_call(called, name, scope)


def _name(node: exp.Anonymous) -> str:
    name = node.args["this"]
    if isinstance(name, exp.Identifier):
        return fold(name)
    return str(name).lower().removesuffix(MARK)


def _call(node: exp.Anonymous, name: str, found: Function, scope: Scope) -> Call:
    arguments = node.args["expressions"]
    given = len(arguments)
    if arguments and arguments[0].__class__ is exp.Distinct:
        given = len(arguments[0].args["expressions"]) + given - 1
        if found.kind != "aggregate":
            raise errors.SyntaxError(
                f"DISTINCT specified, but {name} is not an aggregate function", position=scope.context.position(node)
            )
    if not found.raw:
        certain = scope.certain
        scope.certain = certain and name not in _CHOOSE
        types = visit_list(node, "expressions", scope)
        scope.certain = certain
        arguments = node.args["expressions"]
    else:
        types = [None] * len(arguments)
    if not found.least <= given <= found.most:
        raise no_such_function(name, types, node, scope)
    return Call(name, node, scope, arguments, types)


# Not all of their arguments are evaluated for every row.
_CHOOSE = frozenset({"coalesce", "nvl", "nvl2", "decode"})


# Windows


@visits(exp.Window)
def visit_window(node: exp.Window, scope: Scope) -> Typed:
    """function(...) [ WITHIN GROUP ( ... ) ] [ IGNORE NULLS ] OVER ( [ PARTITION BY ] [ ORDER BY ] [ frame ] )"""
    only(node, _WINDOW, scope)
    if scope.clause:
        where = "aggregate function calls" if scope.clause == "aggregate" else f"{scope.clause} clause"
        raise errors.WindowingError(f"window functions not allowed in {where}", position=scope.context.position(node))
    called, order = node.args["this"], None
    ignore_nulls = called.__class__ is exp.IgnoreNulls
    if called.__class__ in (exp.IgnoreNulls, exp.RespectNulls):
        called = called.args["this"]
    if called.__class__ is exp.WithinGroup:
        order, called = called.args["expression"], called.args["this"]
    if called.__class__ is not exp.Anonymous:
        refuse(called, scope, None if called.__class__ is exp.Filter else "OVER here")
    name = _name(called)
    found = FUNCTIONS.get(name)
    if found is None or found.kind == "scalar":
        raise errors.WrongObjectType(
            f"OVER specified, but {name[:64]} is not a window function nor an aggregate function",
            position=scope.context.position(node),
        )
    ignore_nulls |= _take_nulls_clause(called)
    made = _call(called, name, found, scope)
    if ignore_nulls and found.kind != "window":
        refuse(node, scope, f"IGNORE NULLS with {name}")
    made.ignore_nulls = ignore_nulls
    made.order = _visit_order(order, scope) if order is not None else []
    _visit_window_clauses(node, name, found, scope)
    clauses = {key: value for key, value in node.args.items() if key != "this"}
    made.over = lambda inner: _over(inner, clauses)
    return found.build(made)


def _take_nulls_clause(called: exp.Anonymous) -> bool:
    """Whether an argument is followed by IGNORE NULLS, within the parentheses; it and RESPECT NULLS are taken away."""
    arguments = called.args["expressions"]
    found = False
    for place, argument in enumerate(arguments):
        if argument.__class__ in (exp.IgnoreNulls, exp.RespectNulls):
            found |= argument.__class__ is exp.IgnoreNulls
            arguments[place] = argument.args["this"]
    called.set("expressions", arguments)
    return found


_WINDOW = frozenset({"this", "partition_by", "order", "spec", "over"})


def _visit_window_clauses(node: exp.Window, name: str, found: Function, scope: Scope) -> None:
    if node.args.get("partition_by"):
        visit_list(node, "partition_by", scope)
    if node.args.get("order") is not None:
        _visit_order(node.args["order"], scope)
        if found.kind == "aggregate" and node.args.get("spec") is None:
            raise errors.SyntaxError(
                "Aggregate window functions with an ORDER BY clause require a frame clause",
                position=scope.context.position(node),
                hint="Add ROWS UNBOUNDED PRECEDING after ORDER BY.",
            )
    spec = node.args.get("spec")
    if spec is not None:
        only(spec, _FRAME, scope)
        _check_frame(spec, node, scope)
        for bound in ("start", "end"):
            if isinstance(spec.args.get(bound), exp.Expr):
                visit_argument(spec, bound, scope)


_FRAME = frozenset({"kind", "start", "start_side", "end", "end_side"})


def _check_frame(spec: exp.WindowSpec, node: exp.Window, scope: Scope) -> None:
    frame = str(spec.args["kind"]).upper()
    if frame == "GROUPS":
        refuse(node, scope, "GROUPS in a frame")
    for bound in ("start", "end"):
        if frame == "RANGE" and isinstance(spec.args.get(bound), exp.Expr):
            side = str(spec.args[f"{bound}_side"]).upper()
            raise errors.NotSupportedError(
                f"RANGE {side} is only supported with UNBOUNDED", position=scope.context.position(node)
            )


def _over(inner: exp.Expr, clauses: dict[str, object]) -> exp.Expr:
    copies = {
        key: [part.copy() for part in value]
        if isinstance(value, list)
        else value.copy()
        if isinstance(value, exp.Expr)
        else value
        for key, value in clauses.items()
    }
    return exp.Window(this=inner, **copies)


@visits(exp.Filter)
def visit_filter(node: exp.Filter, scope: Scope) -> Typed:
    """aggregate(...) FILTER ( WHERE condition )"""
    called = node.args["this"]
    if called.__class__ is not exp.Anonymous:
        refuse(node, scope)
    name = _name(called)
    found = FUNCTIONS.get(name)
    if found is None or found.kind != "aggregate":
        raise errors.WrongObjectType(
            f"FILTER specified, but {name[:64]} is not an aggregate function", position=scope.context.position(node)
        )
    if scope.clause in _WITHOUT_AGGREGATES:
        raise errors.GroupingError(_WITHOUT_AGGREGATES[scope.clause], position=scope.context.position(node))
    scope.aggregates = True
    around, scope.clause = scope.clause, "aggregate"
    made = _call(called, name, found, scope)
    condition = node.args["expression"]
    visit_condition(condition, "this", scope, "FILTER")
    scope.clause = around
    made.over = lambda inner: exp.Filter(this=inner, expression=condition.copy())
    return found.build(made)


@visits(exp.WithinGroup)
def visit_within_group(node: exp.WithinGroup, scope: Scope) -> Typed:
    called = node.args["this"]
    if called.__class__ is not exp.Anonymous:
        refuse(node, scope)
    name = _name(called)
    found = FUNCTIONS.get(name)
    if found is None or found.kind != "aggregate":
        raise errors.WrongObjectType(
            f"WITHIN GROUP specified, but {name[:64]} is not an ordered-set aggregate function",
            position=scope.context.position(node),
        )
    made = _call(called, name, found, scope)
    made.order = _visit_order(node.args["expression"], scope)
    return found.build(made)


def _visit_order(order: exp.Order, scope: Scope) -> list[exp.Ordered]:
    for item in order.args["expressions"]:
        only(item, _ORDERED, scope)
        visit_argument(item, "this", scope)
    return list(order.args["expressions"])


_ORDERED = frozenset({"this", "desc", "nulls_first"})


# Functions of models


def _visit_model_call(node: exp.Anonymous, name: QualifiedName, scope: Scope) -> Typed:
    function = scope.context.names.function(name, len(node.args["expressions"]))
    if function is None and name.schema is None and name.name == FORECAST:
        refuse_forecast(node, scope)
    types = visit_list(node, "expressions", scope)
    if function is None:
        error = no_such_function(str(name), types, node, scope)
        error.position = name.position
        raise error
    arguments = node.args["expressions"]
    scope.context.calls.append(_model_call(function, arguments, scope))
    converted: list[exp.Expr] = [
        convert(argument, type_, wanted, scope)
        for argument, type_, wanted in zip(arguments, types, function.arguments, strict=True)
    ]
    statement = as_type(call("getvariable", string("restframe_statement")), INT8)
    return call(function.engine_name, statement, *converted), function.returns


def _model_call(function: FunctionReference, arguments: list[exp.Expr], scope: Scope) -> ModelCall:
    """What a plan may want to know of a call: whether its arguments are columns of one table, all rows of it."""
    source = None
    columns = []
    for argument in arguments:
        if argument.__class__ is not exp.Column:
            return ModelCall(function, None, (), False)
        name = str(argument.args["this"].args["this"])
        named = argument.args.get("table")
        of = scope.sources.get(str(named.args["this"])) if named is not None else scope.find(name, argument)
        if of is None or of.table is None or (source is not None and of is not source):
            return ModelCall(function, None, (), False)
        source = of
        columns.append(name)
    if source is None or source.table is None:
        return ModelCall(function, None, (), False)
    names = [list(source.columns).index(name) for name in columns]
    real = list(source.table.columns)
    every_row = scope.certain and len(scope.sources) == 1
    return ModelCall(function, source.table, tuple(real[place] for place in names), every_row)


@visits(exp.Alias, exp.Aliases)
def visit_alias_inside(node: exp.Expr, scope: Scope) -> Typed:
    raise errors.SyntaxError('syntax error at or near "AS"', position=scope.context.position(node))
