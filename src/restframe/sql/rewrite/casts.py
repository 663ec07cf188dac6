"""CAST, `::` and CONVERT, and how a value becomes one of another type.

https://docs.aws.amazon.com/redshift/latest/dg/r_CAST_function.html
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable

from sqlglot import exp

from restframe import errors
from restframe.sql.nodes import (
    as_type,
    call,
    is_string,
    macro,
    number,
    string,
    to_type,
)
from restframe.sql.rewrite.catalog_types import cast_of_catalog, is_of_catalog
from restframe.sql.rewrite.parameters import expect, is_parameter
from restframe.sql.rewrite.rules import DATE, DATETIMES, NAME, TIMESTAMP, VARBYTE, VARCHAR, array_of
from restframe.sql.rewrite.scope import Scope, Type
from restframe.sql.rewrite.texts import to_text
from restframe.sql.rewrite.visit import Typed, visit, visits
from restframe.sql.spellings import SYSTEM_TYPES
from restframe.sql.units import interval_text
from restframe.types import SqlType, parse_type, read_boolean


@visits(exp.Cast)
def visit_cast(node: exp.Cast, scope: Scope) -> Typed:
    target = read_type(node.args["to"], scope)
    value, type_ = visit(node.args["this"], scope)
    if target == VARBYTE and is_string(value) and _is_bytea(node.args["to"]):
        return _from_bytea(value, scope), target
    return convert(value, type_, target, scope, explicit=True), target


def _is_bytea(node: exp.DataType) -> bool:
    """Whether VARBYTE goes by its name in PostgreSQL, whose clients write its values in hexadecimal digits."""
    return node.args["this"] is exp.DType.NAME


def _from_bytea(literal: exp.Expr, scope: Scope) -> exp.Expr:
    text = str(literal.args["this"])
    if not text.startswith("\\x"):
        return call("encode", literal)
    if not re.fullmatch("(?:[0-9A-Fa-f]{2})*", text[2:]):
        raise errors.InvalidTextRepresentation(
            "invalid hexadecimal data in a value of type bytea", position=scope.context.position(literal)
        )
    return call("from_hex", string(text[2:]))


@visits(exp.TryCast)
def visit_try_cast(node: exp.TryCast, scope: Scope) -> Typed:
    """TRY_CAST(text AS type): NULL where CAST would fail."""
    target = read_type(node.args["to"], scope)
    value, type_ = visit(node.args["this"], scope)
    if type_ is not None and type_.is_text and target.name in ("date", "timestamp"):
        return as_type(macro("try_timestamp", value), target), target
    if target.is_text:
        return convert(value, type_, target, scope, explicit=True), target
    if type_ is not None and type_.is_text and target.is_integer:
        value = macro("try_whole", value)
    return exp.TryCast(this=value, to=to_type(target)), target


# Types


def read_type(node: exp.DataType, scope: Scope) -> SqlType:
    """The type a cast names; UndefinedObject with its place when there is no such type."""
    kind = node.args["this"]
    plain = _PLAIN.get(kind)
    parameters = node.args.get("expressions")
    if plain is not None and not parameters:
        return plain
    if kind is exp.DType.NAME:
        return _system_type(parameters)
    if kind is exp.DType.ARRAY and parameters:
        return array_of(read_type(parameters[0], scope))
    base = _SPELLED.get(kind)
    if base is None or node.args.get("nested"):
        shown = str(kind.value if isinstance(kind, exp.DType) else node.args.get("kind") or kind).lower()[:64]
        raise errors.UndefinedObject(f'type "{shown}" does not exist', position=scope.context.position(node))
    sizes = [str(parameter.this.name).lower() for parameter in parameters or ()]
    try:
        return parse_type(f"{base}({','.join(sizes)})" if sizes else base)
    except errors.Error as error:
        error.position = scope.context.position(node)
        raise


def _system_type(parameters: list[exp.Expr] | None) -> SqlType:
    """What stands behind `name` in parentheses, where `spellings` has put it."""
    return _SYSTEM_TYPES[str(parameters[0].this.name).lower()] if parameters else NAME


_SYSTEM_TYPES = {
    **{name: SqlType(name) for name in SYSTEM_TYPES},
    "regprocedure": SqlType("regproc"), "xid": SqlType("oid"), "cid": SqlType("oid"), "tid": VARCHAR,
    "cstring": VARCHAR, "bytea": VARBYTE, "int2vector": array_of(SqlType("int2")),
    "oidvector": array_of(SqlType("oid")),
}  # fmt: skip

_SPELLED: dict[exp.DType, str] = {
    exp.DType.SMALLINT: "smallint", exp.DType.INT: "integer", exp.DType.BIGINT: "bigint",
    exp.DType.FLOAT: "real", exp.DType.DOUBLE: "float", exp.DType.DECIMAL: "numeric", exp.DType.BOOLEAN: "boolean",
    exp.DType.CHAR: "char", exp.DType.NCHAR: "nchar", exp.DType.BPCHAR: "bpchar", exp.DType.VARCHAR: "varchar",
    exp.DType.NVARCHAR: "nvarchar", exp.DType.TEXT: "text", exp.DType.DATE: "date", exp.DType.TIME: "time",
    exp.DType.TIMETZ: "timetz", exp.DType.TIMESTAMP: "timestamp", exp.DType.TIMESTAMPTZ: "timestamptz",
    exp.DType.INTERVAL: "interval", exp.DType.SUPER: "super", exp.DType.VARBINARY: "varbyte",
}  # fmt: skip
# A cast to VARCHAR without a length cuts nothing.
_PLAIN = {
    kind: VARCHAR if base in ("varchar", "nvarchar", "text") else parse_type(base) for kind, base in _SPELLED.items()
}


# Values


def convert(node: exp.Expr, type_: Type, target: SqlType, scope: Scope, *, explicit: bool = False) -> exp.Expr:
    """A value as one of another type.

    explicit : written as a cast, which cuts text to its length and decimals of tables to their scale, where storing
        a value refuses the one and rounds the other
    """
    if type_ is None and is_of_catalog(target):
        expect(node, target, scope)
        return cast_of_catalog(node, type_, target, scope)
    if type_ is None and target.is_integer and is_parameter(node):
        expect(node, target, scope)
        return _whole(node, target)
    if type_ is None:
        expect(node, target, scope)
        return _sized(as_type(node, target), target, explicit)
    if target.is_text:
        return _to_text(node, type_, target, scope, explicit)
    if type_ == target:
        return node
    if type_.name == "super":
        return _from_super(node, target)
    if is_of_catalog(target) or is_of_catalog(type_):
        return cast_of_catalog(node, type_, target, scope)
    if target.name not in _CASTS[type_.name]:
        raise errors.CannotCoerce(
            f"cannot cast type {SqlType(type_.name)} to {SqlType(target.name)}", position=scope.context.position(node)
        )
    if target.name == "super":
        return call("to_json", node)
    if type_.is_text:
        return _from_text(node, target, scope)
    if target.name == "numeric" and explicit and type_.name == "numeric" and (type_.scale or 0) > (target.scale or 0):
        return _narrowed(node, target)
    if target.name == "timetz":
        return call("timezone", string("UTC"), as_type(node, target))
    return as_type(node, target)


_NUMBERS = "int2 int4 int8 oid numeric float4 float8 super"
# What has a cast to what, text aside, which has one to and from everything.
_CASTS: dict[str, frozenset[str]] = {
    name: frozenset(targets.split())
    for names, targets in {
        "int2 int4 int8 oid": f"{_NUMBERS} bool",
        "numeric float4 float8": _NUMBERS,
        "bool": "bool int2 int4 int8 super",
        "varchar bpchar name char aclitem": f"{_NUMBERS} bool date timestamp timestamptz time timetz interval varbyte",
        "date": "date timestamp timestamptz",
        "timestamp timestamptz": "date timestamp timestamptz time timetz",
        "time timetz": "time timetz",
        "interval": "interval",
        "varbyte": "varbyte",
    }.items()
    for name in names.split()
}


def _narrowed(node: exp.Expr, target: SqlType) -> exp.Expr:
    """A decimal with fewer places: values of tables are cut ("not rounded", says the manual), constants rounded.

    https://docs.aws.amazon.com/redshift/latest/dg/r_Numeric_types201.html
    """
    if node.find(exp.Column) is None:
        return as_type(node, target)
    return as_type(call("trunc", node, number(target.scale or 0)), target)


def _to_text(node: exp.Expr, type_: SqlType, target: SqlType, scope: Scope, explicit: bool) -> exp.Expr:
    if type_.name == "super":
        # An object or array has no text of its own; json_serialize() makes one.
        return _sized(macro("super_text", node), target, explicit)
    if type_.is_text and type_.length and target.length and type_.length <= target.length:
        return node
    if is_string(node):
        if target.length is None or len(str(node.args["this"]).encode()) <= target.length:
            return _trimmed(node) if target.name == "bpchar" else node
    elif not type_.is_text:
        node = to_text(node, type_, scope)
    return _sized(node, target, explicit)


def _trimmed(literal: exp.Expr) -> exp.Expr:
    return string(str(literal.args["this"]).rstrip(" "))


def _sized(node: exp.Expr, target: SqlType, explicit: bool) -> exp.Expr:
    """Text in no more bytes than its type has. CHAR loses its trailing blanks, which mean nothing in it."""
    if not explicit or not target.is_text:
        return node
    if target.length is not None:
        node = macro("cut", node, number(target.length))
    return call("rtrim", node, string(" ")) if target.name == "bpchar" else node


def _from_super(node: exp.Expr, target: SqlType) -> exp.Expr:
    """NULL for what cannot be converted: casts of SUPER values are lax."""
    return exp.TryCast(this=call("json_extract_string", node, string("$")), to=to_type(target))


def _from_text(node: exp.Expr, target: SqlType, scope: Scope) -> exp.Expr:
    if target.name == "varbyte":
        return call("encode", node)
    if is_string(node):
        return _from_literal(node, target, scope)
    if target.is_integer:
        return _whole(node, target)
    if target.name in ("date", "timestamp"):
        return as_type(macro("timestamp", node), target)
    if target.name in ("time", "timetz", "timestamptz"):
        return macro(target.name, node)
    return as_type(node, target)


def _whole(node: exp.Expr, target: SqlType) -> exp.Expr:
    """Text as a whole number; what the engine would round to one is refused."""
    return as_type(macro("whole", node, string(str(target))), target)


def _from_literal(node: exp.Expr, target: SqlType, scope: Scope) -> exp.Expr:
    text = str(node.args["this"])
    if target.is_number:
        if not (_WHOLE if target.is_integer else _NUMBER).fullmatch(text):
            raise errors.InvalidTextRepresentation(
                f'invalid input syntax for type {SqlType(target.name)}: "{text[:100]}"',
                position=scope.context.position(node),
            )
        if target.name == "float8" and text.strip()[-1].isdigit() and math.isinf(float(text)):
            raise errors.NumericValueOutOfRange(
                f'"{text[:100]}" is out of range for type {target}', position=scope.context.position(node)
            )
    elif target.name == "bool":
        truth = read_boolean(text)
        if truth is None:
            raise errors.InvalidTextRepresentation(
                f'invalid input syntax for type boolean: "{text[:100]}"', position=scope.context.position(node)
            )
        return exp.Boolean(this=truth)
    elif target.name in ("time", "timetz"):
        return macro(target.name, node)
    elif target.name in DATETIMES:
        special = _SPECIAL_TIMES.get(text.strip().lower())
        if special is not None:
            return as_type(special(), target)
        if not _ISO.fullmatch(text):
            return as_type(macro("timestamptz" if target.name == "timestamptz" else "timestamp", node), target)
    elif target.name == "interval":
        with contextlib.suppress(errors.DataError):  # the engine knows more spellings, and says what is none
            node = string(interval_text(text))
    return as_type(node, target)


_WHOLE = re.compile(r"\s*[-+]?[0-9]+\s*")
_NUMBER = re.compile(r"\s*([-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?|nan|[-+]?inf(inity)?)\s*", re.IGNORECASE)
_ISO = re.compile(r"\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)?\s*")


def _today(shift: int) -> exp.Expr:
    today = as_type(call("now"), DATE)
    return exp.Add(this=today, expression=exp.Paren(this=number(shift))) if shift else today


_SPECIAL_TIMES: dict[str, Callable[[], exp.Expr]] = {
    "now": lambda: as_type(call("now"), TIMESTAMP),
    "today": lambda: _today(0),
    "tomorrow": lambda: _today(1),
    "yesterday": lambda: _today(-1),
    "epoch": lambda: string("1970-01-01"),
}
