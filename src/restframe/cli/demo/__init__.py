"""Stories that restframe plays by itself, from data to result."""
