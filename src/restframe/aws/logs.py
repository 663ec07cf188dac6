"""CloudWatch Logs: what training jobs, endpoints and clients have said.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from restframe import errors
from restframe.aws.errors import AwsError
from restframe.aws.log_patterns import parse_pattern
from restframe.aws.operation import Call, Input, Operations, Output
from restframe.jobs.logs import BEGINNING, END, FoundLine, LogLine, Logs, LogStream, Place

_MAX_EVENTS = 10_000
_MAX_ANSWER_BYTES = 1 << 20
_EVENT_OVERHEAD_BYTES = 26  # what CloudWatch adds to a message when it counts
_MAX_SEARCHED = 100_000  # lines that one answer of FilterLogEvents goes through

operations = Operations(
    "logs",
    {errors.UndefinedObject: "ResourceNotFoundException", errors.DuplicateObject: "ResourceAlreadyExistsException"},
    general="InvalidParameterException",
)


# Groups and streams


@operations("CreateLogGroup")
def create_log_group(request: Input, call: Call) -> Output:
    """Keys, classes, tags and protection against deletion are accepted without effect.

    ResourceAlreadyExistsException for a name that is taken.
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
    """
    _logs(call).create_group(request["logGroupName"])
    return {}


@operations("CreateLogStream")
def create_log_stream(request: Input, call: Call) -> Output:
    """ResourceNotFoundException without the group, ResourceAlreadyExistsException for a name that is taken.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogStream.html
    """
    _logs(call).create_stream(request["logGroupName"], request["logStreamName"])
    return {}


@operations("DeleteLogGroup")
def delete_log_group(request: Input, call: Call) -> Output:
    """With all its streams, those of training jobs too. ResourceNotFoundException when there is none.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogGroup.html
    """
    _logs(call).delete_group(request["logGroupName"])
    return {}


@operations("DeleteLogStream")
def delete_log_stream(request: Input, call: Call) -> Output:
    """ResourceNotFoundException when there is none.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DeleteLogStream.html
    """
    _logs(call).delete_stream(request["logGroupName"], request["logStreamName"])
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
        for group in _logs(call).groups()
        if group.name.startswith(prefix) and part in group.name and group.name > after
    ]
    size = request.get("limit", 50)
    return {
        "logGroups": [
            {
                "logGroupName": group.name,
                "creationTime": _milliseconds(group.created),
                "metricFilterCount": 0,
                "arn": _arn(call, group.name) + ":*",
                "logGroupArn": _arn(call, group.name),
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
    group, prefix = _group(request), request.get("logStreamNamePrefix", "")
    by_time = request.get("orderBy") == "LastEventTime"
    if by_time and prefix:
        raise _refusal("Cannot order by LastEventTime with a logStreamNamePrefix.")
    logs = _logs(call)
    logs.check_group(group)
    found = logs.streams(group, prefix)
    if by_time:
        found.sort(key=lambda stream: stream.last or stream.created)
    if request.get("descending"):
        found.reverse()
    return {"logStreams": [_stream(call, group, stream) for stream in found[: request.get("limit")]]}


# Events


@operations("PutLogEvents")
def put_log_events(request: Input, call: Call) -> Output:
    """Add events to a stream that is there; sequence tokens are accepted without effect.

    ResourceNotFoundException for an unknown group or stream, InvalidParameterException for events that are not in the
    order of time or larger than a megabyte.
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
    """
    group, stream, events = request["logGroupName"], request["logStreamName"], request["logEvents"]
    if any(later["timestamp"] < earlier["timestamp"] for earlier, later in itertools.pairwise(events)):
        raise _refusal("Log events in a single PutLogEvents request must be in chronological order.")
    for event in events:
        if (size := _size(event["message"])) > _MAX_ANSWER_BYTES:
            raise _refusal(f"Log event too large: {size} bytes exceeds limit of {_MAX_ANSWER_BYTES}")
    logs = _logs(call)
    logs.check_stream(group, stream)
    logs.append(group, stream, [(event["timestamp"] / 1000, event["message"]) for event in events])
    return {"nextSequenceToken": "0"}


@operations("GetLogEvents")
def get_log_events(request: Input, call: Call) -> Output:
    """Events of one stream in the order of time: from startTime on, before endTime, at most `limit` or a megabyte.

    Without a token the first ones when startFromHead, else the last ones. nextForwardToken goes on behind the last of
    them, nextBackwardToken before the first. When there is nothing there, the answer has no events and the same token
    again, and later it gives what has come since.

    ResourceNotFoundException for an unknown group or stream, InvalidParameterException for a token of something else.
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
    """
    logs, group, stream = _logs(call), _group(request), request["logStreamName"]
    forward, place = _direction(request)
    lines = logs.between(
        group,
        stream,
        place if forward else BEGINNING,
        END if forward else place,
        _times(request),
        request.get("limit", _MAX_EVENTS),
        newest=not forward,
    )
    lines = _first_megabyte(lines) if forward else _first_megabyte(lines[::-1])[::-1]
    first, last = (lines[0].place, lines[-1].place) if lines else _around(place, forward)
    return {
        "events": [
            {"timestamp": _milliseconds(line.at), "message": line.text, "ingestionTime": _milliseconds(line.at)}
            for line in lines
        ],
        "nextForwardToken": f"f/{_written(last)}",
        "nextBackwardToken": f"b/{_written(first)}",
    }


@operations("FilterLogEvents")
def filter_log_events(request: Input, call: Call) -> Output:
    """Events of several streams of a group in the order of time that match a pattern of terms.

    `a b` wants both, `?a ?b` one of them, `-a` none; "in quotes" is one term. A page may be empty and have a
    nextToken: it ends after having searched 100,000 events.

    ResourceNotFoundException for an unknown group; InvalidParameterException for patterns of JSON, fields or regular
    expressions, and for logStreamNames together with logStreamNamePrefix.
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
    """
    logs, group = _logs(call), _group(request)
    logs.check_group(group)
    matches = parse_pattern(request.get("filterPattern", ""))
    limit, size, last = request.get("limit", _MAX_EVENTS), 0, None
    events: list[Output] = []
    for count, found in enumerate(_searched(request, logs, group), 1):
        if matches(found.line.text):
            size += _size(found.line.text)
            if events and size > _MAX_ANSWER_BYTES:
                return {"events": events, "searchedLogStreams": [], "nextToken": last}
            events.append(_event(found))
        last = f"{_milliseconds(found.line.at)}/{found.id}/{found.line.position}"
        if len(events) == limit or count == _MAX_SEARCHED:
            return {"events": events, "searchedLogStreams": [], "nextToken": last}
    return {"events": events, "searchedLogStreams": []}


def _searched(request: Input, logs: Logs, group: str) -> Iterator[FoundLine]:
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix", "")
    if names and prefix:
        raise _refusal("logStreamNames and logStreamNamePrefix cannot be used together.")
    after = None
    if token := request.get("nextToken"):
        try:
            at, identity, position = (int(part) for part in token.split("/"))
        except ValueError:
            raise _refusal("The specified nextToken is invalid.") from None
        after = (at / 1000, identity, position)
    return logs.search(group, names or [stream.name for stream in logs.streams(group, prefix)], _times(request), after)


def _event(found: FoundLine) -> Output:
    return {
        "logStreamName": found.stream,
        "timestamp": _milliseconds(found.line.at),
        "message": found.line.text,
        "ingestionTime": _milliseconds(found.line.at),
        "eventId": f"{_milliseconds(found.line.at):020d}{found.id:018d}{found.line.position:018d}",
    }


# Places in a stream, as tokens


def _direction(request: Input) -> tuple[bool, Place]:
    """Whether to read forward, and from where on."""
    token = request.get("nextToken")
    if not token:
        return (True, BEGINNING) if request.get("startFromHead") else (False, END)
    way, _, place = token.partition("/")
    if way not in ("f", "b"):
        raise _refusal("The specified nextToken is invalid.")
    return way == "f", _read(place)


def _around(place: Place, forward: bool) -> tuple[Place, Place]:
    """Where nothing was found: before and behind which place to go on, so that nothing is left out or comes twice."""
    if place in (BEGINNING, END):
        return END, BEGINNING  # of an empty stream all that comes is new
    at, position = place
    return ((at, position + 1), place) if forward else (place, (at, position - 1))


def _written(place: Place) -> str:
    if place in (BEGINNING, END):
        return "beginning" if place == BEGINNING else "end"
    return f"{_milliseconds(place[0])}/{place[1]}"


def _read(text: str) -> Place:
    if text in ("beginning", "end"):
        return BEGINNING if text == "beginning" else END
    try:
        at, position = (int(part) for part in text.split("/"))
    except ValueError:
        raise _refusal("The specified nextToken is invalid.") from None
    return at / 1000, position


# Parts of requests and answers


def _logs(call: Call) -> Logs:
    return call.backend.warehouse.jobs.logs


def _group(request: Input) -> str:
    """The group of a request, by its name or its ARN."""
    name = request.get("logGroupName") or request.get("logGroupIdentifier")
    if not name:
        raise _refusal("Either logGroupName or logGroupIdentifier must be given.")
    return str(name).rpartition(":log-group:")[2].removesuffix(":*")


def _times(request: Input) -> tuple[float, float]:
    start, end = request.get("startTime"), request.get("endTime")
    return float("-inf") if start is None else start / 1000, float("inf") if end is None else end / 1000


def _first_megabyte(lines: list[LogLine]) -> list[LogLine]:
    """As many as fit, and one at least."""
    sizes = itertools.accumulate(_size(line.text) for line in lines)
    count = sum(1 for _ in itertools.takewhile(lambda size: size <= _MAX_ANSWER_BYTES, sizes))
    return lines[: max(1, count)]


def _size(message: str) -> int:
    return len(message.encode("utf-8", "surrogatepass")) + _EVENT_OVERHEAD_BYTES


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


def _stream(call: Call, group: str, stream: LogStream) -> dict[str, Any]:
    last = None if stream.last is None else _milliseconds(stream.last)
    return {
        "logStreamName": stream.name,
        "creationTime": _milliseconds(stream.created),
        "firstEventTimestamp": None if stream.first is None else _milliseconds(stream.first),
        "lastEventTimestamp": last,
        "lastIngestionTime": last,
        "uploadSequenceToken": "0",
        "arn": f"{_arn(call, group)}:log-stream:{stream.name}",
        "storedBytes": 0,
    }


def _arn(call: Call, group: str) -> str:
    return f"arn:aws:logs:{call.region}:{call.caller.account}:log-group:{group}"


def _refusal(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
