"""Rows as COPY FROM STDIN and TO STDOUT exchange them with clients: PostgreSQL's text, CSV and binary formats."""
