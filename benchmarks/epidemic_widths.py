"""How often intervals hold what they say over many made-up waves, by how much of a day's effect they expect again.

    python benchmarks/epidemic_widths.py

Growth turns every 4 to 14 weeks, everywhere at once; a forecaster follows it with shrinkage, as real members do, and
errors h weeks ahead are known h weeks late. The first column is the share of the effects: 1 is what the engine does.
Then the same for sums over ten groups of places that have waves of their own besides, and over all places: as drawn
from the places, which is what the engine does; by the errors of past sums alone, around the same median; and the wider
of the two on each side.
"""

from __future__ import annotations

import argparse

import numpy as np

from restframe_epidemic import scores
from restframe_epidemic.ensemble import coherence, conformal
from restframe_epidemic.panel import FloatArray, IntArray

HORIZONS, HISTORY = 4, 16
GROUPS = 10
SHARES = (0.0, 0.5, 0.71, 1.0)
WAYS = ("drawn", "own errors", "the wider")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--worlds", type=int, default=3)
    arguments.add_argument("--weeks", type=int, default=160)
    arguments.add_argument("--places", type=int, default=300)
    given = arguments.parse_args()
    worlds = [world(seed, given.weeks, given.places) for seed in range(given.worlds)]
    whole = conformal._effects
    print("share   50 % intervals, 1 to 4 weeks     95 % intervals          WIS of log(1 + x)")
    for share in SHARES:

        def part(error: FloatArray, sizes: IntArray, share: float = share) -> FloatArray:
            return share * whole(error, sizes)

        conformal._effects = part
        found = np.mean([days for reports, forecasts in worlds for days in scored(reports, forecasts)], axis=0)
        print(f"{share:5.2f}  ", "     ".join(" ".join(f"{value:.3f}" for value in row) for row in found), flush=True)
    conformal._effects = whole
    group = np.arange(given.places) % GROUPS
    worlds = [world(seed, given.weeks, given.places, group) for seed in range(given.worlds)]
    sums = np.mean([of_sums(reports, forecasts, group) for reports, forecasts in worlds], axis=0)
    for name, ways in zip((f"{GROUPS} groups", "all places"), sums, strict=True):
        for way, row in zip(WAYS, ways, strict=True):
            text = "     ".join(" ".join(f"{value:.3f}" for value in measure) for measure in row)
            print(f"{name}, {way}".ljust(24), text)


def world(seed: int, weeks: int, places: int, group: IntArray | None = None) -> tuple[FloatArray, FloatArray]:
    """Reports (weeks, places) and what was forecast on each week (weeks, places, HORIZONS)."""
    rng = np.random.default_rng(seed)
    growth = _waves(rng, weeks, 0.3)[:, None]
    if group is None:
        group = np.zeros(places, dtype=np.int64)
    else:
        growth = growth + np.stack([_waves(rng, weeks, 0.2) for _ in range(GROUPS)], axis=1)[:, group]
    growth = growth + 0.1 * rng.standard_normal((weeks, places))
    level = np.cumsum(growth, axis=0)
    level = np.clip(level - level.mean(axis=0) + rng.uniform(3, 6, places), 0.5, 9.0)
    reports = rng.negative_binomial(15, 15 / (15 + np.exp(level))).astype(np.float64)
    log = np.log1p(reports)
    forecasts = np.full((weeks, places, HORIZONS), np.nan)
    for now in range(3, weeks):
        own, recent = (log[now] - log[now - 3]) / 3, log[now] - log[now - 2]
        of_group = np.array([np.median(recent[group == g]) / 2 for g in range(group.max() + 1)])[group]
        trend = 0.6 * (0.4 * own + 0.3 * of_group + 0.3 * np.median(recent) / 2)
        start = 0.6 * log[now] + 0.4 * (log[now - 1] + trend)
        ahead = start[:, None] + trend[:, None] * np.cumsum(0.85 ** np.arange(HORIZONS))
        forecasts[now] = np.maximum(np.expm1(ahead), 0.0)
    return reports, forecasts


def _waves(rng: np.random.Generator, weeks: int, fastest: float) -> FloatArray:
    """(weeks,) growth that turns every 4 to 14 weeks."""
    rates = rng.uniform(fastest / 10, fastest, weeks) * (-1.0) ** np.arange(weeks)
    return np.convolve(np.repeat(rates, rng.integers(4, 15, weeks))[:weeks], [0.25, 0.5, 0.25], "same")


def scored(reports: FloatArray, forecasts: FloatArray) -> list[FloatArray]:
    """Of each week, (3, HORIZONS): coverage of 50 % and of 95 %, mean WIS."""
    weeks = np.arange(HISTORY, 0, -1)
    found = []
    for now in range(HISTORY + 8, len(reports) - HORIZONS):
        known = _known(reports, now)
        quantiles = conformal.quantiles(forecasts[now], forecasts[now - HISTORY : now], known, weeks)
        truth = reports[now + 1 : now + 1 + HORIZONS].T
        held = [scores.inside(truth, quantiles, nominal).mean(axis=0) for nominal in (0.5, 0.95)]
        found.append(np.stack([*held, scores.wis(np.log1p(truth), np.log1p(quantiles)).mean(axis=0)]))
    return found


def of_sums(reports: FloatArray, forecasts: FloatArray, group: IntArray) -> FloatArray:
    """(2, WAYS, 3, HORIZONS) of the sums of groups and of all: coverage of 50 and of 95 %, mean WIS of log(1 + x)."""
    weeks = np.arange(HISTORY, 0, -1)
    found = []
    for now in range(HISTORY + 8, len(reports) - HORIZONS, 3):
        past, came = forecasts[now - HISTORY : now], _known(reports, now)
        quantiles = conformal.quantiles(forecasts[now], past, came, weeks)
        for h in range(HORIZONS):
            days = np.flatnonzero(weeks > h)[-conformal.WINDOW :]
            shares = coherence.common(past[days, :, h], came[days, :, h], group)
            drawn = coherence.sums(quantiles[:, h], group, shares, seed=now)
            for of, way in zip((group, np.zeros_like(group)), drawn, strict=True):
                own = _own_errors(past[days, :, h], came[days, :, h], forecasts[now][:, h], way, of)
                middle = way[:, 3:4]
                wider = np.where(np.abs(own - middle) > np.abs(way - middle), own, way)
                truth = np.bincount(of, reports[now + 1 + h])
                found.append([_measures(truth, each) for each in (way, own, wider)])
    return np.asarray(found).reshape(-1, HORIZONS, 2, len(WAYS), 3).mean(axis=0).transpose(1, 2, 3, 0)


def _own_errors(past: FloatArray, came: FloatArray, points: FloatArray, drawn: FloatArray, of: IntArray) -> FloatArray:
    """Quantiles around the median of each sum, (K, levels), by how wrong sums of past forecasts (T, N) were; these are
    raised as the median is above the sum of today's points (N,)."""
    middle = drawn[:, len(scores.LEVELS) // 2]
    above = (middle + 1.0) / (np.bincount(of, points) + 1.0)
    sums, truth = (np.stack([np.bincount(of, day) for day in each]) for each in (past, came))
    offsets = conformal.offsets(sums * above, truth)[scores.size_class(middle)]
    return np.maximum((middle[:, None] + 1.0) * np.exp(offsets) - 1.0, 0.0)


def _measures(truth: FloatArray, quantiles: FloatArray) -> list[float]:
    held = [float(scores.inside(truth, quantiles, nominal).mean()) for nominal in (0.5, 0.95)]
    return [*held, float(scores.wis(np.log1p(truth), np.log1p(quantiles)).mean())]


def _known(reports: FloatArray, now: int) -> FloatArray:
    """(HISTORY, places, HORIZONS): what came of past forecasts, as far as it is known in week `now`."""
    came = np.stack([reports[now - HISTORY + 1 + h : now + 1 + h] for h in range(HORIZONS)], axis=2)
    return np.where(np.arange(HISTORY, 0, -1)[:, None, None] > np.arange(HORIZONS), came, np.nan)


if __name__ == "__main__":
    main()
