"""pg_type, pg_proc and their kin: data types, functions, operators, collations."""

from __future__ import annotations

from restframe.catalog.classes import ROW_TYPES
from restframe.catalog.views.definition import View, empty, view

VIEWS: tuple[View, ...] = (
    view(
        "pg_type",
        """
        oid            oid        t.
        typname        name       t.name
        typnamespace   oid        t.schema_oid
        typowner       oid        t.owner_id
        typlen         int2       t.length
        typbyval       bool       t.length IN (1, 2, 4, 8)
        typtype        "char"     t.kind
        typcategory    "char"     t.category
        typispreferred bool       t.preferred
        typisdefined   bool       true
        typdelim       "char"     ','
        typrelid       oid        t.relation_oid
        typsubscript   regproc    CASE WHEN t.element <> 0 AND t.length = -1 THEN 'array_subscript_handler' ELSE '-' END
        typelem        oid        t.element
        typarray       oid        t.array_oid
        typinput       regproc    t.input
        typoutput      regproc    t.output
        typreceive     regproc    t.receive
        typsend        regproc    t.send
        typmodin       regproc    t.modifier_input
        typmodout      regproc    t.modifier_output
        typanalyze     regproc    '-'
        typalign       "char"     t.alignment
        typstorage     "char"     CASE WHEN t.length > 0 THEN 'p' WHEN t.name = 'numeric' THEN 'm' ELSE 'x' END
        typnotnull     bool       false
        typbasetype    oid        0
        typtypmod      int4       -1
        typndims       int4       0
        typcollation   oid        CASE WHEN t.category = 'S' THEN 100 ELSE 0 END
        typdefaultbin  text       NULL
        typdefault     text       NULL
        typacl         aclitem[]  NULL
        """,
        f"""FROM (
            SELECT *, 11 AS schema_oid, 1 AS owner_id, 0 AS relation_oid FROM _restframe.system_types
            UNION ALL BY NAME
            SELECT {ROW_TYPES} + oid AS oid, name, -1 AS length, 'c' AS kind, 'C' AS category, false AS preferred,
                   0 AS element, 0 AS array_oid, 'd' AS alignment, 'record_in' AS input, 'record_out' AS output,
                   'record_recv' AS receive, 'record_send' AS send, '-' AS modifier_input, '-' AS modifier_output,
                   schema_oid, owner_id, oid AS relation_oid
            FROM _restframe.base_rows WHERE kind <> 'i') AS t""",
    ),
    view(
        "pg_proc",
        """
        oid             oid        f.
        proname         name       f.name
        pronamespace    oid        f.schema_oid
        proowner        oid        f.owner_id
        prolang         oid        f.language
        procost         float4     1
        prorows         float4     0
        provariadic     oid        0
        prosupport      regproc    '-'
        protransform    regproc    '-'
        prokind         "char"     f.kind
        proisagg        bool       f.kind = 'a'
        proiswindow     bool       f.kind = 'w'
        prosecdef       bool       false
        proleakproof    bool       false
        proisstrict     bool       false
        proretset       bool       false
        provolatile     "char"     'v'
        proparallel     "char"     'u'
        pronargs        int2       len(f.arguments)
        pronargdefaults int2       0
        prorettype      oid        coalesce(r.oid, 2283)
        proargtypes     oidvector    list_transform(f.arguments, lambda x: coalesce(m.oids[x], 2283))
        proallargtypes  oid[]      NULL
        proargmodes     "char"[]   NULL
        proargnames     text[]     NULL
        proargdefaults  text       NULL
        protrftypes     oid[]      NULL
        prosrc          text       f.source
        probin          text       NULL
        prosqlbody      text       NULL
        proconfig       text[]     NULL
        proacl          aclitem[]  NULL
        """,
        """FROM _restframe.base_functions f
           LEFT JOIN _restframe.system_types r ON r.long_name = split_part(f.returns, '(', 1)
           CROSS JOIN (SELECT map(list(long_name), list(oid)) AS oids FROM _restframe.system_types) AS m""",
    ),
    view(
        "pg_proc_info",
        """
        prooid          oid        f.oid
        proname         name       f.name
        pronamespace    oid        f.schema_oid
        proowner        int4       f.owner_id
        prolang         oid        f.language
        proisagg        bool       f.kind = 'a'
        prosecdef       bool       false
        proisstrict     bool       false
        proretset       bool       false
        provolatile     "char"     'v'
        pronargs        int2       len(f.arguments)
        prorettype      oid        coalesce(r.oid, 2283)
        proargtypes     oidvector    list_transform(f.arguments, lambda x: coalesce(m.oids[x], 2283))
        proargnames     text[]     NULL
        prosrc          text       f.source
        probin          text       NULL
        proacl          aclitem[]  NULL
        prokind         "char"     f.kind
        procost         float4     1
        prorows         float4     0
        proargmodes     "char"[]   NULL
        proallargtypes  oid[]      NULL
        proconfig       text[]     NULL
        """,
        """FROM _restframe.base_functions f
           LEFT JOIN _restframe.system_types r ON r.long_name = split_part(f.returns, '(', 1)
           CROSS JOIN (SELECT map(list(long_name), list(oid)) AS oids FROM _restframe.system_types) AS m""",
    ),
    view(
        "pg_language",
        """
        oid           oid        v.
        lanname       name       v.name
        lanowner      oid        1
        lanispl       bool       v.name = 'plpgsql'
        lanpltrusted  bool       v.name IN ('sql', 'plpgsql')
        lanplcallfoid oid        0
        laninline     oid        0
        lanvalidator  oid        0
        lanacl        aclitem[]  NULL
        """,
        "FROM (VALUES (12, 'internal'), (13, 'c'), (14, 'sql'), (100, 'mlfunc')) AS v (oid, name)",
    ),
    view(
        "pg_am",
        """
        oid       oid      v.
        amname    name     v.name
        amhandler regproc  v.handler
        amtype    "char"   v.kind
        """,
        "FROM (VALUES (2, 'heap', 'heap_tableam_handler', 't'), (403, 'btree', 'bthandler', 'i')) "
        "AS v (oid, name, handler, kind)",
    ),
    view(
        "pg_collation",
        """
        oid                 oid     v.
        collname            name    v.name
        collnamespace       oid     11
        collowner           oid     1
        collprovider        "char"  v.provider
        collisdeterministic bool    true
        collencoding        int4    -1
        collcollate         text    v.locale
        collctype           text    v.locale
        colliculocale       text    NULL
        colllocale          text    NULL
        collicurules        text    NULL
        collversion         text    NULL
        """,
        "FROM (VALUES (100, 'default', 'd', NULL), (950, 'C', 'c', 'C'), (951, 'POSIX', 'c', 'POSIX')) "
        "AS v (oid, name, provider, locale)",
    ),
    empty(
        "pg_conversion",
        "oid oid, conname name, connamespace oid, conowner oid, conforencoding int4, contoencoding int4, "
        "conproc regproc, condefault bool",
    ),
    empty("pg_enum", "oid oid, enumtypid oid, enumsortorder float4, enumlabel name"),
    empty(
        "pg_range",
        "rngtypid oid, rngsubtype oid, rngmultitypid oid, rngcollation oid, rngsubopc oid, rngcanonical regproc, "
        "rngsubdiff regproc",
    ),
    empty(
        "pg_aggregate",
        'aggfnoid regproc, aggkind "char", aggnumdirectargs int2, aggtransfn regproc, aggfinalfn regproc, '
        "aggsortop oid, aggtranstype oid, agginitval text",
    ),
    empty(
        "pg_operator",
        'oid oid, oprname name, oprnamespace oid, oprowner oid, oprkind "char", oprcanmerge bool, oprcanhash bool, '
        "oprleft oid, oprright oid, oprresult oid, oprcom oid, oprnegate oid, oprcode regproc, oprrest regproc, "
        "oprjoin regproc",
    ),
    view(
        "pg_opclass",
        """
        oid          oid   1978
        opcmethod    oid   403
        opcname      name  'any_ops'
        opcnamespace oid   11
        opcowner     oid   1
        opcfamily    oid   0
        opcintype    oid   2276
        opcdefault   bool  true
        opckeytype   oid   0
        """,
        "FROM (SELECT 1)",
    ),
    empty("pg_opfamily", "oid oid, opfmethod oid, opfname name, opfnamespace oid, opfowner oid"),
    empty(
        "pg_amop",
        'oid oid, amopfamily oid, amoplefttype oid, amoprighttype oid, amopstrategy int2, amoppurpose "char", '
        "amopopr oid, amopmethod oid, amopsortfamily oid",
    ),
    empty(
        "pg_amproc",
        "oid oid, amprocfamily oid, amproclefttype oid, amprocrighttype oid, amprocnum int2, amproc regproc",
    ),
    empty(
        "pg_cast",
        'oid oid, castsource oid, casttarget oid, castfunc oid, castcontext "char", castmethod "char"',
    ),
    empty("pg_transform", "oid oid, trftype oid, trflang oid, trffromsql regproc, trftosql regproc"),
    empty("pg_ts_config", "oid oid, cfgname name, cfgnamespace oid, cfgowner oid, cfgparser oid"),
    empty(
        "pg_ts_dict", "oid oid, dictname name, dictnamespace oid, dictowner oid, dicttemplate oid, dictinitoption text"
    ),
    empty(
        "pg_ts_parser",
        "oid oid, prsname name, prsnamespace oid, prsstart regproc, prstoken regproc, prsend regproc, "
        "prsheadline regproc, prslextype regproc",
    ),
    empty("pg_ts_template", "oid oid, tmplname name, tmplnamespace oid, tmplinit regproc, tmpllexize regproc"),
    empty("pg_library", "name name, language_oid oid, file_store_id int4, owner int4"),
)
