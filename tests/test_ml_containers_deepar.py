"""DeepAR as its container trains and scores it, with networks of a few cells."""

from __future__ import annotations

import gzip
import io
import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from restframe import errors
from restframe.ml import deepar, registry
from restframe.ml.algorithm import Channel, Trained
from restframe.ml.deepar import Asked
from restframe.ml.forecasting.scores import score
from restframe.ml.forecasting.series import Series
from restframe.ml.hyperparameters import check
from restframe.ml.training_log import TrainingLog

TINY = {
    "time_freq": "H", "context_length": "8", "prediction_length": "4", "epochs": "2", "mini_batch_size": "4",
    "num_cells": "4", "num_layers": "1", "num_eval_samples": "10", "learning_rate": "1e-2",
}  # fmt: skip
Lines = list[Mapping[str, Any]]


def wave(count: int, **fields: Any) -> dict[str, Any]:
    target = [round(10 + 5 * math.sin(t / 24 * 2 * math.pi), 3) for t in range(count)]
    return {"start": "2020-01-01 00:00:00", "target": target, **fields}


def json_lines(lines: Lines) -> bytes:
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def channel(lines: Lines, name: str = "s3://b/train/train.json") -> Channel:
    return Channel([(name, json_lines(lines))])


def train_on(train: Channel, test: Channel | None = None, **given: str) -> tuple[Trained, list[str]]:
    """The model and the log, without the times of its lines."""
    algorithm, lines = registry.find("deepar"), list[str]()
    hyperparameters = {**TINY, **given}
    log = TrainingLog(
        lambda line: lines.append(re.sub(r"^\[.* INFO \d+\] ", "", line)), algorithm.label, hyperparameters
    )
    parameters = check(algorithm.hyperparameters, hyperparameters, in_job=True)
    channels = {"train": train} if test is None else {"train": train, "test": test}
    return algorithm.train(parameters, channels, log), lines


def train(lines: Lines, test: Lines | None = None, **given: str) -> tuple[Trained, list[str]]:
    return train_on(channel(lines), None if test is None else channel(test, "s3://b/test/test.json"), **given)


def configuration(trained: Trained) -> deepar.Configuration:
    return deepar.load(trained.files).configuration


# What comes out


def test_a_model_with_its_metrics_and_its_log() -> None:
    trained, lines = train([wave(200), wave(160)], [wave(204)])
    assert sorted(trained.files) == ["deepar.json", "model.safetensors"]
    assert trained.metrics.keys() == {
        "train:throughput", "train:loss", "train:progress", "train:final_loss", "test:RMSE", "test:mean_wQuantileLoss",
    }  # fmt: skip
    order = [
        "Arguments: train",
        "[cardinality=auto] `cat` field was NOT found in the file `/opt/ml/input/data/train/train.json` and will NOT "
        "be used for training.",
        "[num_dynamic_feat=auto] `dynamic_feat` field was NOT found in the file `/opt/ml/input/data/train/train.json` "
        "and will NOT be used for training.",
        "Training set statistics:",
        "number of time series: 2",
        "number of observations: 360",
        "mean target length: 180",
        "Small number of time series. Doing 20 passes over dataset with prob 1.0 per epoch.",
        "Test set statistics:",
        "number of observations: 204",
        "nvidia-smi took: 0.0 secs to identify 0 gpus",
        "Create Store: local",
        "#progress_metric: host=algo-1, completed 50 % of epochs",
        "#progress_metric: host=algo-1, completed 100 % of epochs",
        "Serializing to /opt/ml/model/model_algo-1",
        "Evaluating model accuracy on testset using 10 samples",
    ]
    assert [line for line in lines if line in order] == order
    loss = trained.metrics["train:final_loss"]
    (said,) = (re.search(r"train final_loss <loss>=(\S+)", line) for line in lines if "final_loss" in line)
    assert said is not None
    assert float(said[1]) == pytest.approx(loss, rel=1e-11)
    assert next(line for line in lines if "wQuantileLoss[" in line).startswith(
        "#test_score (algo-1, wQuantileLoss[0.1]): "
    )
    assert json.loads(lines[-1].removeprefix("#metrics "))["Metrics"].keys() == {"setuptime", "totaltime"}


def test_every_test_series_is_scored_on_its_own_last_steps() -> None:
    tests = [wave(104), wave(120), wave(60)]
    trained, _ = train([wave(200), wave(160)], tests, num_eval_samples="20", test_quantiles="[0.1,0.5]", seed="3")
    model = deepar.load(trained.files)
    series = tuple(Series(np.datetime64(one["start"]), np.array(one["target"])) for one in tests)
    histories = tuple(Series(one.start, one.target[:-4]) for one in series)
    drawn = model.sample([Asked(histories, samples=20, seed=3)])[0]
    expected = score(list(drawn), [one.target[-4:] for one in series], (0.1, 0.5))
    assert trained.metrics["test:RMSE"] == pytest.approx(expected.rmse, rel=1e-6)
    assert trained.metrics["test:mean_wQuantileLoss"] == pytest.approx(expected.mean_wql, rel=1e-6)


def test_the_same_data_and_hyperparameters_make_the_same_model() -> None:
    one, _ = train([wave(400)])
    same, _ = train([wave(400)], seed="0")
    other, _ = train([wave(400)], seed="1")
    assert one.files == same.files
    assert one.files != other.files


def test_early_stopping_leaves_the_rest_out() -> None:
    _, lines = train([wave(400)], epochs="200", early_stopping_patience="1", learning_rate="0.3")
    assert "Using early stopping with patience 1" in lines
    assert "stopping training now" in lines
    epochs = sum(line.startswith("processed a total of") for line in lines)
    assert 2 <= epochs < 200
    (final,) = (line for line in lines if line.startswith("Final loss:"))
    assert final.endswith(f"(occurred at epoch {epochs - 2})")


# What goes in


def test_gzip_parquet_folders_and_markers() -> None:
    lines = [wave(200), wave(160)]
    table = pa.table({"start": [one["start"] for one in lines], "target": [one["target"] for one in lines]})
    parquet = io.BytesIO()
    pq.write_table(table, parquet)
    plain, _ = train(lines)
    for objects in (
        [
            ("s3://b/t/_SUCCESS", b""),
            ("s3://b/t/.part", b"x"),
            ("s3://b/t/deep/er.json.gz", gzip.compress(json_lines(lines))),
        ],
        [("s3://b/t/part-0.parquet", parquet.getvalue())],
        [("s3://b/t/1.json", json_lines(lines[:1])), ("s3://b/t/2.json", json_lines(lines[1:]))],
    ):
        trained, log = train_on(Channel(objects))
        assert trained.files == plain.files
    assert train_on(Channel([("s3://b/series", json_lines(lines))], "json"))[0].files == plain.files
    _, log = train_on(Channel([("s3://b/t/_SUCCESS", b""), ("s3://b/t/deep/er.json", json_lines(lines))]))
    assert any("in the file `/opt/ml/input/data/train/er.json` and" in line for line in log)


def test_missing_values() -> None:
    lines = [wave(200), wave(160)]
    lines[0]["target"][5:9] = ["NaN", None, "NaN", None]
    _, log = train(lines)
    assert "contains missing values: yes" in log
    assert "number of observations: 356" in log


def test_categories_that_are_found_are_used() -> None:
    lines = [wave(200, cat=[0, 2]), wave(160, cat=[1, 0])]
    trained, log = train(lines, [wave(100, cat=[1, 1])])
    assert configuration(trained).cardinality == (2, 3)
    assert (
        log.count(
            "[cardinality=auto] `cat` field was found in the file `/opt/ml/input/data/train/train.json` and will be "
            "used for training."
        )
        == 1
    )
    assert configuration(train(lines, cardinality="[2,5]")[0]).cardinality == (2, 5)
    for ignored in ("ignore", ""):
        assert configuration(train(lines, cardinality=ignored)[0]).cardinality == ()


def test_features_that_are_found_are_used() -> None:
    lines = [wave(n, dynamic_feat=[list(range(n)), [1] * n]) for n in (200, 160)]
    test = [wave(100, dynamic_feat=[list(range(100)), [1] * 100])]
    trained, log = train(lines, test)
    assert configuration(trained).num_dynamic_feat == 2
    assert any(line.startswith("[num_dynamic_feat=auto] `dynamic_feat` field was found in the file") for line in log)
    assert configuration(train(lines, num_dynamic_feat="2")[0]).num_dynamic_feat == 2
    for ignored in ("ignore", ""):
        assert configuration(train(lines, num_dynamic_feat=ignored)[0]).num_dynamic_feat == 0


def test_short_and_empty_series_are_left_out() -> None:
    whole = [wave(400)]
    for more in (wave(4), {**wave(9), "target": ["NaN"] * 9}):
        trained, log = train([*whole, more])
        assert "number of time series: 2" in log
        assert trained.files == train(whole)[0].files
    # shorter than context and prediction together
    train([wave(5) for _ in range(60)])


@pytest.mark.parametrize("likelihood", ["gaussian", "beta", "negative-binomial", "STUDENT-T", "deterministic-L1"])
def test_likelihoods(likelihood: str) -> None:
    line = wave(400)
    line["target"] = [round(x / 20, 3) if likelihood == "beta" else round(x) for x in line["target"]]
    trained, _ = train([line], [line], likelihood=likelihood, epochs="1")
    assert configuration(trained).likelihood.lower() == likelihood.lower()
    assert math.isfinite(trained.metrics["test:RMSE"])


# What is refused


def bad(text: str) -> Channel:
    good = json.dumps(wave(400)).encode()
    return Channel(
        [("s3://b/train/a.json", good + b"\n"), ("s3://b/train/b.json", good + b"\n" + text.encode() + b"\n")]
    )


@pytest.mark.parametrize(
    ("line", "place", "reason"),
    [
        ('{"start": "2020-01-01", "target": [1, 2', '"s3://b/train/b.json": line 2', ""),
        ("[1, 2]", '"s3://b/train/b.json": line 2', "object"),
        ('{"start": "yesterday", "target": [1, 2]}', '"s3://b/train/b.json": line 2', '"start"'),
        ('{"start": "2020-01-01", "target": ["a", "b"]}', '"s3://b/train/b.json": line 2', '"target"'),
        ('{"start": "2020-01-01"}', '"s3://b/train/b.json": line 2', '"target"'),
        ('{"start": "2020-01-01", "target": [1], "cat": [0]}', '"s3://b/train/b.json": line 2', '"cat"'),
        (
            '{"start": "2020-01-01", "target": [1, 2], "dynamic_feat": [[1]]}',
            '"s3://b/train/b.json": line 2',
            '"dynamic_feat"',
        ),
    ],
)
def test_a_line_that_is_not_right_is_named(line: str, place: str, reason: str) -> None:
    with pytest.raises(errors.DataError) as caught:
        train_on(bad(line))
    assert place in caught.value.message
    assert reason in caught.value.message
    assert len(caught.value.message) < 500


def _refusals() -> Sequence[tuple[Lines, Lines | None, dict[str, str], str]]:
    series = [wave(200), wave(160)]
    with_cat = [wave(200, cat=[0]), wave(160, cat=[3])]
    below = {**wave(400), "target": [*wave(399)["target"], -1]}
    nothing = {**wave(400), "target": ["NaN"] * 400}
    return (
        ([wave(299)], None, {}, 'the channel "train" has 299 observations in time series longer'),
        ([nothing], None, {}, 'the channel "train" has no observations: all values of `target` are missing'),
        (series, None, {"prediction_length": "200"}, 'prediction_length is 200, but no time series of the'),
        (series, [wave(4)], {}, 'prediction_length is 4, but no time series of the channel "test" is longer'),
        (series, [nothing], {}, 'the channel "test" has no observations'),
        ([below], None, {"likelihood": "negative-binomial"}, "values that are not negative, but time series 1 of the"),
        ([below], None, {"likelihood": "beta"}, 'between 0 and 1, but time series 1 of the channel "train" has 10'),
        (with_cat, None, {"cardinality": "[3]"}, 'time series 2 of the channel "train" has 3 in `cat`'),
        (with_cat, None, {"cardinality": "[4,4]"}, 'has 1 values in `cat`, but the cardinality [4, 4] is of 2'),
        (series, None, {"cardinality": "[4]"}, 'has 0 values in `cat`, but the cardinality [4] is of 1'),
        (with_cat, [wave(100, cat=[4])], {}, 'time series 1 of the channel "test" has 4 in `cat`'),
        (with_cat, [wave(100)], {}, 'time series 1 of the channel "test" has 0 values in `cat`'),
        (series, None, {"num_dynamic_feat": "1"}, "has 0 features in `dynamic_feat`, but num_dynamic_feat is 1"),
    )  # fmt: skip


@pytest.mark.parametrize(("lines", "test", "given", "message"), _refusals())
def test_data_that_does_not_fit_is_refused(
    lines: Lines, test: Lines | None, given: dict[str, str], message: str
) -> None:
    with pytest.raises(errors.DataError) as caught:
        train(lines, test, **given)
    assert message in caught.value.message


def test_batches_that_no_machine_could_hold_are_refused() -> None:
    with pytest.raises(errors.InvalidParameterValue, match="is 104857600 steps in a batch, more than 10000000"):
        train([wave(400)], context_length="100000", prediction_length="2400", mini_batch_size="1024")
    with pytest.raises(errors.InvalidParameterValue, match="of all test series is 800000000 values"):
        train([wave(900)], [wave(900)] * 100, num_eval_samples="10000", prediction_length="800")


@pytest.mark.parametrize("objects", [[("s3://b/train/a.json", b"")], [("s3://b/train/_SUCCESS", b"")]])
def test_a_channel_without_series_is_refused(objects: list[tuple[str, bytes]]) -> None:
    with pytest.raises(errors.DataError, match='the channel "train" has no series'):
        train_on(Channel(objects))


# Stopping


def test_a_stopped_training_keeps_the_best_whole_epoch() -> None:
    algorithm, lines = registry.find("deepar"), list[str]()
    log = TrainingLog(
        lines.append, algorithm.label, stopping=lambda: sum("best epoch loss so far" in line for line in lines) >= 2
    )
    given = {**TINY, "epochs": "1000"}
    channels = {"train": channel([wave(400)]), "test": channel([wave(100)])}
    trained = algorithm.train(check(algorithm.hyperparameters, given, in_job=True), channels, log)
    assert configuration(trained).epochs == 1000
    assert sum("processed a total" in line for line in lines) < 1000
    assert "test:RMSE" not in trained.metrics
    assert trained.metrics["train:progress"] < 100


def test_without_an_epoch_there_is_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deepar, "fit", lambda *_: None)
    with pytest.raises(errors.DataError, match="the loss was not a finite number in any epoch"):
        train([wave(400)])


def test_a_training_that_is_stopped_while_it_reads_does_not_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deepar, "fit", lambda *_: pytest.fail("it was begun"))
    algorithm = registry.find("deepar")
    log = TrainingLog(lambda _: None, algorithm.label, stopping=lambda: True)
    with pytest.raises(errors.QueryCanceled, match="training was stopped before its first epoch was done"):
        algorithm.train(check(algorithm.hyperparameters, TINY, in_job=True), {"train": channel([wave(400)])}, log)


def test_where_torch_is_missing_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "restframe.ml.deepar.training", None)
    with pytest.raises(errors.NotSupportedError, match="which is not installed") as caught:
        train([wave(400)])
    assert caught.value.hint == "pip install 'restframe[forecast]'"
