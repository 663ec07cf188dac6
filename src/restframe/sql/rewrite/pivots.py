"""PIVOT and UNPIVOT of tables.

https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause-pivot-unpivot-examples.html
"""

from __future__ import annotations

from sqlglot import exp

from restframe.sql.nodes import fold, is_string
from restframe.sql.rewrite.columns import fold_in_place
from restframe.sql.rewrite.rules import FLOAT8, INT8, VARCHAR, common, numeric
from restframe.sql.rewrite.scope import Output, Scope, Source, Type
from restframe.sql.rewrite.visit import only, refuse, visit

_PIVOT = frozenset(
    {"expressions", "fields", "unpivot", "alias", "columns", "include_nulls", "identify_pivot_strings",
     "prefixed_pivot_columns", "pivot_column_naming", "value_columns_first", "default_on_null"}
)  # fmt: skip
_AGGREGATES = frozenset({"sum", "avg", "min", "max", "count", "any_value", "stddev", "variance"})


def visit_pivot(pivot: exp.Pivot, source: Source, scope: Scope) -> Source:
    """The source that a PIVOT or UNPIVOT makes of another."""
    only(pivot, _PIVOT, scope)
    if len(pivot.args.get("fields") or ()) != 1:
        refuse(pivot, scope, "PIVOT over several columns")
    inner = Scope(scope.context, scope.parent)
    inner.add(source, pivot)
    columns = _unpivot(pivot, source, inner) if pivot.args.get("unpivot") else _pivot(pivot, source, inner)
    alias = pivot.args.get("alias")
    return Source.of_query(source.name if alias is None else fold_in_place(alias.args["this"]), columns)


def _pivot(pivot: exp.Pivot, source: Source, scope: Scope) -> tuple[Output, ...]:
    """PIVOT ( aggregate(column) [ AS alias ] [, ...] FOR column IN ( value [ AS alias ] [, ...] ) )"""
    field = pivot.args["fields"][0]
    pivoted = _column(field.args["this"], scope)
    used = {pivoted}
    aggregates: list[tuple[str, Type]] = []
    for aggregate in pivot.args["expressions"]:
        call = aggregate.args["this"] if aggregate.__class__ is exp.Alias else aggregate
        name = str(call.args["this"]).lower() if call.__class__ is exp.Anonymous else ""
        if name not in _AGGREGATES or len(call.args["expressions"]) != 1:
            refuse(aggregate, scope, "this aggregate in PIVOT")
        argument = call.args["expressions"][0]
        type_: Type = None
        if argument.__class__ is not exp.Star:
            used |= {fold(column.this) for column in argument.find_all(exp.Column)}
            new, type_ = visit(argument, scope)
            call.set("expressions", [new])
            if name == "avg" and type_ is not None and type_.name not in ("float4", "float8"):
                refuse(aggregate, scope, "AVG of exact numbers in PIVOT")  # the engine would not cut off its fraction
        label = fold_in_place(aggregate.args["alias"]) if aggregate.__class__ is exp.Alias else ""
        aggregates.append((label, _result(name, type_)))
    values = [_value_label(value, scope) for value in field.args["expressions"]]
    kept = [output for output in source.outputs if output.label not in used]
    made = [Output(f"{value}_{label}" if label else value, type_) for value in values for label, type_ in aggregates]
    return (*kept, *made)


def _result(name: str, type_: Type) -> Type:
    if name in ("min", "max", "any_value"):
        return type_
    if name == "count" or (name == "sum" and type_ is not None and type_.is_integer):
        return INT8
    if name == "sum" and type_ is not None and type_.name == "numeric":
        return numeric(38, type_.scale or 0)
    return FLOAT8


def _value_label(value: exp.Expr, scope: Scope) -> str:
    """The name of the column made for one value; it becomes an alias, which the engine would name otherwise."""
    if value.__class__ is exp.PivotAlias:
        return fold_in_place(value.args["alias"])
    if value.__class__ is not exp.Literal:
        refuse(value, scope, "this value in PIVOT")
    return str(value.args["this"]).lower() if is_string(value) else str(value.args["this"])


def _unpivot(pivot: exp.Pivot, source: Source, scope: Scope) -> tuple[Output, ...]:
    """UNPIVOT [ INCLUDE NULLS ] ( value FOR name IN ( column [ AS alias ] [, ...] ) )"""
    field = pivot.args["fields"][0]
    value = fold_in_place(_identifier(pivot.args["expressions"][0], scope))
    name = fold_in_place(_identifier(field.args["this"], scope))
    used: dict[str, Type] = {}
    for column in field.args["expressions"]:
        inner = column.args["this"] if column.__class__ is exp.PivotAlias else column
        if column.__class__ is exp.PivotAlias and is_string(column.args["alias"]) is False:
            fold_in_place(column.args["alias"])
        used[_column(inner, scope)] = None
    types = [source.columns[one] for one in used]
    kept = [output for output in source.outputs if output.label not in used]
    return (*kept, Output(name, VARCHAR), Output(value, common(types)))


def _column(node: exp.Expr, scope: Scope) -> str:
    visit(node, scope)
    if node.__class__ is not exp.Column:
        refuse(node, scope)
    node.set("table", None)
    return fold(node.args["this"])


def _identifier(node: exp.Expr, scope: Scope) -> exp.Identifier:
    if node.__class__ is exp.Column:
        node = node.args["this"]
    if node.__class__ is not exp.Identifier:
        refuse(node, scope)
    return node
