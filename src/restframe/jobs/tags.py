"""Tags: words that clients attach to training and transform jobs, models, endpoint configurations and endpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from restframe import errors
from restframe.journal import Journal

# A resource's kind, as its ARN says it, and where the journal has its name.
_TABLES = {
    "training-job": "training_jobs",
    "transform-job": "transform_jobs",
    "model": "models",
    "endpoint-config": "endpoint_configs",
    "endpoint": "endpoints",
}
_MAX_TAGS = 50


class Tags:
    """All tags of a warehouse. Usable from any thread.

    A resource is `<kind>/<name>` as in its ARN, where names stand in lower case.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def add(self, resource: str, tags: Mapping[str, str]) -> None:
        """Attach tags; the value of a key that is there is replaced.

        UndefinedObject when there is no such resource, InvalidParameterValue beyond 50 tags.
        """
        with self._journal.transaction() as connection:
            self._check(resource)
            connection.executemany(
                "INSERT OR REPLACE INTO tags VALUES (?, ?, ?)",
                [(resource.lower(), key, value) for key, value in tags.items()],
            )
            if len(self.of(resource)) > _MAX_TAGS:
                raise errors.InvalidParameterValue(f"a resource has at most {_MAX_TAGS} tags")

    def of(self, resource: str) -> dict[str, str]:
        """By key. UndefinedObject when there is no such resource."""
        self._check(resource)
        found = self._journal.rows("SELECT key, value FROM tags WHERE resource = ? ORDER BY key", (resource.lower(),))
        return {row["key"]: row["value"] for row in found}

    def remove(self, resource: str, keys: Sequence[str]) -> None:
        """What is not there is passed over. UndefinedObject when there is no such resource."""
        self._check(resource)
        with self._journal.transaction() as connection:
            connection.executemany(
                "DELETE FROM tags WHERE resource = ? AND key = ?", [(resource.lower(), key) for key in keys]
            )

    def forget(self, resource: str) -> None:
        """Everything about a resource that is no more."""
        with self._journal.transaction() as connection:
            connection.execute("DELETE FROM tags WHERE resource = ?", (resource.lower(),))

    def _check(self, resource: str) -> None:
        kind, _, name = resource.partition("/")
        table = _TABLES.get(kind)
        if table is None:
            raise errors.UndefinedObject(f'"{resource[:100]}" is nothing that has tags')
        if self._journal.row(f"SELECT 1 FROM {table} WHERE lower(name) = ?", (name.lower(),)) is None:
            raise errors.UndefinedObject(f'"{resource[:100]}" does not exist')
