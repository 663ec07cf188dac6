"""One visit: dispatch by class, and the refusal of what nobody registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, TypeVar

from sqlglot import exp

from restframe import errors
from restframe.sql.rewrite.scope import Output, Scope, Type

Typed = tuple[exp.Expr, Type]
Handler = Callable[[exp.Expr, Scope], Typed]
AnyHandler = TypeVar("AnyHandler", bound=Callable[..., Typed])

_HANDLERS: dict[type[exp.Expr], Handler] = {}


# A query within another: the node that takes its place, and its columns. The scope is that of the place it stands in.
QueryVisit = tuple[exp.Expr, tuple[Output, ...]]
QueryHandler = Callable[[exp.Expr, Scope], QueryVisit]

_QUERY_HANDLERS: dict[type[exp.Expr], QueryHandler] = {}
AnyQueryHandler = TypeVar("AnyQueryHandler", bound=Callable[..., QueryVisit])


def visits_query(*kinds: type[exp.Expr]) -> Callable[[AnyQueryHandler], AnyQueryHandler]:
    """Register a function for queries of these classes."""

    def register(handler: AnyQueryHandler) -> AnyQueryHandler:
        for kind in kinds:
            _QUERY_HANDLERS[kind] = handler
        return handler

    return register


def visit_query(node: exp.Expr, scope: Scope) -> QueryVisit:
    """A query in place of this one, and the columns of its result."""
    handler = _QUERY_HANDLERS.get(node.__class__)
    if handler is None:
        refuse(node, scope)
    return handler(node, scope)


def visits(*kinds: type[exp.Expr]) -> Callable[[AnyHandler], AnyHandler]:
    """Register a function for nodes of these classes."""

    def register(handler: AnyHandler) -> AnyHandler:
        for kind in kinds:
            _HANDLERS[kind] = handler
        return handler

    return register


def visit(node: exp.Expr, scope: Scope) -> Typed:
    """The node that takes this one's place, and its type."""
    handler = _HANDLERS.get(node.__class__)
    if handler is None:
        refuse(node, scope)
    return handler(node, scope)


def visit_argument(node: exp.Expr, key: str, scope: Scope) -> Type:
    """Visit what a node has under a key, in place; its type."""
    old = node.args[key]
    new, type_ = visit(old, scope)
    if new is not old:
        node.set(key, new)
    return type_


def visit_list(node: exp.Expr, key: str, scope: Scope) -> list[Type]:
    """Visit the list a node has under a key, in place; their types."""
    types, changed = [], []
    for old in node.args.get(key) or ():
        new, type_ = visit(old, scope)
        changed.append(new)
        types.append(type_)
    node.set(key, changed)
    return types


def refuse(node: exp.Expr, scope: Scope, what: str | None = None) -> NoReturn:
    """NotSupportedError for a construct, at its place."""
    shown = what or _REDSHIFT_WORDS.get(node.__class__) or node.key.upper()
    words = " ".join(word for word in shown.split() if word.isupper())
    raise errors.NotSupportedError(f"{shown} is not supported", position=scope.context.position(node, words))


def only(node: exp.Expr, known: frozenset[str], scope: Scope) -> None:
    """Refuse a node with clauses other than these."""
    for key, value in node.args.items():
        if value and key not in known:
            first = value[0] if isinstance(value, list) else value
            at = first if isinstance(first, exp.Expr) else node
            refuse(at, scope, _CLAUSE_WORDS.get(key, key.strip("_").replace("_", " ").upper()))


_REDSHIFT_WORDS: dict[type[exp.Expr], str] = {
    exp.Lambda: "a lambda expression",
    exp.Kwarg: "an argument by name",
    exp.PropertyEQ: "an argument by name",
    exp.Aliases: "a list of aliases",
    exp.Filter: "FILTER",
    exp.Values: "VALUES outside INSERT",
    exp.Placeholder: "this placeholder",
    exp.Array: "an array in brackets",
    exp.Struct: "a struct literal",
    exp.TableSample: "TABLESAMPLE",
    exp.ConnectByRoot: "CONNECT BY",
    exp.Prior: "CONNECT BY",
    exp.Command: "this statement",
    exp.JSONExtract: "the operator ->",
    exp.JSONExtractScalar: "the operator ->>",
    exp.Slice: "a slice of an array",
    exp.National: "a string with N in front",
    exp.Pivot: "PIVOT here",
    exp.Collate: "the operator COLLATE",
}
_CLAUSE_WORDS = {
    "connect": "CONNECT BY",
    "windows": "WINDOW",
    "sample": "TABLESAMPLE",
    "locks": "FOR UPDATE",
    "laterals": "LATERAL",
    "match": "MATCH_RECOGNIZE",
    "on": "DISTINCT ON",
    "kind": "SELECT AS",
    "join_mark": "the outer join operator (+)",
    "returning": "RETURNING",
    "conflict": "ON CONFLICT",
    "condition": "AND behind WHEN MATCHED",
    "source": "BY SOURCE",
}
