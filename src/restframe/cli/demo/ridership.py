"""Ridership of New York's shape, for a demo without the real file.

10,320 half hours from 1 July 2014: a weekly rhythm (quiet nights, two rush hours, long Friday and Saturday evenings),
a slow yearly swing, noise that lasts some hours, and five invented events. The same seed gives the same rows.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from restframe.cli.demo.calendar import Event

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

START = datetime(2014, 7, 1)
HALF_HOURS = 10_320
SEED = 20141102

# Thousands of passengers per half hour at each full hour.
_WEEKDAY = (9.4, 6.0, 3.6, 2.4, 2.3, 2.9, 7.3, 15.4, 19.6, 18.5, 16.8, 16.6,
            17.6, 17.2, 18.2, 17.1, 14.2, 17.4, 22.4, 23.8, 23.0, 22.7, 20.9, 16.8)  # fmt: skip
_FRIDAY = (13.6, 9.4, 5.9, 3.9, 3.1, 3.5, 7.2, 15.2, 19.7, 18.6, 16.8, 17.1,
           17.4, 17.1, 18.8, 17.0, 14.3, 17.9, 23.1, 25.9, 25.3, 25.0, 25.9, 25.9)  # fmt: skip
_SATURDAY = (24.2, 20.5, 16.6, 12.3, 6.6, 3.6, 3.9, 5.9, 8.9, 13.1, 16.4, 18.7,
             20.2, 21.1, 20.5, 20.3, 17.2, 19.3, 23.3, 25.5, 23.3, 22.6, 24.8, 25.9)  # fmt: skip
_SUNDAY = (25.1, 22.3, 18.6, 13.8, 7.3, 3.7, 3.7, 4.5, 6.9, 10.7, 14.6, 17.8,
           19.5, 19.6, 19.2, 18.2, 16.9, 17.9, 19.7, 18.2, 16.6, 16.2, 14.6, 11.9)  # fmt: skip
_DAYS = (_WEEKDAY, _WEEKDAY, _WEEKDAY, _WEEKDAY, _FRIDAY, _SATURDAY, _SUNDAY)


@dataclass(frozen=True, slots=True)
class Happening:
    """An invented event: from `start` to `end` the ridership is multiplied by `factor`, which swells and fades."""

    name: str
    start: datetime
    end: datetime
    factor: float


HAPPENINGS = (
    Happening("Stadium concert", datetime(2014, 8, 16, 21), datetime(2014, 8, 17, 2), 1.42),
    Happening("Transit strike", datetime(2014, 9, 24, 6), datetime(2014, 9, 24, 22), 1.62),
    Happening("City marathon", datetime(2014, 11, 2, 0), datetime(2014, 11, 2, 4), 1.60),
    Happening("New Year's night", datetime(2014, 12, 31, 22), datetime(2015, 1, 1, 4), 2.8),
    Happening("Blizzard", datetime(2015, 1, 26, 18), datetime(2015, 1, 27, 14), 0.004),
)


def events() -> list[Event]:
    """The invented events as the demo's table and chart name them, half a day wider than their effect."""
    margin = timedelta(hours=12)
    return [Event(one.name, one.start - margin, one.end + margin, "event") for one in HAPPENINGS]


def generate(seed: int = SEED) -> npt.NDArray[np.int64]:
    """Passengers per half hour: (HALF_HOURS,) int64, the first one at START."""
    import numpy as np

    random = np.random.Generator(np.random.PCG64(seed))
    week = np.concatenate([_half_hours(_DAYS[day], _DAYS[(day + 1) % 7]) for day in range(7)])
    index = np.arange(HALF_HOURS)
    base = 1000 * week[(START.weekday() * 48 + index) % len(week)]
    season = 1 + 0.05 * np.sin(2 * np.pi * (index / 48 - 45) / 180)
    noise = np.empty(HALF_HOURS)
    level = 0.0
    for i, shock in enumerate(random.standard_normal(HALF_HOURS)):
        level = 0.9 * level + 0.02 * shock
        noise[i] = level
    riders = base * season * np.exp(noise) + 60 * random.standard_normal(HALF_HOURS)
    for one in HAPPENINGS:
        riders *= _effect(one, index)
    return np.maximum(0, np.rint(riders)).astype(np.int64)


def _half_hours(day: tuple[float, ...], next_day: tuple[float, ...]) -> npt.NDArray[np.float64]:
    """Hourly values with the half hours between them: (24,) -> (48,)."""
    import numpy as np

    return np.interp(np.arange(48) / 2, np.arange(25), [*day, next_day[0]])


def _effect(one: Happening, index: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The factor in every half hour: 1 outside, and a smooth way in and out, in the logarithm."""
    import numpy as np

    first, last = ((moment - START) / timedelta(minutes=30) for moment in (one.start, one.end))
    edge = min(4.0, (last - first) / 4)
    into = np.clip((index - first) / edge, 0, 1)
    out_of = np.clip((last - index) / edge, 0, 1)
    weight: npt.NDArray[np.float64] = np.minimum(into, out_of)
    return one.factor**weight


def write_csv(path: Path, seed: int = SEED) -> None:
    """The rows as the real file has them: a header, then `2014-07-01 00:00:00,10844`."""
    with path.open("w", newline="", encoding="ascii") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("timestamp", "value"))
        moment = START
        for value in generate(seed).tolist():
            writer.writerow((moment.strftime("%Y-%m-%d %H:%M:%S"), value))
            moment += timedelta(minutes=30)
