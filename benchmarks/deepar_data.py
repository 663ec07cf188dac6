"""What the DeepAR benchmarks share: data sets with their settings, gluonts in its own process, ours in this one."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from restframe.ml.algorithm import Channel
from restframe.ml.deepar import Asked, Configuration, EpochReport, Model, fit
from restframe.ml.forecasting.reading import read
from restframe.ml.forecasting.scores import Scores, score
from restframe.ml.forecasting.series import Series

FIRST, TIMED = 10, 50  # batches, as in deepar_gluonts.py


@dataclass(frozen=True)
class DataSet:
    """Series of one folder, and what to forecast.

    season : of the seasonal naive forecast that is hard to beat
    batches : of training in all, the same for both
    """

    name: str
    freq: str
    steps: int
    season: int
    batches: int = 500
    batch_size: int = 64
    learning_rate: float = 1e-3


DATA_SETS = (
    DataSet("m4_hourly", "H", 48, 24),
    DataSet("green_taxi_2020", "2H", 84, 84, batches=400),
    DataSet("exchange_rate", "B", 30, 1),
    DataSet("nyc_taxi_30min", "30min", 48, 336),
)


class Gluonts:
    """gluonts in its own process, one thread; answers already known are taken from a file."""

    def __init__(self, process: subprocess.Popen[str] | None, known: Path | None) -> None:
        self._process = process
        self._known = known

    def __call__(self, keep: bool = True, **asked: Any) -> dict[str, Any]:
        """keep : whether an answer known from an earlier run will do, and this one is to be kept"""
        key = json.dumps(
            {name: value for name, value in asked.items() if name not in ("train", "test")}, sort_keys=True
        )
        answers: dict[str, dict[str, Any]] = {}
        if self._known and self._known.exists():
            answers = json.loads(self._known.read_text())
        key = f"{Path(asked.get('train', '-')).parent.name} {key}"
        if keep and key in answers:
            return answers[key]
        if self._process is None:
            return {}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        answers[key] = json.loads(self._process.stdout.readline())
        if keep and self._known:
            self._known.write_text(json.dumps(answers, indent=1))
        return answers[key]


@contextmanager
def gluonts(interpreter: str | None, known: Path | None = None) -> Iterator[Gluonts]:
    """interpreter : a Python that has gluonts[torch]; without one only what is known is answered"""
    if interpreter is None:
        yield Gluonts(None, known)
        return
    program = Path(__file__).with_name("deepar_gluonts.py")
    one_thread = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with subprocess.Popen(
        [interpreter, "-W", "ignore", str(program)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=one_thread,
    ) as process:  # fmt: skip
        yield Gluonts(process, known)
        assert process.stdin is not None
        process.stdin.close()


def ask_gluonts(
    peer: Gluonts, one: DataSet, folder: Path, seed: int, hold_out: bool, keep: bool = True
) -> dict[str, Any]:
    files = folder / one.name
    wanted: dict[str, Any] = {
        "do": "train", "train": str(files / "train.json.gz"), "test": str(files / "test.json.gz"),
        "freq": one.freq.replace("H", "h"), "steps": one.steps, "context": one.steps, "batch_size": one.batch_size,
        "epochs": one.batches // 50, "batches": 50, "learning_rate": one.learning_rate, "seed": seed,
        "hold_out": hold_out,
    }  # fmt: skip
    return peer(keep=keep, **wanted)


def series_of(one: DataSet, folder: Path, hold_out: bool) -> tuple[list[Series], list[Series]]:
    """(to learn from, whole series whose last steps are to be forecast).

    hold_out : both from the training file, the last steps cut off; nothing is then tuned to the test file
    """
    train = _read(folder / one.name / "train.json.gz")
    if not hold_out:
        return train, _read(folder / one.name / "test.json.gz")
    return [dataclasses.replace(each, target=each.target[: -one.steps]) for each in train], train


def _read(path: Path) -> list[Series]:
    return read("train", Channel([(path.name, path.read_bytes())]))


def configuration_of(one: DataSet, train: list[Series], seed: int, **changes: Any) -> Configuration:
    per_epoch = max(len(train), 10 * one.batch_size) / one.batch_size
    groups = tuple(max(column) + 1 for column in zip(*(each.categories for each in train), strict=True))
    wanted: Mapping[str, Any] = {
        "context_length": one.steps, "prediction_length": one.steps, "epochs": round(one.batches / per_epoch),
        "time_freq": one.freq, "cardinality": groups, "learning_rate": one.learning_rate,
        "mini_batch_size": one.batch_size, "seed": seed,
    }  # fmt: skip
    return Configuration(**{**wanted, **changes})


class Clock:
    """Observer of a training: CPU seconds of batches FIRST .. FIRST + TIMED."""

    def __init__(self) -> None:
        self.seen = 0
        self.began = self.took = 0.0

    def batch(self, epoch: int, batch: int, loss: float, examples: int) -> None:
        self.seen += 1
        if self.seen == FIRST:
            self.began = time.process_time()
        elif self.seen == FIRST + TIMED:
            self.took = time.process_time() - self.began

    def epoch(self, report: EpochReport) -> None: ...

    def stopping(self) -> bool:
        return False


def train_ours(train: list[Series], configuration: Configuration) -> tuple[Model, float, float]:
    """The model, CPU seconds of training, and of 50 batches."""
    clock = Clock()
    began = time.process_time()
    model = fit(train, configuration, clock)
    return model, time.process_time() - began, clock.took


def score_ours(model: Model, tests: list[Series], samples: int = 100) -> Scores:
    steps = model.configuration.prediction_length
    histories = [dataclasses.replace(one, target=one.target[:-steps]) for one in tests]
    found: list[np.ndarray[Any, Any]] = []
    for first in range(0, len(tests), 64):
        found += list(model.sample([Asked(tuple(histories[first : first + 64]), samples=samples, seed=0)])[0])
    return score(found, [one.target[-steps:] for one in tests])
