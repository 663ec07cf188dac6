"""A page of plots that says how good forecasts were: one file, nothing else needed, light and dark."""
