"""`restframe train` on a terminal and elsewhere, and ctrl-C while it runs."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from restframe.cli import arguments, training_progress
from restframe.cli.training_progress import TrainingProgress
from restframe.ml.containers.deepar import DEEPAR
from restframe.ml.containers.random_cut_forest import RANDOM_CUT_FOREST

PREFIX = "[05/04/2020 21:13:48 INFO 140149161203520] "
CONFIGURATION = PREFIX + "Final configuration: {u'learning_rate': u'5E-4', u'epochs': u'400', u'num_cells': u'40'}"


class Screen(io.StringIO):
    """A terminal that remembers everything."""

    @property
    def shown(self) -> str:
        """What its line reads now."""
        return self.getvalue().split("\r")[-1].removesuffix("\x1b[K")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    monkeypatch.setenv("COLUMNS", "150")
    now = [100.0]
    monkeypatch.setattr(training_progress.time, "monotonic", lambda: now[0])
    return now


def after(progress: TrainingProgress, *texts: str) -> list[bool]:
    return [progress.take(PREFIX + text) for text in texts]


# The line


def test_the_line_tells_epoch_losses_speed_and_time_left(clock: list[float]) -> None:
    screen = Screen()
    progress = TrainingProgress(screen)
    assert progress.take(CONFIGURATION)
    progress.draw()
    assert screen.shown == ""
    assert after(progress, "#quality_metric: host=algo-1, epoch=0, batch=0 train loss <loss>=5.17704343796") == [True]
    progress.draw()
    assert screen.shown == f"epoch 1 of 400 {'╌' * 24}  loss 5.177  ctrl-C stops"
    clock[0] += 300
    assert (
        after(
            progress,
            "processed a total of 674 examples",
            "#throughput_metric: host=algo-1, train throughput=249.55080199 records/second",
            "#progress_metric: host=algo-1, completed 25 % of epochs",
            "#quality_metric: host=algo-1, epoch=98, train loss <loss>=4.99151958119",
            "best epoch loss so far",
            'Saved checkpoint to "/opt/ml/model/state_fbb98627-0000.params"',
            "Epoch[99] Batch[0] avg_epoch_loss=4.970357",
            "#quality_metric: host=algo-1, epoch=99, train loss <loss>=5.01",
            "loss did not improve",
        )
        == [True] * 9
    )
    progress.draw()
    assert screen.shown == (
        f"epoch 100 of 400 {'━' * 6}{'╌' * 18}  loss 5.010  best 4.992 in epoch 99  249.6 examples/s  15:00 left  "
        "ctrl-C stops"
    )
    progress.hide()
    assert screen.shown == ""


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (
            120,
            f"epoch 30 of 400 {'━━'}{'╌' * 22}  loss 4.000  best 4.000 in epoch 30  12,346 examples/s  2:03 left  stop",
        ),
        (99, f"epoch 30 of 400 {'━━'}{'╌' * 20}  loss 4.000  best 4.000 in epoch 30  2:03 left  stop"),
        (79, f"epoch 30 of 400 {'━'}{'╌' * 15}  loss 4.000  best 4.000 in epoch 30  2:03 left"),
        (59, f"epoch 30 of 400 {'━━'}{'╌' * 18}  loss 4.000  2:03 left"),
        (30, f"epoch 30 of 400 {'━'}{'╌' * 13}"),
        (20, "epoch 30 of 400 "),
    ],
)
def test_a_narrow_terminal_leaves_out_whole_facts(clock: list[float], width: int, line: str) -> None:
    progress = TrainingProgress(Screen())
    progress.take(CONFIGURATION)
    after(progress, "#quality_metric: host=algo-1, epoch=0, batch=0 train loss <loss>=5")
    clock[0] += 10
    after(
        progress,
        "#throughput_metric: host=algo-1, train throughput=12345.6 records/second",
        "#quality_metric: host=algo-1, epoch=29, train loss <loss>=4",
        "best epoch loss so far",
    )
    assert progress.line(width) == line.replace("stop", "ctrl-C stops")


def test_a_long_time_left_has_hours(clock: list[float]) -> None:
    progress = TrainingProgress(Screen())
    progress.take(CONFIGURATION)
    after(progress, "#quality_metric: host=algo-1, epoch=0, batch=0 train loss <loss>=1.0")
    clock[0] += 10
    after(progress, "#quality_metric: host=algo-1, epoch=0, train loss <loss>=1.0")
    assert "1:06:30 left" in (progress.line() or "")


def test_what_a_reader_wants_to_see_is_not_hidden() -> None:
    progress = TrainingProgress(None)
    assert (
        after(
            progress,
            "Training set statistics:",
            "number of time series: 2",
            "#test_score (algo-1, RMSE): 25.8",
            "Final loss: 2.9 (occurred at epoch 394)",
            "#quality_metric: host=algo-1, test RMSE <loss>=25.8",
            "Sampling training data...",
        )
        == [False] * 6
    )
    assert progress.take('#metrics {"Metrics": {}}\n')
    assert progress.take("Arguments: train")


def test_the_line_ends_with_training(clock: list[float]) -> None:
    progress = TrainingProgress(Screen())
    progress.take(CONFIGURATION)
    after(progress, "#quality_metric: host=algo-1, epoch=0, batch=0 train loss <loss>=1.0")
    assert progress.line() is not None
    after(progress, "Final loss: 1.0 (occurred at epoch 0)")
    assert progress.line() is None


def test_a_log_without_epochs_shows_no_line() -> None:
    screen = Screen()
    progress = TrainingProgress(screen)
    after(
        progress, "Building Random Cut Forest...", "#throughput_metric: host=algo-1, train throughput=5 records/second"
    )
    progress.draw()
    assert screen.getvalue() == ""


# The command


def test_help_names_what_must_be_given(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments.parser().parse_args(["train", "--help"])
    shown = capsys.readouterr().out
    for algorithm in (RANDOM_CUT_FOREST, DEEPAR):
        required = {row.name for row in algorithm.hyperparameters if row.required}
        line = next(line for line in shown.splitlines() if line.startswith(f"  {algorithm.name}  "))
        assert set(line.replace(",", "").split()[1:]) == required


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    bucket = tmp_path / "s3" / "rides" / "train"
    bucket.mkdir(parents=True)
    series = {"start": "2020-01-01", "target": [10 + hour % 24 for hour in range(600)]}
    (bucket / "train.json").write_text(json.dumps(series))
    return tmp_path


def command(directory: Path, epochs: int) -> list[str]:
    parameters = {
        "time_freq": "H", "context_length": 8, "prediction_length": 4, "epochs": epochs, "mini_batch_size": 4,
        "num_cells": 4, "num_layers": 1,
    }  # fmt: skip
    given = [word for name, value in parameters.items() for word in ("-p", f"{name}={value}")]
    return [
        sys.executable, "-m", "restframe", "train", "deepar", "train=s3://rides/train/", "test=s3://rides/train/",
        "-o", "s3://rides/models", "-n", "demand", "-d", str(directory), *given,
    ]  # fmt: skip


def test_elsewhere_the_log_comes_as_it_is_and_metrics_at_the_end(directory: Path) -> None:
    done = subprocess.run(command(directory, 2), capture_output=True, text=True, timeout=300, check=True)
    assert "Epoch[1] Batch[0] avg_epoch_loss=" in done.stdout
    assert "\r" not in done.stdout
    assert re.search(
        r"^Completed in [\d.]+ s: s3://rides/models/demand/output/model\.tar\.gz\n(train:\S+ \S+\n)+test:RMSE [\d.]+\n"
        r"test:mean_wQuantileLoss [\d.]+$",
        done.stdout.rstrip("\n"),
        re.MULTILINE,
    )


def test_on_a_terminal_ctrl_c_stops_and_says_what_is_kept(directory: Path) -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "150"}
    shown = re.compile(
        r"epoch \d+ of 100000 ╌+  loss \S+  best \S+ in epoch \d+  \S+ examples/s  .* left  ctrl-C stops"
    )
    with subprocess.Popen(
        command(directory, 100_000), stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=environment
    ) as process:
        os.close(theirs)
        read = bytearray()
        deadline = time.monotonic() + 300
        while not shown.search(read.decode(errors="replace")):
            assert time.monotonic() < deadline
            read += os.read(ours, 4096)
        process.send_signal(signal.SIGINT)
        while piece := _rest(ours):
            read += piece
        assert process.stderr is not None
        said = process.stderr.read().decode()
    os.close(ours)
    text = read.decode()
    assert process.returncode == 130
    assert said == "Stopping; ctrl-C again gives up what could still be saved.\n"
    assert "avg_epoch_loss" not in text
    assert "number of observations: 600" in text
    kept = "s3://rides/models/demand/output/model.tar.gz"
    assert text.endswith(f"Training job demand is Stopped; the best model so far is kept: {kept}\r\n")
    assert (directory / "s3/rides/models/demand/output/model.tar.gz").exists()


def _rest(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 4096)
    except OSError:  # the other side is closed
        return b""
