"""CPU time to train DeepAR: ours against gluonts, the same hyper-parameters and series, one thread each.

    RESTFRAME_GLUONTS=/path/to/python python benchmarks/deepar_training.py FOLDER [--rounds 3] [--to-accuracy]

50 batches after the first ten, by turns, medians over the rounds; each is a process's own CPU time. The processor's
bfloat16, where it has it, is used by ours and not by gluonts.
--to-accuracy : instead, how much CPU ours needs for the mean_wQuantileLoss that gluonts has after ten epochs of 50
    batches on the first data set: trainings of more and more batches, medians over as many seeds as rounds.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import statistics
from pathlib import Path

from deepar_data import (
    DATA_SETS,
    DataSet,
    Gluonts,
    ask_gluonts,
    configuration_of,
    gluonts,
    score_ours,
    series_of,
    train_ours,
)

BUDGETS = (50, 100, 150, 200, 300, 400, 500)


def speed(one: DataSet, folder: Path, peer: Gluonts, rounds: int) -> None:
    train, _ = series_of(one, folder, hold_out=False)
    short = dataclasses.replace(one, batches=100)
    ours, theirs = [], []
    for seed in range(rounds):
        ours.append(train_ours(train, configuration_of(short, train, seed))[2])
        theirs.append(ask_gluonts(peer, short, folder, seed, False, keep=False)["batches_cpu_s"])
    ratio = statistics.median(their / our for our, their in zip(ours, theirs, strict=True))
    print(f"{one.name:<18}{statistics.median(ours):>12.2f}{statistics.median(theirs):>12.2f}{ratio:>10.2f}", flush=True)


def to_accuracy(one: DataSet, folder: Path, peer: Gluonts, seeds: int) -> None:
    train, tests = series_of(one, folder, hold_out=False)
    theirs = [ask_gluonts(peer, one, folder, seed, False) for seed in range(seeds)]
    wanted = statistics.median(each["mean_wql"] for each in theirs)
    cpu = statistics.median(each["cpu_s"] for each in theirs)
    print(f"{one.name}, {seeds} seeds: batches, median wQL, worst wQL, median CPU seconds")
    print(f"{'gluonts':<10}{one.batches:>6}{wanted:>9.4f}{max(each['mean_wql'] for each in theirs):>9.4f}{cpu:>8.1f}")
    for batches in BUDGETS:
        found = []
        for seed in range(seeds):
            configuration = configuration_of(dataclasses.replace(one, batches=batches), train, seed)
            model, took, _ = train_ours(train, configuration)
            found.append((score_ours(model, tests).mean_wql, took))
        wql, took = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{'restframe':<10}{batches:>6}{wql:>9.4f}{max(each for each, _ in found):>9.4f}{took:>8.1f}", flush=True)
        if wql <= wanted:
            print(f"as good in {took / cpu:.2f} of the CPU time")
            return


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--known", type=Path, help="keeps gluonts' answers, and takes those it has")
    parser.add_argument("--to-accuracy", action="store_true")
    given = parser.parse_args()
    with gluonts(os.environ["RESTFRAME_GLUONTS"], given.known) as peer:
        if given.to_accuracy:
            to_accuracy(DATA_SETS[0], given.folder, peer, given.rounds)
            return
        print(f"CPU seconds of 50 batches, median of {given.rounds}")
        print(f"{'data':<18}{'restframe':>12}{'gluonts':>12}{'ratio':>10}")
        for one in DATA_SETS[:2]:
            speed(one, given.folder, peer, given.rounds)


if __name__ == "__main__":
    main()
