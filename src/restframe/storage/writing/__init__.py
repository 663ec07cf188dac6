"""Values as the texts Redshift prints: one by one in Python, and whole columns at a time by compiled kernels."""
