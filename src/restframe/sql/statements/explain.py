"""EXPLAIN."""

from __future__ import annotations

from dataclasses import dataclass

from restframe.sql.statements import Statement
from restframe.sql.statements.create_table import CreateTableAs
from restframe.sql.statements.query import RowStatement


@dataclass(frozen=True, slots=True)
class Explain(Statement):
    """EXPLAIN [ VERBOSE ] { SELECT | CREATE TABLE AS | INSERT | UPDATE | DELETE | MERGE }

    https://docs.aws.amazon.com/redshift/latest/dg/r_EXPLAIN.html
    """

    statement: RowStatement | CreateTableAs
    verbose: bool = False
