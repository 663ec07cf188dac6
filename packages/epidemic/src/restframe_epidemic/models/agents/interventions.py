"""What policies do to contacts: a table of factors by policy, level and layer, applied day by day.

The built-in table is for the policies of the Oxford COVID-19 Government Response Tracker (Hale et al., Nature Human
Behaviour 2021, 5, 529), whose levels are 0 (none) to 3 or 4. Its factors are assumptions. In forecasts only their
ratios matter, and only when a policy changes: the general level of transmission is told by the reports.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import numpy as np

from restframe_epidemic import errors
from restframe_epidemic.models.agents.disease import LAYERS
from restframe_epidemic.panel import FloatArray, Panel

# (signal, layer) -> levels ascending, factors
Effects = Mapping[tuple[str, str], tuple[FloatArray, FloatArray]]


BUILT_IN = Path(__file__).with_name("policy_effects.csv")


@cache
def effects(path: Path = BUILT_IN) -> Effects:
    """Read a table with the columns signal, level, layer, factor. DataError with the line of what is none of them."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                point = float(row["level"]), float(row["factor"])
                layer = row["layer"]
                if layer not in LAYERS:
                    raise ValueError(f'no layer "{layer[:40]}"')
            except (KeyError, TypeError, ValueError) as error:
                raise errors.DataError(
                    f"{path.name}, line {number}: {str(error)[:100]}",
                    hint=f"signal, level, layer (one of {', '.join(LAYERS)}) and factor are wanted.",
                ) from None
            found[row["signal"], layer].append(point)
    return {key: (np.array(sorted(points)).T[0], np.array(sorted(points)).T[1]) for key, points in found.items()}


def layer_scale(panel: Panel, days: int, ahead: int, table: Effects | None = None) -> FloatArray:
    """(N, days + ahead, 4) factors on the layers' contacts for the Panel's last days and the coming ones.

    Between the table's levels factors are on a straight line. A policy that is not known changes nothing. The last
    day's policies are taken to hold.
    """
    scale = np.ones((len(panel.locations), days, len(LAYERS)))
    for (signal, layer), (levels, factors) in (effects() if table is None else table).items():
        if signal in panel.signals:
            level = panel.signals[signal][:, -days:]
            factor = np.where(np.isnan(level), 1.0, np.interp(np.nan_to_num(level), levels, factors))
            scale[:, -level.shape[1] :, LAYERS.index(layer)] *= factor  # a short Panel has less than `days`
    return np.concatenate([scale, np.repeat(scale[:, -1:], ahead, axis=1)], axis=1)


def closed(layers: Iterable[str], days: int, start: int = 0, factor: float = 0.0) -> FloatArray:
    """(days, 4) factors with which these layers are scaled from day `start` on: an intervention of one's own."""
    scale = np.ones((days, len(LAYERS)))
    for layer in layers:
        scale[start:, LAYERS.index(layer)] = factor
    return scale
