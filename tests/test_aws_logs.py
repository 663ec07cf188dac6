"""CloudWatch Logs through boto3: what training jobs and clients have said, page by page."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe.aws.logs.patterns import parse_pattern

GROUP, STREAM = "/aws/sagemaker/TrainingJobs", "taxi/algo-1-1795313603"
T = 1_795_313_603_000  # a moment, in milliseconds


@pytest.fixture
def logs(aws: Any) -> Any:
    return aws.client("logs")


def write(aws: Any, *lines: tuple[int, str], stream: str = STREAM) -> None:
    """Lines (milliseconds after T, text), as a training job writes them."""
    aws.warehouse.jobs.logs.append(GROUP, stream, [((T + at) / 1000, text) for at, text in lines])


def messages(answer: dict[str, Any]) -> list[str]:
    return [event["message"] for event in answer["events"]]


def test_streams_of_a_job_come_without_a_token(aws: Any, logs: Any) -> None:
    for i in range(60):
        write(aws, (i, "x"), stream=f"taxi/algo-{i:02}")
    write(aws, (0, "x"), (9, "y"), stream="other/algo-1")
    answer = logs.describe_log_streams(
        logGroupName=GROUP, logStreamNamePrefix="taxi/", orderBy="LogStreamName", limit=1
    )
    assert [stream["logStreamName"] for stream in answer["logStreams"]] == ["taxi/algo-00"]
    assert "nextToken" not in answer
    answer = logs.describe_log_streams(logGroupName=GROUP)
    assert len(answer["logStreams"]) == 61
    assert "nextToken" not in answer
    (other,) = logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="other")["logStreams"]
    assert (other["creationTime"], other["firstEventTimestamp"], other["lastEventTimestamp"]) == (T, T, T + 9)
    assert other["arn"] == f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}:log-stream:other/algo-1"
    answer = logs.describe_log_streams(logGroupName=GROUP, orderBy="LastEventTime", descending=True, limit=2)
    assert [stream["logStreamName"] for stream in answer["logStreams"]] == ["taxi/algo-59", "taxi/algo-58"]
    with pytest.raises(logs.exceptions.InvalidParameterException, match="Cannot order by LastEventTime"):
        logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="taxi/", orderBy="LastEventTime")


def test_what_does_not_exist(aws: Any, logs: Any) -> None:
    missing = logs.exceptions.ResourceNotFoundException
    for call in (
        lambda: logs.describe_log_streams(logGroupName=GROUP),
        lambda: logs.get_log_events(logGroupName=GROUP, logStreamName=STREAM),
        lambda: logs.filter_log_events(logGroupName=GROUP),
        lambda: logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM),
        lambda: logs.delete_log_group(logGroupName=GROUP),
        lambda: logs.put_log_events(
            logGroupName=GROUP, logStreamName=STREAM, logEvents=[{"timestamp": T, "message": "x"}]
        ),
    ):
        with pytest.raises(missing, match=f'log group "{GROUP}" does not exist') as caught:
            call()
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    write(aws, (0, "x"))
    for call in (
        lambda: logs.get_log_events(logGroupName=GROUP, logStreamName="nope"),
        lambda: logs.delete_log_stream(logGroupName=GROUP, logStreamName="nope"),
    ):
        with pytest.raises(missing, match='log stream "nope" does not exist'):
            call()


def test_events_are_read_forward_until_there_are_none(aws: Any, logs: Any) -> None:
    write(aws, (0, "a"), (1, "b"), (1, "c"))

    def read(**given: Any) -> dict[str, Any]:
        answer: dict[str, Any] = logs.get_log_events(
            logGroupName=GROUP, logStreamName=STREAM, startFromHead=True, **given
        )
        return answer

    first = read(limit=2)
    assert messages(first) == ["a", "b"]
    assert first["events"][0]["timestamp"] == T
    second = read(limit=2, nextToken=first["nextForwardToken"])
    assert messages(second) == ["c"]
    third = read(nextToken=second["nextForwardToken"])
    assert third["events"] == []
    assert third["nextForwardToken"] == second["nextForwardToken"]
    write(aws, (5, "d"))
    assert messages(read(nextToken=third["nextForwardToken"])) == ["d"]
    assert messages(read(nextToken=third["nextBackwardToken"])) == ["a", "b", "c"]
    assert messages(read(nextToken=second["nextBackwardToken"])) == ["a", "b"]


def test_events_are_read_backward_from_the_newest_on(aws: Any, logs: Any) -> None:
    write(aws, (0, "a"), (1, "b"), (2, "c"))

    def read(**given: Any) -> dict[str, Any]:
        answer: dict[str, Any] = logs.get_log_events(logGroupName=GROUP, logStreamName=STREAM, limit=2, **given)
        return answer

    first = read()
    assert messages(first) == ["b", "c"]
    second = read(nextToken=first["nextBackwardToken"])
    assert messages(second) == ["a"]
    third = read(nextToken=second["nextBackwardToken"])
    assert third["events"] == []
    assert third["nextBackwardToken"] == second["nextBackwardToken"]
    assert messages(read(nextToken=third["nextForwardToken"])) == ["a", "b"]
    write(aws, (3, "d"))
    assert messages(read(nextToken=first["nextForwardToken"])) == ["d"]


def test_times_are_from_the_first_and_before_the_second(aws: Any, logs: Any) -> None:
    write(aws, (0, "a"), (1, "b"), (2, "c"))
    answer = logs.get_log_events(logGroupName=GROUP, logStreamName=STREAM, startTime=T + 1, endTime=T + 2)
    assert messages(answer) == ["b"]


def test_an_empty_stream_gives_what_comes_later(aws: Any, logs: Any) -> None:
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName=STREAM)
    for head in (True, False):
        answer = logs.get_log_events(logGroupName=GROUP, logStreamName=STREAM, startFromHead=head)
        assert answer["events"] == []
        again = logs.get_log_events(
            logGroupName=GROUP, logStreamName=STREAM, startFromHead=head, nextToken=answer["nextForwardToken"]
        )
        assert again["nextForwardToken"] == answer["nextForwardToken"]
    write(aws, (0, "a"))
    answer = logs.get_log_events(logGroupName=GROUP, logStreamName=STREAM, nextToken=again["nextForwardToken"])
    assert messages(answer) == ["a"]


def test_the_sagemaker_sdk_s_way_of_following_a_log(aws: Any, logs: Any) -> None:
    """It asks from the last time it has seen on, and leaves out as many events of that time as it has printed."""
    printed: list[str] = []
    seen_at, seen = 0, 0

    def flush() -> None:
        nonlocal seen_at, seen
        token: dict[str, str] = {}
        skip = seen
        while True:
            answer = logs.get_log_events(
                logGroupName=GROUP, logStreamName=STREAM, startTime=seen_at, startFromHead=True, **token
            )
            token = {"nextToken": answer["nextForwardToken"]}
            if not answer["events"]:
                return
            events, skip = answer["events"][skip:], max(0, skip - len(answer["events"]))
            for event in events:
                printed.append(event["message"])
                seen_at, seen = event["timestamp"], (seen + 1 if event["timestamp"] == seen_at else 1)

    at = [(T + 0.0007 * i) / 1000 for i in range(30)]  # several within a millisecond
    for i in range(0, 30, 5):
        aws.warehouse.jobs.logs.append(GROUP, STREAM, [(at[j], str(j)) for j in range(i, i + 5)])
        flush()
    assert printed == [str(i) for i in range(30)]


def test_answers_end_at_a_megabyte(aws: Any, logs: Any) -> None:
    write(aws, *((i, str(i) * 300_000) for i in range(5)))
    read = {"logGroupName": GROUP, "logStreamName": STREAM}
    first = logs.get_log_events(**read, startFromHead=True)
    assert [message[0] for message in messages(first)] == ["0", "1", "2"]
    rest = logs.get_log_events(**read, startFromHead=True, nextToken=first["nextForwardToken"])
    assert [message[0] for message in messages(rest)] == ["3", "4"]
    assert [message[0] for message in messages(logs.get_log_events(**read))] == ["2", "3", "4"]
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP)
    assert [[message[0] for message in messages(page)] for page in pages] == [["0", "1", "2"], ["3", "4"]]


@settings(max_examples=25, deadline=None)
@given(times=st.lists(st.integers(0, 4), min_size=1, max_size=10), limit=st.integers(1, 4), forward=st.booleans())
def test_pages_meet_without_gaps(aws: Any, logs: Any, times: list[int], limit: int, forward: bool) -> None:
    """Whatever the times, reading page by page gives every event once, and reading back from the end does again."""
    stream = f"s-{uuid.uuid4()}"
    write(aws, *((at, str(i)) for i, at in enumerate(times)), stream=stream)
    expected = [str(i) for _, i in sorted((at, i) for i, at in enumerate(times))]

    def walk(way: str, token: dict[str, str], **start: bool) -> tuple[list[str], dict[str, str]]:
        found: list[str] = []
        while True:
            answer = logs.get_log_events(logGroupName=GROUP, logStreamName=stream, limit=limit, **start, **token)
            last, token = token, {"nextToken": answer[f"next{way}Token"]}
            if token == last:
                other = "Backward" if way == "Forward" else "Forward"
                return found, {"nextToken": answer[f"next{other}Token"]}
            found = found + messages(answer) if way == "Forward" else messages(answer) + found

    there, back = ("Forward", "Backward") if forward else ("Backward", "Forward")
    found, token = walk(there, {}, startFromHead=forward)
    assert found == expected
    found, _ = walk(back, token)
    assert found == expected


@pytest.mark.parametrize("token", ["x", "f/", "f/1", "f/a/b", "g/1/1", "f/1/" + "9" * 40, "b/" + "9" * 400 + "/1"])
def test_tokens_of_something_else(aws: Any, logs: Any, token: str) -> None:
    write(aws, (0, "a"))
    with pytest.raises(logs.exceptions.InvalidParameterException, match="The specified nextToken is invalid"):
        logs.get_log_events(logGroupName=GROUP, logStreamName=STREAM, nextToken=token)


def test_searching_all_streams_of_a_group(aws: Any, logs: Any) -> None:
    write(aws, (0, "loss 5"), (2, "loss 3 done"), stream="taxi/a")
    write(aws, (1, "loss 4"), (3, "ERROR: out of memory"), stream="taxi/b")
    write(aws, (1, "loss 7"), stream="bike/a")

    def found(**given: Any) -> list[str]:
        return messages(logs.filter_log_events(logGroupName=GROUP, **given))

    assert found(logStreamNamePrefix="taxi/") == ["loss 5", "loss 4", "loss 3 done", "ERROR: out of memory"]
    assert found(logStreamNames=["bike/a", "taxi/b"], filterPattern="loss") == ["loss 4", "loss 7"]
    assert found(filterPattern="loss -done", startTime=T + 1, endTime=T + 2) == ["loss 4", "loss 7"]
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=GROUP, filterPattern="loss", PaginationConfig={"PageSize": 3}
    )
    assert [messages(page) for page in pages] == [["loss 5", "loss 4", "loss 7"], ["loss 3 done"]]
    event = logs.filter_log_events(logGroupName=GROUP, filterPattern='"out of memory"')["events"][0]
    assert (event["logStreamName"], event["timestamp"]) == ("taxi/b", T + 3)
    for request, message in (
        ({"filterPattern": '{ $.a = "b" }'}, "Filter patterns of JSON"),
        ({"filterPattern": 'a "b'}, "Invalid filter pattern at character 2"),
        ({"nextToken": "x"}, "The specified nextToken is invalid"),
        ({"nextToken": f"1/{'9' * 30}/1"}, "The specified nextToken is invalid"),
        ({"logStreamNames": ["a"], "logStreamNamePrefix": "a"}, "cannot be used together"),
    ):
        with pytest.raises(logs.exceptions.InvalidParameterException, match=message):
            found(**request)


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("", "anything", None),
        ("a b", "b and a", "a alone"),
        ("?a ?b", "only b", "nzz"),
        ("a -b", "a", "a b"),
        ('"a b" c', "c a b", "a c b"),
        (r'"a \"b\""', 'a "b"', "a b"),
        ("a ?b", "a", "b"),
    ],
)
def test_patterns_of_terms(pattern: str, matching: str, other: str | None) -> None:
    matches = parse_pattern(pattern)
    assert matches(matching)
    assert other is None or not matches(other)


def test_logs_of_one_s_own(logs: Any) -> None:
    logs.create_log_group(logGroupName="mine")
    logs.create_log_stream(logGroupName="mine", logStreamName="s")
    events = [{"timestamp": T, "message": "héllo"}, {"timestamp": T + 1, "message": "x" * ((1 << 20) - 26)}]
    logs.put_log_events(logGroupName="mine", logStreamName="s", logEvents=events)
    answer = logs.get_log_events(logGroupName="mine", logStreamName="s", startFromHead=True, limit=1)
    assert answer["events"][0]["message"] == "héllo"
    answer = logs.get_log_events(logGroupName="mine", logStreamName="s", nextToken=answer["nextForwardToken"])
    assert messages(answer) == [events[1]["message"]]
    for wrong, message in (
        ([{"timestamp": 2, "message": "x"}, {"timestamp": 1, "message": "y"}], "must be in chronological order"),
        ([{"timestamp": 1, "message": "x" * (1 << 20)}], "Log event too large"),
        ([{"timestamp": 1 << 62, "message": "x"}], "is no time in milliseconds"),
    ):
        with pytest.raises(logs.exceptions.InvalidParameterException, match=message):
            logs.put_log_events(logGroupName="mine", logStreamName="s", logEvents=wrong)
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_group(logGroupName="mine")
    with pytest.raises(logs.exceptions.ResourceAlreadyExistsException):
        logs.create_log_stream(logGroupName="mine", logStreamName="s")
    logs.delete_log_stream(logGroupName="mine", logStreamName="s")
    assert logs.describe_log_streams(logGroupName="mine")["logStreams"] == []
    logs.delete_log_group(logGroupName="mine")
    assert logs.describe_log_groups()["logGroups"] == []


def test_groups_by_name_in_pages(logs: Any) -> None:
    for name in ("b/1", "a/2", "a/1"):
        logs.create_log_group(logGroupName=name)
    pages = logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 2})
    assert [[group["logGroupName"] for group in page["logGroups"]] for page in pages] == [["a/1", "a/2"], ["b/1"]]
    (group,) = logs.describe_log_groups(logGroupNamePrefix="b")["logGroups"]
    assert group["arn"] == "arn:aws:logs:us-east-1:000000000000:log-group:b/1:*"
    found = logs.describe_log_groups(logGroupNamePattern="/1")["logGroups"]
    assert [group["logGroupName"] for group in found] == ["a/1", "b/1"]
    by_arn = logs.describe_log_streams(logGroupIdentifier=group["logGroupArn"])
    assert by_arn["logStreams"] == []
    with pytest.raises(ClientError, match="logGroupName"):
        logs.describe_log_streams()
