"""The values of secrets and their labels."""

from __future__ import annotations

from restframe import errors
from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input, Output
from restframe.aws.secretsmanager.listing import matching, page
from restframe.aws.secretsmanager.service import named, operations, token_of, value_members, value_of
from restframe.identity.secret_versions import CURRENT

_BATCH = 20


@operations("GetSecretValue")
def get_secret_value(request: Input, call: Call) -> Output:
    """The value of one version: by VersionId, by VersionStage, or the current one.

    ResourceNotFoundException also when there is no such version.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
    """
    return _value(request["SecretId"], call, request.get("VersionId"), request.get("VersionStage"))


def _value(secret_id: str, call: Call, version_id: str | None = None, stage: str | None = None) -> Output:
    secret, version, value = call.backend.identity.secrets.read(secret_id, version_id, stage)
    return {
        **named(secret),
        "VersionId": version.id,
        **value_members(value),
        "VersionStages": list(version.stages),
        "CreatedDate": version.created,
    }


@operations("BatchGetSecretValue")
def batch_get_secret_value(request: Input, call: Call) -> Output:
    """The current values of up to 20 secrets, by SecretIdList or by Filters as of ListSecrets, page by page.

    What cannot be read stands in Errors.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html
    """
    secret_ids, filters = request.get("SecretIdList"), request.get("Filters")
    if bool(secret_ids) == bool(filters):
        raise AwsError(
            "InvalidParameterException", "Either 'SecretIdList' or 'Filters' must be provided, but not both."
        )
    if request.get("MaxResults") and not filters:
        raise AwsError(
            "InvalidParameterException",
            "'Filters' not specified. 'Filters' must also be specified when 'MaxResults' is provided.",
        )
    token = None
    if filters:
        found = [secret for secret in call.backend.identity.secrets.all() if not secret.deleted]
        secrets, token = page(matching(found, filters), request, _BATCH)
        secret_ids = [secret.arn for secret in secrets]
    values, failures = [], []
    for secret_id in secret_ids or ():
        try:
            values.append(_value(secret_id, call))
        except errors.Error as error:
            said = operations.translate(error)
            failures.append({"SecretId": secret_id, "ErrorCode": said.code, "Message": said.message})
    return {"SecretValues": values, "Errors": failures, "NextToken": token}


@operations("PutSecretValue")
def put_secret_value(request: Input, call: Call) -> Output:
    """A new version with these labels; the current one without VersionStages, and when it is the first.

    The same ClientRequestToken with the same value changes nothing; with another value ResourceExistsException.
    RotationToken is accepted without effect.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html
    """
    value, token = value_of(request), token_of(request)
    if value is None:
        raise AwsError("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
    secrets = call.backend.identity.secrets
    secret = secrets.update(request["SecretId"], value, token, request.get("VersionStages") or [CURRENT])
    version = secrets.version_of(secret, token)
    return {**named(secret), "VersionId": token, "VersionStages": list(version.stages) if version else None}


@operations("UpdateSecretVersionStage")
def update_secret_version_stage(request: Input, call: Call) -> Output:
    """Move a label from one version to another, put it on one, or take it away (not AWSCURRENT).

    AWSPREVIOUS follows where AWSCURRENT leaves. InvalidParameterException when the label is elsewhere than
    RemoveFromVersionId says.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecretVersionStage.html
    """
    secret = call.backend.identity.secrets.move_label(
        request["SecretId"],
        request["VersionStage"],
        request.get("RemoveFromVersionId"),
        request.get("MoveToVersionId"),
    )
    return named(secret)
