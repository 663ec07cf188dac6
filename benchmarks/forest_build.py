"""Fitting a Random Cut Forest of 100 trees of 256 samples, against krcf, which must be fed point by point.

    python benchmarks/forest_build.py [--rounds 31]

One thread, CPU time, medians. fit() is timed whole: checking the points, drawing samples, placing them, growing the
trees, making the tables for scoring. krcf is fed the same series once.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import krcf
import numpy as np

from forest_score import SAMPLES, TREES, rides, shingles
from restframe.ml.random_cut_forest import fit


def milliseconds(run: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
    return 1000 * statistics.median(times)


def feed(points: np.ndarray) -> None:
    forest = krcf.RandomCutForest(
        {"dimensions": points.shape[1], "shingle_size": 1, "num_trees": TREES, "sample_size": SAMPLES, "random_seed": 1}
    )
    for point in points:
        forest.update(point)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=31)
    rounds = parser.parse_args().rounds
    print(f"{'milliseconds, 100 x 256':<44}{'krcf':>8} {'fit()':>8}")
    values = rides()
    for name, points, bar in (
        ("10,320 values, d=1", values.reshape(-1, 1), ""),
        ("10,273 taxi shingles, d=48", shingles(values, 48), "bar 10 ms, stretch 3 ms"),
        ("10,221 taxi shingles, d=100", shingles(values, 100), ""),
    ):
        ours = lambda points=points: fit(points, TREES, SAMPLES, partition="random")  # noqa: E731
        ours()  # compile
        theirs = milliseconds(lambda points=points: feed(points), 1)
        print(f"{name:<44}{theirs:>8,.0f} {milliseconds(ours, rounds):>8.2f}  {bar}")


if __name__ == "__main__":
    main()
