"""What translating a query costs: the 22 TPC-H texts, parsed, rewritten and printed for the engine.

The bar is 0.5 ms for the median query with sqlglot's compiled build and 1.5 ms without it. Run it under both.
sqlglot's parser and printer alone are timed in the same run; the rest is ours.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import sqlglot.parser
from sqlglot.dialects.duckdb import DuckDB

from restframe import errors
from restframe.sql import FunctionReference, QualifiedName, TableReference, parse, translate
from restframe.sql.lexer import DIALECT
from restframe.types import parse_type
from tpch import QUERIES, TABLES


class Catalog:
    def __init__(self) -> None:
        self.tables = {
            name: TableReference("public", name, dict(self._column(column) for column in columns.split(", ")))
            for name, columns in TABLES.items()
        }

    def _column(self, text: str) -> tuple:
        name, type_ = text.split(" ", 1)
        return name, parse_type(type_)

    def relation(self, name: QualifiedName) -> TableReference:
        if name.name not in self.tables:
            raise errors.UndefinedTable(f'relation "{name}" does not exist', position=name.position)
        return self.tables[name.name]

    def function(self, name: QualifiedName, argument_count: int) -> FunctionReference | None:
        return None


def milliseconds(work: Callable[[], object], repetitions: int = 25) -> float:
    """CPU time of one call, the median of many."""
    times = []
    for _ in range(repetitions):
        start = time.process_time()
        work()
        times.append((time.process_time() - start) * 1000)
    return statistics.median(times)


def bare(text: str) -> str:
    """sqlglot's own way from one dialect to the other, without our rules."""
    tree = DIALECT.parser().parse(DIALECT.tokenize(text), text)[0]
    return DuckDB().generator(comments=False).generate(tree, copy=False)


def insert(rows: int) -> str:
    return "insert into region values " + ", ".join(f"({i}, 'region {i}', 'it''s {i}')" for i in range(rows))


def main() -> None:
    catalog = Catalog()
    ours = [milliseconds(lambda text=text: translate(parse(text)[0], catalog)) for text in QUERIES]
    theirs = [milliseconds(lambda text=text: bare(text)) for text in QUERIES]
    compiled = sqlglot.parser.__file__.endswith((".so", ".pyd"))
    print(f"sqlglot {sqlglot.__version__}, {'compiled' if compiled else 'pure Python'}; CPU ms per query")
    print(f"{'':28}{'median':>8}{'max':>8}")
    for label, times in (("translate", ours), ("sqlglot alone", theirs)):
        print(f"{label:28}{statistics.median(times):8.2f}{max(times):8.2f}")
    bulk = insert(5000)
    fast = milliseconds(lambda: translate(parse(bulk)[0], catalog), 5)
    slow = milliseconds(lambda: bare(bulk), 3)
    print(f"{'INSERT of 5,000 rows':28}{fast:8.2f}  (as a tree, sqlglot alone: {slow:.0f})")


if __name__ == "__main__":
    main()
