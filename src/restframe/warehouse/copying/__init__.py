"""COPY FROM STDIN and TO STDOUT's work: rows between the client's stream and the engine."""
