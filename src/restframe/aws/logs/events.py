"""PutLogEvents, GetLogEvents, FilterLogEvents."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from restframe.aws.logs.naming import group_name, logs_of, milliseconds, operations, refusal
from restframe.aws.logs.patterns import parse_pattern
from restframe.aws.logs.places import around, direction, numbers, written
from restframe.aws.operation import Call, Input, Output
from restframe.jobs.logs import BEGINNING, END, FoundLine, LogLine, Logs

_MAX_EVENTS = 10_000
_MAX_ANSWER_BYTES = 1 << 20
_EVENT_OVERHEAD_BYTES = 26  # what CloudWatch adds to a message when it counts
_MAX_SEARCHED = 100_000  # lines that one answer of FilterLogEvents goes through
_LATEST = 253_402_300_799_999  # the last millisecond of the year 9999


@operations("PutLogEvents")
def put_log_events(request: Input, call: Call) -> Output:
    """Add events to a stream that is there; sequence tokens are accepted without effect.

    ResourceNotFoundException for an unknown group or stream, InvalidParameterException for events that are not in the
    order of time, after the year 9999 or larger than a megabyte.
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
    """
    group, stream, events = request["logGroupName"], request["logStreamName"], request["logEvents"]
    if any(later["timestamp"] < earlier["timestamp"] for earlier, later in itertools.pairwise(events)):
        raise refusal("Log events in a single PutLogEvents request must be in chronological order.")
    for event in events:
        if event["timestamp"] > _LATEST:
            raise refusal(f"The timestamp {event['timestamp']} is no time in milliseconds.")
        if (size := _size(event["message"])) > _MAX_ANSWER_BYTES:
            raise refusal(f"Log event too large: {size} bytes exceeds limit of {_MAX_ANSWER_BYTES}")
    logs = logs_of(call)
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
    logs, group, stream = logs_of(call), group_name(request), request["logStreamName"]
    forward, place = direction(request)
    lines = logs.between(
        group,
        stream,
        place if forward else BEGINNING,
        END if forward else place,
        _times(request),
        request.get("limit", _MAX_EVENTS),
        newest=not forward,
        most_bytes=_MAX_ANSWER_BYTES,
    )
    lines = _first_megabyte(lines) if forward else _first_megabyte(lines[::-1])[::-1]
    first, last = (lines[0].place, lines[-1].place) if lines else around(place, forward)
    return {
        "events": [
            {"timestamp": milliseconds(line.at), "message": line.text, "ingestionTime": milliseconds(line.at)}
            for line in lines
        ],
        "nextForwardToken": f"f/{written(last)}",
        "nextBackwardToken": f"b/{written(first)}",
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
    logs, group = logs_of(call), group_name(request)
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
        last = f"{milliseconds(found.line.at)}/{found.id}/{found.line.position}"
        if len(events) == limit or count == _MAX_SEARCHED:
            return {"events": events, "searchedLogStreams": [], "nextToken": last}
    return {"events": events, "searchedLogStreams": []}


def _searched(request: Input, logs: Logs, group: str) -> Iterator[FoundLine]:
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix", "")
    if names and prefix:
        raise refusal("logStreamNames and logStreamNamePrefix cannot be used together.")
    after = None
    if token := request.get("nextToken"):
        at, identity, position = numbers(token, 3)
        after = (at / 1000, identity, position)
    return logs.search(group, names or [stream.name for stream in logs.streams(group, prefix)], _times(request), after)


def _event(found: FoundLine) -> Output:
    return {
        "logStreamName": found.stream,
        "timestamp": milliseconds(found.line.at),
        "message": found.line.text,
        "ingestionTime": milliseconds(found.line.at),
        "eventId": f"{milliseconds(found.line.at):020d}{found.id:018d}{found.line.position:018d}",
    }


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
