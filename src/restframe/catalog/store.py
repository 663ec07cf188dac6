"""The catalog: what SQL can name, kept in schema `_restframe` of the data's own file.

So DDL shares the data's transaction, and the system views are plain SQL. A `Catalog` belongs to one session; all of a
warehouse's catalogs share one `Cache` of what has been committed.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Iterable

from restframe import errors
from restframe.catalog import classes, dependencies, knowledge, relation_rows
from restframe.catalog.grants import Grants, Rights
from restframe.catalog.knowledge import Knowledge
from restframe.catalog.models import Model
from restframe.catalog.records import Cache, Executor, Part, SessionRecords
from restframe.catalog.relations import ColumnDefinition, Relation, Schema
from restframe.catalog.users import SUPERUSER_ID, Users

INTERNAL_SCHEMA = "_restframe"

# Where the engine keeps each session's temporary tables.
TEMPORARY_SCHEMA = "temp"
_SYSTEM_SCHEMAS = ("information_schema", "pg_catalog")

_temporary_oids = itertools.count(500_000_000)


class Catalog(SessionRecords):
    """The relations, schemas and models one session sees, its temporary tables included.

    users, grants : who there is, and what they may do
    user_id, session_id : of whoever works with it
    search_path : as it was set; `$user` stands for the schema called like the user
    """

    def __init__(self, connection: Executor, cache: Cache, system_views: dict[str, Relation]) -> None:
        super().__init__(connection, cache)
        self._system_views = system_views
        self._temporary: dict[str, Relation] = {}
        self._temporary_before: dict[str, Relation] = {}
        self.users = Users(self)
        self.grants = Grants(self, self.users)
        self.user_id = SUPERUSER_ID
        self.session_id = 0
        self.search_path: tuple[str, ...] = ("public",)

    def begin(self) -> None:
        super().begin()
        self._temporary_before = dict(self._temporary)

    def rollback(self) -> None:
        super().rollback()
        self._set_temporary(self._temporary_before)

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
        return self.cached(("knowledge", str(self.user_id)), lambda: knowledge.load(self), Part.FRAME)

    @property
    def path(self) -> tuple[str, ...]:
        """The schemas in which an unqualified name is looked up, in order: those on the search path that exist and
        that the user may use."""
        return self.cached(("path", str(self.user_id), *self.search_path), self._path, Part.FRAME)

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
        return self.cached(("hidden", str(self.user_id), schema), lambda: self._hides(schema), Part.FRAME)

    def shows(self, schema: str, name: str) -> bool:
        """Whether a list of relations is to name this one to the user, who must have some right to it."""
        rights = self.rights
        if self.knowledge.everything or schema in _SYSTEM_SCHEMAS:
            return True
        found = None if self.hides(schema) else self.find_relation(schema, name)
        return found is not None and (found.owner == rights.user.name or rights.has_any(found.object))

    def known_columns(self, relation: Relation) -> tuple[ColumnDefinition, ...]:
        """The columns of a relation that is shown to the user: where no right is to all of them, those with one."""
        rights = self.rights
        if relation.owner in ("", rights.user.name) or self.knowledge.everything or relation.object in rights.granted:
            return relation.columns
        named = set().union(*rights.columns.get(relation.object, {}).values())
        return tuple(column for column in relation.columns if column.name in named)

    def _hides(self, name: str) -> bool:
        schema = self.find_schema(name)
        return schema is not None and not self.may_use(schema)

    def temporary_relations(self) -> list[Relation]:
        return list(self._temporary.values())

    def _set_temporary(self, tables: dict[str, Relation]) -> None:
        self._temporary = tables
        self.private = bool(tables)
        self.changes_state()

    # Schemas

    def has_schema(self, name: str) -> bool:
        return self.find_schema(name) is not None

    def find_schema(self, name: str) -> Schema | None:
        return self.cached(("schema", name), lambda: self._load_schema(name), Part.FRAME)

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
                found = self._find(candidate, name)
                if found is not None:
                    return found
            return self._system_views.get(f"pg_catalog.{name}")
        if schema in _SYSTEM_SCHEMAS:
            return self._system_views.get(f"{schema}.{name}")
        if schema.startswith(INTERNAL_SCHEMA):
            return None
        return self._find(schema, name)

    def _find(self, schema: str, name: str) -> Relation | None:
        return self.cached(("relation", schema, name), lambda: relation_rows.find(self, schema, name))

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
        return [found for (name,) in names if (found := relation_rows.find(self, schema, name)) is not None]

    def add_relation(self, relation: Relation, reads: Iterable[tuple[str, str]] = ()) -> Relation:
        """Record a relation that the engine has created, and return it with its number.

        reads : what a view depends on
        """
        if relation.kind == "temporary table":
            relation = dataclasses.replace(relation, oid=relation.oid or next(_temporary_oids))
            self._set_temporary({**self._temporary, relation.name: relation})
            schema_oid = classes.TEMPORARY_SCHEMAS + self.session_id
            classes.write(self._connection, relation, schema_oid, self.user_id, self.session_id)
            return relation
        schema = self.find_schema(relation.schema)
        owner = self.users.find(relation.owner)
        assert schema is not None, relation.schema
        relation = dataclasses.replace(relation, oid=relation.oid or self._next_oid())
        relation_rows.add(self, relation)
        owner_id = SUPERUSER_ID if owner is None else owner.id
        classes.write(self._connection, relation, schema.oid, owner_id, exists=self.has_relation)
        dependencies.add(self, relation, reads)
        return relation

    def _next_oid(self) -> int:
        return int(self._connection.run("SELECT nextval('_restframe.oids')")[0][0])

    def has_relation(self, schema: str, name: str) -> bool:
        return self.find_relation(schema, name) is not None

    def remove_relation(self, relation: Relation) -> None:
        if relation.kind == "temporary table":
            self._set_temporary({name: one for name, one in self._temporary.items() if name != relation.name})
            classes.forget(self._connection, relation)
            return
        classes.forget(self._connection, relation)
        relation_rows.remove(self, relation)
        if relation.kind == "view":
            dependencies.remove(self, relation)

    def replace_relation(self, old: Relation, new: Relation, reads: Iterable[tuple[str, str]] = ()) -> Relation:
        """Change what is recorded of a relation, which keeps its OID and what was granted on it; as add_relation."""
        self.remove_relation(old)
        recorded = self.add_relation(dataclasses.replace(new, oid=old.oid), reads)
        before, after = [[column.name for column in one.columns] for one in (old, new)]
        for place, name in enumerate(before):
            if len(before) == len(after) and after[place] not in before:
                self.grants.rename_column(old.object, name, after[place])
                self.write(
                    "UPDATE _restframe.comments SET column_name = ? WHERE oid = ? AND column_name = ?",
                    [after[place], old.oid, name],
                    Part.RELATIONS,
                )
            elif name not in after:
                self.grants.forget_column(old.object, name)
                self.set_comment(old.oid, name, None)
        return recorded

    def drop_relation(self, relation: Relation) -> None:
        """Forget a relation, with what was granted on it."""
        self.remove_relation(relation)
        if relation.oid:
            self.grants.forget(relation.object)
            self.write("DELETE FROM _restframe.comments WHERE oid = ?", [relation.oid], Part.RELATIONS)
            if relation.kind == "view":
                dependencies.forget_view_reads(self, relation)

    def set_comment(self, oid: int, column: str | None, comment: str | None) -> None:
        """Say something about a relation, one of its columns or a schema; None takes it back."""
        key = [oid, column]
        one = "oid = ? AND column_name IS NOT DISTINCT FROM ?"
        self.write(f"DELETE FROM _restframe.comments WHERE {one}", key, Part.RELATIONS)
        if comment is not None:
            self.write("INSERT INTO _restframe.comments VALUES (?, ?, ?)", [*key, comment], Part.RELATIONS)

    def comments(self, oid: int) -> dict[str | None, str]:
        """What is said about a relation, under None, and about its columns."""
        return dict(self._connection.run("SELECT column_name, comment FROM _restframe.comments WHERE oid = ?", [oid]))

    def close(self) -> None:
        """When the session ends: nobody shall see its temporary tables."""
        if self._temporary:
            classes.forget_session(self._connection, self.session_id)

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
            load = functools.partial(self._load_functions, candidate, name)
            found = self.cached(("function", candidate, name), load, Part.FRAME)
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
