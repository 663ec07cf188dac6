"""Redshift Serverless through boto3: one workgroup and one namespace under any name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def serverless(aws: Any) -> Any:
    return aws.client("redshift-serverless")


def test_the_workgroup(serverless: Any) -> None:
    found = serverless.get_workgroup(workgroupName="analytics")["workgroup"]
    assert (found["workgroupName"], found["status"]) == ("analytics", "AVAILABLE")
    assert (found["endpoint"]["address"], found["endpoint"]["port"]) == ("127.0.0.1", 5439)
    assert found["creationDate"] <= datetime.now(UTC)
    (listed,) = serverless.list_workgroups()["workgroups"]
    assert (listed["workgroupName"], listed["namespaceName"]) == ("restframe", "restframe")


def test_the_namespace(aws: Any, serverless: Any) -> None:
    role = "arn:aws:iam::000000000000:role/a"
    aws.warehouse.set_roles(lambda _: [role], role)
    found = serverless.get_namespace(namespaceName="analytics")["namespace"]
    assert (found["namespaceName"], found["status"]) == ("analytics", "AVAILABLE")
    assert (found["dbName"], found["adminUsername"]) == ("dev", "awsuser")
    assert (found["iamRoles"], found["defaultIamRoleArn"]) == ([role], role)
    (listed,) = serverless.list_namespaces()["namespaces"]
    assert listed["namespaceName"] == "restframe"


def test_credentials_let_the_caller_in(aws: Any, serverless: Any) -> None:
    found = serverless.get_credentials(workgroupName="analytics", dbName="dev", durationSeconds=3600)
    assert found["dbUser"] == "IAM:awsuser"
    assert found["expiration"] > datetime.now(UTC)
    assert aws.backend.identity.check_database_password("awsuser", found["dbPassword"])
    with pytest.raises(ClientError, match="DurationSeconds is 60, not between 900 and 3600") as caught:
        serverless.get_credentials(workgroupName="analytics", durationSeconds=60)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
