"""SELECT, set operations and common tables."""

from __future__ import annotations

import dataclasses

from sqlglot import exp

from restframe import errors
from restframe.sql.labels import label_of
from restframe.sql.nodes import column, fold, identifier, is_string, whole_number
from restframe.sql.rewrite.columns import fold_in_place
from restframe.sql.rewrite.forecasts import is_forecast, visit_forecast
from restframe.sql.rewrite.from_clause import renamed, visit_from
from restframe.sql.rewrite.matching import match, visit_condition
from restframe.sql.rewrite.parameters import expect
from restframe.sql.rewrite.rules import INT8
from restframe.sql.rewrite.scope import Output, Scope, Source, Type
from restframe.sql.rewrite.visit import (
    QueryVisit,
    only,
    refuse,
    visit,
    visit_argument,
    visit_list,
    visit_query,
    visits_query,
)
from restframe.types import SqlType

_SELECT = frozenset(
    {"with_", "expressions", "from_", "joins", "where", "group", "having", "qualify", "order", "limit", "offset",
     "distinct", "into", "exclude"}
)  # fmt: skip


@visits_query(exp.Select)
def visit_select(node: exp.Select, outer: Scope) -> QueryVisit:
    only(node, _SELECT, outer)
    if is_forecast(node):
        return visit_forecast(node, outer)
    args = node.args
    if not args["expressions"]:
        raise errors.SyntaxError("SELECT needs a list of columns", position=outer.context.position(node, "SELECT"))
    scope = Scope(outer.context, outer)
    first_call = len(scope.context.calls)
    if args.get("with_") is not None:
        visit_with(node, scope)
    visit_from(node, scope)
    outputs = _visit_projections(node, scope)
    for clause in ("where", "having", "qualify"):
        if args.get(clause) is not None:
            visit_condition(args[clause], "this", scope, clause.upper())
    if args.get("group") is not None:
        _visit_group(args["group"], outputs, scope)
    if args.get("distinct") is not None:
        only(args["distinct"], frozenset({"expressions"}), scope)
    visit_tail(node, outputs, scope)
    if args.get("distinct") is not None and args.get("order") is not None:
        _check_order_of_distinct(node, outputs, scope)
    _note_calls(node, scope, first_call)
    return node, tuple(outputs)


def _check_order_of_distinct(node: exp.Select, outputs: list[Output], scope: Scope) -> None:
    """What distinct rows are ordered by has to be among their columns."""
    labels = {output.label for output in outputs}
    shown = [one.args["this"] if one.__class__ is exp.Alias else one for one in node.args["expressions"]]
    for item in node.args["order"].args["expressions"]:
        key = item.args["this"]
        named = key.__class__ is exp.Column and fold(key.args["this"]) in labels
        if not named and whole_number(key) is None and key not in shown:
            raise errors.InvalidColumnReference(
                "for SELECT DISTINCT, ORDER BY expressions must appear in select list",
                position=scope.context.position(key),
            )


def _note_calls(node: exp.Expr, scope: Scope, first: int) -> None:
    """Which calls of models, from the first in this query, do not see every row because of its clauses."""
    calls = scope.context.calls
    if len(calls) == first:
        return
    selects = any(node.args.get(key) is not None for key in _SELECTING)
    for place, one in enumerate(calls[first:], first):
        every_row = one.every_row and (one.settled or not selects)
        calls[place] = dataclasses.replace(one, every_row=every_row, settled=one.settled or scope.aggregates)


_SELECTING = ("where", "limit", "offset", "joins", "qualify", "having")


# The select list


def _visit_projections(node: exp.Select, scope: Scope) -> list[Output]:
    """Visit the select list, name every column, and add its aliases to the scope as they come."""
    outputs: list[Output] = []
    projections: list[exp.Expr] = []
    excluded = _excluded(node)
    for projection in node.args["expressions"]:
        kind = projection.__class__
        if kind is exp.Star or (kind is exp.Column and projection.args["this"].__class__ is exp.Star):
            _add_star(projection, excluded, projections, outputs, scope)
        elif kind is exp.Alias:
            name = fold_in_place(projection.args["alias"])
            expanded = scope.context.expanded
            origin = _origin(projection.args["this"], scope)
            type_ = visit_argument(projection, "this", scope)
            scope.aliases[name] = type_
            scope.expansions[name] = projection.args["this"], scope.context.expanded - expanded
            outputs.append(Output(name, _measured(projection.args["this"], type_), origin))
            projections.append(projection)
        else:
            label, origin = label_of(projection), _origin(projection, scope)
            new, type_ = visit(projection, scope)
            outputs.append(Output(label, _measured(new, type_), origin))
            if new.__class__ is not exp.Column or kind is not exp.Column:
                new = exp.Alias(this=new, alias=identifier(label))
            projections.append(new)
    if len(outputs) > _MOST_OUTPUTS:
        raise errors.TooManyColumns(
            f"target lists can have at most {_MOST_OUTPUTS} entries", position=scope.context.base
        )
    node.set("expressions", projections)
    return outputs


_MOST_OUTPUTS = 1664


def _origin(node: exp.Expr, scope: Scope) -> tuple[int, int] | None:
    """Whose column is selected by its name; None for everything else."""
    if node.__class__ is not exp.Column or node.args["this"].__class__ is not exp.Identifier or node.args.get("db"):
        return None
    name, table = fold(node.args["this"]), node.args.get("table")
    if table is not None:
        source = scope.sources.get(fold(table))
        return None if source is None or name in source.doubled else source.origin(name)
    named = [source for source in scope.sources.values() if name in source.columns and name not in scope.merged]
    return named[0].origin(name) if len(named) == 1 and name not in named[0].doubled else None


def _measured(node: exp.Expr, type_: Type) -> Type:
    """The type of an output: a literal text is as long as it is."""
    if type_ is not None and type_.name == "varchar" and is_string(node):
        return SqlType("varchar", length=max(1, len(str(node.args["this"]).encode())))
    return type_


def _excluded(node: exp.Select) -> frozenset[str]:
    """The columns that EXCLUDE leaves out, at the end of the select list, wherever sqlglot has put them.

    `*, a EXCLUDE b, c` excludes b and c, from everything.
    """
    found: list[exp.Expr] = []
    kept: list[exp.Expr] = []
    for projection in node.args["expressions"]:
        star = projection.args.get("this") if projection.__class__ is exp.Column else projection
        if found:
            found.append(projection)
            continue
        if star.__class__ is exp.Star and star.args.get("except_"):
            found += star.args["except_"]
            star.set("except_", None)
        kept.append(projection)
    found += node.args.get("exclude") or ()
    node.set("expressions", kept)
    node.set("exclude", None)
    return frozenset(fold(one.this if isinstance(one, exp.Column) else one) for one in found)


def _add_star(
    star: exp.Expr, excluded: frozenset[str], projections: list[exp.Expr], outputs: list[Output], scope: Scope
) -> None:
    """`*` or `table.*`, spelled out where the engine's own star would give other columns, or in another order."""
    if star.__class__ is exp.Column:
        only(star.args["this"], _NOTHING, scope)
        source = scope.sources.get(fold(star.args["table"]))
        if source is None:
            name = fold(star.args["table"])
            raise errors.UndefinedTable(
                f'missing FROM-clause entry for table "{name}"', position=scope.context.position(star)
            )
        sources: list[Source] = [source]
        merged: dict[str, Type] = {}
        kept: exp.Expr = exp.Column(this=exp.Star(), table=identifier(source.name))
    else:
        only(star, _NOTHING, scope)
        sources, merged, kept = list(scope.sources.values()), scope.merged, star
        if not sources:
            raise errors.SyntaxError(
                "SELECT * with no tables specified is not valid", position=scope.context.position(star)
            )
    found: list[tuple[str | None, Output]] = [(None, Output(name, type_)) for name, type_ in merged.items()]
    found += [(source.name, one) for source in sources for one in source.outputs if one.label not in merged]
    found = [(table, one) for table, one in found if one.label not in excluded]
    outputs += [one for _, one in found]
    if excluded or merged or scope.context.expand_stars:
        projections += [column(one.label, table) for table, one in found]
    else:
        projections.append(kept)


_NOTHING: frozenset[str] = frozenset()


# GROUP BY, ORDER BY, LIMIT


def _visit_group(group: exp.Group, outputs: list[Output], scope: Scope) -> None:
    only(group, _GROUP, scope)
    if not any(group.args.values()):
        raise errors.SyntaxError("GROUP BY needs a list", position=scope.context.position(group, "GROUP BY"))
    _visit_items(group, outputs, scope, "GROUP BY")
    for kind in ("rollup", "cube", "grouping_sets"):
        for part in group.args.get(kind) or ():
            if part.__class__ in (exp.Rollup, exp.Cube, exp.GroupingSets):
                _visit_sets(part, outputs, scope)
            else:
                refuse(part, scope)


_GROUP = frozenset({"expressions", "rollup", "cube", "grouping_sets"})


def _visit_sets(part: exp.Expr, outputs: list[Output], scope: Scope) -> None:
    for item in part.args.get("expressions") or ():
        if item.__class__ in (exp.Rollup, exp.Cube, exp.GroupingSets):
            _visit_sets(item, outputs, scope)
        elif item.__class__ is exp.Tuple:
            _visit_items(item, outputs, scope, "GROUP BY")
    _visit_items(part, outputs, scope, "GROUP BY")


def _visit_items(node: exp.Expr, outputs: list[Output], scope: Scope, clause: str) -> None:
    """Visit what a query is grouped by: output columns by place or name, or expressions."""
    items = node.args.get("expressions") or []
    for place, item in enumerate(items):
        if item.__class__ in (exp.Rollup, exp.Cube, exp.GroupingSets, exp.Tuple):
            continue
        if _is_place(item, outputs, scope, clause) or _only_names_output(item, outputs, scope):
            continue
        items[place] = visit(item, scope)[0]
    node.set("expressions", items)


def _is_place(item: exp.Expr, outputs: list[Output], scope: Scope, clause: str) -> bool:
    place = whole_number(item)
    if place is None:
        if item.__class__ is exp.Literal:
            raise errors.SyntaxError(f"non-integer constant in {clause}", position=scope.context.position(item))
        return False
    if not 1 <= place <= len(outputs):
        raise errors.SyntaxError(
            f"{clause} position {place} is not in select list", position=scope.context.position(item)
        )
    return True


def _only_names_output(item: exp.Expr, outputs: list[Output], scope: Scope) -> bool:
    """Whether an item can only mean an output column that got its name from its expression."""
    if item.__class__ is not exp.Column or len(item.args) != 1:
        return False
    name = fold_in_place(item.args["this"])
    if name in scope.aliases or name in scope.merged or scope.find(name, item) is not None:
        return False
    return any(output.label == name for output in outputs)


def visit_tail(node: exp.Expr, outputs: list[Output], scope: Scope) -> None:
    """ORDER BY, LIMIT and OFFSET."""
    order = node.args.get("order")
    if order is not None:
        labels = {output.label for output in outputs}
        for item in order.args["expressions"]:
            only(item, _ORDERED, scope)
            key = item.args["this"]
            if _is_place(key, outputs, scope, "ORDER BY"):
                continue
            if key.__class__ is exp.Column and len(key.args) == 1 and fold_in_place(key.args["this"]) in labels:
                continue
            visit_argument(item, "this", scope)
    limit = node.args.get("limit")
    if limit is not None:
        if limit.__class__ is not exp.Limit:
            refuse(limit, scope, "FETCH FIRST")
        only(limit, _LIMIT, scope)
        if limit.args["expression"].__class__ is exp.Var:  # LIMIT ALL
            node.set("limit", None)
        else:
            _visit_count(limit, scope)
            if node.args.get("offset") is None:
                # The engine drops a limit behind LEFT JOIN with a side that its statistics prove empty, unless
                # there is an offset: DuckDB 2.0 takes the join for empty, too.
                node.set("offset", exp.Offset(expression=exp.Literal.number(0)))
    if node.args.get("offset") is not None:
        only(node.args["offset"], _LIMIT, scope)
        _visit_count(node.args["offset"], scope)


def _visit_count(clause: exp.Expr, scope: Scope) -> None:
    """How many rows LIMIT or OFFSET says."""
    if visit_argument(clause, "expression", scope) is None:
        expect(clause.args["expression"], INT8, scope)


_ORDERED = frozenset({"this", "desc", "nulls_first"})
_LIMIT = frozenset({"expression"})


# Set operations and parentheses


@visits_query(exp.Union, exp.Except, exp.Intersect)
def visit_set_operation(node: exp.SetOperation, outer: Scope) -> QueryVisit:
    scope = Scope(outer.context, outer)
    if node.args.get("with_") is not None:
        visit_with(node, scope)
    # UNION ALL of thousands of queries leans to the left: a loop, not recursion.
    chain = [node]
    while chain[-1].args["this"].__class__ in _SET_OPERATIONS:
        chain.append(chain[-1].args["this"])
    if len(chain) > _MOST_QUERIES:
        raise errors.StatementTooComplex(
            f"more than {_MOST_QUERIES} queries in one set operation", position=scope.context.base
        )
    outputs: list[Output] = []
    first_call = len(scope.context.calls)
    for link in reversed(chain):
        if not outputs:
            outputs = _visit_side(link, "this", scope)
        outputs = _visit_second(link, outputs, scope)
    _note_calls(node, scope, first_call)
    return node, tuple(outputs)


_MOST_QUERIES = 5_000  # the engine's time grows with their square
_SET_OPERATIONS = (exp.Union, exp.Except, exp.Intersect)
_SET = frozenset({"this", "expression", "distinct", "with_", "order", "limit", "offset"})


def _visit_side(node: exp.Expr, side: str, scope: Scope) -> list[Output]:
    query, outputs = visit_query(node.args[side], scope)
    node.set(side, query)
    return list(outputs)


def _visit_second(node: exp.SetOperation, first: list[Output], scope: Scope) -> list[Output]:
    only(node, _SET, scope)
    second = _visit_side(node, "expression", scope)
    if len(first) != len(second):
        raise errors.SyntaxError(
            f"each {node.key.upper()} query must have the same number of columns",
            position=scope.context.position(node.args["expression"]),
        )
    outputs = [_one_output(node, place, a, b, scope) for place, (a, b) in enumerate(zip(first, second, strict=True))]
    if node.args.get("order") is not None or node.args.get("limit") is not None or node.args.get("offset") is not None:
        visit_tail(node, outputs, _outputs_as_scope(outputs, scope))
    return outputs


def _one_output(node: exp.SetOperation, place: int, first: Output, second: Output, scope: Scope) -> Output:
    """A column of a set operation. A literal in the select list of a side is read as what the other side has there."""
    projections = [projection_of(node.args[side], place) for side in ("this", "expression")]
    values, type_ = match(node.key.upper(), [value for _, value in projections], (first.type, second.type), scope)
    for (holder, old), new in zip(projections, values, strict=True):
        if new is not old:
            holder.set("this", new)
    return Output(first.label, type_)


def projection_of(side: exp.Expr, place: int) -> tuple[exp.Expr, exp.Expr]:
    """What gives a column of a set operation's side its value, and the node it stands in."""
    while side.__class__ is exp.Subquery:
        side = side.args["this"]
    if side.__class__ is exp.Select:
        projections = side.args["expressions"]
        if place < len(projections) and projections[place].__class__ is exp.Alias:
            return projections[place], projections[place].args["this"]
    return side, side


def _outputs_as_scope(outputs: list[Output], scope: Scope) -> Scope:
    """What the ORDER BY of a whole set operation may name: its columns."""
    inner = Scope(scope.context, scope)
    inner.aliases = {output.label: output.type for output in outputs}
    return inner


@visits_query(exp.Subquery)
def visit_query_in_parentheses(node: exp.Subquery, scope: Scope) -> QueryVisit:
    only(node, _PARENTHESES, scope)
    if node.args.get("with_") is not None:
        scope = Scope(scope.context, scope)
        visit_with(node, scope)
    first_call = len(scope.context.calls)
    outputs = _visit_side(node, "this", scope)
    visit_tail(node, outputs, _outputs_as_scope(outputs, scope))
    _note_calls(node, scope, first_call)
    return node, tuple(outputs)


_PARENTHESES = frozenset({"this", "with_", "order", "limit", "offset"})


@visits_query(exp.Values)
def visit_values(node: exp.Values, scope: Scope) -> QueryVisit:
    """VALUES ( expression [, ...] ) [, ...] as a query."""
    only(node, frozenset({"expressions"}), scope)
    rows = node.args["expressions"]
    width = len(rows[0].args["expressions"])
    if any(len(row.args["expressions"]) != width for row in rows):
        raise errors.SyntaxError("VALUES lists must all be the same length", position=scope.context.position(node))
    types = [visit_list(row, "expressions", scope) for row in rows]
    outputs = []
    for place in range(width):
        values = [row.args["expressions"][place] for row in rows]
        matched, type_ = match("VALUES", values, [row[place] for row in types], scope)
        for row, value in zip(rows, matched, strict=True):
            row.args["expressions"][place] = value
        outputs.append(Output(f"column{place + 1}", type_))
    names = exp.TableAlias(this=identifier("v"), columns=[identifier(one.label) for one in outputs])
    query = exp.Select(expressions=[exp.Star()], from_=exp.From(this=exp.Values(expressions=rows, alias=names)))
    return query, tuple(outputs)


# WITH


def visit_with(node: exp.Expr, scope: Scope) -> None:
    """Visit common tables in order and make their names known to this scope."""
    clause = node.args["with_"]
    only(clause, _WITH, scope)
    for table in clause.args["expressions"]:
        only(table, _CTE, scope)
        alias = table.args["alias"]
        name = fold_in_place(alias.args["this"])
        if name in scope.ctes:
            raise errors.DuplicateAlias(
                f'WITH query name "{name}" specified more than once', position=scope.context.position(alias)
            )
        query = table.args["this"]
        if clause.args.get("recursive") and query.__class__ is exp.Union:
            first = _visit_side(query, "this", scope)
            scope.ctes[name] = renamed(tuple(first), alias, scope)
            _visit_second(query, first, scope)
        else:
            new, outputs = visit_query(query, scope)
            table.set("this", new)
            scope.ctes[name] = renamed(outputs, alias, scope)


_WITH = frozenset({"expressions", "recursive"})
_CTE = frozenset({"this", "alias"})
