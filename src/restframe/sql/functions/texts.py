"""String functions.

https://docs.aws.amazon.com/redshift/latest/dg/String_functions_header.html
"""

from __future__ import annotations

from typing import cast

from sqlglot import exp

from restframe import errors
from restframe.sql.functions.registry import Call, function, simple
from restframe.sql.nodes import (
    as_type,
    call,
    macro,
    number,
    string,
    whole_number,
)
from restframe.sql.rewrite.parameters import expect
from restframe.sql.rewrite.rules import INT4, INT8, VARBYTE, VARCHAR
from restframe.sql.rewrite.scope import Scope
from restframe.sql.rewrite.texts import to_text
from restframe.sql.rewrite.visit import Typed, only, visit_argument, visits

simple("upper", "upper", "t", VARCHAR)
simple("lower", "lower", "t", VARCHAR)
simple("reverse", "reverse", "t", VARCHAR)
simple("replace", "replace", "ttt", VARCHAR)
simple("translate", "translate", "ttt", VARCHAR)
simple("strpos", "strpos", "tt", INT4, INT8)
simple("ascii", "ascii", "t", INT4)
simple("chr", "chr", "i", VARCHAR)


@function("len length char_length character_length textlen", 1)
def length(made: Call) -> Typed:
    """Characters of a text, bytes of a VARBYTE."""
    return _length(made, "length")


@function("octet_length", 1)
def octet_length(made: Call) -> Typed:
    return _length(made, "strlen")


def _length(made: Call, of_text: str) -> Typed:
    type_ = made.types[0]
    if type_ is not None and type_.name == "varbyte":
        return as_type(call("octet_length", made.arguments[0]), INT4), INT4
    return as_type(call(of_text, made.text(0)), INT4), INT4


@function("charindex", 2)
def charindex(made: Call) -> Typed:
    return as_type(call("strpos", made.text(1), made.text(0)), INT4), INT4


@function("concat", 2)
def concat(made: Call) -> Typed:
    return exp.Paren(this=exp.DPipe(this=made.text(0), expression=made.text(1))), VARCHAR


@function("btrim trim", 1, 2)
def btrim(made: Call) -> Typed:
    return call("trim", *_trimmed(made)), VARCHAR


@function("ltrim", 1, 2)
def ltrim(made: Call) -> Typed:
    return call("ltrim", *_trimmed(made)), VARCHAR


@function("rtrim", 1, 2)
def rtrim(made: Call) -> Typed:
    return call("rtrim", *_trimmed(made)), VARCHAR


def _trimmed(made: Call) -> list[exp.Expr]:
    signs = made.text(1) if len(made.arguments) > 1 else string(" ")
    return [made.text(0), signs]


@visits(exp.Trim)
def visit_trim(node: exp.Trim, scope: Scope) -> Typed:
    """TRIM ( [ BOTH | LEADING | TRAILING ] [ signs FROM ] text )"""
    only(node, frozenset({"this", "expression", "position"}), scope)
    nodes = [_visit_text(node, "this", scope)]
    nodes.append(_visit_text(node, "expression", scope) if node.args.get("expression") is not None else string(" "))
    side = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(node.args.get("position") or "BOTH").upper(), "trim")
    return call(side, *nodes), VARCHAR


def _visit_text(node: exp.Expr, key: str, scope: Scope) -> exp.Expr:
    type_ = visit_argument(node, key, scope)
    return to_text(node.args[key], type_, scope)


@visits(exp.StrPosition)
def visit_position(node: exp.StrPosition, scope: Scope) -> Typed:
    """POSITION ( part IN text )"""
    only(node, frozenset({"this", "substr"}), scope)
    text, part = _visit_text(node, "this", scope), _visit_text(node, "substr", scope)
    return as_type(call("strpos", text, part), INT4), INT4


@visits(exp.Substring)
def visit_substring(node: exp.Substring, scope: Scope) -> Typed:
    """SUBSTRING ( text FROM start [ FOR length ] ), or with commas"""
    only(node, frozenset({"this", "start", "length"}), scope)
    if node.args.get("start") is None:
        raise errors.SyntaxError("SUBSTRING needs a start position", position=scope.context.position(node))
    type_ = visit_argument(node, "this", scope)
    text = to_text(node.args["this"], type_, scope) if type_ != VARBYTE else node.args["this"]
    start = _visit_count(node, "start", scope)
    length = None if node.args.get("length") is None else _visit_count(node, "length", scope)
    return _substring(text, start, length, scope), VARCHAR if type_ != VARBYTE else VARBYTE


def _visit_count(node: exp.Expr, key: str, scope: Scope) -> exp.Expr:
    if visit_argument(node, key, scope) is None:
        expect(node.args[key], INT4, scope)
    return cast("exp.Expr", node.args[key])


@function("substr", 2, 3)
def substr(made: Call) -> Typed:
    length = made.whole(2) if len(made.arguments) > 2 else None
    return _substring(made.text(0), made.whole(1), length, made.scope), VARCHAR


def _substring(text: exp.Expr, start: exp.Expr, length: exp.Expr | None, scope: Scope) -> exp.Expr:
    """Positions before the text count toward the length; the engine would count them from the end."""
    first, count = whole_number(start), None if length is None else whole_number(length)
    if count is not None and count < 0:
        raise errors.InvalidParameterValue(
            "negative substring length not allowed", position=scope.context.position(length or start)
        )
    if first is not None and first >= 1:
        return call("substring", text, start) if length is None else call("substring", text, start, length)
    if length is None:
        return macro("substring_from", text, start)
    return macro("substring_for", text, start, length)


@function("left", 2)
def left(made: Call) -> Typed:
    return macro("leading", made.text(0), made.whole(1)), VARCHAR


@function("right", 2)
def right(made: Call) -> Typed:
    return macro("trailing", made.text(0), made.whole(1)), VARCHAR


@function("repeat replicate", 2)
def repeat(made: Call) -> Typed:
    return macro("repeated", made.text(0), as_type(made.whole(1), INT8)), VARCHAR


@function("lpad rpad", 2, 3)
def pad(made: Call) -> Typed:
    fill = made.text(2) if len(made.arguments) > 2 else string(" ")
    length = as_type(call("greatest", made.whole(1), number(0)), INT4)
    return macro("pad_left" if made.name == "lpad" else "pad_right", made.text(0), length, fill), VARCHAR


@function("split_part", 3)
def split_part(made: Call) -> Typed:
    place = whole_number(made.arguments[2])
    if place is not None and place < 1:
        raise errors.InvalidParameterValue(
            "field position must be greater than zero", position=made.scope.context.position(made.node)
        )
    return call("split_part", made.text(0), made.text(1), made.whole(2)), VARCHAR


@function("initcap", 1)
def initcap(made: Call) -> Typed:
    return macro("initcap", made.text(0)), VARCHAR


@function("quote_ident", 1)
def quote_ident(made: Call) -> Typed:
    return macro("quote_ident", made.text(0)), VARCHAR


@function("quote_literal", 1)
def quote_literal(made: Call) -> Typed:
    return macro("quote_literal", made.text(0)), VARCHAR


@function("octetindex", 2)
def octetindex(made: Call) -> Typed:
    return as_type(macro("octetindex", made.text(0), made.text(1)), INT4), INT4


@function("bpcharcmp bttext_pattern_cmp", 2)
def compare_texts(made: Call) -> Typed:
    return macro("compare", *(call("rtrim", made.text(place), string(" ")) for place in (0, 1))), INT4


@function("soundex", 1)
def soundex(made: Call) -> Typed:
    return macro("soundex", made.text(0)), VARCHAR


@function("difference", 2)
def difference(made: Call) -> Typed:
    return macro("difference", made.text(0), made.text(1)), INT4


@function("collate", 2)
def collate(made: Call) -> Typed:
    made_for = made.constant(1, "a collation")
    if made_for.lower() not in ("case_sensitive", "cs", "case_insensitive", "ci"):
        raise errors.InvalidParameterValue(
            f'collation "{made_for[:64]}" does not exist', position=made.scope.context.position(made.node)
        )
    text = made.text(0)
    if made_for.lower() in ("case_sensitive", "cs"):
        return text, VARCHAR
    return exp.Paren(this=exp.Collate(this=text, expression=exp.Var(this="NOCASE"))), VARCHAR
