"""A system view as it is written down here: one line for each column, with its type and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from restframe.catalog.relations import ColumnDefinition, Relation
from restframe.catalog.store import INTERNAL_SCHEMA
from restframe.types import read_type

CATALOG_SCHEMA = "pg_catalog"
INFORMATION_SCHEMA = "information_schema"
# Its views are called like tables of the catalog's own, so they have a schema of the engine's to themselves.
_ENGINE_SCHEMAS = {CATALOG_SCHEMA: INTERNAL_SCHEMA, INFORMATION_SCHEMA: f"{INTERNAL_SCHEMA}_information_schema"}


@dataclass(frozen=True, slots=True)
class View:
    """One system view.

    columns : name, type as format_type() prints it, and the expression
    source : FROM and what follows it; of a view without rows, nothing
    """

    schema: str
    name: str
    columns: tuple[tuple[str, str, str], ...]
    source: str

    @property
    def relation(self) -> Relation:
        columns = tuple(ColumnDefinition(name, read_type(type_)) for name, type_, _ in self.columns)
        return Relation(self.schema, self.name, "system view", columns, engine_schema=_ENGINE_SCHEMAS[self.schema])

    @property
    def ddl(self) -> str:
        """What makes it in the engine: every column is cast to its type, so that none can have another."""
        selected = ", ".join(
            f'CAST({expression} AS {read_type(type_).engine_type}) AS "{name}"'
            for name, type_, expression in self.columns
        )
        target = f'{_ENGINE_SCHEMAS[self.schema]}."{self.name}"'
        return f"CREATE OR REPLACE VIEW {target} AS SELECT {selected} {self.source or 'WHERE false'}"


def view(name: str, columns: str, source: str, schema: str = CATALOG_SCHEMA) -> View:
    """A view from lines of `name type expression`; a type is one word here, such as `int2[]` or `numeric(38,0)`.

    An expression that is one word, a dot and nothing else (`t.`) is that table's column of the same name.
    """
    read = []
    for line in filter(None, map(str.strip, columns.splitlines())):
        column, type_, expression = line.split(None, 2)
        read.append((column, type_, f'{expression}"{column}"' if expression.endswith(".") else expression))
    return View(schema, name, tuple(read), source)


def empty(name: str, columns: str, schema: str = CATALOG_SCHEMA) -> View:
    """A view of what there is nothing of; `columns` is `name type, ...`."""
    read = (column.split(None, 1) for column in columns.split(", "))
    return View(schema, name, tuple((column, type_.strip(), "NULL") for column, type_ in read), "")
