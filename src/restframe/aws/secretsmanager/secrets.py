"""What is done with secrets as a whole."""

from __future__ import annotations

from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input, Output
from restframe.aws.secretsmanager.listing import described
from restframe.aws.secretsmanager.service import named, operations, tags_of, token_of, value_of
from restframe.identity.secret_records import SecretNotFound


@operations("CreateSecret")
def create_secret(request: Input, call: Call) -> Output:
    """A new secret, with a first version when there is a value.

    The same ClientRequestToken with the same value changes nothing; with another value ResourceExistsException, as
    for a name that is taken. InvalidRequestException while the name belongs to a secret marked for deletion.
    KmsKeyId and Type are kept without effect; replicas and secrets of other accounts are refused.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
    """
    for member in ("AddReplicaRegions", "CrossAccountPrimaryARN"):
        if request.get(member):
            raise AwsError("InvalidParameterException", f"{member}: secrets are not replicated here")
    value, token = value_of(request), token_of(request)
    secret = call.backend.identity.secrets.create(
        request["Name"],
        call.arn("secret:"),
        value,
        token,
        tags_of(request) if "Tags" in request else None,
        _texts_of(request),
    )
    return {**named(secret), "VersionId": None if value is None else token}


@operations("UpdateSecret")
def update_secret(request: Input, call: Call) -> Output:
    """Another description, or a new current version, or both.

    ClientRequestToken as of CreateSecret. KmsKeyId and Type are kept without effect.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UpdateSecret.html
    """
    value, token = value_of(request), token_of(request)
    secret = call.backend.identity.secrets.update(request["SecretId"], value, token, texts=_texts_of(request))
    return {**named(secret), "VersionId": None if value is None else token}


def _texts_of(request: Input) -> dict[str, str | None]:
    """Those that the request has; an empty KmsKeyId or Type is none."""
    texts = {column: request[member] or None for member, column in _KEPT.items() if member in request}
    return texts | ({"description": request["Description"]} if "Description" in request else {})


_KEPT = {"KmsKeyId": "kms_key", "Type": "type"}


@operations("DescribeSecret")
def describe_secret(request: Input, call: Call) -> Output:
    """Everything but the value, also of a secret marked for deletion: then with DeletedDate, its end.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html
    """
    secrets = call.backend.identity.secrets
    secret = secrets.find(request["SecretId"])
    return described(secret, secrets.versions_of(secret), "VersionIdsToStages")


@operations("DeleteSecret")
def delete_secret(request: Input, call: Call) -> Output:
    """Mark a secret for deletion in 7 to 30 days (30), or delete it now, also when it is marked or does not exist.

    Until DeletionDate RestoreSecret brings it back.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
    """
    window, force = request.get("RecoveryWindowInDays"), request.get("ForceDeleteWithoutRecovery", False)
    if force and window is not None:
        raise AwsError(
            "InvalidParameterException",
            "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.",
        )
    if window is not None and not 7 <= window <= 30:
        raise AwsError(
            "InvalidParameterException",
            "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive).",
        )
    try:
        secret, due = call.backend.identity.secrets.delete(request["SecretId"], None if force else window or 30)
    except SecretNotFound:
        if not force:
            raise
        return {"ARN": call.arn(f"secret:{request['SecretId']}"), "Name": request["SecretId"]}
    return {**named(secret), "DeletionDate": due}


@operations("RestoreSecret")
def restore_secret(request: Input, call: Call) -> Output:
    """Cancel a deletion.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RestoreSecret.html
    """
    return named(call.backend.identity.secrets.restore(request["SecretId"]))


@operations("TagResource")
def tag_resource(request: Input, call: Call) -> None:
    """Add tags, or change those of the same key; at most 50 in all.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_TagResource.html
    """
    call.backend.identity.secrets.tag(request["SecretId"], tags_of(request))


@operations("UntagResource")
def untag_resource(request: Input, call: Call) -> None:
    """Take tags away, by their keys.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_UntagResource.html
    """
    call.backend.identity.secrets.tag(request["SecretId"], {}, without=request["TagKeys"])
