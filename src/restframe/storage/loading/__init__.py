"""Files of data to Arrow, as COPY reads them: exact about every value, and about every line that is wrong."""
