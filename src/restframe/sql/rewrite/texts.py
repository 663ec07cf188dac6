"""Values as the text Redshift would make of them."""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.nodes import as_text, call, macro, number, string
from restframe.sql.rewrite.parameters import expect
from restframe.sql.rewrite.rules import VARCHAR
from restframe.sql.rewrite.scope import Scope, Type


def to_text(node: exp.Expr, type_: Type, scope: Scope) -> exp.Expr:
    """An argument where text is wanted. Numbers, dates and times become text by themselves; booleans do not."""
    if type_ is None:
        expect(node, VARCHAR, scope)
    if type_ is None or type_.is_text:
        return node
    match type_.name:
        case "bool":
            raise errors.CannotCoerce(
                "cannot cast type boolean to character varying",
                position=scope.context.position(node),
                hint="Use CASE WHEN ... THEN 'true' ELSE 'false' END.",
            )
        case "float8":
            return macro("float_text", node, number(15))
        case "float4":
            return macro("float_text", node, number(6))
        case "super":
            return call("json_extract_string", node, string("$"))
        case "array" | "int2vector" | "oidvector":
            return macro("list_text", node, string("{" if type_.name == "array" else ""))
        case "interval":
            return call("replace", as_text(node), string(" month"), string(" mon"))
        case _:
            return as_text(node)
