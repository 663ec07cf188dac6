"""Users, groups and roles in pg_catalog, and what was granted to them as lists of access."""

from __future__ import annotations

from restframe.catalog.views.definition import View, empty, view

_USERS = "FROM _restframe.users u"
_KNOWN_USERS = f"{_USERS} CROSS JOIN _restframe.base_viewer v WHERE v.sees_all OR v.id = u.id"
_LIMIT = "coalesce(u.connection_limit::VARCHAR, 'UNLIMITED')"
_LOG_ACCESS = "CASE WHEN u.sees_all THEN 'UNRESTRICTED' ELSE 'RESTRICTED' END"
_PASSWORD = "'********'"

_USER = f"""
    usename     name       u.name
    usesysid    int4       u.id
    usecreatedb bool       u.createdb
    usesuper    bool       u.superuser
    usecatupd   bool       false
    passwd      text       {_PASSWORD}
    valuntil    timestamp  u.valid_until
    useconfig   text[]     u.settings
"""

# Roles as PostgreSQL knows them: whoever can log in, and groups and roles, which cannot.
_ROLES = """FROM (
    SELECT id, name, superuser, createdb, true AS login, coalesce(connection_limit, -1) AS connection_limit,
           valid_until, settings FROM _restframe.users
    UNION ALL SELECT id, name, false, false, false, -1, NULL, NULL FROM _restframe.groups
    UNION ALL SELECT id, name, name = 'sys:superuser', false, false, -1, NULL, NULL FROM _restframe.roles) AS r"""
_ROLE = f"""
    oid            oid          r.id
    rolname        name         r.name
    rolsuper       bool         r.superuser
    rolinherit     bool         true
    rolcreaterole  bool         r.superuser
    rolcreatedb    bool         r.createdb
    rolcatupdate   bool         false
    rolcanlogin    bool         r.login
    rolreplication bool         false
    rolconnlimit   int4         r.connection_limit
    rolpassword    text         {_PASSWORD}
    rolvaliduntil  timestamptz  r.valid_until
    rolbypassrls   bool         r.superuser
    rolconfig      text[]       r.settings
"""

VIEWS: tuple[View, ...] = (
    view("pg_user", f"{_USER}\nuserepl bool false\nusebypassrls bool u.superuser", _USERS),
    view("pg_shadow", f"{_USER}\nuserepl bool false\nusebypassrls bool u.superuser", _USERS),
    view(
        "pg_user_info",
        f"""{_USER}
        useconnlimit     text       {_LIMIT}
        syslogaccess     text       {_LOG_ACCESS}
        last_ddl_ts      timestamp  NULL
        sessiontimeout   int4       coalesce(u.session_timeout_s, 0)
        external_user_id text       u.external_id
        """,
        _KNOWN_USERS,
    ),
    view(
        "svl_user_info",
        f"""
        usename          text       u.name
        usesysid         int4       u.id
        usecreatedb      bool       u.createdb
        usesuper         bool       u.superuser
        usecatupd        bool       false
        useconnlimit     text       {_LIMIT}
        syslogaccess     text       {_LOG_ACCESS}
        last_ddl_ts      timestamp  NULL
        sessiontimeout   int4       coalesce(u.session_timeout_s, 0)
        external_user_id text       u.external_id
        """,
        _KNOWN_USERS,
    ),
    view(
        "svv_user_info",
        f"""
        user_name        text       u.name
        user_id          int4       u.id
        createdb         bool       u.createdb
        superuser        bool       u.superuser
        catalog_update   bool       false
        connection_limit text       {_LIMIT}
        syslog_access    text       {_LOG_ACCESS}
        last_ddl_ts      timestamp  NULL
        session_timeout  int4       coalesce(u.session_timeout_s, 0)
        external_user_id text       u.external_id
        """,
        _KNOWN_USERS,
    ),
    view(
        "pg_group",
        """
        groname  name    g.name
        grosysid int4    g.id
        grolist  int4[]  coalesce(m.members, [])
        """,
        """FROM _restframe.groups g LEFT JOIN (
            SELECT group_id, list(user_id ORDER BY user_id) AS members FROM _restframe.group_members GROUP BY group_id
        ) AS m ON m.group_id = g.id""",
    ),
    view("pg_roles", _ROLE, _ROLES),
    view("pg_authid", _ROLE, _ROLES),
    view(
        "pg_auth_members",
        """
        oid            oid   0
        roleid         oid   m.role_id
        member         oid   m.member_id
        grantor        oid   m.grantor_id
        admin_option   bool  m.admin
        inherit_option bool  true
        set_option     bool  true
        """,
        """FROM (
            SELECT role_id, grantee_id AS member_id, grantor_id, admin FROM _restframe.role_grants
            UNION ALL SELECT group_id, user_id, 100, false FROM _restframe.group_members) AS m""",
    ),
    view(
        "pg_default_acl",
        """
        oid             oid        d.owner_id
        defacluser      oid        d.owner_id
        defaclrole      oid        d.owner_id
        defaclnamespace oid        coalesce(s.oid, 0)
        defaclobjtype   "char"     CASE d.kind WHEN 'table' THEN 'r' ELSE 'f' END
        defaclacl       aclitem[]  list(d.acl ORDER BY d.acl)
        """,
        """FROM (
            SELECT d.owner_id, d.schema_name, d.kind,
                   CASE p.kind WHEN 'group' THEN 'group ' WHEN 'role' THEN 'role ' ELSE '' END
                   || CASE p.kind WHEN 'public' THEN '' ELSE p.name END || '='
                   || string_agg(l.letter || CASE WHEN d.grantable THEN '*' ELSE '' END, '' ORDER BY l.place)
                   || '/' || o.name AS acl
            FROM _restframe.default_grants d
            JOIN _restframe.base_principals p ON p.kind = d.grantee_kind AND p.id = d.grantee_id
            JOIN _restframe.users o ON o.id = d.owner_id
            JOIN _restframe.system_privileges l ON l.privilege = d.privilege
            GROUP BY d.owner_id, d.schema_name, d.kind, p.kind, p.name, o.name) AS d
        LEFT JOIN _restframe.schemas s ON s.name = d.schema_name GROUP BY d.owner_id, d.kind, s.oid""",
    ),
    view(
        "pg_db_role_setting",
        """
        setdatabase oid     0
        setrole     oid     u.id
        setconfig   text[]  u.settings
        """,
        "FROM _restframe.users u WHERE len(u.settings) > 0",
    ),
    empty(
        "pg_identity_provider",
        "uid int4, name text, type text, instanceid text, namespc text, params text, enabled bool",
    ),
)
