"""Log groups and streams."""

from __future__ import annotations

from typing import Any

from restframe.aws.logs.naming import arn, group_name, logs_of, milliseconds, operations, refusal
from restframe.aws.operation import Call, Input, Output
from restframe.jobs.logs import LogStream


@operations("CreateLogGroup")
def create_log_group(request: Input, call: Call) -> Output:
    """Keys, classes, tags and protection against deletion are accepted without effect.

    ResourceAlreadyExistsException for a name that is taken.
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
    """
    logs_of(call).create_group(request["logGroupName"])
    return {}


@operations("CreateLogStream")
def create_log_stream(request: Input, call: Call) -> Output:
    """ResourceNotFoundException without the group, ResourceAlreadyExistsException for a name that is taken.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogStream.html
    """
    logs_of(call).create_stream(request["logGroupName"], request["logStreamName"])
    return {}


@operations("DeleteLogGroup")
def delete_log_group(request: Input, call: Call) -> Output:
    """With all its streams, those of training jobs too. ResourceNotFoundException when there is none.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogGroup.html
    """
    logs_of(call).delete_group(request["logGroupName"])
    return {}


@operations("DeleteLogStream")
def delete_log_stream(request: Input, call: Call) -> Output:
    """ResourceNotFoundException when there is none.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogStream.html
    """
    logs_of(call).delete_stream(request["logGroupName"], request["logStreamName"])
    return {}


@operations("DescribeLogGroups")
def describe_log_groups(request: Input, call: Call) -> Output:
    """By name, 50 in a page; logGroupNamePattern is a part of the name.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html
    """
    prefix, part = request.get("logGroupNamePrefix", ""), request.get("logGroupNamePattern", "")
    after = request.get("nextToken", "")
    found = [
        group
        for group in logs_of(call).groups()
        if group.name.startswith(prefix) and part in group.name and group.name > after
    ]
    size = request.get("limit", 50)
    return {
        "logGroups": [
            {
                "logGroupName": group.name,
                "creationTime": milliseconds(group.created),
                "metricFilterCount": 0,
                "arn": arn(call, group.name) + ":*",
                "logGroupArn": arn(call, group.name),
                "logGroupClass": "STANDARD",
            }
            for group in found[:size]
        ],
        "nextToken": found[size - 1].name if len(found) > size else None,
    }


@operations("DescribeLogStreams")
def describe_log_streams(request: Input, call: Call) -> Output:
    """All streams of a group in one answer, or the first `limit` of them.

    There is never a nextToken: the SageMaker SDK asks again as long as there is one, without passing it on.

    ResourceNotFoundException for an unknown group, InvalidParameterException when streams with a prefix are to be
    ordered by their last event, which CloudWatch does not do either.
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogStreams.html
    """
    group, prefix = group_name(request), request.get("logStreamNamePrefix", "")
    by_time = request.get("orderBy") == "LastEventTime"
    if by_time and prefix:
        raise refusal("Cannot order by LastEventTime with a logStreamNamePrefix.")
    logs = logs_of(call)
    logs.check_group(group)
    found = logs.streams(group, prefix)
    if by_time:
        found.sort(key=lambda stream: stream.last or stream.created)
    if request.get("descending"):
        found.reverse()
    return {"logStreams": [_stream(call, group, stream) for stream in found[: request.get("limit")]]}


def _stream(call: Call, group: str, stream: LogStream) -> dict[str, Any]:
    last = None if stream.last is None else milliseconds(stream.last)
    return {
        "logStreamName": stream.name,
        "creationTime": milliseconds(stream.created),
        "firstEventTimestamp": None if stream.first is None else milliseconds(stream.first),
        "lastEventTimestamp": last,
        "lastIngestionTime": last,
        "uploadSequenceToken": "0",
        "arn": f"{arn(call, group)}:log-stream:{stream.name}",
        "storedBytes": 0,
    }
