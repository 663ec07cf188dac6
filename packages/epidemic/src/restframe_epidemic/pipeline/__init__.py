"""From raw files to tables: reading, rules, quarantine, Parquet in the lake, COPY into the warehouse.

What stands in SQL (`sql/*.sql`) is Redshift's, so that the same files run on the scale-out engine.
"""
