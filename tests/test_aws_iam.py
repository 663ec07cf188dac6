"""AWS IAM through boto3: roles and their policies, as SDKs and templates use them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}}],
}
SAGEMAKER = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
S3 = "arn:aws:iam::aws:policy/service-role/AmazonS3Something"


@pytest.fixture(scope="module")
def client(shared_aws: Any) -> Any:
    return shared_aws.client("iam")


@pytest.fixture
def iam(shared_aws: Any, client: Any) -> Iterator[Any]:
    """A client; what it made is gone afterwards."""
    yield client
    with shared_aws.warehouse.journal.transaction() as connection:
        connection.execute("DELETE FROM roles WHERE name <> 'restframe'")


def _create(iam: Any, name: str = "etl", **more: Any) -> dict[str, Any]:
    created: dict[str, Any] = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), **more)["Role"]
    return created


def _refused(call: Any, **request: Any) -> tuple[str, str, int]:
    with pytest.raises(ClientError) as raised:
        call(**request)
    response = raised.value.response
    return (
        response["Error"]["Code"],
        response["Error"]["Message"],
        response["ResponseMetadata"]["HTTPStatusCode"],
    )


def test_a_role_is_kept_as_it_was_created(iam: Any) -> None:
    created = _create(
        iam, Path="/service-role/", Description="loads", MaxSessionDuration=7200, Tags=[{"Key": "a", "Value": "b"}]
    )
    assert created["Arn"] == "arn:aws:iam::000000000000:role/service-role/etl"
    assert created["AssumeRolePolicyDocument"] == TRUST
    assert (created["Description"], created["MaxSessionDuration"]) == ("loads", 7200)
    assert created["Tags"] == [{"Key": "a", "Value": "b"}]
    assert iam.get_role(RoleName="etl")["Role"] == created
    assert _refused(iam.create_role, RoleName="etl", AssumeRolePolicyDocument="{}") == (
        "EntityAlreadyExists",
        "Role with name etl already exists.",
        409,
    )


def test_the_sdk_s_default_role(iam: Any) -> None:
    """What the SageMaker SDK does for get_execution_role(use_default=True)."""
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName="AmazonSageMaker-DefaultRole")
    iam.create_role(RoleName="AmazonSageMaker-DefaultRole", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.attach_role_policy(PolicyArn=SAGEMAKER, RoleName="AmazonSageMaker-DefaultRole")
    arn = iam.get_role(RoleName="AmazonSageMaker-DefaultRole")["Role"]["Arn"]
    assert arn == "arn:aws:iam::000000000000:role/AmazonSageMaker-DefaultRole"


def test_a_role_that_is_not_there(iam: Any) -> None:
    expected = ("NoSuchEntity", "The role with name nobody cannot be found.", 404)
    assert _refused(iam.get_role, RoleName="nobody") == expected
    assert _refused(iam.delete_role, RoleName="nobody") == expected
    assert _refused(iam.attach_role_policy, RoleName="nobody", PolicyArn=SAGEMAKER) == expected
    assert _refused(iam.list_role_policies, RoleName="nobody") == expected


def test_a_name_that_can_be_none_is_not_repeated_whole(iam: Any) -> None:
    for call, request in (
        (iam.simulate_principal_policy, {"PolicySourceArn": "a" * 2048, "ActionNames": ["s3:*"]}),
        (iam.detach_role_policy, {"RoleName": "restframe", "PolicyArn": "a" * 2048}),
    ):
        code, message, _ = _refused(call, **request)
        assert code == "NoSuchEntity"
        assert len(message) < 250


def test_a_role_that_was_only_taken_can_still_be_created(shared_aws: Any, iam: Any) -> None:
    shared_aws.client("sts").assume_role(RoleArn="arn:aws:iam::000000000000:role/etl", RoleSessionName="night")
    iam.attach_role_policy(RoleName="etl", PolicyArn=SAGEMAKER)
    assert iam.get_role(RoleName="etl")["Role"]["MaxSessionDuration"] == 43_200
    _create(iam)
    assert iam.get_role(RoleName="etl")["Role"]["AssumeRolePolicyDocument"] == TRUST
    assert len(iam.list_attached_role_policies(RoleName="etl")["AttachedPolicies"]) == 1


def test_roles_are_listed_page_by_page(iam: Any) -> None:
    for name in ("b", "a", "c"):
        _create(iam, name, Path="/team/")
    pages = list(iam.get_paginator("list_roles").paginate(PathPrefix="/team/", PaginationConfig={"PageSize": 2}))
    assert [[role["RoleName"] for role in page["Roles"]] for page in pages] == [["a", "b"], ["c"]]
    assert [role["RoleName"] for role in iam.list_roles()["Roles"]] == ["a", "b", "c", "restframe"]


def test_policies_are_attached_by_their_arn(iam: Any) -> None:
    _create(iam)
    iam.attach_role_policy(RoleName="etl", PolicyArn=SAGEMAKER)
    iam.attach_role_policy(RoleName="etl", PolicyArn=SAGEMAKER)
    iam.attach_role_policy(RoleName="etl", PolicyArn=S3)
    assert iam.list_attached_role_policies(RoleName="etl")["AttachedPolicies"] == [
        {"PolicyName": "AmazonSageMakerFullAccess", "PolicyArn": SAGEMAKER},
        {"PolicyName": "AmazonS3Something", "PolicyArn": S3},
    ]
    below = iam.list_attached_role_policies(RoleName="etl", PathPrefix="/service-role/")["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in below] == [S3]
    iam.detach_role_policy(RoleName="etl", PolicyArn=SAGEMAKER)
    assert _refused(iam.detach_role_policy, RoleName="etl", PolicyArn=SAGEMAKER) == (
        "NoSuchEntity",
        f"Policy {SAGEMAKER} was not found.",
        404,
    )
    assert _refused(iam.attach_role_policy, RoleName="etl", PolicyArn="arn:aws:s3:::not-a-policy")[0] == "InvalidInput"


def test_policies_inside_a_role(iam: Any) -> None:
    _create(iam)
    iam.put_role_policy(RoleName="etl", PolicyName="second", PolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="etl", PolicyName="first", PolicyDocument='{"a": "100 % é"}')
    assert iam.list_role_policies(RoleName="etl")["PolicyNames"] == ["first", "second"]
    assert iam.get_role_policy(RoleName="etl", PolicyName="first")["PolicyDocument"] == {"a": "100 % é"}
    assert iam.list_attached_role_policies(RoleName="etl")["AttachedPolicies"] == []
    iam.delete_role_policy(RoleName="etl", PolicyName="first")
    expected = ("NoSuchEntity", "The role policy with name first cannot be found.", 404)
    assert _refused(iam.get_role_policy, RoleName="etl", PolicyName="first") == expected
    assert _refused(iam.delete_role_policy, RoleName="etl", PolicyName="first") == expected


@pytest.mark.parametrize("document", ["{", "[]", "[" * 100_000])
def test_a_policy_is_json(iam: Any, document: str) -> None:
    refused = _refused(iam.put_role_policy, RoleName="restframe", PolicyName="odd", PolicyDocument=document)
    assert refused[0] == "MalformedPolicyDocument"


def test_a_role_goes_when_nothing_is_on_it(iam: Any) -> None:
    _create(iam)
    iam.attach_role_policy(RoleName="etl", PolicyArn=SAGEMAKER)
    assert _refused(iam.delete_role, RoleName="etl") == (
        "DeleteConflict",
        "Cannot delete entity, must detach all policies first.",
        409,
    )
    iam.detach_role_policy(RoleName="etl", PolicyArn=SAGEMAKER)
    iam.put_role_policy(RoleName="etl", PolicyName="inline", PolicyDocument="{}")
    assert _refused(iam.delete_role, RoleName="etl")[1] == "Cannot delete entity, must delete policies first."
    iam.delete_role_policy(RoleName="etl", PolicyName="inline")
    iam.delete_role(RoleName="etl")
    assert _refused(iam.get_role, RoleName="etl")[0] == "NoSuchEntity"


def test_the_role_of_the_access_keys_stays(iam: Any) -> None:
    assert _refused(iam.delete_role, RoleName="restframe")[0] == "DeleteConflict"
    assert _refused(iam.create_role, RoleName="restframe", AssumeRolePolicyDocument="{}")[0] == "EntityAlreadyExists"


def test_roles_outlive_a_restart(shared_aws: Any, iam: Any) -> None:
    from restframe.identity import Identity
    from restframe.journal import Journal

    _create(iam)
    iam.attach_role_policy(RoleName="etl", PolicyArn=SAGEMAKER)
    settings = shared_aws.warehouse.settings
    journal = Journal(settings.directory / "service.sqlite")
    again = Identity(journal, settings)
    assert [role.name for role in again.roles.all()] == ["etl", "restframe"]
    assert list(again.roles.policies("etl", attached=True)) == [SAGEMAKER]
    journal.close()


def test_there_are_no_users(iam: Any) -> None:
    assert _refused(iam.get_user) == (
        "ValidationError",
        "Must specify userName when calling with non-User credentials",
        400,
    )
    assert _refused(iam.get_user, UserName="kim") == (
        "NoSuchEntity",
        "The user with name kim cannot be found.",
        404,
    )


def test_nothing_is_forbidden(iam: Any) -> None:
    request = {"PolicySourceArn": "arn:aws:iam::000000000000:role/restframe"}
    results = iam.simulate_principal_policy(**request, ActionNames=["s3:GetObject", "s3:PutObject"])[
        "EvaluationResults"
    ]
    assert {result["EvalActionName"]: result["EvalDecision"] for result in results} == {
        "s3:GetObject": "allowed",
        "s3:PutObject": "allowed",
    }
    many = [f"s3:Action{number}" for number in range(1001)]
    assert _refused(iam.simulate_principal_policy, **request, ActionNames=many)[0] == "InvalidInput"
