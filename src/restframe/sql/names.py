"""What translation must know about the names in a statement, and whom it asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from restframe.sql.lexer import QualifiedName
from restframe.types import SqlType


@dataclass(frozen=True, slots=True)
class TableReference:
    """A table or view as the engine knows it, and its columns in order as Redshift knows them.

    identities : the columns that fill themselves, which an INSERT without a column list leaves out
    generated : those of them that take no other value
    models : of a view, the engine functions of models that it calls
    is_view : its rows are computed whenever they are read
    origin : what the catalog knows of it, for whoever gave this answer
    oid : its number, which its system column tableoid has
    """

    engine_schema: str
    engine_name: str
    columns: Mapping[str, SqlType]
    identities: frozenset[str] = frozenset()
    generated: frozenset[str] = frozenset()
    models: tuple[str, ...] = ()
    is_view: bool = False
    origin: Any = field(default=None, compare=False, repr=False)
    oid: int = 0


@dataclass(frozen=True, slots=True)
class FunctionReference:
    """A model's prediction function.

    The engine's function takes the running statement's number before the arguments.

    origin : what the catalog knows of it, for whoever gave this answer
    oid : its number, which its system column tableoid has
    """

    engine_name: str
    arguments: tuple[SqlType, ...]
    returns: SqlType
    origin: Any = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ForecastReference:
    """What `FORECAST(model)` stands for: the rows of a table that SQL has no other name for.

    function : stands for the model where what a statement calls is looked at
    """

    table: TableReference
    function: FunctionReference


class Names(Protocol):
    """The catalog as one session sees it."""

    def relation(self, name: QualifiedName) -> TableReference:
        """UndefinedTable or UndefinedSchema with the name's position when there is none."""
        ...

    def function(self, name: QualifiedName, argument_count: int) -> FunctionReference | None:
        """The model function of that name and number of arguments.

        None when no function has the name; UndefinedFunction when only the number of arguments is wrong.
        """
        ...

    def forecast(self, name: QualifiedName) -> ForecastReference:
        """The forecast of the model of that name.

        UndefinedObject when there is no such model, WrongObjectType when it is of another kind,
        ObjectNotInPrerequisiteState when it has none yet; all with the name's position.
        """
        ...
