"""Functions in FROM, and LATERAL: `unnest(array) WITH ORDINALITY AS t (value, place)`, `generate_series(1, 9)`.

Any function may stand there; one that returns a single value makes one row of it.
https://www.postgresql.org/docs/15/queries-table-expressions.html#QUERIES-TABLEFUNCTIONS
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from restframe import errors
from restframe.sql.nodes import MACRO_SCHEMA, call, fold, identifier, is_string, number, operation
from restframe.sql.rewrite.columns import fold_in_place
from restframe.sql.rewrite.rules import BOOL, CHAR, INT4, INT8, NAME, OID, VARCHAR
from restframe.sql.rewrite.scope import Scope, Source, Type
from restframe.sql.rewrite.visit import only, refuse, visit, visit_list, visit_query
from restframe.sql.tree import MARK
from restframe.types import SqlType

# Functions whose rows a macro of the same name makes, and the columns.
ROW_MACROS: Mapping[str, Mapping[str, SqlType]] = {
    "pg_get_keywords": {"word": VARCHAR, "catcode": CHAR, "catdesc": VARCHAR},
    "aclexplode": {"grantor": OID, "grantee": OID, "privilege_type": VARCHAR, "is_grantable": BOOL},
    "pg_options_to_table": {"option_name": VARCHAR, "option_value": VARCHAR},
    "pg_timezone_names": {"name": NAME, "abbrev": VARCHAR, "is_dst": BOOL},
    "pg_get_late_binding_view_cols": {
        "view_schema": NAME, "view_name": NAME, "col_name": NAME, "col_type": VARCHAR, "col_num": INT4,
    },
}  # fmt: skip


def visit_lateral(node: exp.Lateral, scope: Scope) -> exp.Expr:
    """LATERAL ( query ) AS name, LATERAL function(...) AS name: what stands before it in FROM is known there."""
    only(node, frozenset({"this", "alias"}), scope)
    source, alias = node.args["this"], node.args.get("alias")
    if source.__class__ is not exp.Subquery:
        return visit_function(source, alias, scope)
    query, outputs = visit_query(source.args["this"], Scope(scope.context, scope))
    source.set("this", query)
    if alias is None:
        raise errors.SyntaxError("subquery in FROM must have an alias", position=scope.context.position(source))
    name = fold_in_place(alias.args["this"])
    named = alias.args.get("columns") or ()
    labels = [fold_in_place(one) for one in named] + [one.label for one in outputs[len(named) :]]
    columns = {label: one.type for label, one in zip(labels, outputs, strict=True)}
    scope.add(Source(name, columns), source)
    return node


def visit_function(node: exp.Expr, alias: exp.Expr | None, scope: Scope) -> exp.Expr:
    """A function in FROM, given as sqlglot has it: as a table, as Unnest, or by itself."""
    called, ordinality = _called(node, scope)
    name = str(called.name).lower().removesuffix(MARK)
    known_as = fold_in_place(alias.args["this"]) if alias is not None and alias.args.get("this") else name
    listed = list(alias.args.get("columns") or ()) if alias is not None else []
    if isinstance(ordinality, exp.Identifier):
        listed.append(ordinality)
    if name in ROW_MACROS:
        return _visit_macro(called, name, known_as, listed, scope)
    if any(one.__class__ is not exp.Identifier for one in listed):
        refuse(listed[0], scope, "a list of column definitions")
    names = [fold_in_place(one) for one in listed]
    if name == "_pg_expandarray":
        arguments = called.args["expressions"]
        called, ordinality, names = exp.Anonymous(this="unnest", expressions=arguments), True, names or ["x", "n"]
    given = called.args["expressions"] if name in ("unnest", "_pg_expandarray") else [None]
    outputs: list[tuple[exp.Expr, Type]] = []
    for argument in given:
        one = called if argument is None else exp.Anonymous(this="unnest", expressions=[argument])
        outputs.append(visit(_qualified(one, node), scope))
    if ordinality:
        outputs.append((_places(outputs[0][0], scope), INT8 if name == "unnest" else INT4))
    if len(names) > len(outputs):
        raise errors.SyntaxError(
            f'table "{known_as}" has {len(outputs)} columns available but {len(names)} columns specified',
            position=scope.context.position(called),
        )
    names += ["ordinality" if ordinality and place == len(outputs) - 1 else known_as
              for place in range(len(names), len(outputs))]  # fmt: skip
    named = list(zip(names, outputs, strict=True))
    series = _series(outputs)
    if series is not None:
        scope.add(Source(known_as, {names[0]: outputs[0][1]}), called)
        return exp.Table(this=series, alias=exp.TableAlias(this=identifier(known_as), columns=[identifier(names[0])]))
    projections = [exp.Alias(this=value, alias=identifier(label)) for label, (value, _) in named]
    scope.add(Source(known_as, {label: type_ for label, (_, type_) in named}), called)
    return exp.Subquery(this=exp.Select(expressions=projections), alias=exp.TableAlias(this=identifier(known_as)))


def _series(outputs: list[tuple[exp.Expr, Type]]) -> exp.Expr | None:
    """generate_series of constants and parameters, as rows: the engine would make it an array first, of any length and
    beyond the reach of an interrupt. None for other functions, and where it wants what stands before it in FROM."""
    made = outputs[0][0]
    if len(outputs) > 1 or made.__class__ is not exp.Anonymous or made.name != "unnest":
        return None
    series: exp.Expr = made.args["expressions"][0]
    if series.__class__ is not exp.Anonymous or series.name != "generate_series":
        return None
    arguments = series.args["expressions"]
    # a step of 0 is an error there, and makes no rows here
    constant = all(node.__class__ in _CONSTANT for one in arguments for node in one.walk())
    return series if constant and len(arguments) == 2 else None


_CONSTANT = frozenset({exp.Literal, exp.Neg, exp.Parameter, exp.Cast, exp.DataType, exp.DataTypeParam, exp.Paren})


def _called(node: exp.Expr, scope: Scope) -> tuple[exp.Expr, exp.Expr | bool]:
    """The call itself, and whether its rows are numbered: True, or the name of the column for that."""
    if node.__class__ is exp.Unnest:
        only(node, frozenset({"expressions", "alias", "offset"}), scope)
        return exp.Anonymous(this="unnest", expressions=node.args["expressions"]), node.args.get("offset") or False
    if node.__class__ is exp.Table:
        only(node, frozenset({"this", "db", "alias", "ordinality"}), scope)
        schema = node.args.get("db")
        if schema is not None and fold(schema) not in ("pg_catalog", "information_schema"):
            refuse(node, scope, "a function of another schema in FROM")
        return node.args["this"], bool(node.args.get("ordinality"))
    if node.__class__ is not exp.Anonymous:
        refuse(node, scope)
    return node, False


def _qualified(called: exp.Expr, node: exp.Expr) -> exp.Expr:
    schema = node.args.get("db") if node.__class__ is exp.Table else None
    return called if schema is None else exp.Dot(this=schema.copy(), expression=called)


def _places(unnested: exp.Expr, scope: Scope) -> exp.Expr:
    """The numbers, from 1, of the rows that an unnested array makes."""
    if unnested.__class__ is not exp.Anonymous or unnested.name != "unnest":
        refuse(unnested, scope, "WITH ORDINALITY here")
    length = call("len", unnested.args["expressions"][0].copy())
    return call("unnest", call("range", number(1), operation(exp.Add, length, number(1))))


def _visit_macro(called: exp.Expr, name: str, known_as: str, listed: list[exp.Expr], scope: Scope) -> exp.Expr:
    visit_list(called, "expressions", scope)
    columns = ROW_MACROS[name]
    if len(listed) > len(columns):
        raise errors.SyntaxError(
            f'table "{known_as}" has {len(columns)} columns available but {len(listed)} columns specified',
            position=scope.context.position(called),
        )
    # Redshift's functions want their columns defined, with the types they have anyway.
    names = [fold(one.args["this"] if one.__class__ is exp.ColumnDef else one) for one in listed]
    labels = names + list(columns)[len(names) :]
    scope.add(Source(known_as, dict(zip(labels, columns.values(), strict=True))), called)
    alias = exp.TableAlias(this=identifier(known_as), columns=[identifier(label) for label in labels])
    rows = exp.Anonymous(this=f"{name}_rows", expressions=called.args["expressions"])
    return exp.Table(this=rows, db=identifier(MACRO_SCHEMA), alias=alias)


def is_array(path: exp.Expr, scope: Scope) -> bool:
    """Whether what stands behind a comma or in unnest() is an array, and no SUPER value to be iterated over."""
    if path.__class__ in (exp.Array, exp.Cast, exp.Anonymous, exp.Parameter) or is_string(path):
        return True
    type_ = visit(path.copy(), scope)[1]
    return type_ is not None and type_.element is not None
