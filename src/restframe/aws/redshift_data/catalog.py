"""ListDatabases, ListSchemas, ListTables and DescribeTable: what the database holds."""

from __future__ import annotations

from restframe.aws.operation import Call, Input, Output
from restframe.aws.redshift_data import login
from restframe.aws.redshift_data.columns import metadata
from restframe.aws.redshift_data.service import operations, page_of
from restframe.catalog import listings

_MOST = 1000

_TYPES = {"table": "TABLE", "view": "VIEW", "system view": "SYSTEM VIEW", "temporary table": "LOCAL TEMPORARY"}


@operations("ListDatabases")
def list_databases(request: Input, call: Call) -> Output:
    """The one database. DatabaseConnectionException for another.

    https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ListDatabases.html
    """
    login.user_of(request, call)
    login.check_database(request, call)
    shown, token = page_of([call.backend.warehouse.settings.database], request, call, _MOST)
    return {"Databases": list(shown), "NextToken": token}


@operations("ListSchemas")
def list_schemas(request: Input, call: Call) -> Output:
    """Schemas whose name matches SchemaPattern, in which % and _ stand for any characters, and that the user may use.

    DatabaseConnectionException when there is no such database, or it is paused.
    https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ListSchemas.html
    """
    user = login.user_of(request, call)
    login.check_database(request, call)
    with call.backend.warehouse.statements.catalog(user) as catalog:
        names = listings.schema_names(catalog.read, request.get("SchemaPattern") or "%")
        found = [name for name in names if not catalog.hides(name)]
    shown, token = page_of(found, request, call, _MOST)
    return {"Schemas": list(shown), "NextToken": token}


@operations("ListTables")
def list_tables(request: Input, call: Call) -> Output:
    """Tables and views whose schema and name match the patterns, the system's included, by schema and name.

    Those that the user has no right to are left out.

    DatabaseConnectionException when there is no such database, or it is paused.
    https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_ListTables.html
    """
    user = login.user_of(request, call)
    login.check_database(request, call)
    with call.backend.warehouse.statements.catalog(user) as catalog:
        found = [
            (schema, name, kind)
            for schema, name, kind in listings.relation_names(
                catalog.read, request.get("SchemaPattern") or "%", request.get("TablePattern") or "%"
            )
            if catalog.shows(schema, name)
        ]
    shown, token = page_of(found, request, call, _MOST)
    tables = [{"schema": schema, "name": name, "type": _TYPES[kind]} for schema, name, kind in shown]
    return {"Tables": tables, "NextToken": token}


@operations("DescribeTable")
def describe_table(request: Input, call: Call) -> Output:
    """The columns of the tables and views with this name, in this schema or in all; none when there is no such table,
    or none that the user has any right to.

    Pages are counted in columns. DatabaseConnectionException when there is no such database, or it is paused.
    https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_DescribeTable.html
    """
    user = login.user_of(request, call)
    login.check_database(request, call)
    with call.backend.warehouse.statements.catalog(user) as catalog:
        found = [
            relation
            for schema, name in listings.relations_named(catalog.read, request.get("Schema"), request.get("Table"))
            if catalog.shows(schema, name) and (relation := catalog.find_relation(schema, name)) is not None
        ]
        columns = [(relation, column) for relation in found for column in catalog.known_columns(relation)]
    shown, token = page_of(columns, request, call, _MOST)
    described = [
        metadata(column.name, column.type, relation.schema, relation.name, column.not_null, column.default)
        for relation, column in shown
    ]
    return {"TableName": request.get("Table"), "ColumnList": described, "NextToken": token}
