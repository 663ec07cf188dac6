"""Pieces of syntax trees, built for the engine."""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.lexer import folded
from restframe.sql.tree import MARK
from restframe.types import SqlType

MACRO_SCHEMA = "_restframe"


def fold(identifier: exp.Expr) -> str:
    """The name an identifier means: quoted or not, Redshift folds it to lower case.

    SyntaxError, without its place, for another kind of node.
    """
    if identifier.__class__ is not exp.Identifier:
        raise errors.SyntaxError("syntax error where a name should stand")
    return folded(str(identifier.args["this"]).removesuffix(MARK))


def identifier(name: str) -> exp.Identifier:
    return exp.Identifier(this=name, quoted=True)


def rename(old: exp.Identifier, name: str) -> exp.Identifier:
    """Another name in the same place of the text."""
    old.args["this"] = name
    old.args["quoted"] = True
    return old


def column(name: str, table: str | None = None) -> exp.Column:
    if table is None:
        return exp.Column(this=identifier(name))
    return exp.Column(this=identifier(name), table=identifier(table))


def string(text: str) -> exp.Literal:
    return exp.Literal(this=text, is_string=True)


def number(value: int | str) -> exp.Expr:
    text = str(value)
    if text.startswith("-"):
        return exp.Neg(this=exp.Literal(this=text[1:], is_string=False))
    return exp.Literal(this=text, is_string=False)


def call(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    """A call of one of the engine's functions."""
    return exp.Anonymous(this=name, expressions=list(arguments))


def macro(name: str, *arguments: exp.Expr) -> exp.Dot:
    """A call of one of macros.MACROS."""
    return exp.Dot(this=identifier(MACRO_SCHEMA), expression=call(name, *arguments))


def lookup(name: str, *arguments: exp.Expr) -> exp.Expr:
    """A call of a macro that reads tables.

    The engine puts an argument's text where its parameter stands, and among the macro's tables a column's name may
    mean another one. So columns are evaluated outside, under names that nobody has.
    """
    if not any(argument.find(exp.Column) for argument in arguments):
        return macro(name, *arguments)
    if any(argument.find(exp.Window) for argument in arguments):
        raise errors.NotSupportedError("a window function as an argument of a look-up in the catalog is not supported")
    names = [f" {place}" for place in range(len(arguments))]
    given = [exp.Alias(this=one, alias=identifier(alias)) for one, alias in zip(arguments, names, strict=True)]
    outside = exp.Subquery(this=exp.Select(expressions=given), alias=exp.TableAlias(this=identifier(" given")))
    called = macro(name, *(column(alias) for alias in names))
    return exp.Subquery(this=exp.Select(expressions=[called], from_=exp.From(this=outside)))


def operation(kind: type[exp.Binary], left: exp.Expr, right: exp.Expr) -> exp.Paren:
    """A binary operation in parentheses, to stand anywhere."""
    return exp.Paren(this=kind(this=left, expression=right))


def is_string(node: exp.Expr) -> bool:
    """Whether it is a quoted literal."""
    return node.__class__ is exp.Literal and bool(node.args["is_string"])


def is_number(node: exp.Expr) -> bool:
    """Whether it is a literal number, perhaps with a minus sign."""
    if node.__class__ is exp.Neg:
        node = node.args["this"]
    return node.__class__ is exp.Literal and not node.args["is_string"]


def whole_number(node: exp.Expr) -> int | None:
    """The value of a literal whole number; None for anything else."""
    negative = node.__class__ is exp.Neg
    if negative:
        node = node.args["this"]
    if node.__class__ is not exp.Literal or node.args["is_string"] or not str(node.args["this"]).isdecimal():
        return None
    return -int(node.args["this"]) if negative else int(node.args["this"])


def to_type(type_: SqlType) -> exp.DataType:
    """The engine's type that stores a Redshift type."""
    if type_.name == "numeric":
        return decimal_type(type_.precision or 38, type_.scale or 0)
    if type_.element is not None:
        return exp.DataType(this=exp.DType.ARRAY, expressions=[to_type(type_.element)], nested=True)
    return exp.DataType(this=_ENGINE_TYPE[type_.name])


def decimal_type(precision: int, scale: int) -> exp.DataType:
    parameters = [exp.DataTypeParam(this=exp.Literal(this=str(n), is_string=False)) for n in (precision, scale)]
    return exp.DataType(this=exp.DType.DECIMAL, expressions=parameters)


_ENGINE_TYPE = {
    "int2": exp.DType.SMALLINT, "int4": exp.DType.INT, "int8": exp.DType.BIGINT, "float4": exp.DType.FLOAT,
    "float8": exp.DType.DOUBLE, "bool": exp.DType.BOOLEAN, "bpchar": exp.DType.TEXT, "varchar": exp.DType.TEXT,
    "date": exp.DType.DATE, "time": exp.DType.TIME, "timetz": exp.DType.TIMETZ, "timestamp": exp.DType.TIMESTAMP,
    "timestamptz": exp.DType.TIMESTAMPTZ, "interval": exp.DType.INTERVAL, "super": exp.DType.JSON,
    "varbyte": exp.DType.VARBINARY, "oid": exp.DType.BIGINT,
    **dict.fromkeys(
        ("name", "char", "aclitem", "regclass", "regtype", "regproc", "regnamespace", "regrole"), exp.DType.TEXT
    ),
}  # fmt: skip


def as_type(node: exp.Expr, type_: SqlType) -> exp.Cast:
    """The engine's own cast, with the engine's own rules."""
    return exp.Cast(this=node, to=to_type(type_))


def as_text(node: exp.Expr) -> exp.Cast:
    return exp.Cast(this=node, to=exp.DataType(this=exp.DType.TEXT))


def as_hugeint(node: exp.Expr) -> exp.Cast:
    return exp.Cast(this=node, to=exp.DataType(this=exp.DType.INT128))


def when(condition: exp.Expr, value: exp.Expr, otherwise: exp.Expr | None = None) -> exp.Case:
    """CASE WHEN condition THEN value [ ELSE otherwise ] END"""
    return exp.Case(ifs=[exp.If(this=condition, true=value)], default=otherwise)
