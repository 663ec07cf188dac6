"""Series as the network reads them: one flat array, in which a window is index arithmetic.

Each series becomes a run of steps with room before and after it. Step t of series i stands at `origin[i] + t`, for
every t from the first step that any lag of any window can reach, also where the series had not begun: there, and
where nothing was observed, `observed` is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from restframe import errors
from restframe.ml.deepar.configuration import Configuration
from restframe.ml.forecasting.frequency import Frequency
from restframe.ml.forecasting.series import Series

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

GREATEST = 1e30  # beyond, single precision overflows


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """values, observed : (n,) the targets, and 1 where they were observed. A gap holds the value before it
    features : (n, num_dynamic_feat)
    calendar : (m, k) rows of the calendar; step t of series i has row `calendar_origin[i] + t`
    origin, calendar_origin, length : (series,)
    size : (series,) mean |target| of what was observed, or of all other series where that is nothing or zeros
    categories : (series, number of categories)
    """

    values: Floats
    observed: Floats
    features: Floats
    calendar: Floats
    origin: Integers
    calendar_origin: Integers
    length: Integers
    size: Floats
    categories: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """What the series that were learned from are like, so that the network reads numbers around 0 and 1.

    log_size, log_size_spread : mean and deviation over series of log(mean |target|)
    feature_mean, feature_spread : (num_dynamic_feat,)
    calendar_used : (calendar features,) 1, and 0 for one that has not come round twice in any series
    """

    log_size: float
    log_size_spread: float
    feature_mean: Floats
    feature_spread: Floats
    calendar_used: Floats


def measure(series: Sequence[Series], configuration: Configuration) -> Statistics:
    """Statistics of series that were checked."""
    logs = np.log([size for size in map(_size, series) if size > 0] or [1.0])
    features = np.concatenate(
        [one.features[: configuration.num_dynamic_feat, : len(one)] for one in series], axis=1, dtype=np.float64
    ) if configuration.num_dynamic_feat else np.zeros((0, 1))  # fmt: skip
    spread = features.std(axis=1)
    longest = max(series, key=len)
    frequency = Frequency.parse(configuration.time_freq)
    # A day of the year that was seen once says nothing of another year, but a network would learn it by heart.
    rounds = (np.diff(frequency.features(frequency.times(longest.start, len(longest))), axis=0) < 0).sum(axis=0)
    # a spread below 1 would make much of little differences between alike series
    return Statistics(
        float(logs.mean()), max(1.0, float(logs.std())), features.mean(axis=1).astype(np.float32),
        np.where(spread > 0, spread, 1.0).astype(np.float32), (rounds >= 2).astype(np.float32),
    )  # fmt: skip


def _size(one: Series) -> float:
    """Mean |target| of what was observed, 0 where nothing was."""
    known = one.target[~np.isnan(one.target)]
    return float(np.abs(known).mean()) if known.size else 0.0


def room_before(configuration: Configuration) -> int:
    """Steps before a forecast that it depends on."""
    return configuration.context_length + max(Frequency.parse(configuration.time_freq).lags)


def check_series(series: Sequence[Series], configuration: Configuration, ahead: int) -> None:
    """DataError for the first series that the network cannot read.

    ahead : steps beyond its end for which its dynamic features must be known
    """
    for number, one in enumerate(series):
        _check(one, number, configuration, ahead)


def pack_whole(series: Sequence[Series], configuration: Configuration, statistics: Statistics) -> Packed:
    """Series to learn from, checked."""
    before = room_before(configuration)
    return _pack(series, configuration, statistics, [-before] * len(series), [len(one) for one in series])


def pack_ends(series: Sequence[Series], configuration: Configuration, statistics: Statistics) -> Packed:
    """The ends of checked series to forecast, with room for the forecast."""
    before, ahead = room_before(configuration), configuration.prediction_length
    first, after = [len(one) - before for one in series], [len(one) + ahead for one in series]
    return _pack(series, configuration, statistics, first, after)


def _pack(
    series: Sequence[Series], configuration: Configuration, statistics: Statistics,
    first: Sequence[int], after: Sequence[int],
) -> Packed:  # fmt: skip
    """Steps first..after - 1 of each series."""
    starts = np.concatenate([[0], np.cumsum(np.subtract(after, first))]).astype(np.int64)
    values, observed = np.zeros(starts[-1], np.float32), np.zeros(starts[-1], np.float32)
    features = np.zeros((starts[-1], configuration.num_dynamic_feat), np.float32)
    size = np.zeros(len(series), np.float32)
    for i, (one, begin, end) in enumerate(zip(series, first, after, strict=True)):
        seen = slice(max(0, begin), min(len(one), end))
        place = slice(starts[i] + seen.start - begin, starts[i] + seen.stop - begin)
        target = one.target[seen]
        known = ~np.isnan(target)
        values[place], observed[place] = _filled(target, known), known
        size[i] = np.abs(target[known]).mean() if known.any() else 0.0
        if configuration.num_dynamic_feat:
            known_features = (one.features[:, seen.start : end].T - statistics.feature_mean) / statistics.feature_spread
            features[place.start : starts[i + 1]] = known_features
    size[size == 0] = np.exp(statistics.log_size)
    calendar, calendar_origin = _calendars(series, Frequency.parse(configuration.time_freq), first, after)
    calendar *= statistics.calendar_used
    return Packed(
        values, observed, features, calendar, starts[:-1] - np.asarray(first, np.int64), calendar_origin,
        np.array([len(one) for one in series], np.int64), size,
        np.array([one.categories[: len(configuration.cardinality)] for one in series], np.int64).reshape(
            len(series), len(configuration.cardinality)
        ),
    )  # fmt: skip


def _filled(target: npt.NDArray[np.float64], known: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """The target with each gap holding the value before it, and zeros before the first."""
    if known.all():
        return target
    last = np.maximum.accumulate(np.where(known, np.arange(target.size), -1))
    return np.where(last < 0, 0.0, target[np.maximum(last, 0)])


def _calendars(
    series: Sequence[Series], frequency: Frequency, first: Sequence[int], after: Sequence[int]
) -> tuple[Floats, Integers]:
    """Rows of the calendar, shared by series that begin at the same time; and where step 0 of each series is."""
    spans: dict[np.datetime64, tuple[int, int]] = {}
    for one, begin, end in zip(series, first, after, strict=True):
        low, high = spans.get(one.start, (begin, end))
        spans[one.start] = (min(low, begin), max(high, end))
    origins: dict[np.datetime64, int] = {}
    rows, count = [], 0
    for start, (low, high) in spans.items():
        rows.append(frequency.features(frequency.times(start, high - low, low)))
        origins[start] = count - low
        count += high - low
    return np.concatenate(rows), np.array([origins[one.start] for one in series], np.int64)


def _check(one: Series, number: int, configuration: Configuration, ahead: int) -> None:
    """Whether the network can read the series; `ahead` steps of its features must be known beyond its end."""
    target, name = one.target, _name(one, number)
    if not (np.abs(target) < GREATEST).all():
        bad = ~(np.abs(target) < GREATEST) & ~np.isnan(target)
        if bad.any():
            raise errors.DataError(f"{name} has a target of {target[bad][0]}, beyond {GREATEST:g}")
    if configuration.likelihood in ("negative-binomial", "beta") and (target < 0).any():
        raise errors.DataError(
            f"{name} has a negative target, {target[target < 0][0]:g}, which {configuration.likelihood} does not allow",
            hint="Use the likelihood student-T for real numbers.",
        )
    if configuration.likelihood == "beta" and (target > 1).any():
        raise errors.DataError(
            f"{name} has a target of {target[target > 1][0]:g}, and beta wants 0 to 1",
            hint="Use the likelihood student-T for real numbers.",
        )
    _check_beside(one, name, configuration, len(one) + ahead)


def _check_beside(one: Series, name: str, configuration: Configuration, steps: int) -> None:
    """Whether the series has the categories and features that the network reads."""
    wanted = configuration.cardinality
    if wanted and len(one.categories) != len(wanted):
        raise errors.DataError(f"{name} has {len(one.categories)} categories, not {len(wanted)}")
    for place, (group, groups) in enumerate(zip(one.categories, wanted, strict=False)):
        if not 0 <= group < groups:
            raise errors.DataError(f"{name} is in group {group} of category {place}, not within 0..{groups - 1}"[:100])
    count = configuration.num_dynamic_feat
    if not count:
        return
    if one.features.shape[0] != count:
        raise errors.DataError(f"{name} has {one.features.shape[0]} dynamic features, not {count}")
    if one.features.shape[1] < steps:
        raise errors.DataError(f"{name} has dynamic features of {one.features.shape[1]} steps, and {steps} are needed")
    if not (np.abs(one.features[:, :steps]) < GREATEST).all():
        raise errors.DataError(f"{name} has dynamic features that are not finite numbers")


def _name(one: Series, number: int) -> str:
    return f"series {number}" if one.item is None else f'series {number} ("{one.item[:60]}")'
