"""Agent-based simulation of every place: synthetic people, calibrated to the reports, run into the coming weeks."""

from restframe_epidemic.models.agents.forecasting import Outcomes, forecast, run, samples

__all__ = ["Outcomes", "forecast", "run", "samples"]
