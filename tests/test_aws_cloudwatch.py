"""CloudWatch's metrics of training jobs through boto3."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from restframe.ml import registry
from restframe.storage import ObjectUrl

T = datetime(2026, 11, 22, 8, 0, 0, tzinfo=UTC)
ROWS = "".join(f"{100 + i % 50},{int(i % 50 > 48)}\n" for i in range(2000)).encode()


@pytest.fixture
def job(aws: Any) -> Any:
    """A completed job of Random Cut Forest called "forest"."""
    storage, jobs = aws.warehouse.storage, aws.warehouse.jobs
    storage.put(ObjectUrl.parse("s3://rides/train.csv"), ROWS.replace(b",0", b"").replace(b",1", b""))
    found = jobs.train("random_cut_forest", {"train": "s3://rides/train.csv"}, "s3://models", name="forest")
    return found.wait(300)


def write(aws: Any, job: Any, *lines: tuple[float, str]) -> None:
    """Lines (seconds after T, text) as if the job had written them."""
    stream = aws.warehouse.jobs.training.stream(job.name)
    moments = [(T.timestamp() + at, text) for at, text in lines]
    aws.warehouse.jobs.logs.append("/aws/sagemaker/TrainingJobs", stream, moments)


def ask(aws: Any, metric: str, **given: Any) -> list[dict[str, Any]]:
    request = {
        "Namespace": "/aws/sagemaker/TrainingJobs", "MetricName": metric, "Period": 60, "Statistics": ["Average"],
        "Dimensions": [{"Name": "TrainingJobName", "Value": "forest"}],
        "StartTime": T + timedelta(seconds=30), "EndTime": T + timedelta(minutes=3),
    }  # fmt: skip
    answer = aws.client("cloudwatch").get_metric_statistics(**{**request, **given})
    assert answer["Label"] == metric
    return list(answer["Datapoints"])


def test_a_metric_over_time(aws: Any, job: Any) -> None:
    for seconds, rate in ((-1, 1), (0, 10), (59, 20), (60, 40), (179, 50), (180, 99)):
        line = f"[11/22/2026 08:00:00 INFO 1] #throughput_metric: host=algo-1, train throughput={rate}.5 records/second"
        write(aws, job, (seconds, line), (seconds, "#throughput_metric: something else"))
    for value in ("nan", "inf", "many"):
        write(aws, job, (1, f"#throughput_metric: host=algo-1, train throughput={value} records/second"))
    assert ask(aws, "train:throughput") == [
        {"Timestamp": T, "Average": 15.5, "Unit": "None"},
        {"Timestamp": T + timedelta(minutes=1), "Average": 40.5, "Unit": "None"},
        {"Timestamp": T + timedelta(minutes=2), "Average": 50.5, "Unit": "None"},
    ]
    (all_of_it,) = ask(aws, "train:throughput", Period=600, Statistics=["Sum", "Minimum", "Maximum", "SampleCount"])
    assert all_of_it == {
        "Timestamp": T, "Sum": 122.0, "Minimum": 10.5, "Maximum": 50.5, "SampleCount": 4.0, "Unit": "None",
    }  # fmt: skip


def test_what_a_job_measured_itself(aws: Any, job: Any) -> None:
    description = aws.client("sagemaker").describe_training_job(TrainingJobName="forest")
    definitions = description["AlgorithmSpecification"]["MetricDefinitions"]
    assert [one["Name"] for one in definitions] == [
        "train:progress", "train:throughput", "test:accuracy", "test:precision", "test:recall", "test:f1",
    ]  # fmt: skip
    times = {"StartTime": description["TrainingStartTime"], "EndTime": description["TrainingEndTime"]}
    assert [one["Average"] for one in ask(aws, "train:progress", **times)] == [100.0]
    final = {one["MetricName"]: one["Value"] for one in description["FinalMetricDataList"]}
    (throughput,) = ask(aws, "train:throughput", **times)
    assert throughput["Average"] == pytest.approx(final["train:throughput"])


def test_scores_of_a_forest_are_found_in_its_log() -> None:
    import re

    metrics = registry.find("random_cut_forest").metrics
    lines = (
        "#test_score (algo-1) : ('accuracy', 0.5)\n#test_score (algo-1) : ('precision_recall_fscore', (0.1, 0.2, 0.3))"
    )
    found = {name: re.search(regex, lines) for name, regex in metrics.items() if name.startswith("test:")}
    assert {name: match and match[1] for name, match in found.items()} == {
        "test:accuracy": "0.5", "test:precision": "0.1", "test:recall": "0.2", "test:f1": "0.3",
    }  # fmt: skip


def test_what_there_is_not_has_no_datapoints(aws: Any, job: Any) -> None:
    assert ask(aws, "train:loss") == []
    assert ask(aws, "train:progress", Namespace="AWS/EC2") == []
    assert ask(aws, "train:progress", Dimensions=[]) == []
    assert ask(aws, "train:progress", Dimensions=[{"Name": "TrainingJobName", "Value": "nobody"}]) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"EndTime": T}, "The parameter StartTime must be less than the parameter EndTime"),
        ({"Period": 90}, "The parameter Period must be 1, 5, 10, 20, 30, or a multiple of 60"),
        ({"ExtendedStatistics": ["p99"]}, "ExtendedStatistics are not supported"),
        ({"Period": 1, "EndTime": T + timedelta(days=1)}, "You have requested more than 1440 datapoints"),
    ],
)
def test_what_is_refused(aws: Any, given: dict[str, Any], message: str) -> None:
    with pytest.raises(aws.client("cloudwatch").exceptions.ClientError, match=message):
        ask(aws, "train:progress", **given)
