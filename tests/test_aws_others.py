"""Services of AWS that are not ours: their clients are told so, in a form that they can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

SIGNED_AS = {"stepfunctions": "states"}
CALLS: dict[str, Callable[[Any], Any]] = {
    "dynamodb": lambda client: client.list_tables(),
    "ec2": lambda client: client.describe_instances(),
    "ecr": lambda client: client.describe_repositories(),
    "glue": lambda client: client.get_databases(),
    "kms": lambda client: client.list_keys(),
    "lambda": lambda client: client.list_functions(),
    "route53": lambda client: client.list_hosted_zones(),
    "sns": lambda client: client.list_topics(),
    "stepfunctions": lambda client: client.list_state_machines(),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_service_that_is_not_served_is_named(shared_aws: Any, name: str) -> None:
    client = shared_aws.client(name)
    with pytest.raises(ClientError) as caught:
        CALLS[name](client)
    error = caught.value.response["Error"]
    assert (
        error["Message"]
        == f"restframe does not serve {SIGNED_AS.get(name, name)}. docs/aws.md lists the services it serves."
    )
    assert error["Code"] in ("UnknownOperationException", "InvalidAction", "NotImplemented")
