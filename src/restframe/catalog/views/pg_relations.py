"""pg_class and its kin: schemas, relations, columns, constraints and what is said about them.

Columns of every PostgreSQL from 8.0 to 17 and of Redshift are there side by side, so that any client finds its own.
"""

from __future__ import annotations

from restframe.catalog.classes import DEFAULTS, ROW_TYPES
from restframe.catalog.views.base import PID
from restframe.catalog.views.definition import View, empty, view
from restframe.catalog.views.information_schema import OF_COLUMNS

_CLASS = f"""
    relname             name       r.name
    relnamespace        oid        r.schema_oid
    reltype             oid        CASE WHEN r.kind IN ('r', 'v') THEN r.oid + {ROW_TYPES} ELSE 0 END
    reloftype           oid        0
    relowner            oid        r.owner_id
    relam               oid        CASE r.kind WHEN 'i' THEN 403 WHEN 'r' THEN 2 ELSE 0 END
    relfilenode         oid        r.oid
    reltablespace       oid        0
    relpages            int4       0
    reltuples           float4     0.001
    relallvisible       int4       0
    relallfrozen        int4       0
    reltoastrelid       oid        0
    reltoastidxid       oid        0
    relhasindex         bool       r.has_index
    relisshared         bool       false
    relpersistence      "char"     r.persistence
    relkind             "char"     r.kind
    relnatts            int2       r.columns
    relchecks           int2       0
    relexternid         oid        0
    relisreplicated     bool       false
    relispinned         bool       false
    reldiststyle        int2       CASE r.diststyle WHEN 'KEY' THEN 1 WHEN 'ALL' THEN 8 WHEN 'AUTO' THEN 9 ELSE 0 END
    relprojbaseid       oid        0
    reltriggers         int2       0
    relukeys            int2       0
    relfkeys            int2       0
    relrefs             int2       0
    relhasoids          bool       false
    relhaspkey          bool       r.has_primary_key
    relhasrules         bool       r.kind = 'v'
    relhastriggers      bool       r.kind = 'r'
    relhassubclass      bool       false
    relrowsecurity      bool       false
    relforcerowsecurity bool       false
    relispopulated      bool       true
    relreplident        "char"     CASE r.kind WHEN 'r' THEN 'd' ELSE 'n' END
    relispartition      bool       false
    relrewrite          oid        0
    relfrozenxid        int8       0
    relminmxid          int8       0
    relacl              aclitem[]  acl.items
    reloptions          text[]     NULL
    relpartbound        text       NULL
"""
_CLASS_SOURCE = """
    FROM _restframe.base_rows r
    LEFT JOIN _restframe.access acl ON acl.kind = 'table' AND acl.column_name IS NULL AND acl.object_id = r.oid
"""
_EFFECTIVE = "CASE r.diststyle WHEN 'KEY' THEN 1 WHEN 'ALL' THEN 8 WHEN 'AUTO' THEN 10 ELSE 0 END"

_ATTRIBUTE = """
    attrelid           oid        a.relation_oid
    attname            name       a.name
    atttypid           oid        a.type_oid
    attstattarget      int4       -1
    attlen             int2       a.type_length
    attnum             int2       a.position
    attndims           int4       CASE WHEN a.type_category = 'A' THEN 1 ELSE 0 END
    attcacheoff        int4       -1
    atttypmod          int4       a.modifier
    attbyval           bool       a.type_length IN (1, 2, 4, 8)
    attalign           "char"     a.type_alignment
    attstorage         "char"     CASE WHEN a.type_length > 0 THEN 'p' WHEN a.type_name = 'numeric' THEN 'm' ELSE 'x' END
    attcompression     "char"     ''
    attnotnull         bool       a.not_null OR a.identity_seed IS NOT NULL
    atthasdef          bool       a.default_text IS NOT NULL OR a.identity_seed IS NOT NULL
    atthasmissing      bool       false
    attidentity        "char"     ''
    attgenerated       "char"     ''
    attisdropped       bool       false
    attislocal         bool       true
    attinhcount        int4       0
    attcollation       oid        CASE WHEN a.type_category = 'S' THEN 100 ELSE 0 END
    attacl             aclitem[]  NULL
    attoptions         text[]     NULL
    attfdwoptions      text[]     NULL
    attmissingval      text       NULL
    attspare1          int4       0
    attspare2          text       NULL
    attisdistkey       bool       a.distkey
    attispreloaded     bool       false
    attsortkeyord      int4       a.sortkey
    attencodingtype    int2       e.id
    attencrypttype     int2       0
"""  # noqa: E501
_ATTRIBUTE_SOURCE = """
    FROM _restframe.base_columns a LEFT JOIN _restframe.system_encodings e ON e.name = a.shown_encoding
"""

# A foreign key refers to the columns that it names, or to the primary key.
_KEYS = """
    FROM _restframe.keys k JOIN _restframe.base_rows r ON r.oid = k.relation_oid
    LEFT JOIN _restframe.schemas fs ON fs.name = k.foreign_schema
    LEFT JOIN _restframe.classes f ON f.schema_oid = fs.oid AND f.name = k.foreign_name AND f.kind = 'r'
    LEFT JOIN _restframe.keys fp ON fp.relation_oid = f.oid
        AND CASE WHEN len(k.referenced) > 0 THEN fp.columns = k.referenced AND fp.kind <> 'f' ELSE fp.kind = 'p' END
"""

VIEWS: tuple[View, ...] = (
    view(
        "pg_namespace",
        """
        oid      oid        s.
        nspname  name       s.name
        nspowner oid        s.owner_id
        nspacl   aclitem[]  acl.items
        """,
        "FROM _restframe.base_schemas s LEFT JOIN _restframe.access acl ON acl.kind = 'schema' "
        "AND acl.object_id = s.oid",
    ),
    view("pg_class", f"oid oid r.\n{_CLASS}", _CLASS_SOURCE),
    view(
        "pg_class_info",
        f"""reloid oid r.oid
        {_CLASS}
        releffectivediststyle int4       {_EFFECTIVE}
        relcreationtime       timestamp  NULL
        """,
        _CLASS_SOURCE,
    ),
    view("pg_attribute", _ATTRIBUTE, _ATTRIBUTE_SOURCE),
    view("pg_attribute_info", f"{_ATTRIBUTE}\nattrelname name NULL", _ATTRIBUTE_SOURCE),
    view(
        "pg_attrdef",
        f"""
        oid     oid   {DEFAULTS} + (c.relation_oid * 1600 + c.position) % 1000000000
        adrelid oid   c.relation_oid
        adnum   int2  c.position
        adbin   text  coalesce(c.default_text, '"identity"(' || c.relation_oid || ', ' || c.position - 1 || ', ''' || c.identity_seed || ',' || c.identity_step || '''::text)')
        adsrc   text  coalesce(c.default_text, '"identity"(' || c.relation_oid || ', ' || c.position - 1 || ', ''' || c.identity_seed || ',' || c.identity_step || '''::text)')
        """,  # noqa: E501
        "FROM _restframe.base_columns c WHERE c.default_text IS NOT NULL OR c.identity_seed IS NOT NULL",
    ),
    view(
        "pg_constraint",
        """
        oid            oid      k.
        conname        name     k.name
        connamespace   oid      r.schema_oid
        contype        "char"   k.kind
        condeferrable  bool     false
        condeferred    bool     false
        convalidated   bool     true
        conrelid       oid      k.relation_oid
        contypid       oid      0
        conindid       oid      CASE k.kind WHEN 'f' THEN coalesce(fp.oid, 0) ELSE k.oid END
        conparentid    oid      0
        confrelid      oid      coalesce(f.oid, 0)
        confupdtype    "char"   CASE k.kind WHEN 'f' THEN 'a' ELSE ' ' END
        confdeltype    "char"   CASE k.kind WHEN 'f' THEN 'a' ELSE ' ' END
        confmatchtype  "char"   CASE k.kind WHEN 'f' THEN 's' ELSE ' ' END
        conislocal     bool     true
        coninhcount    int4     0
        connoinherit   bool     true
        conperiod      bool     false
        conkey         int2[]   k.numbers
        confkey        int2[]   fp.numbers
        conpfeqop      oid[]    NULL
        conppeqop      oid[]    NULL
        conffeqop      oid[]    NULL
        confdelsetcols int2[]   NULL
        conexclop      oid[]    NULL
        conbin         text     NULL
        consrc         text     NULL
        """,
        _KEYS,
    ),
    view(
        "pg_index",
        """
        indexrelid          oid     k.oid
        indrelid            oid     k.relation_oid
        indnatts            int2    len(k.columns)
        indnkeyatts         int2    len(k.columns)
        indisunique         bool    true
        indnullsnotdistinct bool    false
        indisprimary        bool    k.kind = 'p'
        indisexclusion      bool    false
        indimmediate        bool    true
        indisclustered      bool    false
        indisvalid          bool    true
        indcheckxmin        bool    false
        indisready          bool    true
        indislive           bool    true
        indisreplident      bool    false
        indkey              int2vector  k.numbers
        indcollation        oidvector   list_transform(k.columns, lambda x: 0)
        indclass            oidvector   list_transform(k.columns, lambda x: 1978)
        indoption           int2vector  list_transform(k.columns, lambda x: 0)
        indexprs            text    NULL
        indpred             text    NULL
        """,
        f"FROM _restframe.keys k WHERE k.kind <> 'f' AND (k.session IS NULL OR k.session = {PID})",
    ),
    view(
        "pg_description",
        """
        objoid      oid   d.oid
        classoid    oid   CASE WHEN d.oid IN (SELECT s.oid FROM _restframe.schemas s) THEN 2615 ELSE 1259 END
        objsubid    int4  coalesce(c.position, 0)
        description text  d.comment
        """,
        """FROM _restframe.comments d LEFT JOIN _restframe.attributes c
           ON c.relation_oid = d.oid AND c.name = d.column_name WHERE d.column_name IS NULL OR c.name IS NOT NULL""",
    ),
    empty("pg_shdescription", "objoid oid, classoid oid, description text"),
    view(
        "pg_depend",
        """
        classid     oid     2618
        objid       oid     v.oid
        objsubid    int4    0
        refclassid  oid     1259
        refobjid    oid     r.oid
        refobjsubid int4    0
        deptype     "char"  'n'
        """,
        """FROM _restframe.dependencies d
           JOIN _restframe.tables v ON v.schema_name = d.schema_name AND v.table_name = d.view_name
           JOIN _restframe.tables r ON r.schema_name = d.on_schema AND r.table_name = d.on_name""",
    ),
    view(
        "pg_rewrite",
        """
        oid        oid     r.
        rulename   name    '_RETURN'
        ev_class   oid     r.oid
        ev_type    "char"  '1'
        ev_enabled "char"  'O'
        is_instead bool    true
        ev_qual    text    '<>'
        ev_action  text    r.definition
        """,
        "FROM _restframe.base_relations r WHERE r.kind = 'v'",
    ),
    view(
        "pg_tables",
        """
        schemaname  name  r.schema_name
        tablename   name  r.name
        tableowner  name  r.owner
        tablespace  name  NULL
        hasindexes  bool  r.has_index
        hasrules    bool  false
        hastriggers bool  false
        rowsecurity bool  false
        """,
        "FROM _restframe.base_relations r WHERE r.kind = 'r'",
    ),
    view(
        "pg_views",
        """
        schemaname name  r.schema_name
        viewname   name  r.name
        viewowner  name  r.owner
        definition text  r.definition
        """,
        "FROM _restframe.base_relations r WHERE r.kind = 'v'",
    ),
    view(
        "pg_indexes",
        """
        schemaname name  k.schema_name
        tablename  name  k.relation_name
        indexname  name  k.name
        tablespace name  NULL
        indexdef   text  'CREATE UNIQUE INDEX ' || k.name || ' ON ' || k.schema_name || '.' || k.relation_name || ' USING btree (' || array_to_string(k.columns, ', ') || ')'
        """,  # noqa: E501
        "FROM _restframe.base_constraints k WHERE k.kind <> 'f'",
    ),
    empty(
        "pg_matviews",
        "schemaname name, matviewname name, matviewowner name, tablespace name, hasindexes bool, ispopulated bool, "
        "definition text",
    ),
    view(
        "pg_table_def",
        """
        schemaname name         r.schema_name
        tablename  name         r.name
        column     name         c.name
        type       text         c.type
        encoding   varchar(32)  c.shown_encoding
        distkey    bool         c.distkey
        sortkey    int4         c.sortkey
        notnull    bool         c.not_null OR c.identity_seed IS NOT NULL
        """,
        f"""{OF_COLUMNS}
           WHERE r.kind = 'r' AND (r.persistence = 't'
               OR list_contains(getvariable('restframe_search_path')::VARCHAR[], r.schema_name))""",
    ),
    empty("pg_inherits", "inhrelid oid, inhparent oid, inhseqno int4, inhdetachpending bool"),
    empty(
        "pg_trigger",
        'oid oid, tgrelid oid, tgparentid oid, tgname name, tgfoid oid, tgtype int2, tgenabled "char", '
        "tgisinternal bool, tgisconstraint bool, tgconstrname name, tgconstrrelid oid, tgconstrindid oid, "
        "tgconstraint oid, tgdeferrable bool, tginitdeferred bool, tgnargs int2, tgattr int2[], tgargs varbyte, "
        "tgqual text, tgoldtable name, tgnewtable name",
    ),
    empty(
        "pg_policy",
        'oid oid, polname name, polrelid oid, polcmd "char", polpermissive bool, polroles oid[], polqual text, '
        "polwithcheck text",
    ),
    empty(
        "pg_policies",
        "schemaname name, tablename name, policyname name, permissive text, roles name[], cmd text, qual text, "
        "with_check text",
    ),
    empty("pg_rules", "schemaname name, tablename name, rulename name, definition text"),
    empty(
        "pg_sequence",
        "seqrelid oid, seqtypid oid, seqstart int8, seqincrement int8, seqmax int8, seqmin int8, seqcache int8, "
        "seqcycle bool",
    ),
    empty(
        "pg_sequences",
        "schemaname name, sequencename name, sequenceowner name, data_type regtype, start_value int8, min_value int8, "
        "max_value int8, increment_by int8, cycle bool, cache_size int8, last_value int8",
    ),
    empty(
        "pg_partitioned_table",
        'partrelid oid, partstrat "char", partnatts int2, partdefid oid, partattrs int2[], partclass oid[], '
        "partcollation oid[], partexprs text",
    ),
    empty(
        "pg_statistic_ext",
        "oid oid, stxrelid oid, stxname name, stxnamespace oid, stxowner oid, stxstattarget int4, stxkeys int2[], "
        'stxkind "char"[], stxexprs text',
    ),
    empty("pg_statistic_indicator", "stairelid oid, stairows float4, staiins float4, staidels float4"),
    empty(
        "pg_publication",
        "oid oid, pubname name, pubowner oid, puballtables bool, pubinsert bool, pubupdate bool, pubdelete bool, "
        'pubtruncate bool, pubviaroot bool, pubgencols "char"',
    ),
    empty("pg_publication_rel", "oid oid, prpubid oid, prrelid oid, prqual text, prattrs int2[]"),
    empty("pg_publication_namespace", "oid oid, pnpubid oid, pnnspid oid"),
    empty("pg_publication_tables", "pubname name, schemaname name, tablename name, attnames name[], rowfilter text"),
    empty(
        "pg_event_trigger",
        'oid oid, evtname name, evtevent name, evtowner oid, evtfoid oid, evtenabled "char", evttags text[]',
    ),
    empty("pg_seclabel", "objoid oid, classoid oid, objsubid int4, provider text, label text"),
    empty(
        "pg_shdepend", 'dbid oid, classid oid, objid oid, objsubid int4, refclassid oid, refobjid oid, deptype "char"'
    ),
)
