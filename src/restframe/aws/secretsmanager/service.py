"""The table of operations, and what all of them say in the same way."""

from __future__ import annotations

from restframe.aws.errors import AwsError
from restframe.aws.operation import Input, Operations, Output
from restframe.identity.secret_records import InvalidSecretName, Secret, SecretExists, SecretNotFound, SecretUnavailable
from restframe.identity.secret_versions import TooManyLabels, Value, VersionExists
from restframe.identity.vault import DecryptionFailed

operations = Operations(
    "secretsmanager",
    {
        InvalidSecretName: "ValidationException",
        SecretNotFound: "ResourceNotFoundException",
        SecretExists: "ResourceExistsException",
        VersionExists: "ResourceExistsException",
        SecretUnavailable: "InvalidRequestException",
        TooManyLabels: "LimitExceededException",
        DecryptionFailed: "DecryptionFailure",
    },
    general="InvalidParameterException",
)


def named(secret: Secret) -> Output:
    return {"ARN": secret.arn, "Name": secret.name}


def value_of(request: Input) -> Value | None:
    """SecretString or SecretBinary; None when there is neither. InvalidParameterException when there are both."""
    text, binary = request.get("SecretString"), request.get("SecretBinary")
    if text is not None and binary is not None:
        raise AwsError(
            "InvalidParameterException",
            "You can't specify both a binary secret value and a string secret value in the same secret.",
        )
    return text if binary is None else binary


def value_members(value: Value) -> Output:
    return {"SecretString": value} if isinstance(value, str) else {"SecretBinary": value}


def token_of(request: Input) -> str:
    """ClientRequestToken, which becomes the version's id; every SDK sends one."""
    token: str | None = request.get("ClientRequestToken")
    if token is None:
        raise AwsError(
            "InvalidRequestException",
            "You must provide a ClientRequestToken value. We recommend a UUID-type value.",
        )
    return token


def tags_of(request: Input) -> dict[str, str]:
    return {tag.get("Key", ""): tag.get("Value", "") for tag in request.get("Tags", ())}
