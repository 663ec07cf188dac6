"""What every forecaster needs: series, calendars, reading data, scores, and simple methods to compare with."""
