"""Several forecasters tried on the held-out end of the data, and the best one's forecast: MODEL_TYPE FORECAST."""
