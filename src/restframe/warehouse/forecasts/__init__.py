"""MODEL_TYPE FORECAST: from rows to training data, from a training job to rows, and who looks after that meanwhile."""
