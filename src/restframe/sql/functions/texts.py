"""String functions.

https://docs.aws.amazon.com/redshift/latest/dg/String_functions_header.html
"""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.functions.registry import Call, function, simple
from restframe.sql.nodes import (
    as_hugeint,
    as_type,
    call,
    is_string,
    macro,
    number,
    string,
    when,
    whole_number,
)
from restframe.sql.rewrite.rules import INT4, INT8, VARBYTE, VARCHAR
from restframe.sql.rewrite.scope import Scope, Type
from restframe.sql.rewrite.texts import to_text
from restframe.sql.rewrite.visit import Typed, only, visit_argument, visits

simple("upper", "upper", "t", VARCHAR)
simple("lower", "lower", "t", VARCHAR)
simple("reverse", "reverse", "t", VARCHAR)
simple("replace", "replace", "ttt", VARCHAR)
simple("translate", "translate", "ttt", VARCHAR)
simple("md5", "md5", "t", VARCHAR)
simple("sha sha1 func_sha1", "sha1", "t", VARCHAR)
simple("len length char_length character_length textlen", "length", "t", INT4, INT8)
simple("octet_length", "strlen", "t", INT4, INT8)
simple("strpos", "strpos", "tt", INT4, INT8)
simple("ascii", "ascii", "t", INT4)
simple("chr", "chr", "i", VARCHAR)


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
    visit_argument(node, "start", scope)
    length = None
    if node.args.get("length") is not None:
        visit_argument(node, "length", scope)
        length = node.args["length"]
    return _substring(text, node.args["start"], length, scope), VARCHAR if type_ != VARBYTE else VARBYTE


@function("substr", 2, 3)
def substr(made: Call) -> Typed:
    length = made.arguments[2] if len(made.arguments) > 2 else None
    return _substring(made.text(0), made.arguments[1], length, made.scope), VARCHAR


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
    return macro("leading", made.text(0), made.arguments[1]), VARCHAR


@function("right", 2)
def right(made: Call) -> Typed:
    return macro("trailing", made.text(0), made.arguments[1]), VARCHAR


@function("repeat replicate", 2)
def repeat(made: Call) -> Typed:
    return macro("repeated", made.text(0), as_type(made.number(1), INT8)), VARCHAR


@function("lpad rpad", 2, 3)
def pad(made: Call) -> Typed:
    fill = made.text(2) if len(made.arguments) > 2 else string(" ")
    length = as_type(call("greatest", made.number(1), number(0)), INT4)
    return macro("pad_left" if made.name == "lpad" else "pad_right", made.text(0), length, fill), VARCHAR


@function("split_part", 3)
def split_part(made: Call) -> Typed:
    place = whole_number(made.arguments[2])
    if place is not None and place < 1:
        raise errors.InvalidParameterValue(
            "field position must be greater than zero", position=made.scope.context.position(made.node)
        )
    return call("split_part", made.text(0), made.text(1), made.arguments[2]), VARCHAR


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


# Hashes


@function("sha2", 2)
def sha2(made: Call) -> Typed:
    bits = whole_number(made.arguments[1])
    if bits not in (0, 256):
        raise errors.NotSupportedError(
            "sha2 with other than 256 bits is not supported", position=made.scope.context.position(made.node)
        )
    return call("sha256", made.text(0)), VARCHAR


@function("crc32", 1)
def crc32(made: Call) -> Typed:
    return macro("crc32", made.text(0)), VARCHAR


@function("fnv_hash", 1, 2)
def fnv_hash(made: Call) -> Typed:
    type_ = made.types[0]
    if type_ is not None and type_.is_integer:
        width = {"int2": 2, "int4": 4, "int8": 8}[type_.name]
        data = macro("little_endian", as_type(made.arguments[0], INT8), number(width))
    else:
        data = macro("bytes", made.text(0))
    seed = as_hugeint(made.arguments[1]) if len(made.arguments) > 1 else number("14695981039346656037")
    return macro("fnv_hash", data, seed), INT8


# Regular expressions


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


def _flags(made: Call, place: int) -> str:
    return made.constant(place, "a regular expression parameter") if len(made.arguments) > place else ""


def _searched(made: Call, place: int) -> exp.Expr:
    """The text from the position on that an argument gives."""
    if len(made.arguments) <= place or whole_number(made.arguments[place]) == 1:
        return made.text(0)
    return call("substring", made.text(0), as_type(call("greatest", made.number(place), number(1)), INT8))


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
    before = as_type(exp.Sub(this=call("greatest", made.number(3), number(1)), expression=number(1)), INT8)
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
    found = call("regexp_extract_all", _searched(made, 2), pattern, group, string(options))
    return macro("nth_or_empty", found, as_type(made.number(3), INT8)), VARCHAR


@function("regexp_count", 2, 4)
def regexp_count(made: Call) -> Typed:
    pattern, options, _ = _pattern(made, _flags(made, 3))
    found = call("regexp_extract_all", _searched(made, 2), pattern, number(0), string(options))
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
    start = made.number(2) if len(made.arguments) > 2 else number(1)
    return as_type(macro("place_after", _searched(made, 2), shown, string(options), start), INT4), INT4


# Bytes


@function("to_varbyte", 2)
def to_varbyte(made: Call) -> Typed:
    form = made.constant(1, "a format").lower()
    match form:
        case "utf8" | "utf-8":
            return call("encode", made.text(0)), VARBYTE
        case "hex":
            return call("from_hex", made.text(0)), VARBYTE
        case "base64":
            return call("from_base64", made.text(0)), VARBYTE
        case _:
            raise errors.InvalidParameterValue(
                f'format "{form[:64]}" is not one of hex, utf8, base64',
                position=made.scope.context.position(made.node),
            )


@function("from_varbyte", 2)
def from_varbyte(made: Call) -> Typed:
    form = made.constant(1, "a format").lower()
    match form:
        case "utf8" | "utf-8":
            return call("decode", made.arguments[0]), VARCHAR
        case "hex":
            return call("lower", call("to_hex", made.arguments[0])), VARCHAR
        case "base64":
            return call("to_base64", made.arguments[0]), VARCHAR
        case _:
            raise errors.InvalidParameterValue(
                f'format "{form[:64]}" is not one of hex, utf8, base64',
                position=made.scope.context.position(made.node),
            )


@function("from_hex", 1)
def from_hex(made: Call) -> Typed:
    return call("from_hex", made.text(0)), VARBYTE


@function("to_hex", 1)
def to_hex(made: Call) -> Typed:
    """Lower case; a negative number in two's complement of its own width."""
    type_: Type = made.types[0]
    if type_ == VARBYTE:
        return call("lower", call("to_hex", made.arguments[0])), VARCHAR
    if type_ is None or not type_.is_integer:
        return call("lower", call("to_hex", as_type(made.number(0), INT8))), VARCHAR
    if type_ == INT8:
        return call("lower", call("to_hex", made.arguments[0])), VARCHAR
    bits = 16 if type_.name == "int2" else 32
    negative = exp.LT(this=exp.Paren(this=made.arguments[0].copy()), expression=number(0))
    raised = exp.Add(this=as_type(made.arguments[0], INT8), expression=number(2**bits))
    value = when(negative, raised, as_type(made.arguments[0].copy(), INT8))
    return call("lower", call("to_hex", value)), VARCHAR
