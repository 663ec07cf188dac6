"""The log of DeepAR's container, compared with what SageMaker's wrote of the same numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import numpy as np
import pytest

from restframe.ml.containers.deepar_log import Progress, Story, short
from restframe.ml.deepar import EpochReport
from restframe.ml.forecasting.scores import Scores
from restframe.ml.forecasting.series import Series
from restframe.ml.training_log import TrainingLog


class Lines(list[str]):
    """The lines of a log without their times; #metrics as the names of what they measure."""

    def append(self, line: str) -> None:
        if line.startswith("#metrics "):
            line = "#metrics " + ", ".join(json.loads(line.removeprefix("#metrics "))["Metrics"])
        super().append(re.sub(r"^\[[\d/]{10} [\d:]{8} (\w+) \d+\] ", r"\1 ", line))


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def story(lines: Lines) -> Story:
    return Story(TrainingLog(lines.append, "AWS/DeepAR", {"epochs": "400", "time_freq": "2H"}))


def series(*targets: list[float]) -> list[Series]:
    return [Series(np.datetime64("2019-01-01T00:00:00"), np.array(target)) for target in targets]


def test_the_configuration(story: Story, lines: Lines) -> None:
    story.configuration(40)
    assert lines[0] == "Arguments: train"
    assert lines[1].startswith("INFO Reading default configuration from /opt/amazon/lib/python2.7/site-packages/")
    assert "u'dropout_rate': u'0.10'" in lines[1]
    assert lines[2] == (
        "INFO Reading provided configuration from /opt/ml/input/config/hyperparameters.json: "
        "{u'epochs': u'400', u'time_freq': u'2H'}"
    )
    assert lines[3].startswith("INFO Final configuration: {u'cardinality': u'auto', ")
    assert lines[3].endswith("u'_tuning_objective_metric': u'', u'epochs': u'400', u'time_freq': u'2H'}")
    assert lines[4:] == [
        "Process 1 is a worker.",
        "INFO Detected entry point for worker worker",
        "INFO Using early stopping with patience 40",
    ]


def test_without_early_stopping_nothing_is_said_of_it(story: Story, lines: Lines) -> None:
    story.configuration(None)
    assert lines[-1] == "INFO Detected entry point for worker worker"


def test_statistics(story: Story, lines: Lines) -> None:
    story.statistics("Training", series([1.25, 2.0, 3.0], [0.5, np.nan, -4.0]))
    assert lines == [
        "INFO Training set statistics:",
        "INFO Real time series",
        "INFO number of time series: 2",
        "INFO number of observations: 5",
        "INFO mean target length: 3",
        "INFO min/mean/max target: -4.0/0.55/3.0",
        "INFO mean abs(target): 2.15",
        "INFO contains missing values: yes",
    ]


def test_statistics_of_counts(story: Story, lines: Lines) -> None:
    story.statistics("Test", series([6519, 4, 1037761]))
    assert lines[1] == "INFO Integer time series"
    assert lines[5:] == [
        "INFO min/mean/max target: 4.0/348094.666667/1037761.0",
        "INFO mean abs(target): 348094.666667",
        "INFO contains missing values: no",
    ]


@pytest.mark.parametrize(
    ("count", "batch", "passes", "probability"),
    [(2, 64, 320, "1.0"), (14, 64, 46, "0.993788819876"), (200, 32, 2, "0.8")],
)
def test_few_series_are_visited_several_times(
    story: Story, lines: Lines, count: int, batch: int, passes: int, probability: str
) -> None:
    story.passes(count, batch)
    assert lines == [
        f"INFO Small number of time series. Doing {passes} passes over dataset with prob {probability} per epoch."
    ]


def test_many_series_are_visited_once(story: Story, lines: Lines) -> None:
    story.passes(640, 64)
    assert lines == []


def _epoch_of_the_seed() -> Iterator[float]:
    """Batch losses with the means that SageMaker reported of one, the first six, and the next five."""
    yield 5.17704343796
    yield from [(6 * 5.1377146244 - 5.17704343796) / 5] * 5
    yield from [4.81608552933] * 5


def test_an_epoch(story: Story, lines: Lines) -> None:
    progress = Progress(story, 400)
    for number, loss in enumerate(_epoch_of_the_seed()):
        progress.batch(0, number, loss, 64)
    progress.epoch(EpochReport(0, 4.99151958119, True, 674))
    text = [re.sub(r"Speed: \d+\.\d\d", "Speed: 1.00", line) for line in lines]
    assert [re.sub(r"throughput=[\d.e+]+", "throughput=1.0", line) for line in text] == [
        "INFO Epoch[0] Batch[0] avg_epoch_loss=5.177043",
        "INFO #quality_metric: host=algo-1, epoch=0, batch=0 train loss <loss>=5.17704343796",
        "INFO Epoch[0] Batch[5] avg_epoch_loss=5.137715",
        "INFO #quality_metric: host=algo-1, epoch=0, batch=5 train loss <loss>=5.1377146244",
        "INFO Epoch[0] Batch [5]#011Speed: 1.00 samples/sec#011loss=5.137715",
        "INFO Epoch[0] Batch[10] avg_epoch_loss=4.991520",
        "INFO #quality_metric: host=algo-1, epoch=0, batch=10 train loss <loss>=4.81608552933",
        "INFO Epoch[0] Batch [10]#011Speed: 1.00 samples/sec#011loss=4.816086",
        "INFO processed a total of 674 examples",
        "#metrics epochs, update.time",
        "INFO #throughput_metric: host=algo-1, train throughput=1.0 records/second",
        "INFO #progress_metric: host=algo-1, completed 0 % of epochs",
        "INFO #quality_metric: host=algo-1, epoch=0, train loss <loss>=4.99151958119",
        "INFO best epoch loss so far",
        lines[14],
        "#metrics state.serialize.time",
    ]
    assert re.fullmatch(r'INFO Saved checkpoint to "/opt/ml/model/state_[0-9a-f-]{36}-0000\.params"', lines[14])


def test_an_epoch_that_is_no_better(story: Story, lines: Lines) -> None:
    progress = Progress(story, 400)
    progress.epoch(EpochReport(0, 3.0, True, 10))
    lines.clear()
    progress.batch(1, 0, 3.5, 10)
    progress.epoch(EpochReport(1, 3.5, False, 10))
    assert lines[0] == "INFO Epoch[1] Batch[0] avg_epoch_loss=3.500000"
    assert lines[3] == "#metrics update.time"
    assert lines[-1] == "INFO loss did not improve"
    assert progress.best == (3.0, 0)


def test_the_end_of_all_epochs(story: Story, lines: Lines) -> None:
    progress = Progress(story, 2)
    progress.epoch(EpochReport(0, 2.90486352444, True, 10))
    progress.epoch(EpochReport(1, 3.5, False, 10))
    assert "INFO #progress_metric: host=algo-1, completed 50 % of epochs" in lines
    assert "INFO #progress_metric: host=algo-1, completed 100 % of epochs" in lines
    lines.clear()
    progress.finished()
    story.serialised()
    assert lines == [
        "INFO Final loss: 2.90486352444 (occurred at epoch 0)",
        "INFO #quality_metric: host=algo-1, train final_loss <loss>=2.90486352444",
        "INFO Worker algo-1 finished training.",
        "WARNING wait_for_all_workers will not sync workers since the kv store is not running distributed",
        "INFO All workers finished. Serializing model for prediction.",
        "#metrics get_graph.time",
        "INFO Number of GPUs being used: 0",
        "#metrics finalize.time",
        "INFO Serializing to /opt/ml/model/model_algo-1",
        'INFO Saved checkpoint to "/opt/ml/model/model_algo-1-0000.params"',
        "#metrics model.serialize.time",
        "INFO Successfully serialized the model for prediction.",
    ]
    assert progress.metrics["train:final_loss"] == 2.90486352444
    assert progress.metrics["train:progress"] == 100


def test_an_early_end(story: Story, lines: Lines) -> None:
    progress = Progress(story, 50)
    progress.epoch(EpochReport(0, 2.5, True, 10))
    lines.clear()
    progress.finished()
    assert lines[:4] == [
        "#metrics state.deserialize.time",
        "INFO stopping training now",
        "INFO #progress_metric: host=algo-1, completed 100 % of epochs",
        "INFO Final loss: 2.5 (occurred at epoch 0)",
    ]


def test_a_stopped_job_has_not_completed_its_epochs(lines: Lines) -> None:
    progress = Progress(Story(TrainingLog(lines.append, "AWS/DeepAR", stopping=lambda: True)), 1)
    assert progress.stopping()
    progress.epoch(EpochReport(0, 2.5, True, 10))
    lines.clear()
    progress.finished()
    assert lines[1:3] == ["INFO stopping training now", "INFO Final loss: 2.5 (occurred at epoch 0)"]
    assert progress.metrics["train:progress"] == 0


def test_scores(story: Story, lines: Lines) -> None:
    quantiles = {0.1: 0.1182360300392704, 0.9: 0.12071595086214726}
    story.scores(Scores(25.80481196377, 0.18874029632046463, 20719.508656930924, quantiles))
    assert lines == [
        "#metrics model.score.time",
        "INFO #test_score (algo-1, RMSE): 25.8048119638",
        "INFO #test_score (algo-1, mean_absolute_QuantileLoss): 20719.508656930924",
        "INFO #test_score (algo-1, mean_wQuantileLoss): 0.18874029632046463",
        "INFO #test_score (algo-1, wQuantileLoss[0.1]): 0.1182360300392704",
        "INFO #test_score (algo-1, wQuantileLoss[0.9]): 0.12071595086214726",
        "INFO #quality_metric: host=algo-1, test mean_wQuantileLoss <loss>=0.18874029632",
        "INFO #quality_metric: host=algo-1, test RMSE <loss>=25.8048119638",
    ]


def test_a_metrics_line_is_followed_by_an_empty_one() -> None:
    written: list[str] = []
    Story(TrainingLog(written.append, "AWS/DeepAR")).took("get_graph.time")
    (line,) = written
    assert line.endswith("}\n")
    found = json.loads(line.removeprefix("#metrics "))
    assert list(found) == ["Metrics", "EndTime", "Dimensions", "StartTime"]
    assert found["Dimensions"] == {"Host": "algo-1", "Operation": "training", "Algorithm": "AWS/DeepAR"}
    assert found["Metrics"]["get_graph.time"].keys() == {"count", "max", "sum", "min"}


def test_numbers_as_python_2_prints_them() -> None:
    assert [short(number) for number in (1.0, 0.8, 78.72702546296, 1e-7, 1e16, float("nan"), 306392.25198)] == [
        "1.0", "0.8", "78.727025463", "1e-07", "1e+16", "nan", "306392.25198",
    ]  # fmt: skip
