"""From members to one forecast: a robust combination, quantiles from past errors, sums that agree over levels."""
