"""Casts among the types of the system tables: arrays, and names of what has a number.

A value of regclass, regtype and their like is the name it prints as, in the engine too. `'t'::regclass` beside a number
is looked up and compared as a number; looked up again for its name only where it is shown.
https://www.postgresql.org/docs/15/datatype-oid.html
"""

from __future__ import annotations

import re

from sqlglot import exp

from restframe import errors
from restframe.sql.nodes import as_type, call, is_string, lookup, macro, string, to_type
from restframe.sql.rewrite.rules import REGISTERED
from restframe.sql.rewrite.scope import Scope, Type
from restframe.types import SqlType

_NUMBERED = REGISTERED - {"regproc"}


def is_of_catalog(type_: SqlType) -> bool:
    """Whether casts from and to it are made here."""
    return type_.element is not None or type_.name in REGISTERED


def cast_of_catalog(node: exp.Expr, type_: Type, target: SqlType, scope: Scope) -> exp.Expr:
    """A value as one of another type, of which one is an array or a registered name; text is not the target."""
    known = type_ is not None and not type_.is_text
    if target.element is not None:
        if not known:
            return _array_of_text(node, target, scope)
        if type_ is not None and type_.element is not None:
            return _array_of_array(node, type_.element, target)
    elif target.name in REGISTERED:
        if not known:
            return named(target.name, _number(target.name, node)) if target.name in _NUMBERED else _function(node)
        if type_ is not None and type_.is_number:
            return named(target.name, node)
    elif type_ is not None and type_.name in REGISTERED and target.is_integer:
        return as_type(_number(type_.name, node), target)
    raise errors.CannotCoerce(
        f"cannot cast type {type_ and SqlType(type_.name, element=type_.element)} to {target}",
        position=scope.context.position(node),
    )


def named(kind: str, number: exp.Expr) -> exp.Expr:
    """The name of what has a number; where the number is wanted again, it is not looked up by the name."""
    name = lookup(f"{kind}_name", number)
    name.meta[_MADE_OF] = kind, number
    return name


_MADE_OF = "restframe_made_of"


def _number(kind: str, name: exp.Expr) -> exp.Expr:
    """The number behind a name; of a name that was made of a number, that one."""
    made_of, number = name.meta.get(_MADE_OF, ("", None)) if name.__class__ in (exp.Dot, exp.Subquery) else ("", None)
    return number if made_of == kind and isinstance(number, exp.Expr) else lookup(f"{kind}_number", name)


def _function(name: exp.Expr) -> exp.Expr:
    """A function's name; of which functions there are, nothing is known for sure."""
    return call("replace", name, string("pg_catalog."), string(""))


# Arrays


def _array_of_text(node: exp.Expr, target: SqlType, scope: Scope) -> exp.Expr:
    if node.__class__ is exp.Null:
        return as_type(node, target)
    if not is_string(node):
        return as_type(macro("list_of_text", node), target)
    text = str(node.args["this"])
    try:
        elements = array_elements(text)
    except ValueError as error:
        raise errors.InvalidTextRepresentation(
            f'malformed array literal: "{text[:100]}"', position=scope.context.position(node)
        ) from error
    values: list[exp.Expr] = [exp.Null() if element is None else string(element) for element in elements]
    return as_type(exp.Array(expressions=values), target)


_ELEMENT = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|((?:[^"{},\\]|\\.)*?))\s*([,}])', re.DOTALL)


def array_elements(text: str) -> list[str | None]:
    """The elements of an array as PostgreSQL writes it, `{a,NULL,"b c"}`. ValueError for what is none of one dimension.

    https://www.postgresql.org/docs/15/arrays.html#ARRAYS-IO
    """
    text = text.strip()
    if re.fullmatch(r"\{\s*\}", text):
        return []
    if not text.startswith("{"):
        raise ValueError("no brace in front")
    elements: list[str | None] = []
    at, sign = 1, ","
    while sign == ",":
        match = _ELEMENT.match(text, at)
        if match is None or (match[1] is None and not match[2]):
            raise ValueError("no element")
        written = match[2] if match[1] is None else match[1]
        is_null = match[1] is None and written.upper() == "NULL"
        elements.append(None if is_null else re.sub(r"\\(.)", r"\1", written, flags=re.DOTALL))
        at, sign = match.end(), match[3]
    if at != len(text):
        raise ValueError("text behind the brace")
    return elements


def _array_of_array(node: exp.Expr, element: SqlType, target: SqlType) -> exp.Expr:
    wanted = target.element
    if wanted is not None and wanted.name == "regtype" and element.is_number:
        return lookup("regtype_names", node)
    return exp.Cast(this=node, to=to_type(target))
