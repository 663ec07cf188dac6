"""Redshift's views of users' roles and of what was granted.

Whoever is not allowed to see the system's tables as a whole sees what was granted to them, their groups and roles.
https://docs.aws.amazon.com/redshift/latest/dg/svv_views.html
"""

from __future__ import annotations

from restframe.catalog.views.definition import View, empty, view

_IDENTITY = """
    identity_id    int4  g.grantee_id
    identity_name  text  g.grantee
    identity_type  text  g.grantee_kind
"""
_GRANTED = f"""
    privilege_type text  g.privilege
    {_IDENTITY}
    admin_option   bool  g.grantable
"""
_SEEN = "g.seen"

VIEWS: tuple[View, ...] = (
    view(
        "svv_relation_privileges",
        f"namespace_name text r.schema_name\nrelation_name text r.name\n{_GRANTED}",
        f"""FROM _restframe.base_grants g JOIN _restframe.base_relations r ON r.oid = g.object_id
            WHERE g.kind = 'table' AND g.column_name IS NULL AND {_SEEN}""",
    ),
    view(
        "svv_column_privileges",
        f"""
        namespace_name text r.schema_name
        relation_name  text r.name
        column_name    text g.column_name
        privilege_type text g.privilege
        {_IDENTITY}
        """,
        f"""FROM _restframe.base_grants g JOIN _restframe.base_relations r ON r.oid = g.object_id
            WHERE g.kind = 'table' AND g.column_name IS NOT NULL AND {_SEEN}""",
    ),
    view(
        "svv_schema_privileges",
        f"namespace_name text s.name\n{_GRANTED}\nprivilege_scope text 'SCHEMA'",
        f"""FROM _restframe.base_grants g JOIN _restframe.schemas s ON s.oid = g.object_id
            WHERE g.kind = 'schema' AND {_SEEN}""",
    ),
    view(
        "svv_database_privileges",
        f"database_name text getvariable('restframe_database')\n{_GRANTED}\nprivilege_scope text 'DATABASE'",
        f"FROM _restframe.base_grants g WHERE g.kind = 'database' AND {_SEEN}",
    ),
    view(
        "svv_ml_model_privileges",
        f"namespace_name text m.schema_name\nmodel_name text m.name\nmodel_version int4 1\n{_GRANTED}",
        f"""FROM _restframe.base_grants g JOIN _restframe.models m ON m.id = g.object_id
            WHERE g.kind = 'model' AND {_SEEN}""",
    ),
    view(
        "svv_function_privileges",
        f"""
        namespace_name text m.function_schema
        function_name  text m.function_name
        argument_types text array_to_string(m.argument_types, ', ')
        {_GRANTED}
        """,
        f"""FROM _restframe.base_grants g JOIN _restframe.models m ON m.id = g.object_id
            WHERE g.kind = 'model' AND m.function_name <> '' AND {_SEEN}""",
    ),
    view(
        "svv_system_privileges",
        f"system_privilege text g.privilege\n{_IDENTITY}",
        f"FROM _restframe.base_grants g WHERE g.kind = 'system' AND {_SEEN}",
    ),
    view(
        "svv_default_privileges",
        """
        schema_name    text  d.schema_name
        object_type    text  CASE d.kind WHEN 'table' THEN 'RELATION' ELSE upper(d.kind) END
        owner_id       int4  d.owner_id
        owner_name     text  o.name
        owner_type     text  'user'
        privilege_type text  d.privilege
        grantee_id     int4  p.id
        grantee_name   text  p.name
        grantee_type   text  p.kind
        admin_option   bool  d.grantable
        """,
        """FROM _restframe.default_grants d
           JOIN _restframe.base_principals p ON p.kind = d.grantee_kind AND p.id = d.grantee_id
           JOIN _restframe.users o ON o.id = d.owner_id CROSS JOIN _restframe.base_viewer v
           WHERE v.sees_all OR d.owner_id = v.id OR (p.kind, p.id) IN (
               SELECT (a.kind, a.id) FROM _restframe.acts_as a
               WHERE a.user_id = getvariable('restframe_user_id')::BIGINT)""",
    ),
    view(
        "svv_roles",
        """
        role_id     int4  r.id
        role_name   text  r.name
        role_owner  text  r.owner
        external_id text  r.external_id
        """,
        "FROM _restframe.roles r CROSS JOIN _restframe.base_viewer v WHERE v.sees_all OR r.owner = v.name "
        "OR r.id IN (SELECT a.id FROM _restframe.acts_as a WHERE a.kind = 'role' AND a.user_id = v.id)",
    ),
    view(
        "svv_user_grants",
        """
        user_id      int4  u.id
        user_name    text  u.name
        role_id      int4  r.id
        role_name    text  r.name
        admin_option bool  g.admin
        """,
        """FROM _restframe.role_grants g JOIN _restframe.users u ON u.id = g.grantee_id
           JOIN _restframe.roles r ON r.id = g.role_id CROSS JOIN _restframe.base_viewer v
           WHERE g.grantee_kind = 'user' AND (v.sees_all OR u.id = v.id)""",
    ),
    view(
        "svv_role_grants",
        """
        role_id           int4  h.id
        role_name         text  h.name
        granted_role_id   int4  r.id
        granted_role_name text  r.name
        """,
        """FROM _restframe.role_grants g JOIN _restframe.roles h ON h.id = g.grantee_id
           JOIN _restframe.roles r ON r.id = g.role_id CROSS JOIN _restframe.base_viewer v
           WHERE g.grantee_kind = 'role' AND (v.sees_all OR h.id IN (
               SELECT a.id FROM _restframe.acts_as a WHERE a.kind = 'role' AND a.user_id = v.id))""",
    ),
    empty(
        "svv_language_privileges",
        "language_name text, privilege_type text, identity_id int4, identity_name text, identity_type text, "
        "admin_option bool",
    ),
    view(
        "svv_iam_privileges",
        f"""
        iam_arn      text  coalesce(g.column_name, 'ALL')
        command_type text  CASE g.privilege WHEN 'EXTERNAL FUNCTION' THEN 'EXFUNC' ELSE g.privilege END
        {_IDENTITY}
        """,
        f"FROM _restframe.base_grants g WHERE g.kind = 'iam role' AND {_SEEN}",
    ),
    empty(
        "svv_datashare_privileges",
        "datashare_name text, privilege_type text, identity_id int4, identity_name text, identity_type text, "
        "admin_option bool",
    ),
    empty(
        "svv_identity_providers",
        "uid int4, name text, type text, instanceid text, namespc text, params text, enabled bool",
    ),
    empty(
        "svv_rls_policy",
        "poldb text, polname text, polalias text, polatts text, polqual text, polenabled bool, polmodifiedby name, "
        "polmodifiedtime timestamp",
    ),
    empty(
        "svv_rls_relation",
        "datname text, relschema text, relname text, relkind text, is_rls_on bool, is_rls_datashare_on bool",
    ),
    empty(
        "svv_rls_attached_policy",
        "relschema text, relname text, relkind text, polname text, grantor text, grantee text, granteekind text, "
        "is_pol_on bool, is_rls_on bool, rls_conjunction_type text",
    ),
    empty(
        "svv_rls_applied_policy",
        "username text, query int4, xid int8, pid int4, recordtime timestamp, command text, datname text, "
        "relschema text, relname text, polname text, poldefault text",
    ),
    empty(
        "svv_masking_policy",
        "policy_database text, policy_name text, input_columns text, policy_expression text, "
        "policy_modified_by text, policy_modified_time timestamp",
    ),
    empty(
        "svv_attached_masking_policy",
        "policy_name text, schema_name text, table_name text, table_type text, grantor text, grantee text, "
        "grantee_type text, priority int4, input_columns text, output_columns text",
    ),
)
