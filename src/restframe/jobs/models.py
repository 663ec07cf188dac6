"""Models and endpoint configurations as the journal keeps them."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from restframe import errors
from restframe.jobs.specs import EndpointConfig, ModelSpec, endpoint_config, model_spec, to_json
from restframe.journal import Journal
from restframe.ml import registry
from restframe.storage import ObjectUrl

Spec = TypeVar("Spec", ModelSpec, EndpointConfig)


@dataclass(frozen=True, slots=True)
class Created(Generic[Spec]):
    """A model or endpoint configuration, and when it was created."""

    spec: Spec
    created: datetime


class Models:
    """The models and endpoint configurations in a journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def create(self, spec: ModelSpec) -> None:
        """Name something that can be served. Nothing is loaded yet.

        UndefinedObject for an unknown algorithm, DuplicateObject for a name that is taken.
        """
        if spec.algorithm is not None:
            registry.find(spec.algorithm)
        if spec.artifact is not None:
            ObjectUrl.parse(spec.artifact)
        self._insert("models", "model", spec)

    def find(self, name: str) -> Created[ModelSpec]:
        row = self._named("models", "model", name)
        return Created(model_spec(row["spec"]), _time(row["created"]))

    def all(self) -> list[Created[ModelSpec]]:
        found = self._journal.rows("SELECT * FROM models ORDER BY created, name")
        return [Created(model_spec(row["spec"]), _time(row["created"])) for row in found]

    def delete(self, name: str) -> None:
        """Endpoints that serve it go on."""
        self._delete("models", "model", name)

    def create_config(self, config: EndpointConfig) -> None:
        """UndefinedObject when there is no such model, DuplicateObject for a name that is taken."""
        self.find(config.model)
        self._insert("endpoint_configs", "endpoint configuration", config)

    def config(self, name: str) -> Created[EndpointConfig]:
        row = self._named("endpoint_configs", "endpoint configuration", name)
        return Created(endpoint_config(row["spec"]), _time(row["created"]))

    def configs(self) -> list[Created[EndpointConfig]]:
        found = self._journal.rows("SELECT * FROM endpoint_configs ORDER BY created, name")
        return [Created(endpoint_config(row["spec"]), _time(row["created"])) for row in found]

    def delete_config(self, name: str) -> None:
        """Endpoints made of it go on."""
        self._delete("endpoint_configs", "endpoint configuration", name)

    def _insert(self, table: str, what: str, spec: ModelSpec | EndpointConfig) -> None:
        with self._journal.transaction() as connection:
            try:
                connection.execute(f"INSERT INTO {table} VALUES (?, ?, ?)", (spec.name, to_json(spec), time.time()))
            except sqlite3.IntegrityError as error:
                raise errors.DuplicateObject(f'{what} "{spec.name}" already exists') from error

    def _named(self, table: str, what: str, name: str) -> sqlite3.Row:
        row = self._journal.row(f"SELECT * FROM {table} WHERE name = ?", (name,))
        if row is None:
            raise errors.UndefinedObject(f'{what} "{name[:100]}" does not exist')
        return row

    def _delete(self, table: str, what: str, name: str) -> None:
        self._named(table, what, name)
        with self._journal.transaction() as connection:
            connection.execute(f"DELETE FROM {table} WHERE name = ?", (name,))


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
