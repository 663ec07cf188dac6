"""UNLOAD's work: rows to text in the engine, text to files, files to objects.

lines.py says how a row becomes a line, as an expression the engine computes; parts.py cuts the lines into files;
columnar.py does both for Parquet; slices.py deals rows out to files and names them; manifest.py lists what was written.
"""
