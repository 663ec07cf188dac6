"""The door for PostgreSQL clients, Redshift's own drivers among them: protocol 3.0 over TCP."""
