"""SHOW FUNCTIONS, PROCEDURES and PARAMETERS. The functions are those of models; procedures there are none."""

from __future__ import annotations

from dataclasses import dataclass

from restframe.sql.lexer import Cursor
from restframe.sql.statements.show_names import Path, Show, Text, read_like, read_limit, read_list, read_path, read_type


@dataclass(frozen=True, slots=True)
class ShowFunctions(Show):
    """SHOW { FUNCTIONS | PROCEDURES } FROM SCHEMA [ database. ] schema [ LIKE 'pattern' ] [ LIMIT n ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_FUNCTIONS.html
    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_PROCEDURES.html
    """

    schema: Path
    procedures: bool = False


@dataclass(frozen=True, slots=True)
class ShowParameters(Show):
    """SHOW PARAMETERS OF { FUNCTION | PROCEDURE } [ [ database. ] schema. ] name ( [ type [, ...] ] )
    [ LIKE 'pattern' ]

    https://docs.aws.amazon.com/redshift/latest/dg/r_SHOW_PARAMETERS.html
    """

    name: Path
    arguments: tuple[Text, ...]
    procedure: bool = False


def read_show_functions(cursor: Cursor) -> ShowFunctions:
    cursor.expect("SHOW")
    procedures = cursor.accept_any(("FUNCTIONS", "PROCEDURES")) == "PROCEDURES"
    cursor.expect("FROM", "SCHEMA")
    return ShowFunctions(read_path(cursor, 2), procedures, like=read_like(cursor), limit=read_limit(cursor))


def read_show_parameters(cursor: Cursor) -> ShowParameters:
    cursor.expect("SHOW", "PARAMETERS", "OF")
    kind = cursor.accept_any(("FUNCTION", "PROCEDURE"))
    if kind is None:
        cursor.fail()
    name = read_path(cursor, 3)
    return ShowParameters(name, read_list(cursor, read_type), kind == "PROCEDURE", like=read_like(cursor))
