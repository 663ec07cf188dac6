"""+ - * / % and || as Redshift computes them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Context, Decimal

from sqlglot import exp

from restframe import errors
from restframe.sql.nodes import (
    as_hugeint,
    as_type,
    decimal_type,
    is_number,
    is_string,
    macro,
    number,
    operation,
)
from restframe.sql.rewrite import arrays
from restframe.sql.rewrite.casts import convert
from restframe.sql.rewrite.matching import no_operator
from restframe.sql.rewrite.parameters import is_parameter
from restframe.sql.rewrite.rules import (
    DATE,
    DATETIMES,
    FLOAT8,
    INT4,
    INT8,
    INTERVAL,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    TIMETZ,
    VARCHAR,
    arithmetic,
    as_numeric,
    kind,
    numeric,
)
from restframe.sql.rewrite.scope import Scope, Type
from restframe.sql.rewrite.texts import to_text
from restframe.sql.rewrite.visit import Typed, visit, visit_argument, visits
from restframe.types import SqlType

_OPERATORS: dict[type[exp.Expr], str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%", exp.DPipe: "||",
}  # fmt: skip


@visits(*_OPERATORS)
def visit_arithmetic(node: exp.Expr, scope: Scope) -> Typed:
    # Chains lean to the left and may be thousands long: down the chain in a loop, not by recursion.
    chain = []
    while node.__class__ in _OPERATORS:
        chain.append(node)
        node = node.args["this"]
    result, type_ = visit(node, scope)
    for link in reversed(chain):
        if link.args["this"] is not result:
            link.set("this", result)
        right = visit_argument(link, "expression", scope)
        result, type_ = _combine(link, type_, right, scope)
    return result, type_


def _combine(node: exp.Expr, left: Type, right: Type, scope: Scope) -> Typed:
    operator = _OPERATORS[node.__class__]
    if operator == "||":
        return _concatenate(node, left, right, scope)
    if left is None or right is None:
        known = left or right
        if known is not None and is_parameter(node.args["this" if left is None else "expression"]):
            return _texts(node, operator, left or VARCHAR, right or VARCHAR, scope)
        if known is not None and kind(known) not in _COUNTABLE:
            raise no_operator(node, operator, left, right, scope)
        if known is None and scope.context.found is not None and is_parameter(node.args["this"]):
            raise errors.AmbiguousFunction(
                f"operator is not unique: unknown {operator} unknown",
                hint="Could not choose a best candidate operator. You may need to add explicit type casts.",
            )
        return node, known
    if left.is_number and right.is_number:
        return _numbers(node, operator, left, right)
    if left.name == "super" or right.name == "super":
        return _dynamic(node, operator, left, right, scope)
    if left.is_text or right.is_text:
        return _texts(node, operator, left, right, scope)
    compute = _TIMES.get((left.name, operator, right.name))
    if compute is None:
        raise no_operator(node, operator, left, right, scope)
    return compute(node.args["this"], node.args["expression"])


_COUNTABLE = frozenset({"number", "date", "time", "interval", "super"})

# Numbers


def _numbers(node: exp.Expr, operator: str, left: SqlType, right: SqlType) -> Typed:
    result = arithmetic(operator, left, right)
    if operator == "/":
        return _divide(node, left, right, result)
    if result.is_integer and "int2" in (left.name, right.name) and left.name != right.name:
        # The engine lets a literal shrink to the other side's type, and then overflows it.
        side = "this" if left.name == "int2" else "expression"
        node.set(side, as_type(node.args[side], result))
    elif operator == "*" and result.name == "numeric" and _may_overflow(left, right):
        node.set("this", exp.Cast(this=node.args["this"], to=decimal_type(38, as_numeric(left).scale or 0)))
    return node, result


def _may_overflow(left: SqlType, right: SqlType) -> bool:
    """Whether a product may need more than the 18 digits the engine gives it when both factors have no more.

    Products that keep 12 digits before the point stay in the engine's quick 64 bits: a trillion is plenty for what
    has few decimals, and beyond it the engine reports an overflow, never a wrong number.
    """
    left, right = as_numeric(left), as_numeric(right)
    digits = (left.precision or 0) + (right.precision or 0)
    decimals = (left.scale or 0) + (right.scale or 0)
    return digits > 18 and 18 - decimals < 12 and max(left.precision or 0, right.precision or 0) <= 18


def _divide(node: exp.Expr, left: SqlType, right: SqlType, result: SqlType) -> Typed:
    dividend, divisor = node.args["this"], node.args["expression"]
    if result.is_integer:
        return exp.IntDiv(this=dividend, expression=divisor), result
    if result.name != "numeric":
        return exp.Div(this=dividend, expression=divisor), result
    if is_number(dividend) and is_number(divisor):
        constant = _constant_quotient(dividend, divisor)
        if constant is not None:
            return constant
    exact = divide_exactly(dividend, as_numeric(left).scale or 0, divisor, as_numeric(right).scale or 0, result)
    return exact, result


def divide_exactly(
    dividend: exp.Expr, dividend_scale: int, divisor: exp.Expr, divisor_scale: int, result: SqlType
) -> exp.Expr:
    """A quotient of decimals with just the digits of `result`; what comes after them is cut off.

    The engine divides decimals as doubles. Here both are made whole numbers first.
    """
    scale = result.scale or 0
    lift = max(divisor_scale, dividend_scale - scale, 0)
    whole = exp.IntDiv(
        this=_lifted(dividend, dividend_scale, scale + lift),
        expression=_lifted(divisor, divisor_scale, lift),
    )
    quotient = exp.Cast(this=exp.Paren(this=whole), to=decimal_type(38, 0))
    if scale == 0:
        return as_type(quotient, result)
    unit = number("0." + "0" * (scale - 1) + "1")
    return as_type(operation(exp.Mul, quotient, unit), result)


def _lifted(node: exp.Expr, scale: int, power: int) -> exp.Expr:
    """node * 10 ** power as a whole number of 128 bits."""
    if power == 0 and scale == 0:
        return as_hugeint(node)
    wide = exp.Cast(this=node, to=decimal_type(38, scale))
    return as_hugeint(exp.Mul(this=wide, expression=number(10**power)))


def _constant_quotient(dividend: exp.Expr, divisor: exp.Expr) -> Typed | None:
    """What the leader node makes of two literals, with PostgreSQL's digits: 1.0 / 3 has twenty of them."""
    left, right = _decimal(dividend), _decimal(divisor)
    if not right:
        return None
    weight_left, first_left = _leading(left)
    weight_right, first_right = _leading(right)
    weight = weight_left - weight_right - (first_left <= first_right)
    scale = max(16 - weight * 4, _places(left), _places(right), 0)
    quotient = _WIDE.divide(left, right).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, _WIDE)
    digits = max(quotient.adjusted() + 1, 1) + scale
    if digits > 38:
        return None
    result = numeric(digits, scale)
    return as_type(number(f"{quotient:f}"), result), result


_WIDE = Context(prec=100)


def _decimal(node: exp.Expr) -> Decimal:
    if node.__class__ is exp.Neg:
        return -Decimal(node.args["this"].args["this"])
    return Decimal(node.args["this"])


def _places(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and exponent < 0 else 0


def _leading(value: Decimal) -> tuple[int, int]:
    """Weight and value of the first digit to base 10000, in which PostgreSQL counts."""
    if not value:
        return 0, 0
    weight = value.adjusted() // 4
    return weight, int(abs(value).scaleb(-4 * weight))


# SUPER, texts, dates and times


def _dynamic(node: exp.Expr, operator: str, left: SqlType, right: SqlType, scope: Scope) -> Typed:
    """Arithmetic with a SUPER value is done in double precision; what is no number counts as NULL."""
    for side, type_ in (("this", left), ("expression", right)):
        if type_.name == "super":
            node.set(side, macro("super_number", node.args[side]))
        elif is_string(node.args[side]):
            node.set(side, as_type(node.args[side], FLOAT8))
        elif not type_.is_number:
            raise no_operator(node, operator, left, right, scope)
    if operator == "/":
        return exp.Div(this=node.args["this"], expression=node.args["expression"]), FLOAT8
    return node, FLOAT8


def _texts(node: exp.Expr, operator: str, left: SqlType, right: SqlType, scope: Scope) -> Typed:
    """A quoted literal takes the type of the other side; two texts are concatenated by +."""
    if left.is_text and right.is_text and operator == "+":
        return exp.DPipe(this=node.args["this"], expression=node.args["expression"]), VARCHAR
    side, other = ("this", right) if left.is_text else ("expression", left)
    if not (is_string(node.args[side]) or is_parameter(node.args[side])) or other.is_text:
        raise no_operator(node, operator, left, right, scope)
    if other.name == "interval" and side == "this":
        other = TIMESTAMP
    elif other.name == "date" and operator == "+":
        other = INT4
    elif other.name in ("timestamp", "timestamptz", "time") and operator == "+":
        other = INTERVAL
    elif other.name == "interval" and operator in "*/":
        other = FLOAT8
    value = node.args[side]
    node.set(side, as_type(value, other) if is_string(value) else convert(value, None, other, scope))
    return _combine(node, other if side == "this" else left, right if side == "this" else other, scope)


Compute = Callable[[exp.Expr, exp.Expr], Typed]


def _days(node: exp.Expr) -> exp.Expr:
    return as_type(node, INT4)


def _spans(kind: type[exp.Binary], result: SqlType) -> Compute:
    return lambda left, right: (kind(this=left, expression=right), result)


def _plus_days(kind: type[exp.Binary], result: SqlType) -> Compute:
    """A timestamp and a number of days, which may have a fraction."""
    return lambda left, right: (kind(this=left, expression=_interval_of_days(right)), result)


def _interval_of_days(days: exp.Expr) -> exp.Expr:
    one = exp.Interval(this=exp.Literal.string("1"), unit=exp.Var(this="DAY"))
    return operation(exp.Mul, exp.Paren(this=days), one)


def _day_length(left: exp.Expr, right: exp.Expr) -> Typed:
    """What lies between two times of day."""
    dates = [exp.Add(this=as_type(exp.Literal.string("epoch"), DATE), expression=time) for time in (left, right)]
    return exp.Sub(this=exp.Paren(this=dates[0]), expression=exp.Paren(this=dates[1])), INTERVAL


def _shrunk(left: exp.Expr, right: exp.Expr) -> Typed:
    share = operation(exp.Div, exp.Literal.number("1.0"), as_type(right, FLOAT8))
    return exp.Mul(this=left, expression=share), INTERVAL


def _flipped(compute: Compute) -> Compute:
    return lambda left, right: compute(right, left)


def _table() -> dict[tuple[str, str, str], Compute]:
    """What dates, times and intervals can be added to and taken from, by the types of both sides."""
    table: dict[tuple[str, str, str], Compute] = {
        ("date", "-", "date"): _spans(exp.Sub, INT8),
        ("interval", "+", "interval"): _spans(exp.Add, INTERVAL),
        ("interval", "-", "interval"): _spans(exp.Sub, INTERVAL),
        ("time", "-", "time"): _day_length,
        ("date", "+", "time"): _spans(exp.Add, TIMESTAMP),
    }
    for name in ("timestamp", "timestamptz"):
        for other in DATETIMES:
            table[name, "-", other] = table[other, "-", name] = _spans(exp.Sub, INTERVAL)
    for type_ in (DATE, TIME, TIMETZ, TIMESTAMP, TIMESTAMPTZ):
        result = TIMESTAMP if type_ is DATE else type_
        table[type_.name, "+", "interval"] = table["interval", "+", type_.name] = _spans(exp.Add, result)
        table[type_.name, "-", "interval"] = _spans(exp.Sub, result)
    for number_ in ("int2", "int4", "int8", "numeric", "float4", "float8"):
        table["interval", "*", number_] = table[number_, "*", "interval"] = _spans(exp.Mul, INTERVAL)
        table["interval", "/", number_] = _shrunk
        for type_ in (TIMESTAMP, TIMESTAMPTZ):
            table[type_.name, "+", number_] = _plus_days(exp.Add, type_)
            table[type_.name, "-", number_] = _plus_days(exp.Sub, type_)
            table[number_, "+", type_.name] = _flipped(_plus_days(exp.Add, type_))
    for number_ in ("int2", "int4", "int8"):
        table["date", "+", number_] = lambda left, right: (exp.Add(this=left, expression=_days(right)), DATE)
        table["date", "-", number_] = lambda left, right: (exp.Sub(this=left, expression=_days(right)), DATE)
        table[number_, "+", "date"] = _flipped(table["date", "+", number_])
    return table


_TIMES = _table()


def _concatenate(node: exp.Expr, left: Type, right: Type, scope: Scope) -> Typed:
    if (left is not None and left.element is not None) or (right is not None and right.element is not None):
        return arrays.concatenate(node, left, right, scope)
    for side, type_ in (("this", left), ("expression", right)):
        old = node.args[side]
        new = to_text(old, type_, scope)
        if new is not old:
            node.set(side, new)
    return node, VARCHAR
