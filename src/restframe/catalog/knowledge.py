"""What a user may know of: everything, or what the user owns and has some right to. Lists of objects show no more.

It is what Redshift shows with metadata security on. pg_class and its kin are left as PostgreSQL has them, since clients
build on them: names there are no secret.
https://docs.aws.amazon.com/redshift/latest/dg/t_metadata_security.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from restframe.catalog.grants import SYSTEM, Object

if TYPE_CHECKING:
    from restframe.catalog.store import Catalog


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Beside what the user owns, by its number.

    schemas : that may be used; what is in others is not known
    tables : with any right, to a column too; `whole` : with one to all columns
    columns : `number of the table.name`, of those with rights of their own
    models : one's own too
    """

    everything: bool
    schemas: tuple[int, ...] = ()
    tables: tuple[int, ...] = ()
    whole: tuple[int, ...] = ()
    columns: tuple[str, ...] = ()
    models: tuple[int, ...] = ()


def load(catalog: Catalog) -> Knowledge:
    """Of the catalog's user, as things are now."""
    rights = catalog.rights
    if rights.superuser or rights.has(SYSTEM, "ACCESS CATALOG"):
        return Knowledge(everything=True)
    usable = {one.name: one.oid for one in catalog.all_schemas() if catalog.may_use(one)}
    models = (
        one.id
        for one in catalog.models()
        if one.owner == rights.user.name or (one.schema in usable and rights.has_any(one.object))
    )
    parts = {on: set().union(*named.values()) for on, named in rights.columns.items()}
    return Knowledge(
        everything=False,
        schemas=tuple(sorted(usable.values())),
        tables=_tables([*rights.granted, *parts]),
        whole=_tables(rights.granted),
        columns=tuple(sorted(f"{on.id}.{name}" for on, names in parts.items() for name in names)),
        models=tuple(sorted(models)),
    )


def _tables(objects: Iterable[Object]) -> tuple[int, ...]:
    return tuple(sorted({one.id for one in objects if one.kind == "table"}))
