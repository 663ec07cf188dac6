"""The constraints of the descriptions."""

from __future__ import annotations

from typing import Any

import pytest

from restframe.aws import wire
from restframe.aws.wire.validation import Checks


def problems(service: str, operation: str, value: dict[str, Any]) -> list[str]:
    shape = wire.service(service).model.operation_model(operation).input_shape
    check = Checks().of(shape)
    return [str(violation) for violation in (check(value) if check else None) or []]


def test_what_is_right() -> None:
    assert problems("redshift-data", "ExecuteStatement", {"Sql": "select 1", "ClusterIdentifier": "my-cluster"}) == []
    assert problems("logs", "DescribeLogGroups", {}) == []


def test_what_is_missing() -> None:
    assert problems("redshift-data", "ExecuteStatement", {}) == [
        "Value null at 'sql' failed to satisfy constraint: Member must not be null"
    ]
    assert problems(
        "redshift-data", "ExecuteStatement", {"Sql": "a", "Parameters": [{"name": "a", "value": "b"}, {}]}
    ) == [
        "Value null at 'parameters.2.member.name' failed to satisfy constraint: Member must not be null",
        "Value null at 'parameters.2.member.value' failed to satisfy constraint: Member must not be null",
    ]


@pytest.mark.parametrize(
    ("service", "operation", "value", "problem"),
    [
        (
            "redshift-data",
            "BatchExecuteStatement",
            {"Sqls": []},
            "Value at 'sqls' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (
            "redshift-data",
            "BatchExecuteStatement",
            {"Sqls": ["select 1"] * 41},
            "Value at 'sqls' failed to satisfy constraint: Member must have length less than or equal to 40",
        ),
        (
            "redshift-data",
            "ExecuteStatement",
            {"Sql": "a", "ClientToken": "t" * 200},
            f"Value '{'t' * 100}...' at 'clientToken' failed to satisfy constraint: "
            "Member must have length less than or equal to 64",
        ),
        (
            "redshift-data",
            "ExecuteStatement",
            {"Sql": "a", "SessionKeepAliveSeconds": 86401},
            "Value '86401' at 'sessionKeepAliveSeconds' failed to satisfy constraint: "
            "Member must have value less than or equal to 86400",
        ),
        (
            "redshift-data",
            "ExecuteStatement",
            {"Sql": "a", "SessionKeepAliveSeconds": -1},
            "Value '-1' at 'sessionKeepAliveSeconds' failed to satisfy constraint: "
            "Member must have value greater than or equal to 0",
        ),
        (
            "redshift-data",
            "ExecuteStatement",
            {"Sql": "a", "ResultFormat": "XML"},
            "Value 'XML' at 'resultFormat' failed to satisfy constraint: "
            "Member must satisfy enum value set: [JSON, CSV]",
        ),
        (
            "sagemaker",
            "DescribeTrainingJob",
            {"TrainingJobName": "my_job"},
            "Value 'my_job' at 'trainingJobName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        (
            "sagemaker",
            "CreateEndpointConfig",
            {"EndpointConfigName": "a", "ProductionVariants": [{"VariantName": "a", "InitialVariantWeight": -0.5}]},
            "Value '-0.5' at 'productionVariants.1.member.initialVariantWeight' failed to satisfy constraint: "
            "Member must have value greater than or equal to 0",
        ),
        (
            "sagemaker",
            "CreateModel",
            {"ModelName": "a", "PrimaryContainer": {"Environment": {"a-b": "1"}}},
            "Value 'a-b' at 'primaryContainer.environment.a-b' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z_][a-zA-Z0-9_]*",
        ),
        (
            "secretsmanager",
            "CreateSecret",
            {"Name": "a", "SecretBinary": b""},
            "Value at 'secretBinary' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
    ],
)
def test_what_is_not_allowed(service: str, operation: str, value: dict[str, Any], problem: str) -> None:
    assert problems(service, operation, value) == [problem]


def test_of_one_value_the_first_problem_is_told() -> None:
    found = problems("sagemaker", "DescribeTrainingJob", {"TrainingJobName": "_" * 64})
    assert len(found) == 1
    assert found[0].endswith("Member must have length less than or equal to 63")


def test_what_is_in_a_list_that_is_too_long_is_not_looked_at() -> None:
    tags = [{}] * 51
    (problem,) = problems("sagemaker", "CreateModel", {"ModelName": "a", "Tags": tags})
    assert problem == "Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50"


def test_an_endless_list_of_problems_ends() -> None:
    cases = [{"name": "a"}] * 100_000
    assert len(problems("redshift-data", "ExecuteStatement", {"Sql": "a", "Parameters": cases})) == 1000


def test_one_member_of_a_union() -> None:
    shape = wire.service("redshift-data").model.shape_for("Field")
    check = Checks().of(shape)
    assert check
    assert not check({"longValue": 1})
    for value in ({}, {"longValue": 1, "isNull": False}):
        assert [violation.constraint for violation in check(value) or []] == ["Exactly one member must be set"]


def test_a_secret_is_not_told() -> None:
    for value in (
        {"Name": "a", "SecretString": "hunter2" * 10_000},
        {"Name": "a", "SecretBinary": b"hunter2" * 10_000},
    ):
        (problem,) = problems("secretsmanager", "CreateSecret", value)
        assert "hunter2" not in problem
        assert problem.startswith("Value at 'secret")
