"""Resource policies: kept and shown, not enforced. Whoever has an access key reads every secret."""

from __future__ import annotations

import json

from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input, Output
from restframe.aws.secretsmanager.service import named, operations
from restframe.identity.secret_records import MARKED


@operations("PutResourcePolicy")
def put_resource_policy(request: Input, call: Call) -> Output:
    """Keep a policy, without effect; BlockPublicPolicy likewise. MalformedPolicyDocumentException unless it is JSON.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html
    """
    try:
        policy = json.loads(request["ResourcePolicy"])
    except (ValueError, RecursionError) as error:
        raise AwsError("MalformedPolicyDocumentException", "This resource policy contains invalid Json") from error
    if not isinstance(policy, dict):
        raise AwsError("MalformedPolicyDocumentException", "This resource policy is no JSON object")
    texts = {"policy": request["ResourcePolicy"]}
    return named(call.backend.identity.secrets.update(request["SecretId"], None, "", texts=texts))


@operations("GetResourcePolicy")
def get_resource_policy(request: Input, call: Call) -> Output:
    """The policy that was put, if any.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetResourcePolicy.html
    """
    secret = call.backend.identity.secrets.find(request["SecretId"])
    if secret.deleted:
        raise AwsError("InvalidRequestException", MARKED)
    return {**named(secret), "ResourcePolicy": secret.policy}


@operations("DeleteResourcePolicy")
def delete_resource_policy(request: Input, call: Call) -> Output:
    """Forget the policy.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteResourcePolicy.html
    """
    return named(call.backend.identity.secrets.update(request["SecretId"], None, "", texts={"policy": None}))
