"""TO_DATE, TO_TIMESTAMP and TO_NUMBER.

https://docs.aws.amazon.com/redshift/latest/dg/r_Data_type_formatting.html
"""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.formats import read_number_format, read_reading_format, to_strptime
from restframe.sql.functions.registry import Call, function
from restframe.sql.nodes import as_type, call, macro, number, operation, string
from restframe.sql.rewrite.rules import DATE, TIMESTAMP, TIMESTAMPTZ, numeric
from restframe.sql.rewrite.visit import Typed


@function("to_date", 2, 3)
def to_date(made: Call) -> Typed:
    return as_type(_read(made), DATE), DATE


@function("to_timestamp", 2, 3)
def to_timestamp(made: Call) -> Typed:
    return as_type(_read(made), TIMESTAMPTZ), TIMESTAMPTZ


def _read(made: Call) -> exp.Expr:
    """The text read as strptime reads it, else leniently: the 31st of June is the first of July."""
    written = made.constant(1, "a format")
    strict = len(made.arguments) > 2 and _is_true(made.arguments[2])
    try:
        reading = read_reading_format(written)
    except errors.Error as error:
        error.position = made.scope.context.position(made.arguments[1])
        raise
    if not reading.parts:
        raise errors.InvalidParameterValue(
            f'the format "{written[:64]}" has no pattern', position=made.scope.context.position(made.arguments[1])
        )
    text = made.text(0)
    form = to_strptime(written)
    lenient = _assembled(text, reading.regex, reading.parts)
    if form is None:
        return call("coalesce", lenient, as_type(text.copy(), TIMESTAMP))
    exact = call("try_strptime", text, string(form))
    last = call("strptime", text.copy(), string(form))  # its error is the one to show
    return call("coalesce", exact, last) if strict else call("coalesce", exact, lenient, last)


def _is_true(node: exp.Expr) -> bool:
    return node.__class__ is exp.Boolean and bool(node.args["this"])


def _assembled(text: exp.Expr, regex: str, parts: tuple[str, ...]) -> exp.Expr:
    """A timestamp out of the groups of a regular expression; NULL when it does not match."""

    def group(*names: str) -> exp.Expr | None:
        for name in names:
            if name in parts:
                return call("regexp_extract", text.copy(), string(regex), number(parts.index(name) + 1))
        return None

    def whole(*names: str, default: int) -> exp.Expr:
        found = group(*names)
        if found is None:
            return number(default)
        return exp.TryCast(this=found, to=exp.DataType(this=exp.DType.INT))

    year = macro("full_year", whole("short_year", default=0)) if "short_year" in parts else whole("year", default=1)
    name = group("month_name")
    month = macro("month_number", name) if name is not None else whole("month", default=1)
    if "day_of_year" in parts:
        month, day = number(1), whole("day_of_year", default=1)
    else:
        day = whole("day", default=1)
    hour = whole("hour", "hour12", default=0)
    meridiem = group("meridiem")
    if meridiem is not None:
        hour = macro("hour_of_day", hour, meridiem)
    fraction: exp.Expr = number(0)
    for part, width in (("milliseconds", 3), ("microseconds", 6)):
        found = group(part)
        if found is not None:
            padded = call("rpad", found, number(width), string("0"))
            whole_part = exp.TryCast(this=padded, to=exp.DataType(this=exp.DType.INT))
            fraction = operation(exp.Mul, whole_part, number(10 ** (6 - width)))
    return macro(
        "build_timestamp", year, month, day, hour, whole("minute", default=0), whole("second", default=0), fraction
    )


@function("to_number", 2)
def to_number(made: Call) -> Typed:
    written = made.constant(1, "a format")
    try:
        form = read_number_format(written)
    except errors.Error as error:
        error.position = made.scope.context.position(made.arguments[1])
        raise
    result = numeric(min(38, max(1, form.width + form.places)), form.places)
    return as_type(macro("plain_number", made.text(0)), result), result
