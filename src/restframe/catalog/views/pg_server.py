"""The server's side of pg_catalog: databases, users and groups, settings, sessions, and what there is nothing of."""

from __future__ import annotations

from restframe.catalog.views.definition import View, view

_DATABASE = "FROM (SELECT getvariable('restframe_database')::VARCHAR AS name) AS d"
_USER = """
    useconfig   text[]     NULL
    usesysid    int4       u.id
    usecreatedb bool       u.createdb
    usesuper    bool       u.superuser
    usecatupd   bool       u.superuser
    passwd      text       '********'
    valuntil    timestamp  NULL
    usename     name       u.name
"""

VIEWS: tuple[View, ...] = (
    view(
        "pg_database",
        """
        oid            oid        100000
        datname        name       d.name
        datdba         oid        100
        encoding       int4       6
        datlocprovider "char"     'c'
        datistemplate  bool       false
        datallowconn   bool       true
        datconnlimit   int4       -1
        datlastsysoid  oid        99999
        datvacuumxid   int8       0
        datfrozenxid   int8       0
        datminmxid     int8       0
        dattablespace  oid        1663
        datcollate     text       'C'
        datctype       text       'C'
        daticulocale   text       NULL
        datlocale      text       NULL
        datcollversion text       NULL
        datconfig      text[]     NULL
        datacl         aclitem[]  NULL
        """,
        _DATABASE,
    ),
    view(
        "pg_database_info",
        """
        datid        oid        100000
        datname      name       d.name
        datdba       oid        100
        encoding     int4       6
        datistemplate bool      false
        datallowconn bool       true
        datlastsysoid oid       99999
        datvacuumxid int8       0
        datfrozenxid int8       0
        dattablespace oid       1663
        datconfig    text[]     NULL
        datacl       aclitem[]  NULL
        datconnlimit text       'UNLIMITED'
        """,
        _DATABASE,
    ),
    view(
        "pg_user",
        """
        usename      name       u.name
        usesysid     int4       u.id
        usecreatedb  bool       u.createdb
        usesuper     bool       u.superuser
        usecatupd    bool       u.superuser
        userepl      bool       false
        usebypassrls bool       u.superuser
        passwd       text       '********'
        valuntil     timestamp  NULL
        useconfig    text[]     NULL
        """,
        "FROM _restframe.base_users u",
    ),
)
