"""How many people of each place were infected since the epidemic began, reported or not.

Reports of each four weeks are divided by the share of infections that was reported in them. Deaths tell that share,
with the fatality by age, by state (`models.agents.calibration.ascertainment`); where nobody died it is the country's
parameter `ascertainment`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from restframe_epidemic import errors, panel_reading
from restframe_epidemic.panel import FloatArray, Panel

if TYPE_CHECKING:
    from datetime import date

    from restframe_epidemic.country import Country
    from restframe_epidemic.store import Store

_WEEKS = 4
_TO_DEATH_WEEKS = 2  # from the report of a case to that of a death
_MOST = 0.9  # of the people of a place


def infections(panel: Panel) -> FloatArray:
    """(N,) people infected until the panel's last day; NaN where nothing was ever reported."""
    from restframe_epidemic.models.agents import disease
    from restframe_epidemic.models.agents.calibration import ascertainment

    cases = panel.weekly("cases")
    weeks = cases.shape[1]
    ill = disease.of_panel(panel)
    total = np.zeros(len(cases))
    share = ascertainment(panel, ill, 0, weeks)
    for first in range(0, weeks, _WEEKS):
        deaths_from = first + _TO_DEATH_WEEKS
        if deaths_from < weeks:  # of the last reports nobody has died yet
            share = ascertainment(panel, ill, deaths_from, min(deaths_from + _WEEKS, weeks))
        total += np.nan_to_num(cases[:, first : first + _WEEKS]).sum(axis=1) / share
    known = np.isfinite(cases).any(axis=1)
    return np.where(known, np.fmin(total, _MOST * panel.population), np.nan)


def run(store: Store, country: Country, until: date) -> list[str]:
    """Write `epidemic_gaps.infection`, of what was reported until a day; without reports it is empty, in a notice."""
    import pyarrow as pa

    schema = pa.schema({"location": pa.string(), "infections": pa.float64()})
    rows, notices = schema.empty_table(), []
    try:
        panel = panel_reading.read(store, country, str(until))
        infected = infections(panel)
        rows = pa.table([panel.locations, infected], schema).filter(np.isfinite(infected))
    except errors.NoData as nothing:
        notices.append(f"no infections are estimated: {nothing}")
    store.replace("epidemic_gaps.infection", rows)
    return notices
