"""AWS Identity and Access Management: as much of roles as SDKs and templates ask for.

Policies are kept and shown, and not enforced: what the holder of an access key may do is what its database user may.
https://docs.aws.amazon.com/IAM/latest/APIReference/
"""

from __future__ import annotations

import json
import re
import urllib.parse
from collections.abc import Sequence
from typing import Any

from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input, Operations, Output
from restframe.identity import roles
from restframe.identity.principal import role_id

operations = Operations(
    "iam",
    {
        roles.RoleNotFound: "NoSuchEntity",
        roles.PolicyNotFound: "NoSuchEntity",
        roles.RoleExists: "EntityAlreadyExists",
        roles.RoleInUse: "DeleteConflict",
    },
    general="ValidationError",
)

_PAGE = 100
_MOST_SIMULATED = 1000
_POLICY_ARN = re.compile(r"arn:aws[a-z-]*:iam::(?:aws|\d{12}):policy/(?:[!-~]*/)?[\w+=,.@-]{1,128}", re.ASCII)

# who may take a role that was never created, for those who look
_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": ["redshift.amazonaws.com", "sagemaker.amazonaws.com"]},
                "Action": "sts:AssumeRole",
            }
        ],
    }
)


@operations("GetRole")
def get_role(request: Input, call: Call) -> Output:
    """The role of the access keys, one that was created, or one that was taken; NoSuchEntity for others.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
    """
    return {"Role": _shown(call.backend.identity.roles.find(request["RoleName"]), call)}


@operations("ListRoles")
def list_roles(request: Input, call: Call) -> Output:
    """All roles below PathPrefix, in alphabetical order, page by page.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html
    """
    below = request.get("PathPrefix", "/")
    found = {role.name: role for role in call.backend.identity.roles.all() if role.path.startswith(below)}
    names, paging = _page(list(found), request)
    return {"Roles": [_shown(found[name], call) for name in names], **paging}


@operations("CreateRole")
def create_role(request: Input, call: Call) -> Output:
    """Keep a role; EntityAlreadyExists, MalformedPolicyDocument unless AssumeRolePolicyDocument is a JSON object.

    MaxSessionDuration (3600) bounds AssumeRole. The policy document is not enforced; PermissionsBoundary is accepted
    without effect.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    """
    role = call.backend.identity.roles.create(
        request["RoleName"],
        request.get("Path", "/"),
        _document(request["AssumeRolePolicyDocument"]),
        request.get("Description"),
        request.get("MaxSessionDuration", 3600),
        {tag["Key"]: tag["Value"] for tag in request.get("Tags", ())},
    )
    return {"Role": _shown(role, call)}


@operations("DeleteRole")
def delete_role(request: Input, call: Call) -> None:
    """DeleteConflict while there are policies on the role, and for the role of the access keys.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html
    """
    call.backend.identity.roles.delete(request["RoleName"])


@operations("GetUser")
def get_user(request: Input, call: Call) -> Output:
    """There are no IAM users here: NoSuchEntity; ValidationError without a name, since callers have roles.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html
    """
    if "UserName" not in request:
        raise AwsError("ValidationError", "Must specify userName when calling with non-User credentials")
    raise AwsError("NoSuchEntity", f"The user with name {request['UserName']} cannot be found.")


# Policies by ARN


@operations("AttachRolePolicy")
def attach_role_policy(request: Input, call: Call) -> None:
    """Keep that a policy is attached; any ARN of a policy will do, and none has an effect. InvalidInput for others.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html
    """
    if not _POLICY_ARN.fullmatch(request["PolicyArn"]):
        raise AwsError("InvalidInput", f"ARN {request['PolicyArn'][:100]} is not valid.")
    call.backend.identity.roles.put_policy(request["RoleName"], request["PolicyArn"], None)


@operations("DetachRolePolicy")
def detach_role_policy(request: Input, call: Call) -> None:
    """NoSuchEntity when it is not attached.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachRolePolicy.html
    """
    call.backend.identity.roles.delete_policy(request["RoleName"], request["PolicyArn"], attached=True)


@operations("ListAttachedRolePolicies")
def list_attached_role_policies(request: Input, call: Call) -> Output:
    """By ARN, below PathPrefix, page by page.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedRolePolicies.html
    """
    below = request.get("PathPrefix", "/")
    attached = call.backend.identity.roles.policies(request["RoleName"], attached=True)
    arns, paging = _page([arn for arn in attached if arn.partition(":policy")[2].startswith(below)], request)
    return {
        "AttachedPolicies": [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in arns],
        **paging,
    }


# Policies inside a role


@operations("PutRolePolicy")
def put_role_policy(request: Input, call: Call) -> None:
    """Keep a policy, without effect. MalformedPolicyDocument unless it is a JSON object.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
    """
    document = _document(request["PolicyDocument"])
    call.backend.identity.roles.put_policy(request["RoleName"], request["PolicyName"], document)


@operations("GetRolePolicy")
def get_role_policy(request: Input, call: Call) -> Output:
    """The document as it was put.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html
    """
    role, name = request["RoleName"], request["PolicyName"]
    document = call.backend.identity.roles.policies(role, attached=False).get(name)
    if document is None:
        raise roles.no_policy(name, attached=False)
    return {"RoleName": role, "PolicyName": name, "PolicyDocument": urllib.parse.quote(document)}


@operations("ListRolePolicies")
def list_role_policies(request: Input, call: Call) -> Output:
    """Names in alphabetical order, page by page.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRolePolicies.html
    """
    names, paging = _page(list(call.backend.identity.roles.policies(request["RoleName"], attached=False)), request)
    return {"PolicyNames": names, **paging}


@operations("DeleteRolePolicy")
def delete_role_policy(request: Input, call: Call) -> None:
    """NoSuchEntity when there is none of this name.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html
    """
    call.backend.identity.roles.delete_policy(request["RoleName"], request["PolicyName"], attached=False)


@operations("SimulatePrincipalPolicy")
def simulate_principal_policy(request: Input, call: Call) -> Output:
    """Everything is allowed to every role we know, which is the truth here; NoSuchEntity for other principals.

    At most 1000 pairs of an action and a resource: InvalidInput.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
    """
    call.backend.identity.roles.find(request["PolicySourceArn"].rpartition("/")[2])
    resources = request.get("ResourceArns") or ["*"]
    if len(request["ActionNames"]) * len(resources) > _MOST_SIMULATED:
        raise AwsError("InvalidInput", f"more than {_MOST_SIMULATED} pairs of an action and a resource")
    results = [
        {"EvalActionName": action, "EvalResourceName": resource, "EvalDecision": "allowed"}
        for action in request["ActionNames"]
        for resource in resources
    ]
    return {"EvaluationResults": results, "IsTruncated": False}


def _shown(role: roles.Role, call: Call) -> Output:
    account = call.caller.account
    return {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role_id(account, role.name),
        "Arn": f"arn:aws:iam::{account}:role{role.path}{role.name}",
        "CreateDate": role.created,
        "AssumeRolePolicyDocument": urllib.parse.quote(role.trust or _TRUST),
        "Description": role.description,
        "MaxSessionDuration": role.longest_session_s,
        "Tags": [{"Key": key, "Value": value} for key, value in role.tags.items()] or None,
    }


def _document(text: str) -> str:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AwsError("MalformedPolicyDocument", "This policy contains invalid Json") from error
    if not isinstance(document, dict):
        raise AwsError("MalformedPolicyDocument", "This policy is no JSON object")
    return text


def _page(names: Sequence[str], request: Input) -> tuple[list[str], dict[str, Any]]:
    """The names after Marker, at most MaxItems, and what says whether there are more."""
    after = [name for name in names if name > request.get("Marker", "")]
    listed = after[: request.get("MaxItems", _PAGE)]
    more = len(after) > len(listed)
    return listed, {"IsTruncated": more, "Marker": listed[-1] if more else None}
