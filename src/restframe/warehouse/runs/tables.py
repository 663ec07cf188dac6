"""The journal's tables of this component."""

from __future__ import annotations

# A run is one row, its parts are JSON in it; only results that are read rarely and may be large stand apart. `number`
# is the order in which runs were accepted, by which they are listed.
MIGRATIONS = (
    """
    CREATE TABLE statement_runs (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        role TEXT NOT NULL,
        session TEXT NOT NULL,
        token TEXT,
        digest BLOB NOT NULL,
        name TEXT,
        request TEXT NOT NULL,
        created_at REAL NOT NULL,
        state TEXT NOT NULL,
        updated_at REAL NOT NULL,
        parts TEXT NOT NULL,
        error TEXT,
        pid INTEGER,
        session_id TEXT
    ) STRICT;
    CREATE UNIQUE INDEX statement_runs_token ON statement_runs (role, session, token) WHERE token IS NOT NULL;
    CREATE TABLE statement_results (
        run_id TEXT NOT NULL,
        part INTEGER NOT NULL,
        types TEXT NOT NULL,
        rows INTEGER NOT NULL,
        content BLOB,
        PRIMARY KEY (run_id, part)
    ) STRICT;
    CREATE TABLE statement_sessions (
        id TEXT PRIMARY KEY,
        role TEXT NOT NULL,
        session TEXT NOT NULL,
        user TEXT NOT NULL,
        database TEXT,
        labels TEXT NOT NULL,
        created_at REAL NOT NULL,
        updated_at REAL NOT NULL,
        keep_alive_s INTEGER NOT NULL,
        expires_at REAL NOT NULL,
        closed INTEGER NOT NULL
    ) STRICT
    """,
)
