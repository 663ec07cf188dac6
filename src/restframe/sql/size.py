"""What can be known of a result's size before it is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlglot import exp

from restframe.types import SqlType

_FEW_ROWS, _FEW_VALUES = 256, 1_000
# Values of these reach further than Python's.
_DEAR = frozenset({"date", "time", "timetz", "timestamp", "timestamptz", "interval"})

# Aggregates the engine has besides those that have classes of their own are not looked for: nothing rests on them.
_QUERIES = (exp.Query, exp.Window)
_ROW_MAKING = frozenset({"unnest", "generate_series", "range"})


def has_few_rows(query: exp.Expr, types: Sequence[SqlType | None]) -> bool:
    """Whether a translated query has few rows, whatever the data, of types that are cheap one by one."""
    count = at_most(query)
    if count is None or count > _FEW_ROWS or count * len(types) > _FEW_VALUES:
        return False
    return all(type_ is None or (type_.name not in _DEAR and type_.element is None) for type_ in types)


def at_most(query: exp.Expr) -> int | None:
    """How many rows a translated query has at most, whatever the data; None when that is not plain to see."""
    if not isinstance(query, exp.Select):
        return None
    limit = query.args.get("limit")
    count = limit.expression if isinstance(limit, exp.Limit) else None
    if isinstance(count, exp.Literal) and not count.is_string and count.this.isdecimal():
        return int(count.this)
    listed = list(_outside_queries(query.expressions))
    if any(_makes_rows(node) for node in listed) or query.args.get("group"):
        return None
    aggregates = any(isinstance(node, exp.AggFunc) for node in listed)
    return 1 if aggregates or not (query.args.get("from_") or query.args.get("joins")) else None


def _outside_queries(nodes: list[exp.Expr]) -> Iterator[exp.Expr]:
    for node in nodes:
        yield from node.walk(prune=lambda inner: isinstance(inner, _QUERIES))


def _makes_rows(node: exp.Expr) -> bool:
    if isinstance(node, exp.Anonymous):
        return node.name.lower() in _ROW_MAKING
    return isinstance(node, exp.UDTF | exp.Explode | exp.GenerateSeries)
