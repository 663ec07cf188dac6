"""The tables of jobs, models and endpoints, their tags and their log lines in the journal."""

# Each entry takes the schema one version further; entries are never changed, only added.
MIGRATIONS = (
    """
    CREATE TABLE training_jobs (
        name TEXT PRIMARY KEY, spec TEXT NOT NULL, status TEXT NOT NULL, secondary_status TEXT NOT NULL,
        created REAL NOT NULL, modified REAL NOT NULL, started REAL, ended REAL, failure TEXT,
        metrics TEXT NOT NULL DEFAULT '[]'
    ) STRICT;
    CREATE TABLE transitions (
        job TEXT NOT NULL REFERENCES training_jobs ON DELETE CASCADE, position INTEGER NOT NULL,
        status TEXT NOT NULL, started REAL NOT NULL, ended REAL, message TEXT NOT NULL,
        PRIMARY KEY (job, position)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE models (name TEXT PRIMARY KEY, spec TEXT NOT NULL, created REAL NOT NULL) STRICT;
    CREATE TABLE endpoint_configs (name TEXT PRIMARY KEY, spec TEXT NOT NULL, created REAL NOT NULL) STRICT;
    CREATE TABLE endpoints (
        name TEXT PRIMARY KEY, config TEXT NOT NULL, model TEXT NOT NULL, status TEXT NOT NULL,
        created REAL NOT NULL, modified REAL NOT NULL, failure TEXT
    ) STRICT;
    CREATE TABLE log_streams (
        id INTEGER PRIMARY KEY, log_group TEXT NOT NULL, name TEXT NOT NULL, created REAL NOT NULL,
        UNIQUE (log_group, name)
    ) STRICT;
    CREATE TABLE log_lines (
        stream INTEGER NOT NULL REFERENCES log_streams ON DELETE CASCADE, position INTEGER NOT NULL,
        at REAL NOT NULL, text TEXT NOT NULL, PRIMARY KEY (stream, position)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE log_groups (name TEXT PRIMARY KEY, created REAL NOT NULL) STRICT;
    INSERT INTO log_groups SELECT log_group, min(created) FROM log_streams GROUP BY log_group;
    UPDATE log_lines SET at = round(at, 3);
    CREATE INDEX log_lines_by_time ON log_lines (stream, at, position);
    CREATE TABLE tags (
        resource TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (resource, key)
    ) STRICT, WITHOUT ROWID;
    """,
    """
    CREATE TABLE transform_jobs (
        name TEXT PRIMARY KEY, spec TEXT NOT NULL, status TEXT NOT NULL, created REAL NOT NULL,
        modified REAL NOT NULL, started REAL, ended REAL, failure TEXT
    ) STRICT;
    """,
)
