"""TO_CHAR: the format is taken apart at translation, and its pieces are left to the engine."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from restframe import errors
from restframe.sql.formats import (
    Field,
    NumberFormat,
    case_of,
    read_datetime_format,
    read_number_format,
)
from restframe.sql.functions.registry import Call, function
from restframe.sql.nodes import as_text, as_type, call, decimal_type, macro, number, operation, string, when
from restframe.sql.rewrite.rules import DATE, INT8, TIME, TIMESTAMP, TIMESTAMPTZ, VARCHAR
from restframe.sql.rewrite.visit import Typed


@function("to_char", 2)
def to_char(made: Call) -> Typed:
    text = made.constant(1, "a format")
    type_ = made.types[0]
    try:
        if type_ is not None and type_.is_number:
            return _number_text(made.arguments[0], read_number_format(text)), VARCHAR
        value, type_ = made.timestamp(0)
        if type_.name == "interval":
            raise made.no_such_function()
        if type_.name in ("time", "timetz"):
            day = exp.Cast(this=string("1970-01-01"), to=exp.DataType(this=exp.DType.DATE))
            value = operation(exp.Add, day, as_type(value, TIME))
        return _datetime_text(value, read_datetime_format(text), type_ == TIMESTAMPTZ), VARCHAR
    except errors.Error as error:
        error.position = error.position or made.scope.context.position(made.arguments[1])
        raise


# Dates to text


def _datetime_text(value: exp.Expr, fields: list[Field], zoned: bool) -> exp.Expr:
    """The fields one after the other; neighbours that strftime can do are done by one call."""
    pieces: list[exp.Expr] = []
    pattern = ""
    for one in fields:
        code = one.text.replace("%", "%%") if not one.pattern else _strftime(one)
        if code is not None:
            pattern += code
            continue
        if pattern:
            pieces.append(call("strftime", value.copy(), string(pattern)))
            pattern = ""
        pieces.append(_special(one, value, zoned))
    if pattern:
        pieces.append(call("strftime", value, string(pattern)))
    if not pieces:
        return when(exp.Not(this=exp.Is(this=value, expression=exp.Null())), string(""))
    result = pieces[0]
    for piece in pieces[1:]:
        result = exp.DPipe(this=result, expression=piece)
    return exp.Paren(this=result) if len(pieces) > 1 else result


_CODES = {
    "YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "DDD": "%j", "HH24": "%H", "HH12": "%I", "HH": "%I", "MI": "%M",
    "SS": "%S", "MS": "%g", "US": "%f", "IW": "%V", "IYYY": "%G",
}  # fmt: skip
_WITHOUT_FILL = frozenset({"MM", "DD", "DDD", "HH24", "HH12", "HH", "MI", "SS"})


def _strftime(one: Field) -> str | None:
    """The one strftime code that does a field, if there is one."""
    if one.ordinal:
        return None
    if one.pattern in _CODES:
        code = _CODES[one.pattern]
        if one.fill or one.pattern in ("YYYY", "IYYY", "MS", "US"):
            return code
        return "%-" + code[1] if one.pattern in _WITHOUT_FILL else None
    if case_of(one.text) == "title":
        if one.pattern in ("MON", "DY"):
            return {"MON": "%b", "DY": "%a"}[one.pattern]
        if not one.fill and one.pattern in ("MONTH", "DAY"):
            return {"MONTH": "%B", "DAY": "%A"}[one.pattern]
    return "%p" if one.text in ("AM", "PM") else None


def _special(one: Field, value: exp.Expr, zoned: bool) -> exp.Expr:
    value = value.copy()
    if one.pattern in ("MONTH", "DAY", "MON", "DY"):
        code = {"MONTH": "%B", "DAY": "%A", "MON": "%b", "DY": "%a"}[one.pattern]
        name = _in_case(call("strftime", value, string(code)), one)
        return call("rpad", name, number(9), string(" ")) if one.fill and one.pattern in ("MONTH", "DAY") else name
    if one.pattern in ("AM", "PM", "A.M.", "P.M."):
        letters = call("strftime", value, string("%p"))
        if "." in one.pattern:
            for plain, dotted in (("AM", "A.M."), ("PM", "P.M.")):
                letters = call("replace", letters, string(plain), string(dotted))
        return _in_case(letters, one)
    if one.pattern in ("TZ", "OF"):
        code = "%Z" if one.pattern == "TZ" else "%z"
        shown = call("strftime", value, string(code)) if zoned else string("UTC" if one.pattern == "TZ" else "+00")
        return _in_case(shown, one)
    if one.pattern in ("AD", "BC", "A.D.", "B.C."):
        return _in_case(string("A.D." if "." in one.pattern else "AD"), one)
    if one.pattern == "RM":
        roman = macro("roman_month", value)
        return _in_case(call("rpad", roman, number(4), string(" ")) if one.fill else roman, one)
    build, width = _DIGITS[one.pattern]
    digits = build(value)
    if one.fill and width > 1:
        digits = call("lpad", digits, number(width), string("0"))
    if one.ordinal:
        digits = macro("ordinal", digits, string(one.ordinal))
    return digits


def _in_case(node: exp.Expr, one: Field) -> exp.Expr:
    case = case_of(one.text)
    return node if case == "title" else call(case, node)


def _part(part: str) -> Callable[[exp.Expr], exp.Expr]:
    return lambda value: as_text(call("date_part", string(part), value))


def _year(code: str, digits: int) -> Callable[[exp.Expr], exp.Expr]:
    return lambda value: call("right", call("strftime", value, string(code)), number(digits))


def _unpadded(code: str) -> Callable[[exp.Expr], exp.Expr]:
    return lambda value: call("strftime", value, string(code))


def _week(part: str) -> Callable[[exp.Expr], exp.Expr]:
    """Weeks counted from the first day of the year or month: (day - 1) / 7 + 1."""

    def build(value: exp.Expr) -> exp.Expr:
        day = operation(exp.Add, call("date_part", string(part), value), number(6))
        return as_text(exp.IntDiv(this=day, expression=number(7)))

    return build


def _iso_day_of_year(value: exp.Expr) -> exp.Expr:
    weeks = operation(exp.Sub, call("date_part", string("week"), value), number(1))
    days = exp.Mul(this=weeks, expression=number(7))
    return as_text(exp.Add(this=days, expression=call("date_part", string("isodow"), value.copy())))


def _thousands(value: exp.Expr) -> exp.Expr:
    year = call("strftime", value, string("%Y"))
    head = exp.DPipe(this=call("left", year, number(1)), expression=string(","))
    return exp.Paren(this=exp.DPipe(this=head, expression=call("right", year.copy(), number(3))))


def _seconds_of_day(value: exp.Expr) -> exp.Expr:
    start = call("date_trunc", string("day"), value)
    return as_text(call("date_diff", string("second"), start, as_type(value.copy(), TIMESTAMP)))


def _day_of_week(value: exp.Expr) -> exp.Expr:
    return as_text(exp.Add(this=call("date_part", string("dow"), value), expression=number(1)))


def _julian(value: exp.Expr) -> exp.Expr:
    return as_text(as_type(call("floor", call("julian", as_type(value, DATE))), INT8))


# How a field's number is written, and to how many digits it is padded.
_DIGITS: dict[str, tuple[Callable[[exp.Expr], exp.Expr], int]] = {
    "YYYY": (_unpadded("%Y"), 4), "YYY": (_year("%Y", 3), 3), "YY": (_year("%Y", 2), 2), "Y": (_year("%Y", 1), 1),
    "IYYY": (_unpadded("%G"), 4), "IYY": (_year("%G", 3), 3), "IY": (_year("%G", 2), 2), "I": (_year("%G", 1), 1),
    "Y,YYY": (_thousands, 5), "CC": (_part("century"), 2), "Q": (_part("quarter"), 1), "WW": (_week("doy"), 2),
    "W": (_week("day"), 1), "IW": (_part("week"), 2), "D": (_day_of_week, 1), "ID": (_part("isodow"), 1),
    "DDD": (_unpadded("%-j"), 3), "IDDD": (_iso_day_of_year, 3), "DD": (_unpadded("%-d"), 2), "J": (_julian, 1),
    "MM": (_unpadded("%-m"), 2), "HH24": (_unpadded("%-H"), 2), "HH12": (_unpadded("%-I"), 2),
    "HH": (_unpadded("%-I"), 2), "MI": (_unpadded("%-M"), 2), "SS": (_unpadded("%-S"), 2), "MS": (_unpadded("%g"), 3),
    "US": (_unpadded("%f"), 6), "SSSS": (_seconds_of_day, 1), "SSSSS": (_seconds_of_day, 1),
}  # fmt: skip


# Numbers to text


def _number_text(value: exp.Expr, form: NumberFormat) -> exp.Expr:
    """Digits into the places of a format.

    The number is rounded to the places after the point and written as digits, one for each place. Zeros in front
    become blanks, the sign goes before the first digit, and a number too long for its places becomes ####.
    """
    if form.roman:
        roman = macro("roman", value)
        shown = call("lower", roman) if form.roman == "rn" else roman
        return call("lpad", shown, number(15), string(" ")) if form.fill else shown
    places, width = form.places, form.width
    size = exp.Cast(this=call("abs", value), to=decimal_type(38, places))
    digits = macro("digits", as_text(size), number(width + places))
    body = _whole(digits, form)
    fraction = _fraction(digits, form)
    overflow = exp.GT(this=call("length", digits.copy()), expression=number(width + places))
    body = when(overflow, string(form.hashes), body)
    if fraction is not None:
        fraction = when(overflow.copy(), string("." + "#" * places), fraction)
    negative = exp.LT(this=exp.Paren(this=value.copy()), expression=number(0))
    pieces = [string(form.before), *_signed(body, fraction, negative, form), string(form.after)]
    result: exp.Expr = pieces[0]
    for piece in pieces[1:]:
        result = exp.DPipe(this=result, expression=piece)
    return exp.Paren(this=result)


def _whole(digits: exp.Expr, form: NumberFormat) -> exp.Expr:
    """The digits before the point in their places, blanks for the zeros in front."""
    shown: exp.Expr = call("left", digits.copy(), number(form.width))
    if form.pattern is not None:
        shown = call("regexp_replace", shown, string(form.pattern[0]), string(form.pattern[1]))
    return macro("blank_zeros", shown, number(form.blankable)) if form.blankable else shown


def _fraction(digits: exp.Expr, form: NumberFormat) -> exp.Expr | None:
    if not form.point:
        return None
    shown: exp.Expr = call("substring", digits.copy(), number(form.width + 1))
    if not form.fill:
        kept = call("left", shown, number(form.kept_places))
        rest = call("rtrim", call("substring", shown.copy(), number(form.kept_places + 1)), string("0"))
        shown = exp.Paren(this=exp.DPipe(this=kept, expression=rest))
    return exp.Paren(this=exp.DPipe(this=string("."), expression=shown))


def _signed(body: exp.Expr, fraction: exp.Expr | None, negative: exp.Expr, form: NumberFormat) -> list[exp.Expr]:
    """The pieces of the number with its sign: before the first digit unless the format puts it elsewhere."""
    last = [] if fraction is None else [fraction]
    blank = " " if form.fill else ""

    def sign(minus: str, plus: str) -> exp.Expr:
        return when(negative.copy(), string(minus), string(plus))

    bare = call("ltrim", body, string(" "))
    if not form.fill:
        body = bare
    match form.sign:
        case "PR":
            opened = _anchored(sign("<", blank), bare, form)
            return [opened, *last, sign(">", blank)]
        case "S" | "SG" | "PL" | "MI" if form.sign_last:
            marks = {"MI": ("-", blank), "PL": (blank, "+")}.get(form.sign, ("-", "+"))
            return [body, *last, sign(*marks)]
        case "S":
            return [_anchored(sign("-", "+"), bare, form), *last]
        case "MI" | "SG" | "PL":
            marks = {"MI": ("-", blank), "PL": (blank, "+"), "SG": ("-", "+")}[form.sign]
            return [sign(*marks), body, *last]
        case _:
            return [_anchored(sign("-", blank), bare, form), *last]


def _anchored(sign: exp.Expr, bare: exp.Expr, form: NumberFormat) -> exp.Expr:
    """A sign right before the first digit, and blanks before it."""
    signed = exp.Paren(this=exp.DPipe(this=sign, expression=bare))
    return call("lpad", signed, number(form.length + 1), string(" ")) if form.fill else signed
