"""DEFAULT expressions of columns in the engine's SQL."""

from __future__ import annotations

from sqlglot import exp

from restframe import errors
from restframe.sql.lexer import QualifiedName
from restframe.sql.names import ForecastReference, FunctionReference, TableReference
from restframe.sql.rewrite.scope import Context, Scope
from restframe.sql.rewrite.visit import visit
from restframe.sql.translate import render
from restframe.sql.tree import parse_tree


def translate_default(text: str, position: int = 1) -> str:
    """What a DEFAULT clause says, as an expression of the engine's: constants, operators and functions.

    position : of the text's first character; errors count from there

    SyntaxError, UndefinedFunction; UndefinedColumn and NotSupportedError for a default that reads columns or tables.
    """
    start = "SELECT "
    base = position - len(start)
    tree = parse_tree(start + text, base)
    clauses = {key for key, value in tree.args.items() if value}
    expression = next(iter(tree.expressions), tree)
    if clauses != {"expressions"} or len(tree.expressions) != 1 or isinstance(expression, exp.Alias | exp.Star):
        raise errors.SyntaxError("a default must be a single expression", position=position)
    if expression.find(exp.Query):
        raise errors.NotSupportedError("cannot use subquery in DEFAULT expression", position=position)
    if expression.find(exp.Parameter, exp.Placeholder):
        raise errors.UndefinedParameter("cannot use a parameter in DEFAULT expression", position=position)
    scope = Scope(Context(_NoNames(), start + text, base, {}))
    translated, _ = visit(expression, scope)
    return render(translated)


class _NoNames:
    """A default sees no tables and no models."""

    def relation(self, name: QualifiedName) -> TableReference:
        raise errors.UndefinedTable(f'relation "{name}" does not exist', position=name.position)

    def function(self, name: QualifiedName, argument_count: int) -> FunctionReference | None:
        return None

    def forecast(self, name: QualifiedName) -> ForecastReference:
        raise errors.UndefinedObject(f'model "{name}" does not exist', position=name.position)
