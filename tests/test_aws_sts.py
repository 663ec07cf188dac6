"""AWS STS through boto3: the caller, and temporary credentials that work."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from restframe.identity import Credentials

ROLE = "arn:aws:iam::123456789012:role/team/etl"


@pytest.fixture
def aws(shared_aws: Any) -> Any:
    return shared_aws


def _session(aws: Any, service: str, given: dict[str, Any]) -> Any:
    """A client with credentials that STS gave."""
    principal = aws.credentials.principal
    credentials = Credentials(given["AccessKeyId"], given["SecretAccessKey"], principal, given["SessionToken"])
    return aws.client(service, credentials=credentials)


def _refused(call: Any, **request: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as raised:
        call(**request)
    response = raised.value.response
    return (
        response["Error"]["Code"],
        response["Error"]["Message"],
        response["ResponseMetadata"]["HTTPStatusCode"],
    )


def test_the_caller_has_a_role_that_iam_knows(aws: Any) -> None:
    identity = aws.client("sts").get_caller_identity()
    assert identity["Account"] == "000000000000"
    assert identity["Arn"] == "arn:aws:sts::000000000000:assumed-role/restframe/default"
    role = aws.client("iam").get_role(RoleName="restframe")["Role"]
    assert role["Arn"] == "arn:aws:iam::000000000000:role/restframe"
    assert identity["UserId"] == f"{role['RoleId']}:default"


def test_a_role_can_be_taken(aws: Any) -> None:
    taken = aws.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="night", SourceIdentity="kim")
    assert taken["AssumedRoleUser"]["Arn"] == "arn:aws:sts::123456789012:assumed-role/etl/night"
    assert taken["SourceIdentity"] == "kim"
    assert taken["Credentials"]["Expiration"].timestamp() == pytest.approx(time.time() + 3600, abs=60)
    identity = _session(aws, "sts", taken["Credentials"]).get_caller_identity()
    assert identity["Account"] == "123456789012"
    assert identity["Arn"] == taken["AssumedRoleUser"]["Arn"]
    assert identity["UserId"] == taken["AssumedRoleUser"]["AssumedRoleId"]
    role = _session(aws, "iam", taken["Credentials"]).get_role(RoleName="etl")["Role"]
    assert role["Arn"] == ROLE
    assert identity["UserId"] == f"{role['RoleId']}:night"


def test_what_was_taken_keeps_the_database_user(aws: Any) -> None:
    key = aws.backend.identity.keys.create("kim", "kim")
    client = aws.client("sts", credentials=key)
    taken = client.assume_role(RoleArn=ROLE, RoleSessionName="night")["Credentials"]
    found = aws.backend.identity.credentials(taken["AccessKeyId"], taken["SessionToken"])
    assert found.principal.database_user == "kim"


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::123456789012:user/kim",
        "arn:aws:iam::12345678901:role/etl",
        "arn:aws:s3:::role/etl-or-so-long",
        "arn:aws:iam::123456789012:role/",
        "arn:aws:iam::123456789012:role/a b",
    ],
)
def test_what_is_no_arn_of_a_role(aws: Any, arn: str) -> None:
    refused = _refused(aws.client("sts").assume_role, RoleArn=arn, RoleSessionName="night")
    assert refused == ("ValidationError", f"{arn} is invalid", 400)


def test_a_created_role_bounds_the_time(aws: Any) -> None:
    aws.client("iam").create_role(RoleName="short", AssumeRolePolicyDocument="{}")
    assume_role = aws.client("sts").assume_role
    request = {"RoleArn": "arn:aws:iam::000000000000:role/short", "RoleSessionName": "night"}
    assume_role(**request, DurationSeconds=3600)
    assert _refused(assume_role, **request, DurationSeconds=3601) == (
        "ValidationError",
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        400,
    )


@pytest.mark.parametrize("seconds", [899, 43_201])
def test_the_time_has_bounds_in_any_case(aws: Any, seconds: int) -> None:
    code, message, _ = _refused(
        aws.client("sts", parameter_validation=False).assume_role,
        RoleArn=ROLE,
        RoleSessionName="night",
        DurationSeconds=seconds,
    )
    assert code == "ValidationError"
    assert "durationSeconds" in message


def test_a_session_token_is_of_the_caller_itself(aws: Any) -> None:
    issued = aws.client("sts").get_session_token()["Credentials"]
    assert issued["Expiration"].timestamp() == pytest.approx(time.time() + 43_200, abs=60)
    session = _session(aws, "sts", issued)
    assert session.get_caller_identity()["Arn"] == aws.client("sts").get_caller_identity()["Arn"]
    assert _refused(session.get_session_token) == (
        "AccessDenied",
        "Cannot call GetSessionToken with session credentials",
        403,
    )


def test_temporary_credentials_end_with_their_key(aws: Any) -> None:
    key = aws.backend.identity.keys.create("kim")
    issued = aws.client("sts", credentials=key).get_session_token()["Credentials"]
    aws.backend.identity.keys.revoke(key.access_key_id)
    code, message, status = _refused(_session(aws, "sts", issued).get_caller_identity)
    assert (code, status) == ("InvalidClientTokenId", 403)
    assert message == "The security token included in the request is invalid."


def test_temporary_credentials_expire(aws: Any) -> None:
    issued = aws.backend.identity.issue(aws.credentials.principal, -1)
    client = aws.client("sts", credentials=issued)
    assert _refused(client.get_caller_identity) == (
        "ExpiredToken",
        "The security token included in the request is expired",
        403,
    )


def test_the_account_of_a_key(aws: Any) -> None:
    get_access_key_info = aws.client("sts").get_access_key_info
    assert get_access_key_info(AccessKeyId=aws.credentials.access_key_id)["Account"] == "000000000000"
    assert _refused(get_access_key_info, AccessKeyId="AKIAAAAAAAAAAAAAAAAA")[0] == "ValidationError"


def test_what_is_not_served_is_named(aws: Any) -> None:
    _, message, _ = _refused(aws.client("sts").get_federation_token, Name="kim")
    assert "GetFederationToken" in message
