"""The query protocol."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from restframe.aws import wire
from restframe.aws.errors import AwsError
from restframe.aws.http import Headers, HttpRequest

ROLE = "RoleArn=arn:aws:iam::123456789012:role/a&RoleSessionName=session"


def request(query: str = "", method: str = "POST") -> HttpRequest:
    headers = Headers([("content-type", "application/x-www-form-urlencoded; charset=utf-8")])
    return HttpRequest(method, "http", "localhost:8439", "/", query, headers)


def parse(name: str, body: str | bytes, query: str = "") -> dict[str, Any]:
    service = wire.service(name)
    http = request(query)
    data = body.encode() if isinstance(body, str) else body
    return service.parse(service.route(http, data), http, data)


def refusal(name: str, body: str | bytes) -> str:
    with pytest.raises(AwsError) as error:
        parse(name, body)
    assert wire.service(name).error_status(error.value) == 400
    assert len(error.value.message) < 500
    return str(error.value)


def test_a_form() -> None:
    tags = "Tags.member.1.Key=a&Tags.member.1.Value=b+c%2Bd&TransitiveTagKeys.member.1=a"
    assert parse("sts", f"Action=AssumeRole&Version=2011-06-15&{ROLE}&DurationSeconds=900&{tags}") == {
        "RoleArn": "arn:aws:iam::123456789012:role/a",
        "RoleSessionName": "session",
        "DurationSeconds": 900,
        "Tags": [{"Key": "a", "Value": "b c+d"}],
        "TransitiveTagKeys": ["a"],
    }


def test_a_form_in_the_address() -> None:
    assert parse("sts", b"", query="Action=GetAccessKeyInfo&AccessKeyId=AKIAIOSFODNN7EXAMPLE") == {
        "AccessKeyId": "AKIAIOSFODNN7EXAMPLE"
    }


def test_items_of_a_list_may_have_names_and_gaps() -> None:
    found = parse(
        "redshift",
        "Action=DescribeClusters&TagKeys.TagKey.7=b&TagKeys.TagKey.2=a&TagKeys.TagKey.999999999=c&TagValues=",
    )
    assert found == {"TagKeys": ["a", "b", "c"], "TagValues": []}


def test_what_the_description_does_not_know_is_left_out() -> None:
    assert parse("sts", "Action=GetCallerIdentity&Sauce.member.x.y=1&=2") == {}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (f"{ROLE}&DurationSeconds=long", "'long' is not a whole number at 'DurationSeconds'"),
        (f"{ROLE}&DurationSeconds=", "'' is not a whole number at 'DurationSeconds'"),
        (
            f"{ROLE}&DurationSeconds.member.1=9",
            "several parameters where one value of type integer was expected at 'DurationSeconds'",
        ),
        (f"{ROLE}&Tags=1", "a value where a list was expected at 'Tags'"),
        (f"{ROLE}&Tags.member=1", "a value where a list was expected at 'Tags'"),
        (f"{ROLE}&Tags.member.1=1", "a value where a structure was expected at 'Tags.1'"),
        (f"{ROLE}&Tags.member.x.Key=1", "'x' is not the number of an item at 'Tags'"),
        (f"{ROLE}&Tags.member.-1.Key=1", "'-1' is not the number of an item at 'Tags'"),
        (f"{ROLE}&Tags.member.99999999999.Key=1", "'99999999999' is not the number of an item at 'Tags'"),
        (
            f"{ROLE}&Tags.member.1=1&Tags.member.1.Key=1",
            "the parameter 'Tags.member.1.Key' goes on where another has its value",
        ),
        (
            f"{ROLE}&Tags.member.1.Key=1&Tags.member.1=1",
            "the parameter 'Tags.member.1' has its value where another goes on",
        ),
    ],
)
def test_a_parameter_of_another_type(body: str, message: str) -> None:
    assert refusal("sts", f"Action=AssumeRole&{body}") == f"MalformedInput: {message}"


def test_a_key_without_end() -> None:
    assert "is nested too deeply" in refusal("sts", "Action=AssumeRole&" + "a." * 5000 + "a=1")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"Action=%ff", "a parameter is not valid UTF-8"),
        (b"Action=GetCallerIdentity&\xff=1", "a parameter is not valid UTF-8"),
        (b"Action=GetCallerIdentity&Action=AssumeRole", "the parameter 'Action' stands there twice"),
        (b"a=1&" * 20_000, "the request has more than 10000 parameters"),
    ],
)
def test_a_form_that_cannot_be_read(body: bytes, message: str) -> None:
    assert refusal("sts", body) == f"MalformedQueryString: {message}"


def test_an_action_that_there_is_not() -> None:
    assert refusal("sts", "Action=Fly") == "InvalidAction: Could not find operation Fly for version 2011-06-15"
    assert refusal("sts", "Version=1") == "MissingAction: The request must contain the parameter Action"


def test_what_is_missing_is_told_as_the_service_does() -> None:
    constraint = "failed to satisfy constraint: Member must not be null"
    assert refusal("iam", "Action=GetRole") == (
        f"ValidationError: 1 validation error detected: Value null at 'roleName' {constraint}"
    )
    assert refusal("redshift", "Action=PauseCluster") == (
        "MissingParameter: The request must contain the parameter ClusterIdentifier."
    )


def test_a_response() -> None:
    service = wire.service("sts")
    output = {
        "Credentials": {
            "AccessKeyId": "<A&B>",
            "SecretAccessKey": "s",
            "SessionToken": "t",
            "Expiration": datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
        },
        "PackedPolicySize": None,
    }
    response = service.respond(service.model.operation_model("AssumeRole"), output, "the-request-id")
    assert response.status == 200
    assert ("content-type", "text/xml") in response.headers
    assert ("x-amzn-requestid", "the-request-id") in response.headers
    assert response.body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>'
        b"<AccessKeyId>&lt;A&amp;B&gt;</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
        b"<Expiration>2024-01-02T03:04:05.000Z</Expiration></Credentials></AssumeRoleResult>"
        b"<ResponseMetadata><RequestId>the-request-id</RequestId></ResponseMetadata></AssumeRoleResponse>"
    )


def test_an_operation_without_output() -> None:
    service = wire.service("iam")
    response = service.respond(service.model.operation_model("DeleteRole"), {}, "id")
    assert response.body == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<DeleteRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
        b"<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></DeleteRoleResponse>"
    )


def test_an_error_has_the_code_of_the_description_and_says_whose_fault_it_is() -> None:
    service = wire.service("redshift")
    for code in ("ClusterNotFoundFault", "ClusterNotFound"):
        response = service.fail(None, AwsError(code, "Cluster a not found."), "id", request())
        assert response.status == 404
        assert (
            b"<Type>Sender</Type><Code>ClusterNotFound</Code><Message>Cluster a not found.</Message>" in response.body
        )
    response = service.fail(None, AwsError("InternalFailure", "Sorry.", 500), "id", request())
    assert response.status == 500
    assert b"<Type>Receiver</Type><Code>InternalFailure</Code>" in response.body
