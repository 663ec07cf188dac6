"""CREATE VIEW."""

from __future__ import annotations

from dataclasses import dataclass

from restframe.sql.lexer import Cursor, QualifiedName
from restframe.sql.statements import Statement
from restframe.sql.statements.columns import ColumnName, read_column_names
from restframe.sql.statements.query import Query, read_query


@dataclass(frozen=True, slots=True)
class CreateView(Statement):
    """CREATE [ OR REPLACE ] VIEW name [ ( column [, ...] ) ] AS query [ WITH NO SCHEMA BINDING ]

    late_binding : WITH NO SCHEMA BINDING: what the query reads need not exist, and may be dropped without CASCADE

    https://docs.aws.amazon.com/redshift/latest/dg/r_CREATE_VIEW.html
    """

    name: QualifiedName
    query: Query
    columns: tuple[ColumnName, ...] = ()
    or_replace: bool = False
    late_binding: bool = False


def read_create_view(cursor: Cursor) -> CreateView:
    cursor.expect("CREATE")
    or_replace = cursor.accept("OR", "REPLACE")
    cursor.expect("VIEW")
    name = cursor.qualified_name()
    columns = read_column_names(cursor) if cursor.sees("(") else ()
    cursor.expect("AS")
    if cursor.at_end():
        cursor.fail()
    late_binding = [str(token.text).upper() for token in cursor.tokens[-4:]] == ["WITH", "NO", "SCHEMA", "BINDING"]
    position, offset, source = cursor.position, cursor.offset, cursor.rest()
    if late_binding:
        source = source[: cursor.tokens[-4].start - offset].rstrip()
    return CreateView(name, read_query(source, position), columns, or_replace, late_binding)
