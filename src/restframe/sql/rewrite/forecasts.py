"""SELECT FORECAST(model): rows that a model has in store, where a function seems to be called.

https://docs.aws.amazon.com/redshift/latest/dg/r_create_model_use_cases.html
"""

from __future__ import annotations

from typing import NoReturn

from sqlglot import exp

from restframe import errors
from restframe.sql.lexer import QualifiedName
from restframe.sql.nodes import column, fold, identifier
from restframe.sql.rewrite.scope import ModelCall, Output, Scope
from restframe.sql.rewrite.visit import QueryVisit

NAME = "forecast"


def is_forecast(node: exp.Select) -> bool:
    """Whether FORECAST(name) is all that is selected, from nothing; so no column can be meant by the name."""
    listed = node.args["expressions"]
    if len(listed) != 1 or listed[0].__class__ is not exp.Anonymous or str(listed[0].args["this"]).lower() != NAME:
        return False
    given = listed[0].args["expressions"]
    alone = all(key == "expressions" or not value for key, value in node.args.items())
    return alone and len(given) == 1 and given[0].__class__ is exp.Column


def visit_forecast(node: exp.Select, scope: Scope) -> QueryVisit:
    """The query that reads the model's rows, in the order in which they were stored."""
    named = node.args["expressions"][0].args["expressions"][0]
    parts = [named.args.get(key) for key in ("this", "table", "db")]
    name, schema, database = (None if part is None else fold(part) for part in parts)
    assert name is not None
    found = scope.context.names.forecast(QualifiedName(schema, name, scope.context.position(named), database))
    scope.context.calls.append(ModelCall(found.function, None, (), every_row=False))
    table = exp.Table(this=identifier(found.table.engine_name), db=identifier(found.table.engine_schema))
    query = exp.Select(expressions=[column(label) for label in found.table.columns], from_=exp.From(this=table))
    return query, tuple(Output(label, type_) for label, type_ in found.table.columns.items())


def refuse_forecast(node: exp.Expr, scope: Scope) -> NoReturn:
    """FORECAST(...) in any other place."""
    raise errors.NotSupportedError(
        "FORECAST(model) must be all that a query selects, without FROM or any other clause",
        position=scope.context.position(node),
        hint="Write SELECT FORECAST(model), or SELECT ... FROM (SELECT FORECAST(model)) AS f WHERE ...",
    )
