"""EXPLAIN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from restframe.result import Result
from restframe.sql import translate
from restframe.sql.statements.create_table import CreateTableAs
from restframe.sql.statements.explain import Explain
from restframe.sql.statements.query import SelectInto
from restframe.types import SqlType
from restframe.warehouse.privileges import check_query
from restframe.warehouse.queries import SessionNames

if TYPE_CHECKING:
    from restframe.warehouse.session import Session

COLUMNS = [("QUERY PLAN", SqlType("varchar", length=65535))]


def explain(statement: Explain, session: Session) -> Result:
    """The engine's plan in its own words, a row a line; nothing is run, and models are not asked."""
    explained = statement.statement
    query = explained.query if isinstance(explained, CreateTableAs | SelectInto) else explained
    translation = translate(query, SessionNames(session))
    check_query(translation, session)
    rows = session.connection.run(f"EXPLAIN {translation.sql}")
    lines = [line.rstrip() for row in rows for line in str(row[1]).splitlines() if line.strip()]
    return Result.of_rows(COLUMNS, [(line,) for line in lines], "EXPLAIN")
