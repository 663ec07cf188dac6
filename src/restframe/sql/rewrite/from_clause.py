"""FROM: tables, queries, joins, and iteration over SUPER values.

https://docs.aws.amazon.com/redshift/latest/dg/r_FROM_clause30.html
"""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.lexer import QualifiedName
from restframe.sql.names import TableReference
from restframe.sql.nodes import fold, identifier, macro, rename
from restframe.sql.rewrite.columns import fold_in_place
from restframe.sql.rewrite.matching import mismatch, visit_condition
from restframe.sql.rewrite.pivots import visit_pivot
from restframe.sql.rewrite.row_functions import is_array, visit_function, visit_lateral
from restframe.sql.rewrite.rules import INT8, SUPER, VARCHAR, common, kind
from restframe.sql.rewrite.scope import Output, Scope, Source, Type
from restframe.sql.rewrite.visit import only, refuse, visit, visit_query

_TABLE = frozenset({"this", "db", "catalog", "alias", "joins", "pivots"})
_QUERY = frozenset({"this", "alias", "pivots", "joins"})
_JOIN = frozenset({"this", "side", "kind", "method", "on", "using"})


def visit_from(node: exp.Expr, scope: Scope) -> None:
    """Visit FROM and its joins, adding each source to the scope before the conditions that may name it."""
    clause = node.args.get("from_")
    if clause is None:
        if node.args.get("joins"):
            raise errors.SyntaxError('syntax error at or near "JOIN"', position=scope.context.position(node, "JOIN"))
        return
    clause.set("this", visit_source(clause.args["this"], scope))
    visit_joins(node, scope)


def visit_joins(node: exp.Expr, scope: Scope) -> None:
    for join in node.args.get("joins") or ():
        _visit_join(join, scope)


def visit_source(node: exp.Expr, scope: Scope) -> exp.Expr:
    """One item of FROM, whose names are added to the scope; the node that takes its place."""
    if isinstance(node, exp.Table):
        return _visit_table(node, scope)
    if isinstance(node, exp.Subquery):
        return _visit_joined_tables(node, scope) if _holds_joins(node) else _visit_subquery(node, scope)
    if isinstance(node, exp.Lateral):
        return visit_lateral(node, scope)
    if isinstance(node, exp.Unnest) and all(is_array(one, scope) for one in node.args["expressions"]):
        return visit_function(node, node.args.get("alias"), scope)
    if isinstance(node, exp.AtIndex | exp.Alias | exp.Column | exp.Dot | exp.Bracket | exp.Pivot | exp.Unnest):
        return _visit_iteration(node, scope)
    return refuse(node, scope)


# Tables


def _visit_table(node: exp.Table, scope: Scope) -> exp.Expr:
    only(node, _TABLE, scope)
    args = node.args
    name_node = args["this"]
    if name_node.__class__ is exp.Anonymous:
        return _visit_table_function(node, scope)
    if name_node.__class__ is not exp.Identifier:
        refuse(node, scope, "this in FROM")
    name = fold(name_node)
    schema = fold(args["db"]) if args.get("db") is not None else None
    if _begins_path(name, schema, scope):
        return _visit_iteration(node, scope)
    alias = args.get("alias")
    known_as = fold_in_place(alias.args["this"]) if alias is not None else name
    common_table = scope.cte(name) if schema is None else None
    if common_table is not None:
        rename(name_node, name)
        source = Source.of_query(known_as, renamed(common_table, alias, scope))
    else:
        table = _look_up(node, name, schema, scope)
        source = Source(known_as, scope.context.columns(table), table, schema)
        if alias is not None and alias.args.get("columns"):
            source = Source.of_query(known_as, renamed(source.outputs, alias, scope))
        if alias is None and table.engine_name != name:
            node.set("alias", exp.TableAlias(this=identifier(name)))
    return _with_pivots(node, source, scope)


def renamed(outputs: tuple[Output, ...], alias: exp.Expr | None, scope: Scope) -> tuple[Output, ...]:
    """The columns under the names that an alias lists for them, if it does."""
    names = alias.args.get("columns") if alias is not None else None
    if not names:
        return outputs
    if len(names) > len(outputs):
        raise errors.SyntaxError(
            f"{len(outputs)} columns available but {len(names)} columns specified",
            position=scope.context.position(names[len(outputs)]),
        )
    given = [fold_in_place(name) for name in names]
    first = [Output(name, output.type) for name, output in zip(given, outputs, strict=False)]
    return (*first, *outputs[len(given) :])


def _look_up(node: exp.Table, name: str, schema: str | None, scope: Scope) -> TableReference:
    """The table a name means, written into the tree as the engine knows it."""
    database = node.args.get("catalog")
    first = database or node.args.get("db") or node.args["this"]
    position = scope.context.position(first)
    table = scope.context.table(QualifiedName(schema, name, position, fold(database) if database is not None else None))
    rename(node.args["this"], table.engine_name)
    if node.args.get("db") is None:
        node.set("db", identifier(table.engine_schema))
    else:
        rename(node.args["db"], table.engine_schema)
        node.set("catalog", None)
    return table


def _with_pivots(node: exp.Expr, source: Source, scope: Scope) -> exp.Expr:
    pivots = node.args.get("pivots")
    if pivots:
        if len(pivots) > 1:
            refuse(pivots[1], scope, "more than one PIVOT")
        source = visit_pivot(pivots[0], source, scope)
    scope.add(source, node)
    visit_joins(node, scope)
    return node


def _visit_table_function(node: exp.Table, scope: Scope) -> exp.Expr:
    function = node.args["this"]
    name = str(function.args["this"]).lower()
    if name.startswith(("read_", "parquet_")):
        raise errors.UndefinedFunction(
            f"function {name[:64]} does not exist",
            position=scope.context.position(function),
            hint="Load files with COPY.",
        )
    return visit_function(node, node.args.get("alias"), scope)


# Queries


def _visit_subquery(node: exp.Subquery, scope: Scope) -> exp.Expr:
    only(node, _QUERY, scope)
    # A query in FROM sees what encloses this SELECT, and not its neighbours.
    around = Scope(scope.context, scope.parent)
    around.ctes = scope.ctes
    query, outputs = visit_query(node.args["this"], around)
    node.set("this", query)
    alias = node.args.get("alias")
    if alias is None:
        name = scope.unnamed()
        node.set("alias", exp.TableAlias(this=identifier(name)))
    else:
        name = fold_in_place(alias.args["this"])
        outputs = renamed(outputs, alias, scope)
    return _with_pivots(node, Source.of_query(name, outputs), scope)


def _holds_joins(node: exp.Subquery) -> bool:
    """Whether the parentheses stand around tables, and not around a query."""
    inside = node.args["this"]
    if isinstance(inside, exp.Subquery):
        return bool(inside.args.get("joins") or inside.args.get("alias")) or _holds_joins(inside)
    return isinstance(inside, exp.Table)


def _visit_joined_tables(node: exp.Subquery, scope: Scope) -> exp.Expr:
    """( a JOIN b ON ... ), whose tables stay visible unless it is given a name of its own."""
    only(node, _QUERY - {"pivots"}, scope)
    if node.args.get("alias") is not None:
        refuse(node.args["alias"], scope, "an alias for joined tables")
    node.set("this", visit_source(node.args["this"], scope))
    visit_joins(node, scope)
    return node


# Joins


def _visit_join(join: exp.Join, scope: Scope) -> None:
    only(join, _JOIN, scope)
    args = join.args
    kind = str(args.get("kind") or "").upper()
    method = str(args.get("method") or "").upper()
    if (
        kind not in ("", "INNER", "OUTER", "CROSS")
        or (kind == "OUTER" and not args.get("side"))
        or method not in ("", "NATURAL")
    ):
        refuse(join, scope, " ".join(word for word in (method, kind, "JOIN") if word))
    before = list(scope.sources.values())
    join.set("this", visit_source(args["this"], scope))
    if args.get("on") is not None:
        visit_condition(join, "on", scope, "JOIN/ON")
    elif args.get("using") or method == "NATURAL":
        _merge(join, before, scope)
    elif kind in ("INNER", "OUTER") or args.get("side"):
        raise errors.SyntaxError("a JOIN needs ON or USING", position=scope.context.position(join))


def _merge(join: exp.Join, before: list[Source], scope: Scope) -> None:
    """USING (columns) and NATURAL: each pair of equal columns becomes one."""
    added = [source for source in scope.sources.values() if source not in before]
    left: dict[str, Type] = {}
    for source in before:
        left |= source.columns
    right: dict[str, Type] = {}
    for source in added:
        right |= source.columns
    using = join.args.get("using")
    names = [fold_in_place(one.this if isinstance(one, exp.Column) else one) for one in using or ()]
    if using:
        join.set("using", [identifier(name) for name in names])
    if not using:
        names = [name for name in left if name in right]
    for name in names:
        if name not in left or name not in right:
            raise errors.UndefinedColumn(
                f'column "{name}" specified in USING clause does not exist', position=scope.context.position(join)
            )
        for source in (*before, *added):
            source.use(name)
        one, other = left[name], right[name]
        if one is not None and other is not None and kind(one) != kind(other):
            raise mismatch("JOIN/USING", one, other, join, scope)
        scope.merged[name] = common((one, other))
    scope.forget()


# Iteration over arrays and objects


def _begins_path(name: str, schema: str | None, scope: Scope) -> bool:
    """Whether a name in FROM is a path into a source that stands before it."""
    if schema is not None:
        return schema in scope.sources
    source = scope.sources.get(name)
    return source is not None and source.columns.get(name) == SUPER


def _visit_iteration(node: exp.Expr, scope: Scope) -> exp.Expr:
    """FROM t, t.array AS element AT place; FROM t, UNPIVOT t.object AS value AT attribute

    https://docs.aws.amazon.com/redshift/latest/dg/query-super.html
    """
    whole = node
    unpivot = node.__class__ is exp.Pivot
    if unpivot:
        only(node, frozenset({"this", "unpivot"}), scope)
        node = node.args["this"]
    place = None
    if node.__class__ is exp.AtIndex:
        place, node = fold(node.args["expression"]), node.args["this"]
    path, name = _path_and_alias(node, scope)
    value, type_ = visit(path, scope)
    if type_ != SUPER:
        raise errors.DatatypeMismatch(
            "only SUPER values can be iterated over in FROM", position=scope.context.position(whole)
        )
    columns: dict[str, Type] = {name: SUPER}
    if place is not None:
        columns[place] = VARCHAR if unpivot else INT8
    scope.add(Source(name, columns), whole)
    return _unnested(value, name, place, unpivot)


def _path_and_alias(node: exp.Expr, scope: Scope) -> tuple[exp.Expr, str]:
    if node.__class__ is exp.Alias:
        return node.args["this"], fold(node.args["alias"])
    if node.__class__ is exp.Unnest:  # what the parser makes of `t, t.array AS element` by itself
        path, alias = node.args["expressions"][0], node.args.get("alias")
        if not isinstance(path, exp.Column | exp.Dot):
            refuse(node, scope)
        return (path, fold(alias.args["columns"][0])) if alias is not None else _path_and_alias(path, scope)
    if node.__class__ is exp.Column:
        return node, fold(node.args["this"])
    if node.__class__ is exp.Table:
        only(node, frozenset({"this", "db", "catalog", "alias"}), scope)
        parts = {"this": node.args["this"], "table": node.args.get("db"), "db": node.args.get("catalog")}
        path = exp.Column(**{key: part for key, part in parts.items() if part is not None})
        alias = node.args.get("alias")
        return path, fold(alias.args["this"]) if alias is not None else fold(node.args["this"])
    last = node.args.get("expression") if node.__class__ is exp.Dot else node.args.get("this")
    if last.__class__ is not exp.Identifier:
        raise errors.SyntaxError(
            "a path in FROM needs an alias", position=scope.context.position(node), hint="Write: path AS name."
        )
    return node, fold(last)


def _unnested(value: exp.Expr, name: str, place: str | None, unpivot: bool) -> exp.Expr:
    """LATERAL ( SELECT unnest(...) AS name, ... ) AS name"""
    if unpivot:
        keys = exp.Anonymous(this="json_keys", expressions=[value.copy()])
        listed = macro("attribute_values", value)
    else:
        listed = macro("elements", value)
        length = exp.Anonymous(this="len", expressions=[listed.copy()])
        keys = exp.Anonymous(this="range", expressions=[length])
    columns = [(listed, name)] if place is None else [(listed, name), (keys, place)]
    projections = [
        exp.Alias(this=exp.Anonymous(this="unnest", expressions=[list_]), alias=identifier(alias))
        for list_, alias in columns
    ]
    query = exp.Subquery(this=exp.Select(expressions=projections))
    return exp.Lateral(this=query, alias=exp.TableAlias(this=identifier(name)))
