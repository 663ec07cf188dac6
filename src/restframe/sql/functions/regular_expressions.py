"""Functions on POSIX regular expressions, which the engine matches as RE2 does.

https://docs.aws.amazon.com/redshift/latest/dg/String_functions_header.html
"""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.functions.registry import Call, function
from restframe.sql.nodes import as_type, call, is_string, macro, number, string, whole_number
from restframe.sql.rewrite.rules import INT4, INT8, VARCHAR
from restframe.sql.rewrite.visit import Typed

# Where all occurrences are asked for, the engine keeps each group on its stack, which ends at some ten thousand.
_MAX_GROUPS = 500


def _pattern(made: Call, flags: str) -> tuple[exp.Expr, str, bool]:
    """The pattern, the engine's options, and whether `e` asks for its first subexpression."""
    options = "i" if "i" in flags else "c"
    unknown = set(flags) - set("ceip")
    if unknown:
        raise errors.InvalidParameterValue(
            f'invalid regular expression parameter "{"".join(sorted(unknown))[:10]}"',
            position=made.scope.context.position(made.node),
        )
    return made.text(1), options, "e" in flags


def _occurrences(made: Call, searched: exp.Expr, pattern: exp.Expr, group: exp.Expr, options: str) -> exp.Expr:
    """All of them, as a list. InvalidRegularExpression for a pattern of more than 500 groups."""
    if not is_string(pattern):
        pattern = macro("few_groups", pattern)
    elif str(pattern.args["this"]).count("(") > _MAX_GROUPS:
        raise errors.InvalidRegularExpression(
            f"regular expression has more than {_MAX_GROUPS} groups", position=made.scope.context.position(made.node)
        )
    return call("regexp_extract_all", searched, pattern, group, string(options))


def _flags(made: Call, place: int) -> str:
    return made.constant(place, "a regular expression parameter") if len(made.arguments) > place else ""


def _searched(made: Call, place: int) -> exp.Expr:
    """The text from the position on that an argument gives."""
    if len(made.arguments) <= place or whole_number(made.arguments[place]) == 1:
        return made.text(0)
    return call("substring", made.text(0), as_type(call("greatest", made.whole(place), number(1)), INT8))


@function("regexp_replace", 2, 5)
def regexp_replace(made: Call) -> Typed:
    """Every occurrence is replaced. Replacements refer to subexpressions as $1 or \\1."""
    pattern, options, _ = _pattern(made, _flags(made, 4))
    replacement = made.text(2) if len(made.arguments) > 2 else string("")
    if is_string(replacement):
        replacement = string(_references(str(replacement.args["this"])))
    replaced = call("regexp_replace", _searched(made, 3), pattern, replacement, string("g" + options))
    if len(made.arguments) <= 3 or whole_number(made.arguments[3]) == 1:
        return replaced, VARCHAR
    before = as_type(exp.Sub(this=call("greatest", made.whole(3), number(1)), expression=number(1)), INT8)
    head = call("left", made.text(0).copy(), before)
    return exp.Paren(this=exp.DPipe(this=head, expression=replaced)), VARCHAR


def _references(replacement: str) -> str:
    pieces = []
    for place, sign in enumerate(replacement):
        after = replacement[place + 1 : place + 2]
        pieces.append("\\" if sign == "$" and after.isdigit() else sign)
    return "".join(pieces)


@function("regexp_substr", 2, 5)
def regexp_substr(made: Call) -> Typed:
    pattern, options, sub = _pattern(made, _flags(made, 4))
    group = number(1 if sub else 0)
    if len(made.arguments) <= 3 or whole_number(made.arguments[3]) == 1:
        return call("regexp_extract", _searched(made, 2), pattern, group, string(options)), VARCHAR
    found = _occurrences(made, _searched(made, 2), pattern, group, options)
    return macro("nth_or_empty", found, as_type(made.whole(3), INT8)), VARCHAR


@function("regexp_count", 2, 4)
def regexp_count(made: Call) -> Typed:
    pattern, options, _ = _pattern(made, _flags(made, 3))
    found = _occurrences(made, _searched(made, 2), pattern, number(0), options)
    return as_type(call("len", found), INT4), INT4


@function("regexp_instr", 2, 6)
def regexp_instr(made: Call) -> Typed:
    """The place of the n-th occurrence, found as the length of what the shortest match puts before it."""
    pattern, options, _ = _pattern(made, _flags(made, 5))
    occurrence = whole_number(made.arguments[3]) if len(made.arguments) > 3 else 1
    after = whole_number(made.arguments[4]) if len(made.arguments) > 4 else 0
    if occurrence is None or after is None or not 1 <= occurrence <= 1000:
        raise errors.NotSupportedError(
            "regexp_instr with an occurrence or option that is no literal from 1 to 1000 is not supported",
            position=made.scope.context.position(made.node),
        )
    skipped = f"(?:.*?(?:{{0}})){{{{{occurrence - 1}}}}}" if occurrence > 1 else ""
    head, tail = ("^((?s:" + skipped + ".*?)(?:{0}))", "") if after else ("^((?s:" + skipped + ".*?))(?:{0})", "")
    if is_string(pattern):
        shown: exp.Expr = string((head + tail).format(str(pattern.args["this"])))
    else:
        pieces = (head + tail).format("\0").split("\0")
        shown = string(pieces[0])
        for piece in pieces[1:]:
            shown = exp.DPipe(this=exp.DPipe(this=shown, expression=pattern.copy()), expression=string(piece))
        shown = exp.Paren(this=shown)
    start = made.whole(2) if len(made.arguments) > 2 else number(1)
    return as_type(macro("place_after", _searched(made, 2), shown, string(options), start), INT4), INT4
