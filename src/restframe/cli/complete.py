"""What may come next in a statement that is being typed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from restframe import errors
from restframe.catalog.relations import Relation
from restframe.catalog.store import Catalog
from restframe.cli.meta import COMMANDS

_KEYWORDS = """
    ALTER TABLE | ANALYZE | AND | AS | ASC | BEGIN | BETWEEN | BY | CASE | CAST | COMMENT ON | COMMIT | COPY |
    COUNT | CREATE MODEL | CREATE SCHEMA | CREATE TABLE | CREATE TEMP TABLE | CREATE VIEW | CROSS JOIN | CSV |
    CURRENT_DATE | DATEADD | DATEDIFF | DATE_TRUNC | DELETE FROM | DELIMITER | DESC | DISTINCT | DISTKEY |
    DISTSTYLE | DROP MODEL | DROP SCHEMA | DROP TABLE | DROP VIEW | ELSE | ENCODE | END | EXCEPT | EXISTS |
    EXPLAIN | EXTRACT | FROM | FULL JOIN | FUNCTION | GROUP BY | GZIP | HAVING | IAM_ROLE DEFAULT | IDENTITY | IF
    EXISTS | IGNOREHEADER | ILIKE | IN | INNER JOIN | INSERT INTO | INTERSECT | INTERVAL | IS NOT NULL | IS NULL |
    JOIN | LEFT JOIN | LIKE | LIMIT | MANIFEST | NOT | NULL | NULLS | OFFSET | ON | OR | ORDER BY | OVER |
    PARALLEL OFF | PARQUET | PARTITION BY | QUALIFY | RETURNS | RIGHT JOIN | ROLLBACK | SAGEMAKER | SELECT | SET |
    SHOW MODEL | SHOW MODEL ALL | SORTKEY | SUM | THEN | TO_CHAR | TRUNCATE | UNION ALL | UNLOAD | UPDATE | USING
    | VACUUM | VALUES | WHEN | WHERE | WITH
"""
KEYWORDS = tuple(" ".join(words.split()) for words in _KEYWORDS.split("|"))

# After these words a table is named.
_TABLES_FOLLOW = re.compile(
    r"\b(?:from|join|into|update|table|view|copy|truncate|analyze|vacuum|using)\s+(?:if\s+exists\s+)?[\w.]*$",
    re.IGNORECASE,
)
_MODELS_FOLLOW = re.compile(r"\bmodel\s+(?:if\s+exists\s+)?[\w.]*$", re.IGNORECASE)
_WORD = re.compile(r"[\w.]+$|\\\w*$")
_NAMED = re.compile(r"[a-z_]\w*", re.IGNORECASE)


class SqlCompleter(Completer):
    """Tables where a table belongs, otherwise columns of the tables the text names, functions and keywords.

    The names are read from the catalog when they are first needed, and again after `refresh`.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._names: _Names | None = None

    def refresh(self) -> None:
        """A statement has run: there may be other names now."""
        self._names = None

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        before = document.text_before_cursor
        match = _WORD.search(before)
        word = match[0] if match else ""
        seen = set()
        for text, what in self._candidates(before, word, document.text):
            if text.lower().startswith(word.lower()) and text not in seen:
                seen.add(text)
                yield Completion(text, start_position=-len(word), display_meta=what)

    def _candidates(self, before: str, word: str, whole: str) -> Iterable[tuple[str, str]]:
        if word.startswith("\\"):
            return ((f"\\{name}", command.text) for name, command in COMMANDS.items())
        names = self._known()
        if before.lstrip().startswith("\\d"):
            return names.relations()
        if _TABLES_FOLLOW.search(before):
            return names.relations()
        if _MODELS_FOLLOW.search(before):
            return names.models
        return names.in_expressions(word, whole)

    def _known(self) -> _Names:
        if self._names is None:
            try:
                self._names = _Names.read(self._catalog)
            except errors.Error:
                self._names = _Names([], [], [])  # completion is a courtesy and never the reason of an error
        return self._names


class _Names:
    def __init__(self, tables: list[Relation], models: list[tuple[str, str]], functions: list[tuple[str, str]]) -> None:
        self._tables = tables
        self.models = models
        self._functions = functions

    @classmethod
    def read(cls, catalog: Catalog) -> _Names:
        models = catalog.models()
        callable_ = [model for model in models if model.function_name]
        return cls(
            [relation for schema in catalog.schemas() for relation in catalog.relations(schema)],
            [(model.name, "model") for model in models]
            + [(f"{model.schema}.{model.name}", "model") for model in models],
            [(model.function_name, "model function") for model in callable_]
            + [(f"{model.function_schema}.{model.function_name}", "model function") for model in callable_],
        )

    def relations(self) -> Iterator[tuple[str, str]]:
        yield from ((table.name, table.kind) for table in self._tables)
        yield from ((f"{table.schema}.{table.name}", table.kind) for table in self._tables)

    def in_expressions(self, word: str, whole: str) -> Iterator[tuple[str, str]]:
        named = {found.lower() for found in _NAMED.findall(whole)}
        tables = [table for table in self._tables if table.name in named] or self._tables
        qualifier = word.rpartition(".")[0].lower()
        prefix = f"{qualifier}." if qualifier else ""
        for table in tables:
            if not qualifier or table.name == qualifier.rpartition(".")[2] or qualifier not in named:
                yield from ((prefix + column.name, str(column.type)) for column in table.columns)
        yield from self._functions
        if not qualifier:
            yield from ((keyword if word.isupper() else keyword.lower(), "") for keyword in KEYWORDS)
            yield from self.relations()
