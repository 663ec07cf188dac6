"""What names mean at one place of a query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from sqlglot import exp

from restframe import errors
from restframe.sql.lexer import QualifiedName, tokenize
from restframe.sql.names import FunctionReference, Names, TableReference
from restframe.types import SqlType

Type = SqlType | None


@dataclass(frozen=True, slots=True)
class ModelCall:
    """A call of a model's function.

    table, columns : where the arguments come from when they are plain columns of one table, else None and nothing
    every_row : whether the call is sure to be evaluated for every row of that table
    settled : whether an aggregate stands around it, so that no clause further out can spare it rows
    """

    function: FunctionReference
    table: TableReference | None
    columns: tuple[str, ...]
    every_row: bool
    settled: bool = False


# What a statement does to the rows of its table, and the columns it sets: None for all or none.
Change = tuple[Literal["INSERT", "UPDATE", "DELETE"], frozenset[str] | None]


class NotedColumns(dict[str, Type]):
    """A table's columns by name. `used` are those that were asked for their types."""

    __slots__ = ("table", "used")

    def __init__(self, table: TableReference) -> None:
        super().__init__(table.columns)
        self.table = table
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> Type:
        self.used.add(name)
        return super().__getitem__(name)


@dataclass(slots=True)
class Context:
    """What one translation knows and collects.

    text : of the statement
    base : position of its first character in the whole text
    parameter_types : of the values that were given, by name or by place from 0
    found : of a prepared statement, the types of the other parameters as they turn up; its values are cast to them
    parameter_count : the highest number of a parameter
    settings : what set_config() is to set: names and values, or the numbers of their parameters, and whether locally
    """

    names: Names
    text: str
    base: int
    parameter_types: Mapping[str | int, Type]
    reads: dict[tuple[str, str], TableReference] = field(default_factory=dict)
    calls: list[ModelCall] = field(default_factory=list)
    expand_stars: bool = False
    found: dict[int, SqlType] | None = None
    parameter_count: int = 0
    settings: list[tuple[str | int, str | int, bool]] = field(default_factory=list)
    expanded: int = 0  # nodes for which references to aliases stand
    used: dict[tuple[str, str], NotedColumns] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def table(self, name: QualifiedName) -> TableReference:
        """The table of that name, which is remembered as read."""
        table = self.names.relation(name)
        self.reads[table.engine_schema, table.engine_name] = table
        return table

    def columns(self, table: TableReference) -> NotedColumns:
        """The columns of a table that a query may name; which of them it does is noted."""
        key = table.engine_schema, table.engine_name
        if key not in self.used:
            self.used[key] = NotedColumns(table)
        return self.used[key]

    def position(self, node: exp.Expr, words: str = "") -> int:
        """Where a node stands, for an error.

        words : keywords that are there, for a node that begins with them
        """
        wanted = words.upper().split()
        starts = [int(part.meta["start"]) for part in node.dfs() if "start" in part.meta]
        if not wanted and starts:
            return self.base + min(starts)
        if not wanted:  # literals have no place of their own: the first one with the same text
            wanted = [str(one.args["this"]).upper() for one in node.find_all(exp.Literal)][:1]
        found = [
            (word, int(token.start))
            for token in tokenize(self.text, self.base - 1)
            for word in str(token.text).upper().split()
        ]
        for at in range(len(found)):
            if wanted and [word for word, _ in found[at : at + len(wanted)]] == wanted:
                return self.base + found[at][1]
        return self.base + min(starts, default=0)


@dataclass(frozen=True, slots=True)
class Output:
    """A column of a query's result.

    origin : the number of the relation whose column it is, and the place in it; None for what is computed
    """

    label: str
    type: Type
    origin: tuple[int, int] | None = None


class Source:
    """Something in FROM: its name and its columns in order.

    table : when it is a table or view itself
    schema : as it was written
    doubled : columns that occur more than once, and so cannot be named
    """

    __slots__ = ("_outputs", "columns", "doubled", "name", "schema", "table")

    def __init__(
        self,
        name: str,
        columns: Mapping[str, Type],
        table: TableReference | None = None,
        schema: str | None = None,
    ) -> None:
        self.name = name
        self.columns = columns
        self.table = table
        self.schema = schema
        self.doubled: frozenset[str] = frozenset()
        self._outputs: tuple[Output, ...] | None = None

    @classmethod
    def of_query(cls, name: str, outputs: tuple[Output, ...]) -> Source:
        source = cls(name, {output.label: output.type for output in outputs})
        source._outputs = outputs
        if len(source.columns) < len(outputs):
            labels = [output.label for output in outputs]
            source.doubled = frozenset(label for label in labels if labels.count(label) > 1)
        return source

    def use(self, name: str) -> None:
        """Note that a column is read without being named."""
        if isinstance(self.columns, NotedColumns) and name in self.columns:
            self.columns.used.add(name)

    @property
    def outputs(self) -> tuple[Output, ...]:
        if self._outputs is None:
            self._outputs = tuple(Output(name, self.columns[name], self.origin(name)) for name in self.columns)
        return self._outputs

    def origin(self, name: str) -> tuple[int, int] | None:
        """Whose column a column is; not noted as a use of it."""
        if self.table is None:
            return next((one.origin for one in self._outputs or () if one.label == name), None)
        if not self.table.oid or name not in self.table.columns:
            return None
        return self.table.oid, list(self.table.columns).index(name) + 1


_MOST_EXPANDED = 300_000

_AMBIGUOUS: Final = Source("", {})


class Scope:
    """The names one SELECT sees: its sources, the aliases of its select list, and what encloses it."""

    __slots__ = (
        "_found",
        "aggregates",
        "aliases",
        "certain",
        "clause",
        "context",
        "ctes",
        "expansions",
        "merged",
        "parent",
        "sources",
    )

    def __init__(self, context: Context, parent: Scope | None = None) -> None:
        self.context = context
        self.parent = parent
        self.sources: dict[str, Source] = {}
        self.aliases: dict[str, Type] = {}
        self.expansions: dict[str, tuple[exp.Expr, int]] = {}  # what they stand for, and the aliases in there
        self.merged: dict[str, Type] = {}  # columns that JOIN USING made one
        self.ctes: dict[str, tuple[Output, ...]] = {}
        # what is visited now is evaluated for every row; inside a CASE, so is no query
        self.certain: bool = parent is None or parent.certain
        self.clause = ""  # what is visited now, where that takes no aggregates or no window functions
        self.aggregates = False  # makes one row of many
        self._found: dict[str, Source] = {}

    def enclosing(self) -> Iterator[Scope]:
        """This scope and those around it, the nearest first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def add(self, source: Source, node: exp.Expr) -> None:
        if source.name in self.sources:
            raise errors.DuplicateAlias(
                f'table name "{source.name}" specified more than once', position=self.context.position(node)
            )
        self.sources[source.name] = source
        self._found.clear()

    def forget(self) -> None:
        """After what columns mean has changed."""
        self._found.clear()

    def unnamed(self) -> str:
        """A name for a query that was given none; no user's name has a blank in front."""
        return f" {len(self.sources)}"

    def expand(self, alias: str, node: exp.Expr) -> None:
        """Note a reference to an alias, which the engine replaces by what it stands for, and the aliases in there.

        StatementTooComplex when that grows beyond measure: each alias may double the one before it.
        """
        expression, inside = self.expansions.get(alias, (node, 0))
        self.context.expanded += inside + sum(1 for _ in expression.dfs())
        if self.context.expanded > _MOST_EXPANDED:
            raise errors.StatementTooComplex(
                "the aliases in the select list stand for too long an expression",
                position=self.context.position(node),
                hint="Compute what others build on in a subquery.",
            )

    def cte(self, name: str) -> tuple[Output, ...] | None:
        return next((scope.ctes[name] for scope in self.enclosing() if name in scope.ctes), None)

    def source(self, name: str) -> Source | None:
        """The nearest source of that name."""
        return next((scope.sources[name] for scope in self.enclosing() if name in scope.sources), None)

    def find(self, name: str, node: exp.Expr) -> Source | None:
        """The source of this SELECT that has the column; AmbiguousColumn when several have it."""
        found = self._found.get(name)
        if found is None:
            found = self._search(name)
            if found is None:
                return None
            self._found[name] = found
        if found is _AMBIGUOUS or name in found.doubled:
            raise errors.AmbiguousColumn(
                f'column reference "{name}" is ambiguous', position=self.context.position(node)
            )
        return found

    def _search(self, name: str) -> Source | None:
        found = None
        for source in self.sources.values():
            if name in source.columns:
                if found is not None:
                    return _AMBIGUOUS
                found = source
        return found
