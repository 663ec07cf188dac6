"""Date and time functions.

https://docs.aws.amazon.com/redshift/latest/dg/Date_functions_header.html
"""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.functions.registry import Call, function, simple
from restframe.sql.nodes import as_type, call, fold, is_string, macro, number, operation, string, whole_number
from restframe.sql.rewrite.casts import convert
from restframe.sql.rewrite.parameters import is_parameter
from restframe.sql.rewrite.rules import (
    DATE,
    FLOAT8,
    INT4,
    INT8,
    INTERVAL,
    TIME,
    TIMESTAMP,
    TIMESTAMPTZ,
    VARCHAR,
)
from restframe.sql.rewrite.scope import Scope
from restframe.sql.rewrite.visit import Typed, refuse, visit_argument, visits
from restframe.sql.units import part_of
from restframe.types import SqlType

# Now


def _now() -> exp.Expr:
    return as_type(call("now"), TIMESTAMP)


@function("getdate", 0)
def getdate(made: Call) -> Typed:
    return call("date_trunc", string("second"), _now()), TIMESTAMP


@visits(exp.CurrentTimestamp)
def visit_now(node: exp.CurrentTimestamp, scope: Scope) -> Typed:
    """SYSDATE, a timestamp; CURRENT_TIMESTAMP, one with a time zone."""
    return (_now(), TIMESTAMP) if node.args.get("sysdate") else (call("now"), TIMESTAMPTZ)


@function("now", 0)
def now(made: Call) -> Typed:
    return call("now"), TIMESTAMPTZ


@visits(exp.CurrentDate)
def visit_today(node: exp.CurrentDate, scope: Scope) -> Typed:
    return exp.Cast(this=call("now"), to=exp.DataType(this=exp.DType.DATE)), DATE


@visits(exp.CurrentTime, exp.Localtime)
def visit_time(node: exp.Expr, scope: Scope) -> Typed:
    return exp.Cast(this=_now(), to=exp.DataType(this=exp.DType.TIME)), SqlType("time")


@visits(exp.Localtimestamp)
def visit_local_timestamp(node: exp.Localtimestamp, scope: Scope) -> Typed:
    return _now(), TIMESTAMP


@function("timeofday", 0)
def timeofday(made: Call) -> Typed:
    return call("strftime", call("get_current_timestamp"), string("%a %b %d %H:%M:%S.%f %Y UTC")), VARCHAR


# Parts


def _part(made: Call, place: int, *, countable: bool) -> str:
    """The part of a date that an argument names, as a word or as quoted text."""
    node = made.arguments[place]
    if is_parameter(node):
        raise errors.NotSupportedError(
            f"{made.name}() with a parameter for the part of the date is not supported",
            position=made.scope.context.position(node),
        )
    if is_string(node):
        name = str(node.args["this"])
    elif node.__class__ is exp.Column and len(node.args) == 1:
        name = fold(node.args["this"])
    else:
        name = ""
    try:
        return part_of(name, countable=countable)
    except errors.Error as error:
        error.position = made.scope.context.position(node)
        raise


@function("date_part datepart pgdate_part", 2, raw=True)
def date_part(made: Call) -> Typed:
    """A number in double precision; seconds come with their fraction, where EXTRACT has whole ones."""
    if is_parameter(made.arguments[0]):
        made.visit(0)
        made.visit(1)
        return macro("date_part", macro("unit", made.text(0)), made.timestamp(1)[0]), FLOAT8
    part = _part(made, 0, countable=False)
    made.visit(1)
    value = made.timestamp(1)[0]
    match part:
        case "second":
            return macro("seconds", value), FLOAT8
        case "millisecond":
            return operation(exp.Mul, macro("seconds", value), number(1000)), FLOAT8
        case "microsecond":
            return as_type(macro("microseconds", value), FLOAT8), FLOAT8
        case _:
            return as_type(_extracted(part, value), FLOAT8), FLOAT8


@visits(exp.Extract)
def visit_extract(node: exp.Extract, scope: Scope) -> Typed:
    """EXTRACT ( part FROM value ): a whole number, of that part alone."""
    name = node.args["this"]
    try:
        part = part_of(str(name.name).lower())
    except errors.Error as error:
        error.position = scope.context.position(name, str(name.name))
        raise
    given = visit_argument(node, "expression", scope)
    made = Call("extract", node, scope, [node.args["expression"]], [given])
    value = made.timestamp(0)[0]
    match part:
        case "second":
            return as_type(call("trunc", macro("seconds", value)), INT4), INT4
        case "millisecond":
            return as_type(operation(exp.IntDiv, macro("microseconds", value), number(1000)), INT4), INT4
        case "microsecond":
            return as_type(operation(exp.Mod, macro("microseconds", value), number(1000)), INT4), INT4
        case "epoch":
            return as_type(call("trunc", _extracted(part, value)), INT8), INT8
        case _:
            return as_type(_extracted(part, value), INT4), INT4


def _extracted(part: str, value: exp.Expr) -> exp.Expr:
    extracted: exp.Expr = call("date_part", string(part), value)
    if part == "decade":  # counted from the year 1: 1999 is in the 200th
        return operation(exp.Add, extracted, number(1))
    return extracted


simple("date_part_year", "year", "s", INT4, INT8)


@function("date_trunc", 2, raw=True)
def date_trunc(made: Call) -> Typed:
    part = None
    if is_parameter(made.arguments[0]):
        made.visit(0)
    else:
        part = _part(made, 0, countable=True)
    made.visit(1)
    value, type_ = made.timestamp(1)
    result = TIMESTAMP if type_.name == "date" else type_
    if part is None:
        return as_type(macro("date_trunc", macro("unit", made.text(0)), value), result), result
    if part in ("century", "millennium"):
        years = number(100 if part == "century" else 1000)
        return as_type(macro("first_of_years", value, years), result), result
    return call("date_trunc", string(part), value), result


# Sums and differences


@function("dateadd date_add", 3, raw=True)
def dateadd(made: Call) -> Typed:
    part = _part(made, 0, countable=True)
    count = made.visit(1)[0]
    made.visit(2)
    value, type_ = made.timestamp(2)
    result = TIMESTAMP if type_.name == "date" else type_
    if part == "year":
        return macro("add_years", _as_timestamp(value, type_), as_type(made.whole(1), INT4)), result
    places = whole_number(count)
    if places is not None:
        interval: exp.Expr = exp.Interval(this=string(f"{places} {_PLURALS[part]}"))
    else:
        wide = INT8 if part in _OF_THE_CLOCK else INT4
        interval = call(f"to_{_PLURALS[part]}", _counted(made, part, wide))
    return operation(exp.Add, value, interval), result


def _counted(made: Call, part: str, wide: SqlType) -> exp.Expr:
    return as_type(call("trunc", made.whole(1)) if made.types[1] not in _WHOLE else made.whole(1), wide)


_WHOLE = (SqlType("int2"), INT4, INT8)
_OF_THE_CLOCK = frozenset({"hour", "minute", "second", "millisecond", "microsecond"})
_PLURALS = {
    "millennium": "millennia", "century": "centuries", "decade": "decades", "year": "years", "quarter": "quarters",
    "month": "months", "week": "weeks", "day": "days", "hour": "hours", "minute": "minutes", "second": "seconds",
    "millisecond": "milliseconds", "microsecond": "microseconds",
}  # fmt: skip


def _as_timestamp(value: exp.Expr, type_: SqlType) -> exp.Expr:
    return as_type(value, TIMESTAMP) if type_.name == "date" else value


@function("datediff date_diff", 3, raw=True)
def datediff(made: Call) -> Typed:
    """How many boundaries of the part lie between two values."""
    part = _part(made, 0, countable=True)
    made.visit(1)
    made.visit(2)
    first, first_type = made.timestamp(1)
    last, last_type = made.timestamp(2)
    if "timetz" in (first_type.name, last_type.name):
        first, last = as_type(first, TIME), as_type(last, TIME)
    elif first_type.name != last_type.name:
        target = TIMESTAMPTZ if "timestamptz" in (first_type.name, last_type.name) else TIMESTAMP
        first, last = as_type(first, target), as_type(last, target)
    if part == "week":
        return macro("weeks_between", first, last), INT8
    if part in ("century", "millennium"):
        later, earlier = (call("date_part", string(part), value) for value in (last, first))
        return operation(exp.Sub, later, earlier), INT8
    return call("date_diff", string(part), first, last), INT8


@function("add_months", 2)
def add_months(made: Call) -> Typed:
    value, type_ = made.timestamp(0)
    result = TIMESTAMP if type_.name == "date" else type_
    return macro("add_months", _as_timestamp(value, type_), as_type(made.whole(1), INT4)), result


@function("months_between", 2)
def months_between(made: Call) -> Typed:
    first, last = (as_type(made.timestamp(place)[0], TIMESTAMP) for place in (0, 1))
    return macro("months_between", first, last), FLOAT8


@function("last_day", 1)
def last_day(made: Call) -> Typed:
    return call("last_day", made.timestamp(0)[0]), DATE


@function("next_day", 2)
def next_day(made: Call) -> Typed:
    day = made.constant(1, "a day of the week").strip().lower()
    found = [place for place, name in enumerate(_DAYS) if len(day) >= 1 and name.startswith(day)]
    if not found or (len(found) > 1 and len(day) < 2):
        raise errors.InvalidParameterValue(
            f'"{day[:20]}" is not a day of the week', position=made.scope.context.position(made.arguments[1])
        )
    return macro("next_day", as_type(made.timestamp(0)[0], DATE), number(found[0])), DATE


_DAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


# Time zones


@function("convert_timezone", 2, 3)
def convert_timezone(made: Call) -> Typed:
    """CONVERT_TIMEZONE ( [ from, ] to, timestamp ); from is UTC when it is left out."""
    last = len(made.arguments) - 1
    zones = [made.text(place) for place in range(last)]
    source = zones[0] if last == 2 else string("UTC")
    value, type_ = made.timestamp(last)
    if type_.name == "timestamptz":
        return exp.AtTimeZone(this=value, zone=zones[-1]), TIMESTAMP
    there = exp.AtTimeZone(this=_wrapped(as_type(value, TIMESTAMP)), zone=source)
    return exp.Paren(this=exp.AtTimeZone(this=exp.Paren(this=there), zone=zones[-1])), TIMESTAMP


def _wrapped(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node)


@function("timezone", 2)
def timezone(made: Call) -> Typed:
    value, type_ = made.timestamp(1)
    if type_.name == "timestamptz":
        return exp.Paren(this=exp.AtTimeZone(this=value, zone=made.text(0))), TIMESTAMP
    there = exp.AtTimeZone(this=as_type(value, TIMESTAMP), zone=made.text(0))
    return exp.Paren(this=there), TIMESTAMPTZ


# Comparisons


@function(
    "date_cmp date_cmp_timestamp date_cmp_timestamptz timestamp_cmp timestamp_cmp_date timestamp_cmp_timestamptz "
    "timestamptz_cmp timestamptz_cmp_date timestamptz_cmp_timestamp",
    2,
)
def compare_times(made: Call) -> Typed:
    target = TIMESTAMPTZ if "timestamptz" in made.name else DATE if made.name == "date_cmp" else TIMESTAMP
    return macro("compare", *(as_type(made.timestamp(place)[0], target) for place in (0, 1))), INT4


@function("interval_cmp", 2)
def compare_intervals(made: Call) -> Typed:
    values = (convert(made.arguments[place], made.types[place], INTERVAL, made.scope) for place in (0, 1))
    return macro("compare", *values), INT4


@function("date", 1)
def date(made: Call) -> Typed:
    return convert(made.arguments[0], made.types[0], DATE, made.scope, explicit=True), DATE


@visits(exp.Overlay)
def visit_overlay(node: exp.Overlay, scope: Scope) -> Typed:
    refuse(node, scope, "OVERLAY")
