"""Rows as COPY FROM STDIN and TO STDOUT exchange them with clients: PostgreSQL's text, CSV and binary formats."""

from __future__ import annotations

# How binary COPY begins, before 32 bits of flags and the length of an extension, and how it ends.
SIGNATURE = b"PGCOPY\n\xff\r\n\0"
TRAILER = b"\xff\xff"
