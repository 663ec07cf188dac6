"""AWS Security Token Service: who am I, and temporary credentials.

https://docs.aws.amazon.com/STS/latest/APIReference/
"""

from __future__ import annotations

import re

from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input, Operations, Output
from restframe.identity import Credentials

operations = Operations("sts", general="ValidationError")

_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role(/(?:[!-~]*/)?)([\w+=,.@-]{1,64})", re.ASCII)


@operations("GetCallerIdentity")
def get_caller_identity(request: Input, call: Call) -> Output:
    """The caller's account, and the ARN of a role that was taken: iam GetRole knows the role.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    return {"UserId": call.caller.user_id, "Account": call.caller.account, "Arn": call.caller.arn}


@operations("AssumeRole")
def assume_role(request: Input, call: Call) -> Output:
    """Credentials of a role for DurationSeconds (3600), which keep the caller's database user.

    Any role can be taken, of any account; GetRole knows it from then on. ValidationError when RoleArn is no ARN of a
    role, or for a longer time than a created role allows. Policies, tags, MFA, SourceIdentity and ExternalId are
    accepted without effect.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    found = _ROLE_ARN.fullmatch(request["RoleArn"])
    if found is None:
        raise AwsError("ValidationError", f"{request['RoleArn'][:100]} is invalid")
    account, path, name = found.groups()
    identity = call.backend.identity
    duration_s = request.get("DurationSeconds", 3600)
    if duration_s > identity.roles.remember(name, path).longest_session_s:
        raise AwsError(
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        )
    issued = identity.issue(call.caller, duration_s, name, request["RoleSessionName"], account)
    return {
        "Credentials": _shown(issued),
        "AssumedRoleUser": {"AssumedRoleId": issued.principal.user_id, "Arn": issued.principal.arn},
        "SourceIdentity": request.get("SourceIdentity"),
    }


@operations("GetSessionToken")
def get_session_token(request: Input, call: Call) -> Output:
    """Credentials of the caller itself for DurationSeconds (43200); MFA is accepted without effect.

    AccessDenied for callers that have only temporary credentials themselves.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
    """
    if "x-amz-security-token" in call.http.headers or "X-Amz-Security-Token=" in call.http.query:
        raise AwsError("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)
    issued = call.backend.identity.issue(call.caller, request.get("DurationSeconds", 43_200))
    return {"Credentials": _shown(issued)}


@operations("GetAccessKeyInfo")
def get_access_key_info(request: Input, call: Call) -> Output:
    """The account of an access key, also of a revoked one; ValidationError for one that is not ours.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetAccessKeyInfo.html
    """
    if request["AccessKeyId"] not in {key.id for key in call.backend.identity.keys.list()}:
        raise AwsError("ValidationError", "The access key ID is none of this account's.")
    return {"Account": call.backend.warehouse.settings.account_id}


def _shown(issued: Credentials) -> Output:
    return {
        "AccessKeyId": issued.access_key_id,
        "SecretAccessKey": issued.secret_access_key,
        "SessionToken": issued.session_token,
        "Expiration": issued.expires,
    }
