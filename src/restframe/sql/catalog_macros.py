"""Macros over the catalog, for functions of PostgreSQL's that look something up by its number or name.

They are made after the system views, from whose `_restframe.base_...` views they read.
"""

from __future__ import annotations

from restframe.sql.nodes import MACRO_SCHEMA
from restframe.sql.privilege_macros import PRIVILEGE_MACROS

# Relations and what counts as their indexes, with the place of their schema in the search path.
_CLASSES = """
    SELECT c.oid, s.name AS schema_name, c.name,
           nullif(list_position(list_prepend('pg_temp_' || getvariable('restframe_pid')::VARCHAR, list_append(
               getvariable('restframe_search_path')::VARCHAR[], 'pg_catalog')), s.name), 0) AS place
    FROM _restframe.base_rows c JOIN _restframe.base_names s ON s.oid = c.schema_oid
"""
_VISIBLE = """
    SELECT *, place IS NOT NULL AND row_number() OVER (PARTITION BY name ORDER BY place) = 1 AS visible
    FROM _restframe.base_classes
"""
_ALIASES = {
    "int": "int4", "decimal": "numeric", "dec": "numeric", "float": "float8", "character": "bpchar", "char": "bpchar",
    "nchar": "bpchar", "nvarchar": "varchar", "varbinary": "varbyte",
}  # fmt: skip
_ALIAS_CASES = " ".join(f"WHEN '{alias}' THEN '{name}'" for alias, name in _ALIASES.items())

# https://docs.aws.amazon.com/redshift/latest/dg/r_pg_keywords.html
_RESERVED = (
    "aes128 aes256 all allowoverwrite analyse analyze and any array as asc authorization az64 backup between binary "
    "blanksasnull both bytedict bzip2 case cast check collate column constraint create credentials cross current_date "
    "current_time current_timestamp current_user current_user_id default deferrable deflate defrag delta delta32k desc "
    "disable distinct do else emptyasnull enable encode encrypt encryption end except explicit false for foreign "
    "freeze from full globaldict256 globaldict64k grant group gzip having identity ignore ilike in initially inner "
    "intersect interval into is isnull join leading left like limit localtime localtimestamp lun luns lzo lzop minus "
    "mostly16 mostly32 mostly8 natural new not notnull null nulls off offline offset oid old on only open or order "
    "outer overlaps parallel partition percent permissions pivot placing primary raw readratio recover references "
    "rejectlog resort respect restore right select session_user similar snapshot some sysdate system table tag tdes "
    "text255 text32k then timestamp to top trailing true truncatecolumns union unique unnest unpivot user using "
    "verbose wallet when where with without"
)

# In an order in which each calls only those above it.
_BODIES: dict[str, str] = {
    # Names, as SQL writes them
    "name_parts(_x)": r"""
        list_transform(regexp_extract_all(_x, '"(?:[^"]|"")*"|[^".\s]+'),
            lambda p: lower(CASE WHEN p[1] = '"' THEN replace(p[2:-2], '""', '"') ELSE p END))""",
    "not_found(_what, _x)": """
        CAST(_restframe.fail('[' || CASE _what WHEN 'relation' THEN '42P01' WHEN 'schema' THEN '3F000' ELSE '42704' END
            || '] ' || _what || ' "' || left(_x, 100) || '" does not exist') AS BIGINT)""",
    "is_number(_x)": r"regexp_full_match(_x, '\s*[0-9]{1,10}\s*')",
    # regclass
    "find_regclass(_x)": """
        (SELECT arg_min(c.oid, c.place) FROM (SELECT oid, schema_name, name, coalesce(place, 1000) AS place
         FROM _restframe.base_classes) c WHERE c.name = _restframe.name_parts(_x)[-1]
         AND CASE WHEN len(_restframe.name_parts(_x)) > 1 THEN c.schema_name = _restframe.name_parts(_x)[-2]
                  ELSE c.place < 1000 END)""",
    "regclass_number(_x)": """
        CASE WHEN _restframe.is_number(_x) THEN TRY_CAST(_x AS BIGINT) WHEN _x = '-' THEN 0
             WHEN _restframe.find_regclass(_x) IS NOT NULL THEN _restframe.find_regclass(_x)
             WHEN _x IS NOT NULL THEN _restframe.not_found('relation', _x) END""",
    "regclass_name(_n)": """
        coalesce((SELECT any_value(CASE WHEN c.visible THEN _restframe.quote_ident(c.name)
            ELSE _restframe.quote_ident(c.schema_name) || '.' || _restframe.quote_ident(c.name) END)
            FROM _restframe.base_visible c WHERE c.oid = _n),
            CASE WHEN _n = 0 THEN '-' ELSE CAST(_n AS VARCHAR) END)""",
    "table_is_visible(_n)": "_n IN (SELECT c.oid FROM _restframe.base_visible c WHERE c.visible)",
    # regtype
    "plain_type(_x)": r"""
        CASE WHEN _x = '"char"' THEN 'char' ELSE CASE regexp_replace(_x, '^pg_catalog\.', '')
            """ + _ALIAS_CASES + r""" ELSE regexp_replace(replace(regexp_replace(_x, '^"?pg_catalog"?\.', ''), '"', ''),
            '\s*\([^)]*\)', '') END END""",
    "find_regtype(_x)": """
        coalesce((SELECT min(t.oid) FROM _restframe.system_types t
                  WHERE t.name = _restframe.plain_type(lower(trim(_x)))
                     OR (t.long_name = _restframe.plain_type(lower(trim(_x))) AND t.name <> 'char')
                     OR t.name = '_' || _restframe.plain_type(
                         regexp_replace(lower(trim(_x)), '(.*)\\[\\]$|.*', '\\1'))),
                 1000000000 + (SELECT min(c.oid) FROM _restframe.base_classes c
                               WHERE c.oid < 1000000000 AND c.oid = _restframe.find_regclass(_x)))""",
    "type_modifier(_n, _m)": """
        CASE WHEN _m IS NULL OR _m < 4 THEN ''
             WHEN _n IN (1042, 1043, 1014, 1015, 6551) THEN '(' || (_m - 4) || ')'
             WHEN _n IN (1700, 1231) THEN '(' || ((_m - 4) >> 16) || ',' || ((_m - 4) & 65535) || ')' ELSE '' END""",
    "format_type(_n, _m)": """
        CASE WHEN _n = 0 THEN '-' WHEN _n IS NOT NULL THEN coalesce(
            (SELECT any_value(CASE WHEN t.long_name[-2:] = '[]'
                                   THEN t.long_name[:-3] || _restframe.type_modifier(t.oid, CAST(_m AS INTEGER)) || '[]'
                                   ELSE t.long_name || _restframe.type_modifier(t.oid, CAST(_m AS INTEGER)) END)
             FROM _restframe.system_types t WHERE t.oid = _n),
            CASE WHEN _n > 1000000000 THEN _restframe.regclass_name(_n - 1000000000) ELSE '???' END) END""",
    "regtype_number(_x)": """
        CASE WHEN _restframe.is_number(_x) THEN TRY_CAST(_x AS BIGINT) WHEN _x = '-' THEN 0
             WHEN _restframe.find_regtype(_x) IS NOT NULL THEN _restframe.find_regtype(_x)
             WHEN _x IS NOT NULL THEN _restframe.not_found('type', _x) END""",
    "regtype_name(_n)": "_restframe.format_type(_n, NULL)",
    "regtype_names(_list)": """
        (SELECT list(coalesce(t.long_name, CAST(u.number AS VARCHAR)) ORDER BY u.place)
         FROM (SELECT unnest(_list) AS number, unnest(range(len(_list))) AS place) u
         LEFT JOIN _restframe.system_types t ON t.oid = u.number)""",
    "type_is_visible(_n)": """
        _n IN (SELECT t.oid FROM _restframe.system_types t)
        OR _n IN (SELECT c.oid + 1000000000 FROM _restframe.base_visible c WHERE c.visible)""",
    # regnamespace, regrole, regproc
    "find_regnamespace(_x)": """
        (SELECT min(s.oid) FROM _restframe.base_names s WHERE s.name = _restframe.name_parts(_x)[1])""",
    "regnamespace_number(_x)": """
        CASE WHEN _restframe.is_number(_x) THEN TRY_CAST(_x AS BIGINT)
             WHEN _restframe.find_regnamespace(_x) IS NOT NULL THEN _restframe.find_regnamespace(_x)
             WHEN _x IS NOT NULL THEN _restframe.not_found('schema', _x) END""",
    "regnamespace_name(_n)": """
        coalesce((SELECT any_value(_restframe.quote_ident(s.name)) FROM _restframe.base_names s WHERE s.oid = _n),
                 CAST(_n AS VARCHAR))""",
    "find_regrole(_x)": "(SELECT min(u.id) FROM _restframe.base_users u WHERE u.name = _restframe.name_parts(_x)[1])",
    "regrole_number(_x)": """
        CASE WHEN _restframe.is_number(_x) THEN TRY_CAST(_x AS BIGINT)
             WHEN _restframe.find_regrole(_x) IS NOT NULL THEN _restframe.find_regrole(_x)
             WHEN _x IS NOT NULL THEN _restframe.not_found('role', _x) END""",
    "regrole_name(_n)": """
        CASE WHEN _n = 1 THEN 'rdsdb' ELSE coalesce(
            (SELECT any_value(u.name) FROM _restframe.base_users u WHERE u.id = _n),
            'unknown (OID=' || _n || ')') END""",
    "to_regproc(_x)": """
        (SELECT any_value(f.name) FROM _restframe.base_functions f WHERE f.name = _restframe.name_parts(_x)[-1])""",
    "regproc_number(_x)": "(SELECT min(f.oid) FROM _restframe.base_functions f WHERE f.name = _x)",
    "regproc_name(_n)": """
        coalesce((SELECT any_value(f.name) FROM _restframe.base_functions f WHERE f.oid = _n),
                 CASE WHEN _n = 0 THEN '-' ELSE CAST(_n AS VARCHAR) END)""",
    # Definitions
    "name_list(_names)": "array_to_string(list_transform(_names, lambda x: _restframe.quote_ident(x)), ', ')",
    "viewdef(_n)": """
        (SELECT any_value(rtrim(r.definition, '; ') || ';') FROM _restframe.base_relations r
         WHERE r.oid = _n AND r.kind = 'v')""",
    "constraintdef(_n)": """
        (SELECT any_value(CASE k.kind WHEN 'p' THEN 'PRIMARY KEY (' || _restframe.name_list(k.columns) || ')'
             WHEN 'u' THEN 'UNIQUE (' || _restframe.name_list(k.columns) || ')'
             ELSE 'FOREIGN KEY (' || _restframe.name_list(k.columns) || ') REFERENCES '
                  || CASE WHEN v.visible THEN '' ELSE _restframe.quote_ident(k.foreign_schema) || '.' END
                  || _restframe.quote_ident(k.foreign_name) || '('
                  || _restframe.name_list(CASE WHEN len(k.referenced) > 0 THEN k.referenced ELSE p.columns END) || ')'
             END)
         FROM _restframe.base_constraints k
         LEFT JOIN _restframe.base_constraints p
           ON p.schema_name = k.foreign_schema AND p.relation_name = k.foreign_name AND p.kind = 'p'
         LEFT JOIN _restframe.base_visible v ON v.schema_name = k.foreign_schema AND v.name = k.foreign_name
         WHERE k.oid = _n)""",
    "indexdef(_n, _place)": """
        (SELECT any_value(CASE WHEN coalesce(_place, 0) > 0 THEN _restframe.quote_ident(k.columns[_place])
             ELSE 'CREATE UNIQUE INDEX ' || _restframe.quote_ident(k.name) || ' ON '
                  || _restframe.quote_ident(k.schema_name) || '.' || _restframe.quote_ident(k.relation_name)
                  || ' USING btree (' || _restframe.name_list(k.columns) || ')' END)
         FROM _restframe.base_constraints k WHERE k.oid = _n AND k.kind <> 'f')""",
    "function_result(_n)": "(SELECT any_value(f.returns) FROM _restframe.base_functions f WHERE f.oid = _n)",
    "function_arguments(_n)": """
        (SELECT any_value(array_to_string(f.arguments, ', ')) FROM _restframe.base_functions f WHERE f.oid = _n)""",
    "function_source(_n)": "(SELECT any_value(f.source) FROM _restframe.base_functions f WHERE f.oid = _n)",
    "function_is_visible(_n)": """
        _n IN (SELECT f.oid FROM _restframe.base_functions f WHERE f.schema_name = 'pg_catalog' OR list_contains(
            getvariable('restframe_search_path')::VARCHAR[], f.schema_name))""",
    # Comments and sizes
    "obj_description(_n, _class)": """
        (SELECT any_value(d.comment) FROM _restframe.comments d
         WHERE d.oid = _n AND d.column_name IS NULL
         AND coalesce(_class, 'pg_class') IN ('pg_class', 'pg_namespace'))""",
    "col_description(_n, _place)": """
        (SELECT any_value(d.comment) FROM _restframe.comments d
         JOIN _restframe.base_columns c ON c.relation_oid = d.oid AND c.name = d.column_name
         WHERE d.oid = _n AND c.position = _place)""",
    "relation_size(_n)": """
        CASE WHEN _n IN (SELECT r.oid FROM _restframe.base_rows r)
             THEN coalesce((SELECT any_value(s.bytes) FROM _restframe.base_sizes s WHERE s.oid = _n), 0) END""",
    "database_size()": "(SELECT sum(s.bytes) FROM _restframe.base_sizes s)",
    # A macro's argument is evaluated as often as it is named, an element of a list once.
    "size_pretty(_n)": """
        list_transform([_n], lambda n: CASE
            WHEN abs(n) < 10240 THEN n || ' bytes'
            WHEN abs(n) < 10485247 THEN CAST(round(n / 1024.0) AS BIGINT) || ' kB'
            WHEN abs(n) < 10736893952 THEN CAST(round(n / 1048576.0) AS BIGINT) || ' MB'
            WHEN abs(n) < 10994579406848 THEN CAST(round(n / 1073741824.0) AS BIGINT) || ' GB'
            ELSE CAST(round(n / 1099511627776.0) AS BIGINT) || ' TB' END)[1]""",
    "column_encoding(_n)": """
        (SELECT any_value(e.name) FROM _restframe.system_encodings e WHERE e.id = _n)""",
    "setting(_x)": """
        (SELECT any_value(s.t.value) FROM _restframe.base_settings s WHERE s.t.name = lower(_x))""",
    "current_setting(_x, _missing_ok)": """
        CASE WHEN _restframe.setting(_x) IS NOT NULL THEN _restframe.setting(_x)
             WHEN NOT _missing_ok AND _x IS NOT NULL
             THEN _restframe.fail('[42704] unrecognized configuration parameter "' || left(_x, 100) || '"') END""",
    "encoding_name(_n)": "CASE _n WHEN 0 THEN 'SQL_ASCII' WHEN 6 THEN 'UTF8' WHEN 8 THEN 'LATIN1' ELSE '' END",
    "encoding_number(_x)": """
        CASE upper(replace(_x, '-', '')) WHEN 'SQL_ASCII' THEN 0 WHEN 'UTF8' THEN 6 WHEN 'UNICODE' THEN 6
             WHEN 'LATIN1' THEN 8 ELSE CASE WHEN _x IS NOT NULL THEN -1 END END""",
}  # fmt: skip

_TABLE_BODIES: dict[str, str] = {
    "pg_get_keywords_rows()": f"""
        SELECT unnest(string_split('{_RESERVED}', ' ')) AS word, 'R' AS catcode, 'reserved' AS catdesc""",
    "aclexplode_rows(_acl)": r"""
        SELECT coalesce((SELECT min(u.id) FROM _restframe.base_users u WHERE u.name = trim(i.grantor, '"')), 0)
                   AS grantor,
               coalesce((SELECT min(p.id) FROM _restframe.base_principals p
                         WHERE p.name = trim(regexp_replace(i.grantee, '^(group|role) ', ''), '"')), 0) AS grantee,
               l.privilege AS privilege_type, len(i.letter) > 1 AS is_grantable
        FROM (SELECT split_part(item, '/', 2) AS grantor, split_part(item, '=', 1) AS grantee,
                     unnest(regexp_extract_all(split_part(split_part(item, '=', 2), '/', 1), '[a-zA-Z]\*?')) AS letter
              FROM (SELECT unnest(_acl) AS item)) i
        JOIN _restframe.system_privileges l ON l.letter = i.letter[1]""",
    "pg_options_to_table_rows(_options)": """
        SELECT split_part(item, '=', 1) AS option_name, substring(item, strpos(item, '=') + 1) AS option_value
        FROM (SELECT unnest(_options) AS item)""",
    "pg_timezone_names_rows()": "SELECT name, abbrev, is_dst FROM pg_timezone_names()",
    # Late-binding views have their columns in pg_attribute here, like all others.
    "pg_get_late_binding_view_cols_rows()": """
        SELECT '' AS view_schema, '' AS view_name, '' AS col_name, '' AS col_type, 0::INTEGER AS col_num
        WHERE false""",
}  # fmt: skip

CATALOG_MACROS: tuple[str, ...] = (
    f"CREATE OR REPLACE VIEW {MACRO_SCHEMA}.base_classes AS {_CLASSES}",
    f"CREATE OR REPLACE VIEW {MACRO_SCHEMA}.base_visible AS {_VISIBLE}",
    *(f"CREATE OR REPLACE MACRO {MACRO_SCHEMA}.{head} AS {' '.join(body.split())}" for head, body in _BODIES.items()),
    *(
        f"CREATE OR REPLACE MACRO {MACRO_SCHEMA}.{head} AS TABLE {' '.join(body.split())}"
        for head, body in _TABLE_BODIES.items()
    ),
    *PRIVILEGE_MACROS,
)
