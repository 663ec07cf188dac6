"""Hash functions.

https://docs.aws.amazon.com/redshift/latest/dg/hash-functions.html
"""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.functions.registry import Call, function, simple
from restframe.sql.nodes import as_hugeint, as_type, call, decimal_type, macro, number, operation, whole_number
from restframe.sql.rewrite.rules import INT4, INT8, VARCHAR
from restframe.sql.rewrite.visit import Typed

simple("md5", "md5", "t", VARCHAR)
simple("sha sha1 func_sha1", "sha1", "t", VARCHAR)


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


@function("checksum", 1)
def checksum(made: Call) -> Typed:
    """Of a decimal, its digits as a whole number, as in the manual's example."""
    type_ = made.types[0]
    if type_ is not None and type_.is_number and type_.name != "numeric":
        return as_type(made.arguments[0], INT4), INT4
    if type_ is not None and type_.name == "numeric":
        scale = type_.scale or 0
        wide = exp.Cast(this=made.arguments[0], to=decimal_type(38, scale))
        return as_type(operation(exp.Mul, wide, number(10**scale)), INT4), INT4
    raise errors.NotSupportedError("checksum of text is not supported", position=made.scope.context.position(made.node))
