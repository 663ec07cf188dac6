"""Scoring with a Random Cut Forest of 100 trees of 256 samples, against krcf, the official Rust library for Python.

    python benchmarks/forest_score.py [--rounds 7]

One thread, CPU time. Both libraries score points of the same data with forests of the same size; krcf takes one point a
call, so it gets fewer of them, and both are stated per point. Rounds alternate, medians are printed.
Taxi shingles are 48 neighbouring half hours of NAB's nyc_taxi.csv beside the checkout, else of a series like it.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import krcf
import numpy as np

from restframe.ml.random_cut_forest import fit, score

TREES, SAMPLES = 100, 256
TAXI = Path(__file__).resolve().parents[2] / "shared" / "data" / "nab" / "nyc_taxi.csv"


def rides() -> np.ndarray:
    """10,320 half hours of taxi rides: NAB's, or generated with a daily and a weekly rhythm."""
    if TAXI.exists():
        with TAXI.open() as file:
            return np.array([float(row["value"]) for row in csv.DictReader(file)])
    hour = np.arange(10_320) / 2
    daily = 1 - np.cos(2 * np.pi * (hour - 4) / 24)
    weekly = 1 + 0.2 * np.sin(2 * np.pi * hour / 168)
    return np.round(7500 * daily * weekly + np.random.default_rng(0).normal(0, 600, hour.size) + 2000)


def shingles(values: np.ndarray, width: int) -> np.ndarray:
    return np.ascontiguousarray(np.lib.stride_tricks.sliding_window_view(values, width))


def other_forest(points: np.ndarray) -> krcf.RandomCutForest:
    """The rival, fed until its trees are full: it learns from a stream."""
    forest = krcf.RandomCutForest(
        {"dimensions": points.shape[1], "shingle_size": 1, "num_trees": TREES, "sample_size": SAMPLES, "random_seed": 1}
    )
    for point in np.random.default_rng(1).permutation(points)[:5000]:
        forest.update(point)
    return forest


def seconds_a_point(run: Callable[[], object], points: int) -> float:
    start = time.process_time()
    run()
    return (time.process_time() - start) / points


def compare(name: str, points: np.ndarray, few: int, rounds: int, bar: float, stretch: float) -> None:
    """One line: points a second of each, and how many times faster ours is."""
    forest, other = fit(points, TREES, SAMPLES, partition="random"), other_forest(points)
    sample = list(np.random.default_rng(2).permutation(points)[:few])
    score(forest, points[:1000])  # compile
    repeat = max(1, 50_000 // len(points))
    ours, theirs = [], []
    for _ in range(rounds):
        theirs.append(seconds_a_point(lambda: [other.score(point) for point in sample], few))
        ours.append(seconds_a_point(lambda: [score(forest, points) for _ in range(repeat)], repeat * len(points)))
    ratio = statistics.median(a / b for a, b in zip(theirs, ours, strict=True))
    speeds = f"{1 / statistics.median(theirs):>12,.0f} {1 / statistics.median(ours):>14,.0f}"
    print(f"{name:<34}{speeds} {ratio:>8.1f}x  bar {bar:.0f}x, stretch {stretch:.0f}x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    print(f"{'points a second, 100 x 256':<34}{'krcf':>12} {'restframe':>14} {'ratio':>9}")
    rng = np.random.default_rng(0)
    compare("1 M random floats, d=1", rng.random((1_000_000, 1)), 20_000, rounds, 25, 40)
    taxi = shingles(rides(), 48)
    compare("10,273 taxi shingles, d=48", taxi, 5000, rounds, 15, 30)
    year = np.concatenate([taxi + rng.normal(0, 100, taxi.shape) for _ in range(10)])
    compare("the same tenfold with noise, d=48", year, 5000, rounds, 15, 30)


if __name__ == "__main__":
    main()
