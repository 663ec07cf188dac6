"""CloudWatch: the metrics of training jobs over time, as their logs tell them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from restframe import errors
from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input, Operations, Output

operations = Operations("cloudwatch", general="InvalidParameterValueException")

_TRAINING_JOBS = "/aws/sagemaker/TrainingJobs"
_SHORT_PERIODS = (1, 5, 10, 20, 30)
_MOST_DATAPOINTS = 1440


@operations("GetMetricStatistics")
def get_metric_statistics(request: Input, call: Call) -> Output:
    """Averages and the like of a metric over periods, of training jobs: `train:loss` of a TrainingJobName.

    Other namespaces, dimensions and metrics have no datapoints, as those to which nothing was ever put.
    InvalidParameterCombination for more than 1440 datapoints; percentiles are refused.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html
    """
    start, end, period = request["StartTime"].timestamp(), request["EndTime"].timestamp(), request["Period"]
    if start >= end:
        raise _invalid("The parameter StartTime must be less than the parameter EndTime.")
    if period not in _SHORT_PERIODS and (period < 1 or period % 60):
        raise _invalid("The parameter Period must be 1, 5, 10, 20, 30, or a multiple of 60.")
    if "ExtendedStatistics" in request or not request.get("Statistics"):
        raise _invalid("Statistics must be given; ExtendedStatistics are not supported.")
    start -= start % 60
    if (end - start) / period > _MOST_DATAPOINTS:
        raise AwsError(
            "InvalidParameterCombinationException",
            f"You have requested more than {_MOST_DATAPOINTS} datapoints. Take a longer Period or less time.",
        )
    buckets: dict[float, list[float]] = {}
    for at, value in _measured(request, call, (start, end)):
        buckets.setdefault(at - at % period, []).append(value)
    return {
        "Label": request["MetricName"],
        "Datapoints": [_datapoint(at, values, request["Statistics"]) for at, values in sorted(buckets.items())],
    }


def _measured(request: Input, call: Call, times: tuple[float, float]) -> Iterator[tuple[float, float]]:
    dimensions = [(one["Name"], one["Value"]) for one in request.get("Dimensions", ())]
    if request["Namespace"] != _TRAINING_JOBS or [name for name, _ in dimensions] != ["TrainingJobName"]:
        return
    try:
        yield from call.backend.warehouse.jobs.training.measured(dimensions[0][1], request["MetricName"], times)
    except errors.UndefinedObject:
        return


def _datapoint(at: float, values: Sequence[float], statistics: Sequence[str]) -> Output:
    known = {
        "SampleCount": float(len(values)),
        "Average": sum(values) / len(values),
        "Sum": sum(values),
        "Minimum": min(values),
        "Maximum": max(values),
    }
    asked = {name: value for name, value in known.items() if name in statistics}
    return {"Timestamp": datetime.fromtimestamp(at, UTC), **asked, "Unit": "None"}


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)
