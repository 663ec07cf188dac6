"""What a model sees: everything known about an epidemic on one day, as arrays.

Places are numbered 0 .. N-1 (the finest level: counties), groups 0 .. G-1 (the level above: states). Nothing in here
is newer than `as_of`; a model that only reads its Panel cannot look into the future.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
DateArray = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Panel:
    """Days are whole weeks: D = 7 W, and the last day ends the last week (on Saturday in the US).

    locations : (N,) codes, as hub files write them: five-character FIPS in the US
    names : (N,) names for people
    group : (N,) index into `groups`
    groups : (G,) codes of the level above
    dates : (D,) datetime64[D], without gaps
    daily : new reports per day after cleansing, by target ("cases", "deaths"): (N, D), >= 0, NaN where never reported
    population : (N,) people; NaN where unknown
    neighbours : per place, the indices of the places that touch it
    age_from : (A,) first year of each age band, ascending; the last band is open
    age_share : (N, A) share of each band, rows sum to 1
    features : static, by name: (N,), NaN where missing
    signals : changing with time (policies, mobility, testing), by name: (N, D), NaN where missing; those of a group
        stand in each of its places
    capacity : by name (icu_beds, hospital_beds, physicians): (N,), NaN where unknown
    irregular : (N, D) whether that day's reports were moved by cleansing (bulk dumps, corrections) or fall on a holiday
    """

    locations: tuple[str, ...]
    names: tuple[str, ...]
    group: IntArray
    groups: tuple[str, ...]
    dates: DateArray
    daily: Mapping[str, FloatArray]
    population: FloatArray
    neighbours: tuple[IntArray, ...]
    age_from: IntArray
    age_share: FloatArray
    features: Mapping[str, FloatArray] = field(default_factory=dict)
    signals: Mapping[str, FloatArray] = field(default_factory=dict)
    capacity: Mapping[str, FloatArray] = field(default_factory=dict)
    irregular: BoolArray = field(default_factory=lambda: np.zeros((0, 0), dtype=np.bool_))

    @property
    def as_of(self) -> np.datetime64:
        """The last day, which ends the last week T: a forecast's horizon h is week T + h."""
        day: np.datetime64 = self.dates[-1]
        return day

    @property
    def weeks(self) -> DateArray:
        """(W,) the last day of each week."""
        return self.dates[6::7]

    def weekly(self, target: str = "cases") -> FloatArray:
        """(N, W) new reports per week."""
        daily = self.daily[target]
        result: FloatArray = daily.reshape(len(daily), -1, 7).sum(axis=2)
        return result

    def by_group(self, values: NDArray[Any]) -> FloatArray:
        """(N, ...) -> (G, ...): sums over the places of each group, NaN counting as 0."""
        sums = np.zeros((len(self.groups), *values.shape[1:]))
        np.add.at(sums, self.group, np.nan_to_num(values))
        return sums
