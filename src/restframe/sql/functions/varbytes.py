"""Functions on VARBYTE values.

https://docs.aws.amazon.com/redshift/latest/dg/varbyte-functions.html
"""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.functions.registry import Call, function
from restframe.sql.nodes import as_type, call, macro, number, when
from restframe.sql.rewrite.rules import INT4, INT8, VARBYTE, VARCHAR
from restframe.sql.rewrite.scope import Type
from restframe.sql.rewrite.visit import Typed


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


@function("getbit", 2)
def getbit(made: Call) -> Typed:
    """Counted from 0 at the last, the least significant bit."""
    if made.types[0] not in (None, VARBYTE):
        raise made.no_such_function()
    return as_type(macro("bit_of", made.arguments[0], made.number(1)), INT4), INT4
