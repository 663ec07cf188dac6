"""Mathematical functions.

https://docs.aws.amazon.com/redshift/latest/dg/Math_functions.html
"""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.functions.registry import Call, function, simple
from restframe.sql.nodes import as_type, call, macro, operation, whole_number
from restframe.sql.rewrite.parameters import expect
from restframe.sql.rewrite.rules import DATE, DATETIMES, FLOAT8, INT4, INT8, arithmetic, numeric
from restframe.sql.rewrite.visit import Typed
from restframe.types import SqlType

simple("sqrt", "sqrt", "n", FLOAT8)
simple("exp dexp", "exp", "n", FLOAT8)
simple("ln dlog1", "ln", "n", FLOAT8)
simple("log dlog10", "log10", "n", FLOAT8)
simple("sin", "sin", "n", FLOAT8)
simple("cos", "cos", "n", FLOAT8)
simple("tan", "tan", "n", FLOAT8)
simple("cot", "cot", "n", FLOAT8)
simple("asin", "asin", "n", FLOAT8)
simple("acos", "acos", "n", FLOAT8)
simple("atan", "atan", "n", FLOAT8)
simple("atan2", "atan2", "nn", FLOAT8)
simple("degrees", "degrees", "n", FLOAT8)
simple("radians", "radians", "n", FLOAT8)
simple("power pow", "power", "nn", FLOAT8)
simple("pi", "pi", "", FLOAT8)
simple("random", "random", "", FLOAT8)
simple("abs", "abs", "n", 0)


@function("cbrt", 1)
def cbrt(made: Call) -> Typed:
    return macro("cube_root", as_type(made.number(0), FLOAT8)), FLOAT8


@function("sign", 1)
def sign(made: Call) -> Typed:
    type_ = made.types[0]
    result = type_ if type_ is not None and type_.is_number else FLOAT8
    return as_type(call("sign", made.number(0)), result), result


@function("ceil ceiling floor", 1)
def ceiling(made: Call) -> Typed:
    """Of a decimal the result has no decimals; of a whole number it is the number itself."""
    name = "floor" if made.name == "floor" else "ceil"
    return _without_decimals(made, name)


def _without_decimals(made: Call, name: str) -> Typed:
    type_ = made.types[0]
    value = made.number(0)
    if type_ is not None and type_.is_integer:
        return value, type_
    if type_ is not None and type_.name == "numeric":
        result = numeric(min(38, (type_.precision or 38) - (type_.scale or 0) + 1), 0)
        return as_type(call(name, value), result), result
    return call(name, value), type_ if type_ is not None and type_.is_number else FLOAT8


@function("round", 1, 2)
def rounded(made: Call) -> Typed:
    return _to_places(made, "round")


@function("trunc", 1, 2)
def truncated(made: Call) -> Typed:
    """Of a number; of a timestamp, its date."""
    type_ = made.types[0]
    if type_ is not None and (type_.name in DATETIMES or (type_.is_text and len(made.arguments) == 1)):
        return exp.Cast(this=made.timestamp(0)[0], to=exp.DataType(this=exp.DType.DATE)), DATE
    return _to_places(made, "trunc")


def _to_places(made: Call, name: str) -> Typed:
    """A decimal keeps its own type, so 28.05 rounded is 28.00 in NUMERIC(8,2), printed 28 only by round(x)."""
    type_ = made.types[0]
    if len(made.arguments) == 1:
        return _without_decimals(made, name)
    value = made.number(0)
    places = whole_number(made.arguments[1])
    shift = made.arguments[1] if places is not None else as_type(made.whole(1), INT4)
    if type_ is not None and type_.is_integer:
        if places is not None and places >= 0:
            return value, type_
        return as_type(call(name, value, shift), type_), type_
    if type_ is not None and type_.name == "numeric" and places is not None:
        scale = max(0, min(places, type_.scale or 0))
        whole = (type_.precision or 38) - (type_.scale or 0) + 1
        result = numeric(min(38, whole + scale), scale)
        return as_type(call(name, value, shift), result), result
    if type_ is not None and type_.name == "numeric":
        # The engine wants to know the places beforehand.
        return as_type(call(name, as_type(value, FLOAT8), shift), type_), type_
    return call(name, value, shift), type_ if type_ is not None and type_.is_number else FLOAT8


@function("mod", 2)
def mod(made: Call) -> Typed:
    left, right = made.types
    for place, other in ((0, right), (1, left)):
        if made.types[place] is None:
            expect(made.arguments[place], other or INT4, made.scope)
    result = arithmetic("%", left, right) if _numbers(left, right) else left or right
    return operation(exp.Mod, made.number(0), made.number(1)), result


def _numbers(left: SqlType | None, right: SqlType | None) -> bool:
    return left is not None and right is not None and left.is_number and right.is_number


@function("strtol", 2)
def strtol(made: Call) -> Typed:
    base = whole_number(made.arguments[1])
    if base is not None and not 2 <= base <= 36:
        raise errors.InvalidParameterValue(
            "the base must be between 2 and 36", position=made.scope.context.position(made.arguments[1])
        )
    return macro("strtol", made.text(0), made.arguments[1]), INT8


@function("text_to_int_alt", 1)
def text_to_int(made: Call) -> Typed:
    return as_type(made.text(0), INT4), INT4
