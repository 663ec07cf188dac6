"""AWS Secrets Manager through boto3: the document's flow, versions, listing, deletion, refusals."""

from __future__ import annotations

import json
import logging
import re
import signal
import string
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

TOKENS = [str(number) * 32 for number in range(10)]


@pytest.fixture(scope="module")
def client(shared_aws: Any) -> Any:
    return shared_aws.client("secretsmanager", parameter_validation=False)


@pytest.fixture
def secrets(shared_aws: Any, client: Any) -> Iterator[Any]:
    """A client; what it made is gone afterwards."""
    yield client
    store = shared_aws.backend.identity.secrets
    for secret in store.all():
        store.delete(secret.arn, None)


def _refused(call: Any, **request: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as raised:
        call(**request)
    response = raised.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return response["Error"]["Code"], response["Error"]["Message"]


def test_the_document_s_flow(secrets: Any) -> None:
    """A template makes a secret and adds the cluster to it; the notebook reads it."""
    login = {"username": "awsuser", "password": "Tulips1"}
    created = secrets.create_secret(Name="redshift-dataapidemo", SecretString=json.dumps(login))
    found = json.loads(secrets.get_secret_value(SecretId="redshift-dataapidemo")["SecretString"])
    found |= {"dbClusterIdentifier": "demo", "db": "dev"}
    updated = secrets.update_secret(SecretId="redshift-dataapidemo", SecretString=json.dumps(found))
    assert updated["ARN"] == created["ARN"]
    assert updated["VersionId"] != created["VersionId"]
    read = secrets.get_secret_value(SecretId="redshift-dataapidemo")
    assert read["ARN"] == created["ARN"]
    assert json.loads(read["SecretString"])["dbClusterIdentifier"] == "demo"


def test_a_secret_as_it_is_shown(secrets: Any) -> None:
    created = secrets.create_secret(
        Name="team/login",
        Description="of the loader",
        KmsKeyId="alias/mine",
        SecretString="tulips",
        Tags=[{"Key": "team", "Value": "a"}],
        ClientRequestToken=TOKENS[0],
    )
    assert re.fullmatch(
        "arn:aws:secretsmanager:us-east-1:000000000000:secret:team/login-[A-Za-z0-9]{6}", created["ARN"]
    )
    assert (created["Name"], created["VersionId"]) == ("team/login", TOKENS[0])
    shown = secrets.describe_secret(SecretId=created["ARN"])
    del shown["ResponseMetadata"]
    assert abs(shown.pop("CreatedDate") - datetime.now(UTC)) < timedelta(minutes=1)
    assert abs(shown.pop("LastChangedDate") - datetime.now(UTC)) < timedelta(minutes=1)
    assert shown == {
        "ARN": created["ARN"],
        "Name": "team/login",
        "Description": "of the loader",
        "KmsKeyId": "alias/mine",
        "Tags": [{"Key": "team", "Value": "a"}],
        "VersionIdsToStages": {TOKENS[0]: ["AWSCURRENT"]},
    }


def test_values_are_texts_or_bytes(secrets: Any) -> None:
    secrets.create_secret(Name="text", SecretString="Tülpen 🌷")
    secrets.create_secret(Name="binary", SecretBinary=b"\x00\xff")
    text, binary = secrets.get_secret_value(SecretId="text"), secrets.get_secret_value(SecretId="binary")
    assert (text["SecretString"], "SecretBinary" in text) == ("Tülpen 🌷", False)
    assert (binary["SecretBinary"], "SecretString" in binary) == (b"\x00\xff", False)
    largest = "x" * 65_536
    secrets.put_secret_value(SecretId="text", SecretString=largest)
    assert secrets.get_secret_value(SecretId="text")["SecretString"] == largest


def test_a_secret_can_begin_without_a_value(secrets: Any) -> None:
    assert "VersionId" not in secrets.create_secret(Name="empty")
    assert "VersionIdsToStages" not in secrets.describe_secret(SecretId="empty")
    assert _refused(secrets.get_secret_value, SecretId="empty") == (
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    )
    assert secrets.put_secret_value(SecretId="empty", SecretString="now")["VersionStages"] == ["AWSCURRENT"]


def test_a_rotation_by_hand(secrets: Any) -> None:
    secrets.create_secret(Name="login", SecretString="old", ClientRequestToken=TOKENS[0])
    put = secrets.put_secret_value(
        SecretId="login", SecretString="new", VersionStages=["AWSPENDING"], ClientRequestToken=TOKENS[1]
    )
    assert (put["VersionId"], put["VersionStages"]) == (TOKENS[1], ["AWSPENDING"])
    assert secrets.get_secret_value(SecretId="login")["SecretString"] == "old"
    assert secrets.get_secret_value(SecretId="login", VersionStage="AWSPENDING")["SecretString"] == "new"
    secrets.update_secret_version_stage(
        SecretId="login", VersionStage="AWSCURRENT", RemoveFromVersionId=TOKENS[0], MoveToVersionId=TOKENS[1]
    )
    current = secrets.get_secret_value(SecretId="login")
    assert (current["SecretString"], current["VersionStages"]) == ("new", ["AWSCURRENT", "AWSPENDING"])
    assert secrets.get_secret_value(SecretId="login", VersionStage="AWSPREVIOUS")["SecretString"] == "old"
    assert _refused(
        secrets.update_secret_version_stage, SecretId="login", VersionStage="AWSCURRENT", MoveToVersionId=TOKENS[0]
    ) == (
        "InvalidParameterException",
        "The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version "
        f"{TOKENS[1]}, so you must explicitly reference that version in RemoveFromVersionId.",
    )


def test_the_same_token_twice(secrets: Any) -> None:
    request = {"Name": "login", "SecretString": "value", "ClientRequestToken": TOKENS[0]}
    first = secrets.create_secret(**request)
    assert secrets.create_secret(**request)["VersionId"] == first["VersionId"]
    put = {"SecretId": "login", "SecretString": "value", "ClientRequestToken": TOKENS[0]}
    assert secrets.put_secret_value(**put)["VersionStages"] == ["AWSCURRENT"]
    assert secrets.update_secret(**put)["VersionId"] == TOKENS[0]
    expected = (
        "ResourceExistsException",
        f"You can't use ClientRequestToken {TOKENS[0]} because that value is already in use for a version of secret "
        f"{first['ARN']}.",
    )
    for change in (secrets.put_secret_value, secrets.update_secret):
        assert _refused(change, **{**put, "SecretString": "other"}) == expected
    assert _refused(secrets.create_secret, **{**request, "SecretString": "other"}) == expected
    assert _refused(secrets.create_secret, Name="login", SecretString="value") == (
        "ResourceExistsException",
        "The operation failed because the secret login already exists.",
    )


def test_versions_are_listed(secrets: Any) -> None:
    secrets.create_secret(Name="login", SecretString="0", ClientRequestToken=TOKENS[0])
    for number in (1, 2):
        secrets.put_secret_value(SecretId="login", SecretString=str(number), ClientRequestToken=TOKENS[number])
    with_labels = secrets.list_secret_version_ids(SecretId="login")["Versions"]
    assert [(one["VersionId"], one["VersionStages"]) for one in with_labels] == [
        (TOKENS[1], ["AWSPREVIOUS"]),
        (TOKENS[2], ["AWSCURRENT"]),
    ]
    assert with_labels[0]["KmsKeyIds"] == ["DefaultEncryptionKey"]
    first = secrets.list_secret_version_ids(SecretId="login", IncludeDeprecated=True, MaxResults=2)
    rest = secrets.list_secret_version_ids(SecretId="login", IncludeDeprecated=True, NextToken=first["NextToken"])
    listed = [one["VersionId"] for page in (first, rest) for one in page["Versions"]]
    assert listed == [TOKENS[0], TOKENS[1], TOKENS[2]]
    assert "NextToken" not in rest


def test_secrets_are_listed_page_by_page_in_order(secrets: Any) -> None:
    for name in ("c", "a", "b"):
        secrets.create_secret(Name=name, SecretString=name)
    pages = list(secrets.get_paginator("list_secrets").paginate(PaginationConfig={"PageSize": 2}))
    assert [[one["Name"] for one in page["SecretList"]] for page in pages] == [["c", "a"], ["b"]]
    assert pages[0]["SecretList"][0]["SecretVersionsToStages"]
    first = secrets.list_secrets(SortBy="name", SortOrder="desc", MaxResults=1)
    rest = secrets.list_secrets(SortBy="name", SortOrder="desc", NextToken=first["NextToken"])
    assert [one["Name"] for page in (first, rest) for one in page["SecretList"]] == ["c", "b", "a"]


@pytest.mark.parametrize("token", ["x", "bnVsbA==", "e30=", "WzEsMl0=", "W10=", "W1tb" * 1000])
def test_a_token_that_was_not_given_out(secrets: Any, token: str) -> None:
    assert _refused(secrets.list_secrets, NextToken=token)[0] == "InvalidNextTokenException"


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"name": ["team"]}, ["team/MyLogin", "team/other"]),
        ({"name": ["Team"]}, []),
        ({"name": ["!team"]}, ["plain"]),
        ({"name": ["team", "!team/o"]}, ["team/MyLogin"]),
        ({"description": ["LOADER"]}, ["team/MyLogin"]),
        ({"tag-key": ["sta"]}, ["team/other"]),
        ({"tag-value": ["pro"], "name": ["team"]}, ["team/other"]),
        ({"all": ["login loader"]}, ["team/MyLogin"]),
        ({"all": ["production"]}, ["team/other"]),
        ({"all": ["---"]}, []),
        ({"owning-service": ["redshift"]}, []),
    ],
)
def test_filters(secrets: Any, filters: dict[str, list[str]], expected: list[str]) -> None:
    secrets.create_secret(Name="team/MyLogin", SecretString="1", Description="Login of the loader")
    secrets.create_secret(Name="team/other", SecretString="2", Tags=[{"Key": "stage", "Value": "production"}])
    secrets.create_secret(Name="plain", SecretString="3")
    given = [{"Key": key, "Values": values} for key, values in filters.items()]
    assert [one["Name"] for one in secrets.list_secrets(Filters=given, SortBy="name")["SecretList"]] == expected


def test_many_values_at_once(secrets: Any) -> None:
    secrets.create_secret(Name="a", SecretString="1")
    secrets.create_secret(Name="b", SecretBinary=b"2")
    secrets.create_secret(Name="gone", SecretString="3")
    secrets.delete_secret(SecretId="gone")
    found = secrets.batch_get_secret_value(SecretIdList=["a", "b", "gone", "nowhere"])
    assert [one.get("SecretString", one.get("SecretBinary")) for one in found["SecretValues"]] == ["1", b"2"]
    assert [(one["SecretId"], one["ErrorCode"]) for one in found["Errors"]] == [
        ("gone", "InvalidRequestException"),
        ("nowhere", "ResourceNotFoundException"),
    ]
    page = secrets.batch_get_secret_value(Filters=[{"Key": "name", "Values": ["!z"]}], MaxResults=1)
    assert [one["Name"] for one in page["SecretValues"]] == ["a"]
    rest = secrets.batch_get_secret_value(
        Filters=[{"Key": "name", "Values": ["!z"]}], MaxResults=1, NextToken=page["NextToken"]
    )
    assert [one["Name"] for one in rest["SecretValues"]] == ["b"]
    for request in ({}, {"SecretIdList": ["a"], "Filters": [{"Key": "name", "Values": ["a"]}]}):
        assert _refused(secrets.batch_get_secret_value, **request) == (
            "InvalidParameterException",
            "Either 'SecretIdList' or 'Filters' must be provided, but not both.",
        )


def test_a_deleted_secret_waits_and_comes_back(secrets: Any) -> None:
    secrets.create_secret(Name="login", SecretString="value")
    deleted = secrets.delete_secret(SecretId="login", RecoveryWindowInDays=7)
    assert abs(deleted["DeletionDate"] - datetime.now(UTC) - timedelta(days=7)) < timedelta(minutes=1)
    marked = (
        "InvalidRequestException",
        "You can't perform this operation on the secret because it was marked for deletion.",
    )
    assert _refused(secrets.get_secret_value, SecretId="login") == marked
    assert _refused(secrets.update_secret, SecretId="login", SecretString="x") == marked
    assert _refused(secrets.tag_resource, SecretId="login", Tags=[]) == marked
    assert _refused(secrets.get_resource_policy, SecretId="login") == marked
    assert _refused(secrets.create_secret, Name="login", SecretString="x") == (
        "InvalidRequestException",
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
    )
    assert secrets.list_secrets()["SecretList"] == []
    (listed,) = secrets.list_secrets(IncludePlannedDeletion=True)["SecretList"]
    assert listed["DeletedDate"] == secrets.describe_secret(SecretId="login")["DeletedDate"]
    secrets.restore_secret(SecretId="login")
    assert secrets.get_secret_value(SecretId="login")["SecretString"] == "value"
    assert "DeletedDate" not in secrets.describe_secret(SecretId="login")


def test_a_secret_deleted_at_once_leaves_its_name(secrets: Any) -> None:
    old = secrets.create_secret(Name="login", SecretString="old")
    secrets.delete_secret(SecretId="login", ForceDeleteWithoutRecovery=True)
    assert _refused(secrets.describe_secret, SecretId="login") == (
        "ResourceNotFoundException",
        "Secrets Manager can't find the specified secret.",
    )
    assert secrets.create_secret(Name="login", SecretString="new")["ARN"] != old["ARN"]
    assert _refused(secrets.get_secret_value, SecretId=old["ARN"])[0] == "ResourceNotFoundException"
    assert secrets.delete_secret(SecretId="nowhere", ForceDeleteWithoutRecovery=True)["Name"] == "nowhere"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"RecoveryWindowInDays": 6}, "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."),
        ({"RecoveryWindowInDays": 31}, "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."),
        (
            {"RecoveryWindowInDays": 7, "ForceDeleteWithoutRecovery": True},
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        ),
    ],
)
def test_recovery_windows_that_are_none(secrets: Any, request_: dict[str, Any], message: str) -> None:
    secrets.create_secret(Name="login", SecretString="value")
    assert _refused(secrets.delete_secret, SecretId="login", **request_) == ("InvalidParameterException", message)
    assert secrets.get_secret_value(SecretId="login")["SecretString"] == "value"


def test_tags_come_and_go(secrets: Any) -> None:
    secrets.create_secret(Name="login", SecretString="value")
    secrets.tag_resource(SecretId="login", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    secrets.untag_resource(SecretId="login", TagKeys=["a"])
    assert secrets.describe_secret(SecretId="login")["Tags"] == [{"Key": "b", "Value": "2"}]


def test_policies_are_kept(secrets: Any) -> None:
    secrets.create_secret(Name="login", SecretString="value")
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId="login")
    secrets.put_resource_policy(SecretId="login", ResourcePolicy='{"Version": "2012-10-17"}')
    assert secrets.get_resource_policy(SecretId="login")["ResourcePolicy"] == '{"Version": "2012-10-17"}'
    secrets.delete_resource_policy(SecretId="login")
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId="login")
    for policy in ("{", "[]"):
        refused = _refused(secrets.put_resource_policy, SecretId="login", ResourcePolicy=policy)
        assert refused[0] == "MalformedPolicyDocumentException"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, string.ascii_letters + string.digits + string.punctuation),
        ({"PasswordLength": 4}, string.ascii_letters + string.digits + string.punctuation),
        ({"ExcludePunctuation": True, "ExcludeUppercase": True}, string.ascii_lowercase + string.digits),
        (
            {"ExcludePunctuation": True, "ExcludeCharacters": "abcXYZ012"},
            "defghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW3456789",
        ),
        (
            {"IncludeSpace": True, "PasswordLength": 4096},
            string.ascii_letters + string.digits + string.punctuation + " ",
        ),
    ],
)
def test_random_passwords(secrets: Any, request_: dict[str, Any], expected: str) -> None:
    first = secrets.get_random_password(**request_)["RandomPassword"]
    assert len(first) == request_.get("PasswordLength", 32)
    assert set(first) <= set(expected)
    for kind in (string.ascii_uppercase, string.ascii_lowercase, string.digits, string.punctuation):
        assert not set(kind) & set(expected) or set(kind) & set(first)
    assert first != secrets.get_random_password(**request_)["RandomPassword"]


def test_random_passwords_that_cannot_be(secrets: Any) -> None:
    assert _refused(secrets.get_random_password, PasswordLength=3) == (
        "InvalidParameterException",
        "Password length is too short based on the required types.",
    )
    nothing = {f"Exclude{kind}": True for kind in ("Numbers", "Punctuation", "Uppercase", "Lowercase")}
    assert _refused(secrets.get_random_password, **nothing)[0] == "InvalidParameterException"
    shortest = secrets.get_random_password(PasswordLength=1, RequireEachIncludedType=False)
    assert len(shortest["RandomPassword"]) == 1


@pytest.mark.parametrize(
    ("operation", "request_", "expected"),
    [
        ("create_secret", {"Name": "two words", "SecretString": "x"}, ("ValidationException", "Invalid name. Must be")),
        ("get_secret_value", {"SecretId": "two words"}, ("ValidationException", "Invalid name. Must be")),
        ("create_secret", {"Name": "n", "SecretString": ""}, ("ValidationException", "secretString")),
        ("create_secret", {"Name": "n", "SecretString": "x" * 65_537}, ("ValidationException", "secretString")),
        ("create_secret", {"Name": "n", "SecretString": "ü" * 32_769}, ("InvalidParameterException", "65536 bytes")),
        (
            "create_secret",
            {"Name": "n", "SecretString": "x", "SecretBinary": b"x"},
            ("InvalidParameterException", "both a binary secret value and a string secret value"),
        ),
        (
            "create_secret",
            {"Name": "n", "AddReplicaRegions": [{"Region": "eu-west-1"}]},
            ("InvalidParameterException", "AddReplicaRegions"),
        ),
        ("put_secret_value", {"SecretId": "login"}, ("InvalidRequestException", "either SecretString or SecretBinary")),
        ("put_secret_value", {"SecretId": "nowhere", "SecretString": "x"}, ("ResourceNotFoundException", "")),
        (
            "get_secret_value",
            {"SecretId": "login", "VersionId": "0" * 32},
            ("ResourceNotFoundException", "value for VersionId: " + "0" * 32),
        ),
        (
            "get_secret_value",
            {"SecretId": "login", "VersionId": TOKENS[1], "VersionStage": "AWSPREVIOUS"},
            ("InvalidRequestException", "a VersionStage that is not associated to the provided VersionId"),
        ),
        (
            "put_secret_value",
            {"SecretId": "login", "SecretString": "x", "VersionStages": [f"label {number}" for number in range(20)]},
            ("LimitExceededException", "20 staging labels"),
        ),
        ("list_secrets", {"Filters": [{"Key": "name"}]}, ("InvalidParameterException", "Key and Values")),
        ("list_secrets", {"Filters": [{"Key": "color", "Values": ["x"]}]}, ("ValidationException", "key")),
    ],
)
def test_refusals(secrets: Any, operation: str, request_: dict[str, Any], expected: tuple[str, str]) -> None:
    secrets.create_secret(Name="login", SecretString="value", ClientRequestToken=TOKENS[1])
    code, message = _refused(getattr(secrets, operation), **request_)
    assert (code, expected[1] in message) == (expected[0], True), message
    assert "xxxx" not in message


def test_a_token_is_needed(shared_aws: Any) -> None:
    """Every SDK sends one by itself."""
    body = b'{"Name": "login", "SecretString": "value"}'
    target = {"X-Amz-Target": "secretsmanager.CreateSecret", "Content-Type": "application/x-amz-json-1.1"}
    headers = shared_aws.signed("secretsmanager", "POST", "/", body, target)
    status, answered, answer = shared_aws.send("POST", "/", headers, body)
    assert (status, answered["x-amzn-errortype"]) == (400, "InvalidRequestException")
    assert b"You must provide a ClientRequestToken value." in answer


def test_what_is_not_served_is_named(secrets: Any) -> None:
    secrets.create_secret(Name="login", SecretString="value")
    with pytest.raises(ClientError) as raised:
        secrets.rotate_secret(SecretId="login")
    assert "RotateSecret" in raised.value.response["Error"]["Message"]


def test_a_value_is_in_no_file_no_log_and_no_error(
    shared_aws: Any, secrets: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="restframe")
    secrets.create_secret(Name="login", SecretString="tulips and daffodils", ClientRequestToken=TOKENS[0])
    secrets.get_secret_value(SecretId="login")
    _, message = _refused(
        secrets.put_secret_value, SecretId="login", SecretString="tulips and roses", ClientRequestToken=TOKENS[0]
    )
    assert "tulips" not in message
    assert "tulips" not in caplog.text
    for path in shared_aws.warehouse.settings.directory.rglob("*"):
        assert not path.is_file() or b"tulips" not in path.read_bytes(), path.name


SERVER = """
import os, signal, sys, threading
import boto3, uvicorn
from restframe.aws import connection
from restframe.aws.app import Application
from restframe.aws.backend import Backend
from restframe.identity import Identity
from restframe.warehouse import Warehouse
import socket
warehouse = Warehouse(sys.argv[1])
identity = Identity(warehouse.journal, warehouse.settings)
listening = socket.create_server(("127.0.0.1", 0))
server = uvicorn.Server(connection.config(Application(Backend(warehouse, identity))))
threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True).start()
key = identity.keys.first()
client = boto3.client("secretsmanager", region_name="us-east-1",
    endpoint_url=f"http://127.0.0.1:{listening.getsockname()[1]}",
    aws_access_key_id=key.access_key_id, aws_secret_access_key=key.secret_access_key)
client.create_secret(Name="login", SecretString="first")
client.put_secret_value(SecretId="login", SecretString="second")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_answered_survives_a_kill(tmp_path: Any) -> None:
    from restframe.identity import Identity
    from restframe.warehouse import Warehouse

    finished = subprocess.run([sys.executable, "-c", SERVER, str(tmp_path / "w")], capture_output=True, text=True)
    assert finished.returncode == -signal.SIGKILL, finished.stderr
    with Warehouse(tmp_path / "w") as warehouse:
        identity = Identity(warehouse.journal, warehouse.settings)
        assert identity.secrets.value("login") == "second"
        assert identity.secrets.read("login", stage="AWSPREVIOUS")[2] == "first"
