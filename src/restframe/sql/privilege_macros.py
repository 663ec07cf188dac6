"""Macros that say who may do what, for has_table_privilege() and its kin. They read the catalog's own tables."""

from __future__ import annotations

from restframe.sql.nodes import MACRO_SCHEMA

# What everybody may do by all that was granted to them, their groups, their roles and PUBLIC.
_HOLDINGS = """
    SELECT a.user_id, g.kind, g.object_id, g.column_name, g.privilege, g.grantable
    FROM _restframe.grants g JOIN _restframe.acts_as a ON a.kind = g.grantee_kind AND a.id = g.grantee_id
"""
_SUPERUSERS = """
    SELECT id FROM _restframe.users WHERE superuser
    UNION SELECT user_id FROM _restframe.base_holdings WHERE kind = 'system' AND privilege = 'SUPERUSER'
"""

_WANTED = "(list_contains(_p, h.privilege) OR (h.grantable AND list_contains(_p, h.privilege || ' WITH GRANT OPTION')))"
_SUPER = "_u IN (SELECT id FROM _restframe.base_superusers)"
_HELD = f"h.user_id = _u AND h.column_name IS NULL AND {_WANTED}"

# _u is a user's number, _n an object's, _p a list of privileges of which one is enough.
_BODIES = {
    "user_number(_x)": """
        CASE WHEN _x = 'public' THEN 0 WHEN _x IN (SELECT u.name FROM _restframe.users u)
             THEN (SELECT min(u.id) FROM _restframe.users u WHERE u.name = _x)
             WHEN _x IS NOT NULL
             THEN CAST(_restframe.fail('[42704] user "' || left(_x, 100) || '" does not exist') AS BIGINT) END""",
    "privilege_list(_x, _known)": """
        list_transform(string_split(upper(_x), ','), lambda p: CASE
            WHEN list_contains(_known, regexp_replace(trim(p), ' WITH GRANT OPTION$', ''))
            THEN regexp_replace(trim(p), '^TEMP\\b', 'TEMPORARY')
            ELSE _restframe.fail('[22023] unrecognized privilege type: "' || left(trim(p), 100) || '"') END)""",
    "has_table(_u, _n, _p)": f"""
        (SELECT bool_or(h.privilege IS NOT NULL OR r.owner_id = _u OR {_SUPER}
                        OR (r.oid < 100000 AND list_contains(_p, 'SELECT')))
         FROM _restframe.base_relations r LEFT JOIN _restframe.base_holdings h
           ON h.kind = 'table' AND h.object_id = r.oid AND {_HELD}
         WHERE r.oid = _n)""",
    "has_column(_u, _n, _c, _p)": f"""
        (SELECT bool_or(h.privilege IS NOT NULL OR r.owner_id = _u OR {_SUPER}
                        OR (r.oid < 100000 AND list_contains(_p, 'SELECT')))
         FROM _restframe.base_relations r LEFT JOIN _restframe.base_holdings h
           ON h.kind = 'table' AND h.object_id = r.oid AND h.user_id = _u AND {_WANTED}
              AND (_c = '' OR coalesce(h.column_name, _c) = _c)
         WHERE r.oid = _n)""",
    "column_name(_n, _c)": """
        (SELECT min(c.name) FROM _restframe.base_columns c WHERE c.relation_oid = _n
         AND (c.name = lower(CAST(_c AS VARCHAR)) OR CAST(c.position AS VARCHAR) = CAST(_c AS VARCHAR)))""",
    "has_schema(_u, _n, _p)": f"""
        (SELECT bool_or(h.privilege IS NOT NULL OR s.owner_id = _u OR {_SUPER}
                        OR (s.oid IN (11, 13000) AND list_contains(_p, 'USAGE')))
         FROM _restframe.base_schemas s LEFT JOIN _restframe.base_holdings h
           ON h.kind = 'schema' AND h.object_id = s.oid AND {_HELD}
         WHERE s.oid = _n)""",
    "has_database(_u, _p)": f"""
        ({_SUPER} OR EXISTS (
            SELECT 1 FROM _restframe.base_holdings h WHERE h.kind = 'database' AND {_HELD})
            OR list_contains(_p, 'CONNECT'))""",
    "may_assume(_u, _x, _p)": f"""
        ({_SUPER} OR EXISTS (
            SELECT 1 FROM _restframe.base_holdings h WHERE h.kind = 'iam role' AND h.user_id = _u AND {_WANTED}
            AND coalesce(h.column_name, _x) = CASE WHEN _x = 'default' THEN 'default-aws-iam-role' ELSE _x END))""",
    "has_function(_u, _x, _p)": f"""
        (SELECT CASE WHEN count(m.id) = 0 THEN true ELSE
                bool_or(h.privilege IS NOT NULL OR m.owner IN (SELECT u.name FROM _restframe.users u WHERE u.id = _u)
                        OR {_SUPER}) END
         FROM _restframe.models m LEFT JOIN _restframe.base_holdings h
           ON h.kind = 'model' AND h.object_id = m.id AND {_HELD}
         WHERE m.function_name = lower(regexp_extract(_x, '([^.(]+)(\\(.*)?$', 1)))""",
    "is_member(_u, _x)": f"""
        (({_SUPER}) OR EXISTS (
            SELECT 1 FROM _restframe.acts_as a JOIN _restframe.roles r ON a.kind = 'role' AND r.id = a.id
            WHERE a.user_id = _u AND r.name = _x
            UNION ALL
            SELECT 1 FROM _restframe.acts_as a JOIN _restframe.groups g ON a.kind = 'group' AND g.id = a.id
            WHERE a.user_id = _u AND g.name = _x
            UNION ALL
            SELECT 1 FROM _restframe.users u WHERE u.id = _u AND u.name = _x))""",
    "role_is_member(_r, _x)": """
        EXISTS (
            WITH RECURSIVE held (id) AS (
                SELECT id FROM _restframe.roles WHERE name = _r
                UNION SELECT g.role_id FROM held JOIN _restframe.role_grants g
                ON g.grantee_kind = 'role' AND g.grantee_id = held.id)
            SELECT 1 FROM held JOIN _restframe.roles r ON r.id = held.id WHERE r.name = _x)""",
    "sees_all()": """
        EXISTS (SELECT 1 FROM _restframe.users u WHERE u.id = getvariable('restframe_user_id') AND u.sees_all)
        OR EXISTS (SELECT 1 FROM _restframe.base_superusers s WHERE s.id = getvariable('restframe_user_id'))
        OR EXISTS (SELECT 1 FROM _restframe.base_holdings h WHERE h.user_id = getvariable('restframe_user_id')
                   AND h.kind = 'system' AND h.privilege = 'ACCESS SYSTEM TABLE')""",
}

PRIVILEGE_MACROS: tuple[str, ...] = (
    f"CREATE OR REPLACE VIEW {MACRO_SCHEMA}.base_holdings AS {_HOLDINGS}",
    f"CREATE OR REPLACE VIEW {MACRO_SCHEMA}.base_superusers AS {_SUPERUSERS}",
    *(f"CREATE OR REPLACE MACRO {MACRO_SCHEMA}.{head} AS {' '.join(body.split())}" for head, body in _BODIES.items()),
)
