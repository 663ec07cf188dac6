"""restframe: a self-hosted warehouse with machine learning inside."""
