"""Algorithms by name, their hyper-parameters, and Random Cut Forest as the container runs it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from restframe import errors
from restframe.ml import codecs, registry
from restframe.ml.algorithm import Channel, Trained
from restframe.ml.hyperparameters import HyperParameter, check
from restframe.ml.training_log import TrainingLog

TABLE = (
    HyperParameter("k", "integer", required=True, low=1, high=9),
    HyperParameter("rate", "number", "0.5", low=0, high=1),
    HyperParameter("loss", "text", "mse", choices=("mse", "mae")),
    HyperParameter("metrics", "list", '["a"]', choices=("a", "b")),
    HyperParameter("seed", "integer"),
)


# Names


@pytest.mark.parametrize(
    "name",
    [
        "random_cut_forest",
        "randomcutforest",
        "randomcutforest:1",
        "382416733822.dkr.ecr.us-east-1.amazonaws.com/randomcutforest:1",
        "404615174143.dkr.ecr.us-east-2.amazonaws.com/randomcutforest:latest",
        "localhost:5000/team/randomcutforest@sha256:0123456789abcdef",
    ],
)
def test_an_algorithm_goes_by_its_repository_and_by_our_name(name: str) -> None:
    assert registry.find(name).name == "random_cut_forest"
    assert registry.is_image(name) == (name != "random_cut_forest")


@pytest.mark.parametrize("name", ["", "xgboost:1", "a/randomcutforest2:1", "randomcutforest/evil:1", "x" * 10_000])
def test_unknown_algorithms_are_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(errors.UndefinedObject) as caught:
        registry.find(name)
    assert caught.value.hint == (
        "There are: random_cut_forest (image randomcutforest), deepar (image forecasting-deepar), "
        "forecast (image restframe-forecast)."
    )
    assert len(caught.value.message) < 300


# Hyper-parameters


def test_texts_become_values_and_defaults_are_filled_in() -> None:
    assert check(TABLE, {"k": "3"}) == {"k": 3, "rate": 0.5, "loss": "mse", "metrics": ["a"], "seed": None}
    assert check(TABLE, {"k": "9", "rate": "5E-4", "metrics": '["b", "a"]'})["rate"] == 0.0005
    assert check(TABLE, {}, complete=False)["k"] is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, 'hyperparameter "k" is required'),
        ({"k": "3", "K": "3"}, '"K" is not a hyperparameter of this algorithm'),
        ({"k": "three"}, 'hyperparameter "k" is "three", not an integer'),
        ({"k": "3.5"}, 'hyperparameter "k" is "3.5", not an integer'),
        ({"k": "10"}, 'hyperparameter "k" is 10, not between 1 and 9'),
        ({"k": "3", "rate": "nan"}, 'hyperparameter "rate" is nan, not between 0 and 1'),
        ({"k": "3", "loss": "mape"}, 'hyperparameter "loss" is "mape", not one of mse, mae'),
        ({"k": "3", "metrics": '["c"]'}, 'hyperparameter "metrics" is "c", not one of a, b'),
        ({"k": "3", "metrics": "a"}, 'hyperparameter "metrics" is "a", not a JSON list of texts'),
    ],
)
def test_hyperparameters_that_are_not_right(given: Mapping[str, str], message: str) -> None:
    with pytest.raises(errors.InvalidParameterValue) as caught:
        check(TABLE, given)
    assert caught.value.message == message


def test_the_container_asks_for_feature_dim() -> None:
    table = registry.find("randomcutforest").hyperparameters
    with pytest.raises(errors.InvalidParameterValue, match='"feature_dim" is required'):
        check(table, {"num_trees": "50"})
    found = check(
        table, {"feature_dim": "1", "num_trees": "50", "num_samples_per_tree": "512", "mini_batch_size": "1000"}
    )
    assert (found["num_trees"], found["num_samples_per_tree"]) == (50, 512)
    for wrong in ({"num_trees": "49"}, {"num_samples_per_tree": "2049"}, {"eval_metrics": '["rmse"]'}):
        with pytest.raises(errors.InvalidParameterValue):
            check(table, {"feature_dim": "1", **wrong})


# Random Cut Forest


def train(channels: Mapping[str, Channel], **given: str) -> tuple[Trained, list[str]]:
    algorithm = registry.find("random_cut_forest")
    lines: list[str] = []
    parameters = check(algorithm.hyperparameters, given, complete=False)
    trained = algorithm.train(parameters, channels, TrainingLog(lines.append, algorithm.label))
    return trained, lines


def rides(count: int = 2000, features: int = 1) -> np.ndarray:
    return np.random.default_rng(1).integers(100, 20_000, (count, features)).astype(np.float64)


def csv_channel(points: np.ndarray, content_type: str | None = "text/csv") -> Channel:
    return Channel([("s3://b/a.csv", codecs.encode(points, codecs.CSV))], content_type)


def test_a_forest_is_trained_saved_loaded_and_asked() -> None:
    algorithm = registry.find("random_cut_forest")
    trained, _ = train({"train": csv_channel(rides())}, num_trees="50", num_samples_per_tree="40")
    assert registry.recognise(trained.files) is algorithm
    predictor = algorithm.load(trained.files)
    assert predictor.feature_count == 1
    scores = predictor.predict(np.array([[10_000.0], [500_000.0]]))
    assert scores.shape == (2,)
    assert scores[1] > 2 * scores[0]
    body, content_type = algorithm.invoke(predictor, b"10000\n500000\n", "text/csv", "text/csv")
    assert content_type == "text/csv"
    assert [float(line) for line in body.split()] == scores.tolist()
    body, content_type = algorithm.invoke(predictor, b'{"instances":[{"features":[10000]}]}', "application/json", "")
    assert json.loads(body) == {"scores": [{"score": scores[0]}]}


def test_the_same_data_and_seed_give_the_same_artefact() -> None:
    one, _ = train({"train": csv_channel(rides())}, num_trees="50")
    same, _ = train({"train": csv_channel(rides())}, num_trees="50", seed="0")
    other, _ = train({"train": csv_channel(rides())}, num_trees="50", seed="1")
    assert one.files == same.files
    assert one.files != other.files


def test_recordio_csv_and_several_objects_are_the_same_data() -> None:
    points = rides(300)
    halves = [
        ("1", codecs.encode(points[:150], codecs.CSV)),
        ("2", b""),
        ("3", codecs.encode(points[150:], codecs.CSV)),
    ]
    recordio = [("1", codecs.encode(points.astype(np.int64), codecs.RECORDIO))]
    artefacts = [
        train({"train": channel}, num_trees="50")[0].files
        for channel in (
            csv_channel(points),
            csv_channel(points, None),
            Channel(halves, "text/csv;label_size=0"),
            Channel(recordio, "application/x-recordio-protobuf"),
            Channel(recordio),
        )
    ]
    assert all(files == artefacts[0] for files in artefacts)


def test_the_log_is_the_containers() -> None:
    _, lines = train({"train": csv_channel(rides(2000))}, num_trees="50", num_samples_per_tree="30", feature_dim="1")
    stamp = r"\[\d\d/\d\d/\d{4} \d\d:\d\d:\d\d INFO \d+\] "
    text = "\n".join(lines)
    for wanted in (
        stamp
        + r"Reading default configuration from default-conf\.json: \{'num_samples_per_tree': 256, 'num_trees': 100",
        stamp + r"Final configuration: \{'num_samples_per_tree': 30, 'num_trees': 50",
        stamp + r"Sampling training data\.\.\.",
        stamp + r"#progress_metric: host=algo-1, completed 100 % epochs",
        stamp + r"#throughput_metric: host=algo-1, train throughput=[\d.]+ records/second",
        stamp + r"Gathering samples\.\.\.",
        stamp + r"1500 samples gathered",
        stamp + r"Building Random Cut Forest\.\.\.",
        r"ForestInfo\{num_trees: 50, num_samples_in_forest: 1500, num_samples_per_tree: 30, sample_dim: 1, "
        r"shingle_size: 1, trees_num_nodes: \[(\d+, ){50}\], trees_depth: \[(\d+, ){50}\], max_num_nodes: \d+, "
        r"min_num_nodes: \d+, avg_num_nodes: \d+, max_tree_depth: \d+, min_tree_depth: \d+, avg_tree_depth: \d+, "
        r"mem_size: \d+\}",
        stamp + r"Master node: Serializing the RandomCutForest model",
        stamp + r"Test data is not provided\.",
    ):
        assert re.search(f"^{wanted}", text, re.M), wanted
    metrics = [json.loads(line.removeprefix("#metrics ")) for line in lines if line.startswith("#metrics ")]
    names = {name for row in metrics for name in row["Metrics"]}
    assert {"initialize.time", "update.time", "fit_model.time", "serialize_model.time", "totaltime"} <= names
    assert metrics[0]["Dimensions"] == {"Algorithm": "RandomCutForest", "Host": "algo-1", "Operation": "training"}
    assert set(metrics[0]["Metrics"]["initialize.time"]) == {"sum", "count", "min", "max"}


def test_a_labelled_test_channel_is_measured() -> None:
    points = rides(1000)
    far = np.vstack([points[:490], np.full((10, 1), 900_000.0)])
    labels = np.repeat([0.0, 1.0], [490, 10])
    for test in (
        Channel([("t", codecs.encode(far, codecs.CSV, labels))], "text/csv;label_size=1"),
        Channel([("t", codecs.encode(far, codecs.CSV, labels))], "text/csv"),
        Channel([("t", codecs.encode(far, codecs.RECORDIO, labels))]),
    ):
        trained, lines = train({"train": csv_channel(points), "test": test}, num_trees="50")
        assert trained.metrics["test:recall"] == 1.0
        assert trained.metrics["test:accuracy"] > 0.95
        assert 0 < trained.metrics["test:f1"] <= 1.0
        assert any("#test_score (algo-1) : ('accuracy', " in line for line in lines)
    trained, _ = train({"train": csv_channel(points), "test": test}, num_trees="50", eval_metrics='["accuracy"]')
    assert "test:f1" not in trained.metrics


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ({"train": Channel([])}, 'the channel "train" has no rows'),
        ({"train": Channel([("s3://b/x", b"1\nx\n")])}, '"s3://b/x": line 2, column 1: "x" is not a number'),
        (
            {"train": Channel([("a", b"1\n"), ("b", b"1,2\n")])},
            '"b" has 2 columns, earlier objects of the channel "train" have 1',
        ),
        ({"train": csv_channel(rides(500, 2))}, "feature_dim is 1, but the training data has 2 columns"),
        ({"train": Channel([("a", b"1\n\n3\n" * 50)])}, "row 2, feature 1 is nan, not a finite number"),
        ({"train": Channel([("a", b"1\ninf\n" * 50)])}, "row 2, feature 1 is inf, not a finite number"),
        ({"train": Channel([("a", b"1\n2\n")])}, "2 rows are too few for 100 trees"),
        (
            {"train": csv_channel(rides()), "test": Channel([("t", b"5\n")], "text/csv;label_size=0")},
            'the channel "test" has no labels',
        ),
    ],
)
def test_data_that_is_not_right(channels: Mapping[str, Channel], message: str) -> None:
    with pytest.raises(errors.DataError) as caught:
        train(channels, feature_dim="1")
    assert caught.value.message == message


def test_requests_that_are_not_right() -> None:
    algorithm = registry.find("random_cut_forest")
    predictor = algorithm.load(train({"train": csv_channel(rides())}, num_trees="50")[0].files)
    for body, content_type, accept, kind, message in (
        (b"1,2\n", "text/csv", "", errors.DataError, "the forest was fitted to 1 features, but the points have 2"),
        (b"1\n\n", "text/csv", "", errors.DataError, "row 2, feature 1 is nan, not a finite number"),
        (b"", "text/csv", "", errors.DataError, "the request has no rows"),
        (b"1\n", "image/png", "", errors.NotSupportedError, 'content type "image/png" is not supported'),
        (b"1\n", "text/csv", "image/png", errors.NotSupportedError, 'accept type "image/png" is not supported'),
    ):
        with pytest.raises(kind) as caught:
            algorithm.invoke(predictor, body, content_type, accept)
        assert caught.value.message == message


def test_artefacts_that_are_not_ours() -> None:
    with pytest.raises(errors.DataError, match="the artefact is none of ours"):
        registry.recognise({"xgboost-model": b""})
    algorithm = registry.find("random_cut_forest")
    with pytest.raises(errors.DataError):
        algorithm.load({})
    with pytest.raises(errors.Error):
        algorithm.load({algorithm.model_file: b"garbage"})


NODE_COUNTS = (
    "405, 403, 409, 409, 411, 409, 407, 409, 407, 411, 409, 411, 411, 407, 405, 409, 407, 409, 409, 409, 411, 411, "
    "401, 409, 409, 411, 407, 411, 411, 401, 411, 405, 411, 411, 409, 409, 411, 405, 409, 407, 409, 411, 411, 407, "
    "409, 411, 407, 407, 411, 409, "
)


def test_the_published_run_on_taxi_rides(shared_data: Callable[[str], Path]) -> None:
    """The executed notebook's ForestInfo, from the bytes its SDK uploads, and its anomalies through the endpoint."""
    lines = shared_data("nab/nyc_taxi.csv").read_text().splitlines()[1:]
    rides = np.array([[int(line.split(",")[1])] for line in lines])
    matrix = codecs.encode(rides, codecs.RECORDIO)
    assert len(matrix) == 288_960
    given = {"num_samples_per_tree": "512", "num_trees": "50", "feature_dim": "1", "mini_batch_size": "1000"}
    trained, log = train({"train": Channel([("matrix_0.pbr", matrix)])}, **given)
    assert any(line.endswith("] 10320 samples gathered") for line in log)
    (info,) = (line for line in log if line.startswith("ForestInfo{"))
    assert info.startswith(
        "ForestInfo{num_trees: 50, num_samples_in_forest: 10300, num_samples_per_tree: 206, sample_dim: 1, "
        f"shingle_size: 1, trees_num_nodes: [{NODE_COUNTS}], trees_depth: ["
    )
    algorithm = registry.find("randomcutforest")
    body = codecs.encode(rides, codecs.CSV)[:-1]  # the SDK joins lines, and ends none
    assert len(body) == 59_355
    answer, _ = algorithm.invoke(algorithm.load(trained.files), body, "text/csv", "application/json")
    scores = np.array([one["score"] for one in json.loads(answer)["scores"]])
    # the published run found 236; sixty seeds lie within 204..276
    assert 204 <= (scores > scores.mean() + 3 * scores.std(ddof=1)).sum() <= 276
    assert lines[int(scores.argmax())].split(",") == ["2014-11-02 01:00:00", "39197"]
