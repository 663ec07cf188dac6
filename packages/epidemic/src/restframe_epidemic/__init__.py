"""An epidemic intelligence engine on a restframe warehouse: data lake, county forecasts, treatment gaps."""

__version__ = "0.1.0"
