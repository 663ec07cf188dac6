"""SELECT, INSERT, UPDATE, DELETE and MERGE: statements whose body is a syntax tree."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from restframe import errors
from restframe.sql.lexer import DIALECT, QualifiedName
from restframe.sql.nodes import fold
from restframe.sql.split import split
from restframe.sql.statements import Statement
from restframe.sql.tree import Tree, parse_tree
from restframe.sql.values import RowsOfLiterals, read_rows_of_literals


@dataclass(frozen=True, slots=True)
class Query(Statement):
    """[ WITH common_table [, ...] ] SELECT ... [ { UNION | INTERSECT | EXCEPT | MINUS } ... ] [ ORDER BY ... ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_synopsis.html
    """

    tree: Tree

    @property
    def is_list(self) -> bool:
        """Whether it is a select list and nothing else."""
        return self.tree.clauses == {"expressions"}


@dataclass(frozen=True, slots=True)
class SelectInto(Statement):
    """SELECT ... INTO [ TEMPORARY | TEMP ] [ TABLE ] name FROM ...

    query : the same without INTO

    https://docs.aws.amazon.com/redshift/latest/dg/r_SELECT_INTO.html
    """

    name: QualifiedName
    query: Query
    temporary: bool = False


@dataclass(frozen=True, slots=True)
class Insert(Statement):
    """INSERT INTO table [ ( column [, ...] ) ] { DEFAULT VALUES | VALUES ( ... ) [, ...] | query }

    rows : the values of a long VALUES list of literals, which is not made into a tree; `tree` then has none

    https://docs.aws.amazon.com/redshift/latest/dg/r_INSERT_30.html
    """

    tree: Tree
    rows: RowsOfLiterals | None = None


@dataclass(frozen=True, slots=True)
class Update(Statement):
    """[ WITH ... ] UPDATE table SET column = value [, ...] [ FROM ... ] [ WHERE condition ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_UPDATE.html
    """

    tree: Tree


@dataclass(frozen=True, slots=True)
class Delete(Statement):
    """[ WITH ... ] DELETE [ FROM ] table [ USING ... ] [ WHERE condition ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_DELETE.html
    """

    tree: Tree


@dataclass(frozen=True, slots=True)
class Merge(Statement):
    """MERGE INTO table USING source ON condition WHEN MATCHED THEN ... WHEN NOT MATCHED THEN INSERT ...

    https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html
    """

    tree: Tree


RowStatement = Query | SelectInto | Insert | Update | Delete | Merge


def read_query(text: str, position: int = 1) -> Query:
    """A query given as text.

    position : where the text starts in the whole that was given, counted from 1; errors count likewise

    SyntaxError, with the place, for a text that is not a query.
    """
    spans = split(text)
    if spans and spans[0].keyword in QUERY_WORDS:
        statement = read_statement(text, position)
        if isinstance(statement, Query):
            return statement
    if not spans:
        raise errors.SyntaxError("syntax error at end of input", position=position + len(text))
    word = spans[0].text.split(None, 1)[0][:64]
    raise errors.SyntaxError(f'syntax error at or near "{word}"', position=position + spans[0].start)


def select_columns(table: QualifiedName, columns: Sequence[str]) -> Query:
    """SELECT column [, ...] FROM table"""
    source = exp.table_(table.name, db=table.schema, quoted=True)
    tree = exp.select(*(exp.column(name, quoted=True) for name in columns)).from_(source)
    return read_query(tree.sql(dialect=DIALECT))


# Where sqlglot would stop at REMOVE.
_REMOVE_DUPLICATES = re.compile(r"\s*MERGE\s.*\s(REMOVE\s+DUPLICATES)[\s;]*\Z", re.IGNORECASE | re.DOTALL)

# How a query starts; sqlglot would take other beginnings for one too.
QUERY_WORDS = frozenset({"SELECT", "WITH", "("})


def read_statement(text: str, position: int = 1) -> RowStatement:
    """A query or a change of rows given as text; position and errors as for read_query."""
    bulk = read_rows_of_literals(text)
    if bulk is not None:
        shortened, rows = bulk
        short = Tree(shortened, position, parse_tree(shortened, position))
        return Insert(short, rows, text=text, position=position)
    removing = _REMOVE_DUPLICATES.match(text)
    if removing:
        raise errors.NotSupportedError(
            "MERGE with REMOVE DUPLICATES is not supported", position=position + removing.start(1)
        )
    tree = parse_tree(text, position)
    kept = Tree(text, position, tree)
    match tree:
        case exp.Insert():
            if tree.expression is None and not tree.args.get("default"):
                raise errors.SyntaxError("syntax error at end of input", position=position + len(text))
            return Insert(kept, text=text, position=position)
        case exp.Update():
            return Update(kept, text=text, position=position)
        case exp.Delete():
            return Delete(kept, text=text, position=position)
        case exp.Merge():
            return Merge(kept, text=text, position=position)
        case exp.Select() if tree.args.get("into") is not None:
            return _select_into(tree, text, position)
        case _:
            return Query(kept, text=text, position=position)


def _select_into(select: exp.Select, text: str, position: int) -> SelectInto:
    into = select.args["into"]
    table = into.this
    if not isinstance(table, exp.Table):
        raise errors.SyntaxError("INTO needs the name of a table", position=position)
    start = position + int(table.this.meta.get("start", 0))
    database, schema = (fold(table.args[key]) if table.args.get(key) else None for key in ("catalog", "db"))
    name = QualifiedName(schema, fold(table.this), start, database)
    query = Query(Tree(text, position, select), text=text, position=position)
    return SelectInto(name, query, bool(into.args.get("temporary")), text=text, position=position)
