"""The system tables clients read, as SQL views over the catalog.

Each is a view in a schema of restframe's own, found under its name in pg_catalog or information_schema, and without a
schema when no table of the user's has it.
https://docs.aws.amazon.com/redshift/latest/dg/cm_chap_system-tables.html
https://www.postgresql.org/docs/15/catalogs.html
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from functools import cache

from restframe.catalog import loads as load_tables
from restframe.catalog.records import Executor
from restframe.catalog.relations import Relation
from restframe.catalog.views import (
    base,
    history,
    information_schema,
    information_schema_keys,
    loads,
    models,
    pg_relations,
    pg_server,
    pg_types,
    pg_users,
    sessions,
    svv,
    svv_empty,
    svv_privileges,
)
from restframe.catalog.views.definition import View

VIEWS: tuple[View, ...] = (
    *pg_relations.VIEWS,
    *pg_types.VIEWS,
    *pg_users.VIEWS,
    *pg_server.VIEWS,
    *information_schema.VIEWS,
    *information_schema_keys.VIEWS,
    *svv.VIEWS,
    *svv_privileges.VIEWS,
    *svv_empty.VIEWS,
    *sessions.VIEWS,
    *history.VIEWS,
    *models.VIEWS,
    *loads.VIEWS,
)


def create(
    connection: Executor, macros: Iterable[str], functions: base.Functions, catalog_macros: Iterable[str]
) -> dict[str, Relation]:
    """Make the macros and views in the engine; the relations by `schema.name`.

    functions : those that pg_proc lists beside the functions of models
    catalog_macros : what reads from the views
    Nothing is made when the file has them as they are written here.
    """
    relations = _relations()
    definitions = [*macros, *base.definitions(relations, functions), *_definitions(), *catalog_macros]
    signature = hashlib.sha256("\n".join(definitions).encode()).hexdigest()
    if signature != connection.run("SELECT definitions FROM _restframe.format")[0][0]:
        load_tables.create(connection)
        for definition in definitions:
            connection.run(definition)
        connection.run("UPDATE _restframe.format SET definitions = ?", [signature])
    return {f"{relation.schema}.{relation.name}": relation for relation in relations}


@cache
def _relations() -> tuple[Relation, ...]:
    return tuple(
        dataclasses.replace(view.relation, oid=_OIDS.get(view.name, _FIRST_OID + place))
        for place, view in enumerate(VIEWS)
    )


@cache
def _definitions() -> tuple[str, ...]:
    return tuple(view.ddl for view in VIEWS)


_FIRST_OID = 10_000
# The tables that other tables of pg_catalog name by number: as PostgreSQL numbers them.
_OIDS = {
    "pg_type": 1247, "pg_attribute": 1249, "pg_proc": 1255, "pg_class": 1259, "pg_authid": 1260,
    "pg_auth_members": 1261, "pg_database": 1262, "pg_tablespace": 1213, "pg_attrdef": 2604, "pg_cast": 2605,
    "pg_constraint": 2606, "pg_conversion": 2607, "pg_depend": 2608, "pg_description": 2609, "pg_index": 2610,
    "pg_inherits": 2611, "pg_language": 2612, "pg_namespace": 2615, "pg_opclass": 2616, "pg_operator": 2617,
    "pg_rewrite": 2618, "pg_trigger": 2620, "pg_am": 2601, "pg_collation": 3456, "pg_enum": 3501, "pg_range": 3541,
    "pg_extension": 3079, "pg_event_trigger": 3466, "pg_shdescription": 2396, "pg_statistic_ext": 3381,
    "pg_policy": 3256, "pg_publication": 6104, "pg_sequence": 2224, "pg_foreign_table": 3118,
    "pg_foreign_server": 1417, "pg_foreign_data_wrapper": 2328, "pg_default_acl": 826,
}  # fmt: skip
