"""Column references, and the paths into SUPER values that begin with one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from restframe import errors
from restframe.sql.nodes import call, column, fold, is_string, macro, number, string, whole_number
from restframe.sql.rewrite import arrays
from restframe.sql.rewrite.rules import OID
from restframe.sql.rewrite.scope import Scope, Type
from restframe.sql.rewrite.visit import Typed, refuse, visit, visits
from restframe.types import SqlType

SUPER = SqlType("super")


@visits(exp.Column)
def visit_column(node: exp.Column, scope: Scope) -> Typed:
    args = node.args
    if len(args) == 1:
        name = fold_in_place(args["this"])
        return node, _unqualified(node, name, scope)
    if args.get("join_mark"):
        refuse(node, scope, "the outer join operator (+)")
    if args.get("table") is None:
        return node, _unqualified(node, fold_in_place(args["this"]), scope)
    parts = [args[key] for key in ("catalog", "db", "table", "this") if args.get(key) is not None]
    if parts[-1].__class__ is exp.Star:
        refuse(node, scope, "* outside a select list")
    if len(parts) == 2:
        table, name = fold(parts[0]), fold(parts[1])
        source = scope.source(table)
        if source is not None and name in source.columns:
            if name in source.doubled:
                raise errors.AmbiguousColumn(
                    f'column reference "{name}" is ambiguous', position=scope.context.position(node)
                )
            parts[0].args["this"], parts[1].args["this"] = table, name
            return node, source.columns[name]
        if name == "tableoid" and source is not None and source.table is not None:
            return number(source.table.oid), OID
    return _path(node, parts, [], scope)


def fold_in_place(identifier: exp.Identifier) -> str:
    """The folded name, which is also written into the tree."""
    name = fold(identifier)
    identifier.args["this"] = name
    return name


def _unqualified(node: exp.Column, name: str, scope: Scope) -> Type:
    """The type of a column named without its table, looked for as Redshift does.

    The sources of this SELECT come before the aliases of its select list, and both before what encloses it.
    """
    for around in scope.enclosing():
        if name in around.merged:
            return around.merged[name]
        source = around.find(name, node)
        if source is not None:
            return source.columns[name]
        if name in around.aliases:
            around.expand(name, node)
            return around.aliases[name]
    raise undefined_column(node, name, scope)


def undefined_column(node: exp.Expr, name: str, scope: Scope) -> errors.Error:
    return errors.UndefinedColumn(f'column "{name}" does not exist', position=scope.context.position(node))


# Paths


@dataclass(frozen=True, slots=True)
class Step:
    """One step into a SUPER value: an attribute, or an element at a place from 0. Into an array, a slice as well."""

    attribute: str | None = None
    place: int | None = None
    computed: exp.Expr | None = None
    part: exp.Slice | None = None


@visits(exp.Bracket)
def visit_path(node: exp.Expr, scope: Scope) -> Typed:
    """`a.b[0].c`"""
    steps: list[Step] = []
    while _is_step(node):
        steps.append(_step(node, scope))
        node = node.args["this"]
    steps.reverse()
    if node.__class__ is exp.Column:
        parts = [node.args[key] for key in ("catalog", "db", "table", "this") if node.args.get(key) is not None]
        return _path(node, parts, steps, scope)
    base, type_ = visit(node, scope)
    return _follow(base, type_, steps, node, scope)


def _is_step(node: exp.Expr) -> bool:
    if node.__class__ is exp.Dot:
        return node.args["expression"].__class__ is not exp.Anonymous
    return node.__class__ is exp.Bracket


def _step(node: exp.Expr, scope: Scope) -> Step:
    if node.__class__ is exp.Dot:
        name = node.args["expression"]
        if name.__class__ is not exp.Identifier:
            refuse(name, scope)
        return Step(attribute=fold(name))
    if len(node.args["expressions"]) != 1:
        refuse(node, scope)
    index = node.args["expressions"][0]
    place = whole_number(index)
    if place is not None:
        return Step(place=place)
    if is_string(index):
        return Step(attribute=str(index.args["this"]))
    if index.__class__ is exp.Slice:
        return Step(part=index)
    return Step(computed=visit(index, scope)[0])


def _path(node: exp.Expr, parts: list[exp.Identifier], steps: list[Step], scope: Scope) -> Typed:
    """`[[database.]schema.][table.]column` with attributes after it, told apart by what exists."""
    names = [fold(part) for part in parts]
    for start in range(len(names) - 1):
        source = scope.source(names[start])
        matches = source is not None and (start == 0 or source.schema == names[start - 1])
        if source is not None and matches and names[start + 1] in source.columns:
            base = column(names[start + 1], names[start])
            attributes = [Step(attribute=name) for name in names[start + 2 :]]
            return _follow(base, source.columns[names[start + 1]], attributes + steps, node, scope)
    first = exp.Column(this=parts[0])
    if len(names) == 1 or any(_has(around, names[0], first) for around in scope.enclosing()):
        type_ = _unqualified(first, fold_in_place(parts[0]), scope)
        return _follow(first, type_, [Step(attribute=name) for name in names[1:]] + steps, node, scope)
    position = scope.context.position(node)
    if scope.source(names[-2]) is not None:
        raise errors.UndefinedColumn(f"column {names[-2]}.{names[-1]} does not exist", position=position)
    raise errors.UndefinedTable(f'missing FROM-clause entry for table "{names[-2]}"', position=position)


def _has(scope: Scope, name: str, node: exp.Expr) -> bool:
    return name in scope.merged or scope.find(name, node) is not None or name in scope.aliases


def _follow(base: exp.Expr, type_: Type, steps: list[Step], node: exp.Expr, scope: Scope) -> Typed:
    """The value at the end of a path: NULL where the path leads nowhere."""
    while steps and type_ is not None and type_.element is not None:
        base, type_ = _step_into(base, type_, steps[0], node, scope)
        steps = steps[1:]
    if not steps:
        return base, type_
    if any(step.part is not None for step in steps):
        refuse(node, scope, "a slice of an array")
    if type_ is None or type_.name != "super":
        shown = "unknown" if type_ is None else str(type_)
        raise errors.DatatypeMismatch(
            f"cannot navigate into a value of type {shown}",
            position=scope.context.position(node),
            hint="Only SUPER values have attributes and elements; json_parse() makes one out of text.",
        )
    constant = ""
    for step in steps:
        piece = _constant(step)
        if piece is not None:
            constant += piece
            continue
        if constant:
            base, constant = call("json_extract", base, string("$" + constant)), ""
        if step.attribute is not None:
            base = call("json_extract", base, string("/" + step.attribute))
        else:
            base = macro("element", base, step.computed or number(step.place or 0))
    if constant:
        base = call("json_extract", base, string("$" + constant))
    return base, SUPER


def _step_into(base: exp.Expr, type_: SqlType, step: Step, node: exp.Expr, scope: Scope) -> Typed:
    """One step into an array or a row."""
    if type_.name == "record" and step.attribute is not None:
        return arrays.field_of(base, type_, step.attribute, node, scope)
    if type_.name == "record" or step.attribute is not None:
        raise errors.DatatypeMismatch(
            f"cannot navigate into a value of type {type_}", position=scope.context.position(node)
        )
    if step.part is not None:
        return arrays.slice_of(base, type_, step.part, scope)
    return arrays.element_of(base, type_, step.computed or number(step.place or 0))


def _constant(step: Step) -> str | None:
    """A step as a piece of a JSON path; None when it has to be a step by itself."""
    if step.place is not None:
        return f"[{step.place}]" if 0 <= step.place < 2**31 else None
    # A path takes * for a wildcard even in quotes; in a JSON pointer it is a name like any other.
    return None if step.attribute is None or step.attribute == "*" else f".{quote_key(step.attribute)}"


def quote_key(key: str) -> str:
    """An attribute's name within a JSON path of the engine."""
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'
