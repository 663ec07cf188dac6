"""INSERT, UPDATE, DELETE and MERGE: their queries like any other, and values made to fit the columns they go to."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from restframe import errors
from restframe.sql.lexer import QualifiedName
from restframe.sql.names import TableReference
from restframe.sql.nodes import as_type, call, fold, identifier, is_string, macro, number, rename, string
from restframe.sql.rewrite.casts import convert
from restframe.sql.rewrite.columns import fold_in_place
from restframe.sql.rewrite.from_clause import visit_joins, visit_source
from restframe.sql.rewrite.matching import visit_condition
from restframe.sql.rewrite.parameters import expect
from restframe.sql.rewrite.scope import Scope, Source, Type
from restframe.sql.rewrite.select import projection_of, visit_with
from restframe.sql.rewrite.visit import only, refuse, visit, visit_list, visit_query
from restframe.types import SqlType

ROWS = "_restframe_values"  # what the rows of a bulk INSERT are registered as in the engine


def store(node: exp.Expr, type_: Type, target: SqlType, scope: Scope) -> exp.Expr:
    """A value as it goes into a column: converted, and refused when it does not fit."""
    if node.__class__ is exp.Null or _is_default(node):
        return node
    if is_string(node) and target.is_text:
        return _literal(node, target, scope)
    if target.name == "super" and type_ is not None and type_.is_text:
        return call("to_json", node)
    node = convert(node, type_, target, scope)
    if not target.is_text and target.name != "varbyte":
        return node
    if target.length is None or (type_ is not None and _fits(type_, target)):
        return node
    kind = {"varchar": "store_text", "bpchar": "store_char", "varbyte": "store_bytes"}[target.name]
    return macro(kind, node, number(target.length))


def _fits(type_: SqlType, target: SqlType) -> bool:
    """Whether any value of one type fits into another as it is."""
    if type_.name != target.name or not (target.name == "varchar" or type_ == target):
        return False
    return type_.length is not None and type_.length <= (target.length or 0)


def _literal(node: exp.Expr, target: SqlType, scope: Scope) -> exp.Expr:
    """A quoted literal is measured here, so that the error can name its place."""
    text = str(node.args["this"])
    if target.name == "bpchar":
        text = text.rstrip(" ")
    if target.length is not None and len(text.encode()) > target.length:
        shown = text.rstrip(" ").encode()
        if len(shown) > target.length:
            raise errors.StringDataRightTruncation(
                f"value too long for type {target}", position=scope.context.position(node)
            )
        text = text.encode()[: target.length].decode(errors="ignore")
    return string(text)


def _is_default(node: exp.Expr) -> bool:
    """The keyword DEFAULT in place of a value."""
    if node.__class__ is exp.Column and len(node.args) == 1:
        name = node.args["this"]
        return not name.args.get("quoted") and str(name.args["this"]).upper() == "DEFAULT"
    return node.__class__ is exp.Var and node.name.upper() == "DEFAULT"


# The table that is changed


def _target(node: exp.Expr, scope: Scope) -> tuple[exp.Table, TableReference]:
    """The table, written into the tree as the engine knows it."""
    if node.__class__ is not exp.Table or node.args["this"].__class__ is not exp.Identifier:
        refuse(node, scope, "this target")
    only(node, frozenset({"this", "db", "catalog", "alias"}), scope)
    schema = fold(node.args["db"]) if node.args.get("db") is not None else None
    database = fold(node.args["catalog"]) if node.args.get("catalog") is not None else None
    first = node.args.get("catalog") or node.args.get("db") or node.args["this"]
    name = QualifiedName(schema, fold(node.args["this"]), scope.context.position(first), database)
    table = scope.context.names.relation(name)
    rename(node.args["this"], table.engine_name)
    node.set("db", identifier(table.engine_schema))
    node.set("catalog", None)
    alias = node.args.get("alias")
    known_as = fold_in_place(alias.args["this"]) if alias is not None else name.name
    if alias is None and table.engine_name != name.name:
        node.set("alias", exp.TableAlias(this=identifier(name.name)))
    scope.add(Source(known_as, scope.context.columns(table), table, schema), node)
    return node, table


def _column_type(name: exp.Identifier, columns: Mapping[str, SqlType], shown: str, scope: Scope) -> SqlType:
    folded = fold_in_place(name)
    type_ = columns.get(folded)
    if type_ is None:
        raise errors.UndefinedColumn(
            f'column "{folded}" of relation "{shown}" does not exist', position=scope.context.position(name)
        )
    return type_


# INSERT

_INSERT = frozenset({"this", "expression", "default", "with_"})


def visit_insert(node: exp.Expr, scope: Scope, rows: tuple[bool, ...] | None = None) -> TableReference:
    """INSERT INTO table [ ( columns ) ] query, VALUES or DEFAULT VALUES; the table.

    rows : for a bulk INSERT, for each column of its rows, whether numbers or booleans are written in it
    """
    only(node, _INSERT, scope)
    named = node.args["this"]
    into = named.args["this"] if named.__class__ is exp.Schema else named
    _, table = _target(into, Scope(scope.context))
    scope.context.changes.append(("INSERT", None))
    listed = named.args["expressions"] if named.__class__ is exp.Schema else None
    names, types = _columns_of_insert(listed, table, scope)
    for place, name in enumerate(names):
        if name in table.generated and listed and not _is_default_everywhere(node.args.get("expression"), place):
            raise _generated(listed[place], scope)
    width = None if rows is None else len(rows)
    if rows is not None:
        node.set("default", None)
        node.set("expression", _bulk_query(types[:width], rows, scope))
    elif node.args.get("default"):
        return table
    elif isinstance(node.args["expression"], exp.Values):
        width = _visit_values(node.args["expression"], types, scope)
    else:
        width = _visit_insert_query(node, types, scope)
    if width is not None and width > len(types):
        raise errors.SyntaxError(
            "INSERT has more expressions than target columns", position=scope.context.position(node.args["expression"])
        )
    if width is not None and width < len(types) and listed:
        raise errors.SyntaxError(
            "INSERT has more target columns than expressions",
            position=scope.context.position(listed[min(width, len(listed) - 1)]),
        )
    columns = [identifier(name) for name in names[:width]]
    node.set("this", exp.Schema(this=into, expressions=columns))
    return table


def _is_default_everywhere(values: exp.Expr | None, place: int) -> bool:
    if not isinstance(values, exp.Values):
        return False
    rows = [row.args["expressions"] if row.__class__ is exp.Tuple else [row] for row in values.args["expressions"]]
    return all(place < len(row) and _is_default(row[place]) for row in rows)


def _generated(node: exp.Expr, scope: Scope) -> errors.NotSupportedError:
    return errors.NotSupportedError(
        "cannot set an identity column to a value",
        position=scope.context.position(node),
        hint="Create it as GENERATED BY DEFAULT AS IDENTITY, or COPY with EXPLICIT_IDS.",
    )


def _columns_of_insert(
    listed: list[exp.Expr] | None, table: TableReference, scope: Scope
) -> tuple[list[str], list[SqlType]]:
    """The columns that get values; those of an identity are left out unless they are listed."""
    if not listed:
        found = [(name, type_) for name, type_ in table.columns.items() if name not in table.identities]
        return [name for name, _ in found], [type_ for _, type_ in found]
    names: list[str] = []
    types: list[SqlType] = []
    for item in listed:
        if not isinstance(item, exp.Identifier):
            refuse(item, scope)
        types.append(_column_type(item, table.columns, table.engine_name, scope))
        if fold(item) in names:
            raise errors.DuplicateColumn(
                f'column "{fold(item)}" specified more than once', position=scope.context.position(item)
            )
        names.append(fold(item))
    return names, types


def _visit_values(values: exp.Values, types: list[SqlType], scope: Scope) -> int:
    only(values, frozenset({"expressions"}), scope)
    width = None
    for row in values.args["expressions"]:
        items = row.args["expressions"] if row.__class__ is exp.Tuple else [row]
        if width is not None and len(items) != width:
            raise errors.SyntaxError("VALUES lists must all be the same length", position=scope.context.position(row))
        width = len(items)
        if width > len(types):
            raise errors.SyntaxError(
                "INSERT has more expressions than target columns", position=scope.context.position(items[len(types)])
            )
        stored = []
        for item, target in zip(items, types, strict=False):
            new, type_ = (item, None) if _is_default(item) else visit(item, scope)
            stored.append(exp.Var(this="DEFAULT") if _is_default(new) else store(new, type_, target, scope))
        if row.__class__ is exp.Tuple:
            row.set("expressions", stored)
        else:
            row.replace(exp.Tuple(expressions=stored))
    return width or 0


def _visit_insert_query(node: exp.Expr, types: list[SqlType], scope: Scope) -> int:
    if node.args.get("with_") is not None:
        visit_with(node, scope)
    query, outputs = visit_query(node.args["expression"], scope)
    if len(outputs) > len(types):
        raise errors.SyntaxError(
            "INSERT has more expressions than target columns", position=scope.context.position(query)
        )
    for place, (output, target) in enumerate(zip(outputs, types, strict=False)):
        if output.type is None:
            expect(projection_of(query, place)[1], target, scope)
    names = [f"c{place}" for place in range(len(outputs))]
    columns: list[exp.Expr] = [exp.Column(this=identifier(name)) for name in names]
    stored = [
        store(column, output.type, target, scope)
        for column, output, target in zip(columns, outputs, types, strict=False)
    ]
    if any(new is not old for new, old in zip(stored, columns, strict=True)):
        alias = exp.TableAlias(this=identifier("q"), columns=[identifier(name) for name in names])
        inner = query.this if isinstance(query, exp.Subquery) and not query.args.get("alias") else query
        source = exp.Subquery(this=inner, alias=alias)
        query = exp.Select(expressions=stored, from_=exp.From(this=source))
    node.set("expression", query)
    return len(outputs)


def _bulk_query(types: list[SqlType], unquoted: tuple[bool, ...], scope: Scope) -> exp.Select:
    """The registered rows, whose columns are all text."""
    stored: list[exp.Expr] = []
    for place, target in enumerate(types):
        value = exp.Column(this=identifier(f"c{place}"))
        text = SqlType("varchar")
        if target.is_integer and unquoted[place]:  # 1.6 and true may be meant, where '1.6' and 'true' may not
            stored.append(as_type(macro("number_or_boolean", value), target))
        else:
            stored.append(store(value, text, target, scope))
    return exp.Select(expressions=stored, from_=exp.From(this=exp.Table(this=identifier(ROWS))))


# UPDATE, DELETE, MERGE


def visit_update(node: exp.Expr, scope: Scope) -> TableReference:
    only(node, frozenset({"this", "expressions", "from_", "where", "with_"}), scope)
    if node.args.get("with_") is not None:
        visit_with(node, scope)
    _, table = _target(node.args["this"], scope)
    if node.args.get("from_") is not None:
        clause = node.args["from_"]
        clause.set("this", visit_source(clause.args["this"], scope))
        visit_joins(clause.args["this"], scope)
    if not node.args.get("expressions"):
        raise errors.SyntaxError("UPDATE needs SET", position=scope.context.position(node))
    _visit_assignments(node.args["expressions"], table, scope)
    if node.args.get("where") is not None:
        visit_condition(node.args["where"], "this", scope, "WHERE")
    return table


def _visit_assignments(assignments: list[exp.Expr], table: TableReference, scope: Scope) -> None:
    """SET column = value [, ...]"""
    seen: set[str] = set()
    for assignment in assignments:
        target = assignment.args.get("this")
        if assignment.__class__ is not exp.EQ or target.__class__ is not exp.Column:
            refuse(assignment, scope, "this assignment")
        name = target.args["this"]
        type_ = _column_type(name, table.columns, table.engine_name, scope)
        if fold(name) in table.generated:
            raise _generated(name, scope)
        if fold(name) in seen:
            raise errors.SyntaxError(
                f'multiple assignments to same column "{fold(name)}"', position=scope.context.position(name)
            )
        seen.add(fold(name))
        assignment.set("this", exp.Column(this=identifier(fold(name))))
        value = assignment.args["expression"]
        if _is_default(value):
            assignment.set("expression", exp.Var(this="DEFAULT"))
            continue
        new, given = visit(value, scope)
        assignment.set("expression", store(new, given, type_, scope))
    scope.context.changes.append(("UPDATE", frozenset(seen)))


def visit_delete(node: exp.Expr, scope: Scope) -> TableReference:
    if node.args.get("tables") and not node.args.get("this"):  # DELETE without FROM
        node.set("this", node.args["tables"].pop())
    only(node, frozenset({"this", "using", "where", "with_"}), scope)
    if node.args.get("with_") is not None:
        visit_with(node, scope)
    _, table = _target(node.args["this"], scope)
    scope.context.changes.append(("DELETE", None))
    using = node.args.get("using")
    if using:
        node.set("using", [visit_source(source, scope) for source in using])
    if node.args.get("where") is not None:
        visit_condition(node.args["where"], "this", scope, "WHERE")
    return table


def visit_merge(node: exp.Expr, scope: Scope) -> TableReference:
    only(node, frozenset({"this", "using", "on", "whens"}), scope)
    _, table = _target(node.args["this"], scope)
    if node.args["using"].__class__ is not exp.Table:
        refuse(node.args["using"], scope, "MERGE from other than a table")
    node.set("using", visit_source(node.args["using"], scope))
    visit_condition(node, "on", scope, "JOIN/ON")
    branches = node.args["whens"].args["expressions"]
    if [bool(branch.args.get("matched")) for branch in branches] != [True, False]:
        raise errors.SyntaxError(
            "MERGE needs WHEN MATCHED, then WHEN NOT MATCHED", position=scope.context.position(branches[0])
        )
    for branch in branches:
        only(branch, frozenset({"matched", "then"}), scope)
        then = branch.args["then"]
        if branch is branches[1] and then.__class__ is exp.Insert:
            _visit_merge_insert(then, table, scope)
        elif branch is branches[0] and then.__class__ is exp.Update:
            _visit_assignments(then.args["expressions"], table, scope)
        elif branch is branches[1] or str(then.name).upper() != "DELETE":
            refuse(branch, scope, "this action of MERGE")
        else:
            scope.context.changes.append(("DELETE", None))
    return table


def _visit_merge_insert(then: exp.Insert, table: TableReference, scope: Scope) -> None:
    only(then, frozenset({"this", "expression"}), scope)
    scope.context.changes.append(("INSERT", None))
    listed = then.args.get("this")
    if listed is not None and not listed.args.get("expressions"):
        raise errors.SyntaxError("INSERT needs columns between the parentheses", position=scope.context.position(then))
    if listed is not None and listed.args["expressions"][0].__class__ is exp.Anonymous:
        # INSERT VALUES (...): to sqlglot's Redshift, VALUES is a name like any other
        then.set("expression", exp.Tuple(expressions=listed.args["expressions"][0].args["expressions"]))
        then.set("this", None)
        listed = None
    if listed is not None:
        items = [item.this if isinstance(item, exp.Column) else item for item in listed.args["expressions"]]
        types = [_column_type(item, table.columns, table.engine_name, scope) for item in items]
        for item in items:
            if fold(item) in table.generated:
                raise _generated(item, scope)
        listed.set("expressions", [identifier(fold(item)) for item in items])
    else:
        types = [type_ for name, type_ in table.columns.items() if name not in table.identities]
    row = then.args["expression"]
    given = visit_list(row, "expressions", scope)
    values = row.args["expressions"]
    if len(values) != len(types):
        raise errors.SyntaxError(
            "INSERT has other expressions than target columns", position=scope.context.position(row)
        )
    row.set(
        "expressions",
        [store(value, type_, target, scope) for value, type_, target in zip(values, given, types, strict=True)],
    )
