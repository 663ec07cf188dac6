"""Aggregate and window functions.

https://docs.aws.amazon.com/redshift/latest/dg/c_Aggregate_Functions.html
https://docs.aws.amazon.com/redshift/latest/dg/c_Window_functions.html
"""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.functions.registry import Call, function
from restframe.sql.nodes import as_type, call, is_string, macro, operation, string
from restframe.sql.rewrite.arithmetic import divide_exactly
from restframe.sql.rewrite.matching import match
from restframe.sql.rewrite.rules import BOOL, FLOAT8, INT8, INTERVAL, VARCHAR, numeric
from restframe.sql.rewrite.scope import Scope, Type
from restframe.sql.rewrite.texts import to_text
from restframe.sql.rewrite.visit import Typed, only, visit_argument, visits

# Sums and averages


def _summable(made: Call) -> Type:
    """The type of what is summed; SUPER values and parameters are taken for numbers in double precision."""
    type_ = made.types[0]
    if type_ is None:
        return None
    if type_.name == "super":
        made.arguments[0] = macro("super_number", made.arguments[0])
        return FLOAT8
    if not type_.is_number and type_.name != "interval":
        raise made.no_such_function()
    return type_


@function("sum", 1, kind="aggregate")
def sum_(made: Call) -> Typed:
    type_ = _summable(made)
    total = made.over(call("sum", made.arguments[0]))
    if type_ is not None and type_.is_integer:
        return as_type(total, INT8), INT8
    if type_ is not None and type_.name == "numeric":
        return total, numeric(38, type_.scale or 0)
    return total, type_ if type_ is None or type_.name == "interval" else FLOAT8


@function("avg", 1, kind="aggregate")
def avg(made: Call) -> Typed:
    """Of whole numbers a whole number, of decimals one with as many places: what comes after is cut off."""
    type_ = _summable(made)
    if type_ is None or not (type_.is_integer or type_.name == "numeric"):
        return made.over(call("avg", made.arguments[0])), FLOAT8 if type_ is None or type_.is_number else type_
    total = made.over(call("sum", made.arguments[0]))
    count = made.over(call("count", made.arguments[0].copy()))
    if type_.is_integer:
        return as_type(operation(exp.IntDiv, total, count), INT8), INT8
    result = numeric(38, type_.scale or 0)
    return divide_exactly(total, type_.scale or 0, count, 0, result), result


@function("count", 1, kind="aggregate", raw=True)
def count(made: Call) -> Typed:
    argument = made.arguments[0]
    if argument.__class__ is exp.Star:
        return made.over(call("count", argument)), INT8
    new, _ = made.visit(0)
    return made.over(call("count", new)), INT8


@function("min max any_value", 1, kind="aggregate")
def extreme(made: Call) -> Typed:
    return made.over(call(made.name, made.arguments[0])), made.types[0]


@function("stddev stddev_samp stddev_pop variance var_samp var_pop", 1, kind="aggregate")
def deviation(made: Call) -> Typed:
    if _summable(made) == INTERVAL:
        raise made.no_such_function()
    return made.over(call(made.name, made.arguments[0])), FLOAT8


@function("bool_and bool_or", 1, kind="aggregate")
def booleans(made: Call) -> Typed:
    _refuse_others(made, made.types[0] is None or made.types[0] == BOOL)
    return made.over(call(made.name, made.arguments[0])), BOOL


@function("bit_and bit_or", 1, kind="aggregate")
def bits(made: Call) -> Typed:
    _refuse_others(made, made.types[0] is None or made.types[0].is_integer)
    return made.over(call(made.name, made.arguments[0])), made.types[0]


def _refuse_others(made: Call, fits: bool) -> None:
    if not fits:
        raise made.no_such_function()


@function("grouping grouping_id", 1, None)
def grouping(made: Call) -> Typed:
    return call(made.name, *made.arguments), INT8


# Ordered aggregates


@function("listagg", 1, 2, kind="aggregate")
def listagg(made: Call) -> Typed:
    """LISTAGG ( [ DISTINCT ] value [, delimiter ] ) WITHIN GROUP ( ORDER BY ... )"""
    first = made.arguments[0]
    distinct = first.__class__ is exp.Distinct
    parts = list(first.args["expressions"]) if distinct else [first]
    parts += made.arguments[1:]
    value: exp.Expr = to_text(parts[0], made.types[0], made.scope)
    delimiter = parts[1] if len(parts) > 1 else string("")
    if not is_string(delimiter):
        raise errors.SyntaxError(
            "LISTAGG needs a delimiter that is a literal", position=made.scope.context.position(made.node)
        )
    # In the engine too, empty texts and NULLs count for nothing.
    value = call("nullif", value, string(""))
    if distinct:
        if made.windowed:
            raise errors.NotSupportedError(
                "LISTAGG with DISTINCT and OVER is not supported", position=made.scope.context.position(made.node)
            )
        return made.over(_distinct_list(made, parts[0], value, delimiter)), VARCHAR
    last: exp.Expr = exp.Order(this=delimiter, expressions=made.order) if made.order else delimiter
    return made.over(call("string_agg", value, last)), VARCHAR


def _distinct_list(made: Call, plain: exp.Expr, value: exp.Expr, delimiter: exp.Expr) -> exp.Expr:
    """The engine wants a DISTINCT aggregate ordered by its own argument, which here is the value's text."""
    order = made.order[:1]
    if not order:
        return call("string_agg", exp.Distinct(expressions=[value]), delimiter)
    if order[0].args["this"] != plain:
        raise errors.NotSupportedError(
            "LISTAGG with DISTINCT ordered by something else is not supported",
            position=made.scope.context.position(made.node),
        )
    # Numbers are put in order as numbers, so only the finished list becomes text.
    kept = value if made.types[0] is None or made.types[0].is_text else plain.copy()
    values = call("list", exp.Distinct(expressions=[kept]))
    ordered = call("list_reverse_sort" if order[0].args.get("desc") else "list_sort", values)
    return call("nullif", call("array_to_string", ordered, delimiter), string(""))


@function("median", 1, kind="aggregate")
def median(made: Call) -> Typed:
    return made.over(call("median", made.arguments[0])), _interpolated(made.types[0])


def _interpolated(type_: Type) -> Type:
    if type_ is None or (type_.is_number and type_.name != "numeric"):
        return FLOAT8
    return type_


@function("percentile_cont percentile_disc", 1, kind="aggregate")
def percentile(made: Call) -> Typed:
    """PERCENTILE_CONT ( fraction ) WITHIN GROUP ( ORDER BY value ); a negative fraction counts from the top."""
    if len(made.order) != 1:
        raise errors.SyntaxError(
            f"{made.name} needs WITHIN GROUP with one ORDER BY value", position=made.scope.context.position(made.node)
        )
    ordered = made.order[0]
    fraction = made.arguments[0]
    if ordered.args.get("desc"):
        fraction = exp.Neg(this=fraction)
    name = "quantile_cont" if made.name == "percentile_cont" else "quantile_disc"
    return made.over(call(name, ordered.args["this"], fraction)), None


@visits(exp.ApproxDistinct)
def visit_approximate_count(node: exp.ApproxDistinct, scope: Scope) -> Typed:
    """APPROXIMATE COUNT ( DISTINCT value )"""
    only(node, frozenset({"this"}), scope)
    visit_argument(node, "this", scope)
    return call("approx_count_distinct", node.args["this"]), INT8


@visits(exp.ApproxQuantile)
def visit_approximate_percentile(node: exp.ApproxQuantile, scope: Scope) -> Typed:
    """APPROXIMATE PERCENTILE_DISC ( fraction ) WITHIN GROUP ( ORDER BY value ), computed exactly here"""
    only(node, frozenset({"this", "quantile"}), scope)
    type_ = visit_argument(node, "this", scope)
    visit_argument(node, "quantile", scope)
    return call("quantile_disc", node.args["this"], node.args["quantile"]), type_


@function("hll", 1, kind="aggregate")
def hll(made: Call) -> Typed:
    return made.over(call("approx_count_distinct", made.arguments[0])), INT8


# Window functions


@function("row_number rank dense_rank", 0, kind="window")
def rank(made: Call) -> Typed:
    return made.over(call(made.name)), INT8


@function("percent_rank cume_dist", 0, kind="window")
def relative_rank(made: Call) -> Typed:
    return made.over(call(made.name)), FLOAT8


@function("ntile", 1, kind="window")
def ntile(made: Call) -> Typed:
    return made.over(call("ntile", as_type(made.whole(0), INT8))), INT8


# sqlglot's own nodes, because it writes IGNORE NULLS at the right place for these only.
_OF_ONE_ROW: dict[str, type[exp.Expr]] = {
    "lag": exp.Lag, "lead": exp.Lead, "first_value": exp.FirstValue, "last_value": exp.LastValue,
    "nth_value": exp.NthValue,
}  # fmt: skip


@function("lag lead", 1, 3, kind="window")
def neighbour(made: Call) -> Typed:
    return _value_of_row(made)


@function("first_value last_value", 1, kind="window")
def edge(made: Call) -> Typed:
    return _value_of_row(made)


@function("nth_value", 2, kind="window")
def nth_value(made: Call) -> Typed:
    return _value_of_row(made)


def _value_of_row(made: Call) -> Typed:
    if len(made.arguments) > 1:
        made.arguments[1] = as_type(made.whole(1), INT8)
    if len(made.arguments) > 2:
        values, made.types[0] = match(made.name.upper(), made.arguments[::2], made.types[::2], made.scope)
        made.arguments[::2] = values
    arguments = dict(zip(("this", "offset", "default"), made.arguments, strict=False))
    found: exp.Expr = _OF_ONE_ROW[made.name](**arguments)
    if made.ignore_nulls:
        found = exp.IgnoreNulls(this=found)
    return made.over(found), made.types[0]


@function("ratio_to_report", 1, kind="window")
def ratio_to_report(made: Call) -> Typed:
    made.arguments[0] = made.number(0)
    total = made.over(call("sum", made.arguments[0]))
    share = exp.Div(this=as_type(made.arguments[0].copy(), FLOAT8), expression=total)
    return exp.Paren(this=share), FLOAT8
