"""COPY's work: which files, which columns, how they are read, and the stream of rows into the engine."""
