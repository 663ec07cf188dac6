"""The catalog: what SQL can name, kept in schema `_restframe` of the data's own file.

So DDL shares the data's transaction, and the system views are plain SQL. A `Catalog` belongs to one session; all of a
warehouse's catalogs share one `Cache` of what has been committed.
"""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar, cast

from restframe import errors
from restframe.catalog import classes, grants, knowledge, users
from restframe.catalog.grants import Grants, Rights
from restframe.catalog.knowledge import Knowledge
from restframe.catalog.models import Model
from restframe.catalog.relations import ColumnDefinition, Identity, Kind, Relation, Schema
from restframe.catalog.users import SUPERUSER_ID, Users
from restframe.types import read_type

INTERNAL_SCHEMA = "_restframe"

# The engine's own words for databases: a schema of such a name would be ambiguous there.
_ENGINE_WORDS = frozenset({"main", "memory", "system", "temp", "warehouse"})
# Where the engine keeps each session's temporary tables.
TEMPORARY_SCHEMA = "temp"
FORMAT = 2
_SYSTEM_SCHEMAS = ("information_schema", "pg_catalog")

_states = itertools.count(1)
_temporary_oids = itertools.count(500_000_000)

_MAX_ENTRIES = 100_000

T = TypeVar("T")
Key = tuple[str, ...]


def engine_schema(schema: str) -> str:
    """What the engine calls a schema."""
    return f"{INTERNAL_SCHEMA}_{schema}" if schema in _ENGINE_WORDS else schema


class Executor(Protocol):
    """What the catalog needs of a connection."""

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]: ...

    @property
    def in_transaction(self) -> bool: ...


class Cache:
    """Committed entries by key, shared by all sessions; forgotten by whoever commits a change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[Key, Any] = {}
        self.version = 0  # how often it was forgotten

    def get(self, key: Key, load: Callable[[], T]) -> T:
        with self._lock:
            if key in self._entries:
                return cast(T, self._entries[key])
            version = self.version
        found = load()
        with self._lock:
            if version == self.version:  # else what was read may have been changed meanwhile
                if len(self._entries) >= _MAX_ENTRIES:  # names that are not there are kept too
                    self._entries.clear()
                self._entries[key] = found
        return found

    def forget(self) -> None:
        with self._lock:
            self.version += 1
            self._entries.clear()


class Catalog:
    """The relations, schemas and models one session sees, its temporary tables included.

    users, grants : who there is, and what they may do
    user_id, session_id : of whoever works with it
    search_path : as it was set; `$user` stands for the schema called like the user
    """

    def __init__(self, connection: Executor, cache: Cache, system_views: dict[str, Relation]) -> None:
        self._connection = connection
        self._cache = cache
        self._system_views = system_views
        self._own: dict[Key, Any] = {}  # read inside this session's open transaction
        self._changed = False
        self._version = 0  # the cache's, when the open transaction began
        self._private = next(_states)
        self._temporary: dict[str, Relation] = {}
        self._temporary_before: dict[str, Relation] = {}
        self.users = Users(self)
        self.grants = Grants(self, self.users)
        self.user_id = SUPERUSER_ID
        self.session_id = 0
        self.search_path: tuple[str, ...] = ("public",)

    @property
    def is_everybodys(self) -> bool:
        """Whether names mean here what they mean in every other session with this search path."""
        return not self._connection.in_transaction and not self._temporary

    @property
    def state(self) -> tuple[int, int]:
        """What names mean here: as long as two states are equal, and the search paths, every name means the same.

        Sessions share it unless they have temporary tables, or a transaction in which that differs from what is
        committed.
        """
        if self._sees_committed:
            return self._cache.version, self._private if self._temporary else 0
        return -1, self._private

    @property
    def _sees_committed(self) -> bool:
        """Whether names mean what is committed now; a transaction goes on seeing what was when it began."""
        if not self._connection.in_transaction:
            return True
        return not self._changed and self._version == self._cache.version

    # Transactions

    def begin(self) -> None:
        """After the engine's, and before anything is read."""
        self._version = self._cache.version
        self._private = next(_states)
        self._temporary_before = dict(self._temporary)

    def commit(self) -> None:
        """After the engine's commit: what was changed becomes visible to the other sessions."""
        if self._changed:
            self._cache.forget()
        self._own.clear()
        self._changed = False

    def rollback(self) -> None:
        self._own.clear()
        self._changed = False
        self._private = next(_states)
        self._temporary = self._temporary_before

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.run(sql, parameters)

    def cached(self, key: Key, load: Callable[[], T]) -> T:
        """What `load` reads, kept until something in the catalog changes."""
        if self._sees_committed:
            return self._cache.get(key, load)
        if key not in self._own:
            self._own[key] = load()
        return cast(T, self._own[key])

    def write(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self._connection.run(sql, parameters)
        self._own.clear()
        self._changed = True
        self._private = next(_states)

    # The user

    @property
    def rights(self) -> Rights:
        """What the user may do. InvalidAuthorization when the user is not there any more."""
        found = self.grants.rights(self.user_id)
        if found is None:
            raise errors.InvalidAuthorization(f"user with ID {self.user_id} was dropped")
        return found

    @property
    def knowledge(self) -> Knowledge:
        """What the user may know of."""
        return self.cached(("knowledge", str(self.user_id)), lambda: knowledge.load(self))

    @property
    def path(self) -> tuple[str, ...]:
        """The schemas in which an unqualified name is looked up, in order: those on the search path that exist and
        that the user may use."""
        return self.cached(("path", str(self.user_id), *self.search_path), self._path)

    def _path(self) -> tuple[str, ...]:
        rights = self.rights
        names = dict.fromkeys(rights.user.name if name == "$user" else name for name in self.search_path)
        found = (self.find_schema(name) for name in names)
        return tuple(one.name for one in found if one is not None and self.may_use(one))

    def may_use(self, schema: Schema) -> bool:
        rights = self.rights
        return schema.owner == rights.user.name or rights.has(schema.object, "USAGE")

    def hides(self, schema: str) -> bool:
        """Whether the schema is there, and the user may not look into it."""
        return self.cached(("hidden", str(self.user_id), schema), lambda: self._hides(schema))

    def shows(self, schema: str, name: str) -> bool:
        """Whether a list of relations is to name this one to the user, who must have some right to it."""
        rights = self.rights
        if rights.superuser or schema in _SYSTEM_SCHEMAS:
            return True
        found = None if self.hides(schema) else self.find_relation(schema, name)
        return found is not None and (found.owner == rights.user.name or rights.has_any(found.object))

    def _hides(self, name: str) -> bool:
        schema = self.find_schema(name)
        return schema is not None and not self.may_use(schema)

    def temporary_relations(self) -> list[Relation]:
        return list(self._temporary.values())

    def _set_temporary(self, tables: dict[str, Relation]) -> None:
        self._temporary = tables
        self._private = next(_states)

    # Schemas

    def has_schema(self, name: str) -> bool:
        return self.find_schema(name) is not None

    def find_schema(self, name: str) -> Schema | None:
        return self.cached(("schema", name), lambda: self._load_schema(name))

    def _load_schema(self, name: str) -> Schema | None:
        rows = self._connection.run("SELECT name, owner, oid FROM _restframe.schemas WHERE name = ?", [name])
        return Schema(*rows[0]) if rows else None

    def schemas(self) -> list[str]:
        return [one.name for one in self.all_schemas()]

    def all_schemas(self) -> list[Schema]:
        """By name, those of the system not among them."""
        rows = self._connection.run("SELECT name, owner, oid FROM _restframe.schemas ORDER BY name")
        return [Schema(*row) for row in rows]

    def add_schema(self, name: str, owner: str) -> None:
        self.write("INSERT INTO _restframe.schemas VALUES (?, ?, nextval('_restframe.oids'))", [name, owner])

    def remove_schema(self, name: str) -> None:
        schema = self.find_schema(name)
        if schema is not None:
            self.grants.forget(schema.object)
            self.set_comment(schema.oid, None, None)
        self.write("DELETE FROM _restframe.default_grants WHERE schema_name = ?", [name])
        self.write("DELETE FROM _restframe.schemas WHERE name = ?", [name])

    def set_schema_owner(self, name: str, owner: str) -> None:
        self.write("UPDATE _restframe.schemas SET owner = ? WHERE name = ?", [owner, name])

    # Relations

    def find_relation(self, schema: str | None, name: str) -> Relation | None:
        """The relation a name means: temporary tables first, then the search path, then the system views."""
        if schema is None:
            if name in self._temporary:
                return self._temporary[name]
            for candidate in self.path:
                found = self.cached(("relation", candidate, name), lambda s=candidate: self._load(s, name))  # type: ignore[misc]
                if found is not None:
                    return found
            return self._system_views.get(f"pg_catalog.{name}")
        if schema in _SYSTEM_SCHEMAS:
            return self._system_views.get(f"{schema}.{name}")
        if schema.startswith(INTERNAL_SCHEMA):
            return None
        return self.cached(("relation", schema, name), lambda: self._load(schema, name))

    def relation(self, schema: str | None, name: str, position: int | None = None) -> Relation:
        """As find_relation; UndefinedTable, or UndefinedSchema when the schema does not exist either."""
        found = self.find_relation(schema, name)
        if found is not None:
            return found
        if schema is not None and schema not in ("pg_catalog", "information_schema") and not self.has_schema(schema):
            raise errors.UndefinedSchema(f'schema "{schema}" does not exist', position=position)
        shown = name if schema is None else f"{schema}.{name}"
        raise errors.UndefinedTable(f'relation "{shown}" does not exist', position=position)

    def creation_schema(self, schema: str | None, position: int | None = None) -> str:
        """The schema in which CREATE puts an object: the one named, else the first of the search path that exists."""
        chosen = schema or next(iter(self.path), None)
        if chosen is None:
            raise errors.UndefinedSchema("no schema has been selected to create in", position=position)
        if chosen.startswith(INTERNAL_SCHEMA) or chosen in ("pg_catalog", "information_schema"):
            raise errors.InsufficientPrivilege(f"permission denied for schema {chosen}", position=position)
        if not self.has_schema(chosen):
            raise errors.UndefinedSchema(f'schema "{chosen}" does not exist', position=position)
        return chosen

    def relations(self, schema: str) -> list[Relation]:
        """All tables and views of a schema by name, temporary tables not included."""
        names = self._connection.run(
            "SELECT table_name FROM _restframe.tables WHERE schema_name = ? ORDER BY table_name", [schema]
        )
        return [found for (name,) in names if (found := self._load(schema, name)) is not None]

    # To list; in the patterns % and _ stand for any characters, and a backslash takes that from them

    def schemas_like(self, pattern: str) -> list[str]:
        """All schemas with such a name, those of the system too."""
        rows = self._connection.run(
            "SELECT name FROM (SELECT name FROM _restframe.schemas UNION ALL SELECT unnest(?)) AS all_schemas (name) "
            "WHERE name LIKE ? ESCAPE '\\' ORDER BY name",
            [list(_SYSTEM_SCHEMAS), pattern.lower()],
        )
        return [name for (name,) in rows]

    def relations_like(self, schema_pattern: str, pattern: str) -> list[tuple[str, str, Kind]]:
        """Schema, name and kind of all such relations, the system's too and temporary tables not."""
        rows = self._connection.run(
            "SELECT schema_name, table_name, kind FROM (SELECT schema_name, table_name, kind FROM _restframe.tables "
            "UNION ALL SELECT schema_name, name, 'system view' FROM _restframe.base_relations WHERE owner_id = 1) "
            "AS relations "
            "WHERE schema_name LIKE ? ESCAPE '\\' AND table_name LIKE ? ESCAPE '\\' ORDER BY ALL",
            [schema_pattern.lower(), pattern.lower()],
        )
        return [(schema, name, kind) for schema, name, kind in rows]

    def relations_named(self, schema: str | None, name: str | None) -> list[Relation]:
        """The relations with this name or any, in this schema or all; of the system only those that are named."""
        rows = self._connection.run(
            "SELECT schema_name, table_name FROM _restframe.tables "
            "WHERE schema_name = coalesce(?, schema_name) AND table_name = coalesce(?, table_name) ORDER BY ALL",
            [schema and schema.lower(), name and name.lower()],
        )
        found = [self.find_relation(*row) for row in rows]
        if name and schema in (None, *_SYSTEM_SCHEMAS):
            found.append(self._system_views.get(f"{schema or 'pg_catalog'}.{name.lower()}"))
        return [relation for relation in found if relation is not None]

    def dependents(self, schema: str, name: str) -> list[tuple[str, str]]:
        """The views (schema, name) whose queries read this relation."""
        rows = self._connection.run(
            "SELECT DISTINCT schema_name, view_name FROM _restframe.dependencies "
            "WHERE on_schema = ? AND on_name = ? ORDER BY ALL",
            [schema, name],
        )
        return [(view_schema, view) for view_schema, view in rows]

    def reads(self, schema: str, name: str) -> list[tuple[str, str]]:
        """The relations (schema, name) that a view's query reads, those of a late-binding view not among them."""
        rows = self._connection.run(
            "SELECT on_schema, on_name FROM _restframe.dependencies "
            "WHERE schema_name = ? AND view_name = ? ORDER BY ALL",
            [schema, name],
        )
        return [(on_schema, on_name) for on_schema, on_name in rows]

    def add_relation(self, relation: Relation, reads: Iterable[tuple[str, str]] = ()) -> None:
        """Record a relation that the engine has created; `reads` names what a view depends on."""
        if relation.kind == "temporary table":
            relation = dataclasses.replace(relation, oid=relation.oid or next(_temporary_oids))
            self._set_temporary({**self._temporary, relation.name: relation})
            schema_oid = classes.TEMPORARY_SCHEMAS + self.session_id
            classes.write(self._connection, relation, schema_oid, self.user_id, self.session_id)
            return
        schema = self.find_schema(relation.schema)
        owner = self.users.find(relation.owner)
        assert schema is not None, relation.schema
        relation = dataclasses.replace(relation, oid=relation.oid or self._next_oid())
        key = [relation.schema, relation.name]
        self.write(
            "INSERT INTO _restframe.tables VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                *key,
                relation.kind,
                relation.diststyle,
                relation.sortstyle,
                relation.backup,
                relation.owner,
                relation.definition,
                list(relation.models),
                list(relation.constraints),
                relation.oid,
            ],
        )
        rows = [[*key, position, *_column_values(column)] for position, column in enumerate(relation.columns, start=1)]
        if rows:
            row = f"({', '.join('?' * len(rows[0]))})"
            self.write(
                f"INSERT INTO _restframe.columns VALUES {', '.join([row] * len(rows))}",
                [value for values in rows for value in values],
            )
        owner_id = SUPERUSER_ID if owner is None else owner.id
        classes.write(self._connection, relation, schema.oid, owner_id, exists=self._has_relation)
        for on in sorted(set(reads)):
            self.write("INSERT INTO _restframe.dependencies VALUES (?, ?, ?, ?)", [*key, *on])

    def _next_oid(self) -> int:
        return int(self._connection.run("SELECT nextval('_restframe.oids')")[0][0])

    def _has_relation(self, schema: str, name: str) -> bool:
        return self.find_relation(schema, name) is not None

    def remove_relation(self, relation: Relation) -> None:
        if relation.kind == "temporary table":
            self._set_temporary({name: one for name, one in self._temporary.items() if name != relation.name})
            classes.forget(self._connection, relation)
            return
        classes.forget(self._connection, relation)
        for table in ("tables", "columns"):
            self.write(
                f"DELETE FROM _restframe.{table} WHERE schema_name = ? AND table_name = ?",
                [relation.schema, relation.name],
            )
        self.write(
            "DELETE FROM _restframe.dependencies WHERE schema_name = ? AND view_name = ?",
            [relation.schema, relation.name],
        )

    def replace_relation(self, old: Relation, new: Relation, reads: Iterable[tuple[str, str]] = ()) -> None:
        """Change what is recorded of a relation, which keeps its OID and what was granted on it."""
        self.remove_relation(old)
        self.add_relation(dataclasses.replace(new, oid=old.oid), reads)
        before, after = [[column.name for column in one.columns] for one in (old, new)]
        for place, name in enumerate(before):
            if len(before) == len(after) and after[place] not in before:
                self.grants.rename_column(old.object, name, after[place])
                self.write(
                    "UPDATE _restframe.comments SET column_name = ? WHERE oid = ? AND column_name = ?",
                    [after[place], old.oid, name],
                )
            elif name not in after:
                self.grants.forget_column(old.object, name)
                self.set_comment(old.oid, name, None)

    def drop_relation(self, relation: Relation) -> None:
        """Forget a relation, with what was granted on it."""
        self.remove_relation(relation)
        if relation.oid:
            self.grants.forget(relation.object)
            self.write("DELETE FROM _restframe.comments WHERE oid = ?", [relation.oid])
            self.write("DELETE FROM _restframe.view_reads WHERE oid = ?", [relation.oid])

    def set_comment(self, oid: int, column: str | None, comment: str | None) -> None:
        """Say something about a relation, one of its columns or a schema; None takes it back."""
        key = [oid, column]
        self.write("DELETE FROM _restframe.comments WHERE oid = ? AND column_name IS NOT DISTINCT FROM ?", key)
        if comment is not None:
            self.write("INSERT INTO _restframe.comments VALUES (?, ?, ?)", [*key, comment])

    def show_access(self) -> None:
        """After what was granted has changed: write it down as lists of access."""
        if self.grants.changed:
            self.grants.changed = False
            self.write("DELETE FROM _restframe.access")
            self.write("INSERT INTO _restframe.access SELECT * FROM _restframe.base_access")

    def close(self) -> None:
        """When the session ends: nobody shall see its temporary tables."""
        if self._temporary:
            classes.forget_session(self._connection, self.session_id)

    def set_view_reads(self, view: Relation, reads: Iterable[tuple[str, str, Iterable[str]]]) -> None:
        """Record which columns of which relations a view's query reads: what its owner must have the right to."""
        self.write("DELETE FROM _restframe.view_reads WHERE oid = ?", [view.oid])
        for schema, name, columns in reads:
            self.write("INSERT INTO _restframe.view_reads VALUES (?, ?, ?, ?)", [view.oid, schema, name, list(columns)])

    def view_reads(self, view: Relation) -> list[tuple[str, str, frozenset[str]]]:
        rows = self.cached(
            ("view reads", str(view.oid)),
            lambda: self._connection.run(
                "SELECT on_schema, on_name, columns FROM _restframe.view_reads WHERE oid = ? ORDER BY ALL", [view.oid]
            ),
        )
        return [(schema, name, frozenset(columns)) for schema, name, columns in rows]

    def _load(self, schema: str, name: str) -> Relation | None:
        rows = self._connection.run(_RELATION, [schema, name])
        if not rows:
            return None
        kind, diststyle, sortstyle, backup, owner, definition, models, constraints, oid = rows[0][:9]
        return Relation(
            schema=schema,
            name=name,
            kind=cast(Kind, kind),
            columns=tuple(_column(row[9:]) for row in rows if row[9] is not None),
            engine_schema=engine_schema(schema),
            diststyle=diststyle,
            sortstyle=sortstyle,
            backup=backup,
            owner=owner,
            definition=definition,
            models=tuple(models or ()),
            constraints=tuple(constraints or ()),
            oid=oid,
        )

    # Models

    def find_model(self, schema: str | None, name: str) -> Model | None:
        for candidate in self.path if schema is None else (schema,):
            rows = self._connection.run(f"{_MODEL} WHERE schema_name = ? AND name = ?", [candidate, name])
            if rows:
                return Model(*rows[0])
        return None

    def model(self, schema: str | None, name: str, position: int | None = None) -> Model:
        found = self.find_model(schema, name)
        if found is None:
            shown = name if schema is None else f"{schema}.{name}"
            raise errors.UndefinedObject(f'model "{shown}" does not exist', position=position)
        return found

    def models(self) -> list[Model]:
        return [Model(*row) for row in self._connection.run(f"{_MODEL} ORDER BY schema_name, name")]

    def functions(self, schema: str | None, name: str) -> tuple[Model, ...]:
        """The models whose prediction function has this name, in the first schema of the path that has any."""
        for candidate in self.path if schema is None else (schema,):
            found = self.cached(("function", candidate, name), lambda s=candidate: self._load_functions(s, name))  # type: ignore[misc]
            if found:
                return found
        return ()

    def _load_functions(self, schema: str, name: str) -> tuple[Model, ...]:
        rows = self._connection.run(
            f"{_MODEL} WHERE function_schema = ? AND function_name = ? ORDER BY id", [schema, name]
        )
        return tuple(Model(*row) for row in rows)

    def callers(self, model: Model) -> list[tuple[str, str]]:
        """The views (schema, name) that call the model's function, themselves or through another view."""
        rows = self._connection.run(
            "SELECT schema_name, table_name FROM _restframe.tables WHERE list_contains(models, ?) ORDER BY ALL",
            [model.engine_function],
        )
        return [(schema, view) for schema, view in rows]

    def next_model_id(self) -> int:
        """A number no model has had; engine functions are named by it and never mean another model later."""
        return int(self._connection.run("SELECT nextval('_restframe.model_ids')")[0][0])

    def add_model(self, model: Model) -> None:
        values = model.values()
        self.write(f"INSERT INTO _restframe.models VALUES ({', '.join('?' * len(values))})", values)

    def set_model_owner(self, model: Model, owner: str) -> None:
        self.write("UPDATE _restframe.models SET owner = ? WHERE id = ?", [owner, model.id])

    def set_model_state(self, model: Model, state: str) -> None:
        self.write("UPDATE _restframe.models SET state = ? WHERE id = ?", [state, model.id])

    def remove_model(self, model: Model) -> None:
        if model.kind == "forecast":
            self.write(f"DROP TABLE IF EXISTS {INTERNAL_SCHEMA}.{model.forecast_table}")
        self.write("DELETE FROM _restframe.models WHERE id = ?", [model.id])
        self.grants.forget(model.object)


_MODEL = f"SELECT {', '.join(Model.FIELDS)} FROM _restframe.models"
_RELATION = """
    SELECT t.kind, t.diststyle, t.sortstyle, t.backup, t.owner, t.definition, t.models, t.constraints, t.oid,
           c.name, c.type, c.not_null, c.default_text, c.encoding, c.identity_seed, c.identity_step,
           c.identity_always, c.distkey, c.sortkey
    FROM _restframe.tables t LEFT JOIN _restframe.columns c USING (schema_name, table_name)
    WHERE t.schema_name = ? AND t.table_name = ?
    ORDER BY c.position
"""

_TABLES = f"""
CREATE SCHEMA IF NOT EXISTS _restframe;
CREATE TABLE IF NOT EXISTS _restframe.format (version INTEGER, definitions VARCHAR);
CREATE SEQUENCE IF NOT EXISTS _restframe.oids START 100000;
CREATE TABLE IF NOT EXISTS _restframe.schemas (name VARCHAR, owner VARCHAR, oid BIGINT);
CREATE TABLE IF NOT EXISTS _restframe.tables (
    schema_name VARCHAR, table_name VARCHAR, kind VARCHAR, diststyle VARCHAR, sortstyle VARCHAR, backup BOOLEAN,
    owner VARCHAR, definition VARCHAR, models VARCHAR[], constraints VARCHAR[], oid BIGINT);
CREATE TABLE IF NOT EXISTS _restframe.columns (
    schema_name VARCHAR, table_name VARCHAR, position INTEGER, name VARCHAR, type VARCHAR, not_null BOOLEAN,
    default_text VARCHAR, encoding VARCHAR, identity_seed BIGINT, identity_step BIGINT, identity_always BOOLEAN,
    distkey BOOLEAN, sortkey INTEGER);
CREATE TABLE IF NOT EXISTS _restframe.dependencies (
    schema_name VARCHAR, view_name VARCHAR, on_schema VARCHAR, on_name VARCHAR);
CREATE TABLE IF NOT EXISTS _restframe.comments (oid BIGINT, column_name VARCHAR, comment VARCHAR);
CREATE SEQUENCE IF NOT EXISTS _restframe.model_ids;
CREATE TABLE IF NOT EXISTS _restframe.models ({Model.DDL});
CREATE TABLE IF NOT EXISTS _restframe.view_reads (oid BIGINT, on_schema VARCHAR, on_name VARCHAR, columns VARCHAR[]);
{classes.TABLES}{users.TABLES}{grants.TABLES}"""

# What makes a file of each format one of the next.
_MIGRATIONS = {
    1: f"""
CREATE SEQUENCE _restframe.oids START 100000;
CREATE TABLE _restframe.comments (oid BIGINT, column_name VARCHAR, comment VARCHAR);
ALTER TABLE _restframe.schemas ADD COLUMN oid BIGINT;
ALTER TABLE _restframe.tables ADD COLUMN oid BIGINT;
UPDATE _restframe.schemas SET oid = CASE name WHEN 'public' THEN 2200 ELSE nextval('_restframe.oids') END;
UPDATE _restframe.tables SET oid = nextval('_restframe.oids');
INSERT INTO _restframe.comments SELECT t.oid, d.column_name, d.comment FROM _restframe.tables t JOIN (
    SELECT schema_name, table_name, NULL AS column_name, comment FROM duckdb_tables()
    UNION ALL SELECT schema_name, view_name, NULL, comment FROM duckdb_views()
    UNION ALL SELECT schema_name, table_name, column_name, comment FROM duckdb_columns()) AS d
    ON d.schema_name IN (t.schema_name, '_restframe_' || t.schema_name) AND d.table_name = t.table_name
    WHERE d.comment IS NOT NULL;
CREATE TABLE IF NOT EXISTS _restframe.view_reads (oid BIGINT, on_schema VARCHAR, on_name VARCHAR, columns VARCHAR[]);
INSERT INTO _restframe.view_reads
    SELECT t.oid, d.on_schema, d.on_name, list(c.name)
    FROM _restframe.dependencies d
    JOIN _restframe.tables t ON t.schema_name = d.schema_name AND t.table_name = d.view_name
    JOIN _restframe.columns c ON c.schema_name = d.on_schema AND c.table_name = d.on_name
    GROUP BY ALL;
{classes.TABLES}{users.TABLES}{grants.TABLES}""",
}


# Whoever owned something in a file of this format need not have been a user.
_BEFORE_USERS = 1
_OWNERS_AS_USERS = """
INSERT INTO _restframe.users (id, name, superuser, createdb, sees_all, settings)
    SELECT nextval('_restframe.principal_ids'), owner, false, false, false, []
    FROM (SELECT owner FROM _restframe.tables UNION SELECT owner FROM _restframe.schemas
          UNION SELECT owner FROM _restframe.models) AS owners
    WHERE owner NOT IN (SELECT name FROM _restframe.users)
"""
_PUBLIC_OID = 2200


def create(connection: Executor, owner: str) -> bool:
    """Make the catalog's tables and schema `public` in a new file, or bring an old one up to date.

    owner : the superuser's name, which may have been another before
    Returns whether the file was new.

    InterfaceError when a newer restframe wrote the file, or another user has the superuser's name.
    """
    known = connection.run("SELECT 1 FROM duckdb_tables() WHERE schema_name = '_restframe' AND table_name = 'format'")
    if known:
        version = connection.run("SELECT version FROM _restframe.format")[0][0]
        if version > FORMAT:
            raise errors.InterfaceError(
                f"the warehouse was written by a newer restframe (format {version}, this one reads {FORMAT})",
                hint="Upgrade restframe.",
            )
        for older in range(version, FORMAT):
            _run_all(connection, _MIGRATIONS[older])
        users.create(Catalog(connection, Cache(), {}), owner)
        if version == _BEFORE_USERS:
            _run_all(connection, _OWNERS_AS_USERS)
            grants.create(Catalog(connection, Cache(), {}), _PUBLIC_OID)
            _describe_all(Catalog(connection, Cache(), {}), connection)
        classes.forget_session(connection, None)
        connection.run("UPDATE _restframe.format SET version = ?", [FORMAT])
        return False
    _run_all(connection, _TABLES)
    connection.run("CREATE SCHEMA public")
    connection.run("INSERT INTO _restframe.schemas VALUES ('public', ?, ?)", [owner, _PUBLIC_OID])
    users.create(Catalog(connection, Cache(), {}), owner)
    grants.create(Catalog(connection, Cache(), {}), _PUBLIC_OID)
    connection.run("INSERT INTO _restframe.format VALUES (?, NULL)", [FORMAT])
    return True


def _describe_all(catalog: Catalog, connection: Executor) -> None:
    """Write the rows of pg_catalog for every relation of an old file."""
    for schema in catalog.schemas():
        for relation in catalog.relations(schema):
            owner = catalog.users.get(relation.owner)
            found = catalog.find_schema(schema)
            assert found is not None
            classes.write(connection, relation, found.oid, owner.id, exists=catalog._has_relation)


def _run_all(connection: Executor, statements: str) -> None:
    for statement in filter(str.strip, statements.split(";")):
        connection.run(statement)


def _column_values(column: ColumnDefinition) -> list[Any]:
    identity = column.identity
    return [
        column.name,
        str(column.type),
        column.not_null,
        column.default,
        column.encoding,
        identity and identity.seed,
        identity and identity.step,
        identity and identity.always,
        column.distkey,
        column.sortkey,
    ]


def _column(row: Sequence[Any]) -> ColumnDefinition:
    name, type_text, not_null, default, encoding, seed, step, always, distkey, sortkey = row
    identity = None if seed is None else Identity(seed, step, always)
    return ColumnDefinition(
        name, read_type(type_text), not_null, default, encoding, identity, bool(distkey), sortkey or 0
    )
