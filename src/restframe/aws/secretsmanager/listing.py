"""Lists of secrets and of their versions, filtered and page by page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from restframe.aws import tokens
from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input, Output
from restframe.aws.secretsmanager.service import named, operations
from restframe.identity.secret_records import Secret
from restframe.identity.secret_versions import Version

_PAGE = 100


@operations("ListSecrets")
def list_secrets(request: Input, call: Call) -> Output:
    """All secrets that match every filter, by CreatedDate, the oldest first unless SortBy and SortOrder say otherwise.

    Those marked for deletion only with IncludePlannedDeletion. Filters: one of a filter's values must match, and none
    of those with an exclamation mark; names and tags by their beginning, descriptions and `all` by the beginnings of
    words. InvalidNextTokenException.
    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html
    """
    secrets = call.backend.identity.secrets
    deleted = request.get("IncludePlannedDeletion", False)
    found = [secret for secret in secrets.all() if deleted or not secret.deleted]
    listed, token = page(matching(found, request.get("Filters", ())), request, _PAGE)
    return {
        "SecretList": [described(secret, secrets.versions_of(secret), "SecretVersionsToStages") for secret in listed],
        "NextToken": token,
    }


@operations("ListSecretVersionIds")
def list_secret_version_ids(request: Input, call: Call) -> Output:
    """The versions of a secret that have labels, in the order of their making; with IncludeDeprecated all.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecretVersionIds.html
    """
    secrets = call.backend.identity.secrets
    secret = secrets.find(request["SecretId"])
    found = [one for one in secrets.versions_of(secret) if one.stages or request.get("IncludeDeprecated", False)]
    after = _read_token(request)
    if after is not None:
        found = [one for one in found if [one.created.timestamp(), one.id] > after]
    size = request.get("MaxResults", _PAGE)
    listed = found[:size]
    return {
        **named(secret),
        "Versions": [
            {
                "VersionId": one.id,
                "VersionStages": list(one.stages) or None,
                "CreatedDate": one.created,
                "LastAccessedDate": one.accessed,
                "KmsKeyIds": [secret.kms_key or "DefaultEncryptionKey"],
            }
            for one in listed
        ],
        "NextToken": tokens.write(listed[-1].created.timestamp(), listed[-1].id) if len(found) > size else None,
    }


def described(secret: Secret, versions: Iterable[Version], stages_member: str) -> Output:
    """A secret as it is shown; the labels by version stand under a name of their own in each operation."""
    tags = None if secret.tags is None else [{"Key": key, "Value": value} for key, value in secret.tags.items()]
    return {
        **named(secret),
        "Type": secret.type,
        "Description": secret.description,
        "KmsKeyId": secret.kms_key,
        "LastChangedDate": secret.changed,
        "LastAccessedDate": secret.accessed,
        "DeletedDate": secret.deleted,
        "Tags": tags,
        stages_member: {one.id: list(one.stages) for one in versions if one.stages} or None,
        "CreatedDate": secret.created,
    }


def page(found: Sequence[Secret], request: Input, size: int) -> tuple[list[Secret], str | None]:
    """The next secrets of a request with SortBy, SortOrder, MaxResults and NextToken, and the token of those after."""
    by = request.get("SortBy", "created-date")
    down = request.get("SortOrder") == "desc"
    ordered = sorted(found, key=lambda secret: _place(secret, by), reverse=down)
    after = _read_token(request)
    if after is not None:
        ordered = [one for one in ordered if (_place(one, by) < after if down else _place(one, by) > after)]
    listed = ordered[: request.get("MaxResults", size)]
    return listed, tokens.write(*_place(listed[-1], by)) if len(ordered) > len(listed) else None


def _place(secret: Secret, by: str) -> list[Any]:
    """Where a secret stands in a list; no two stand in the same place."""
    moments: Mapping[str, datetime | None] = {
        "created-date": secret.created,
        "last-accessed-date": secret.accessed,
        "last-changed-date": secret.changed,
    }
    moment = moments.get(by)
    return [moment.timestamp() if moment else 0.0, secret.name]


def _read_token(request: Input) -> list[Any] | None:
    token = request.get("NextToken")
    try:
        return None if token is None else tokens.read(token, float, str)
    except ValueError as error:
        raise AwsError("InvalidNextTokenException", "NextToken is none that was given out.") from error


def matching(secrets: Iterable[Secret], filters: Iterable[Mapping[str, Any]]) -> list[Secret]:
    """Those that match every filter."""
    filters = list(filters)
    return [secret for secret in secrets if all(_matches(secret, one) for one in filters)]


def _matches(secret: Secret, filter: Mapping[str, Any]) -> bool:  # noqa: A002  (the service's own word)
    if "Key" not in filter or not filter.get("Values"):
        raise AwsError("InvalidParameterException", "a filter needs a Key and Values")
    texts, by_words = _searched(secret, filter["Key"])
    is_in = _has_words if by_words else _has_beginning
    wanted = [value for value in filter["Values"] if not value.startswith("!")]
    unwanted = [value[1:] for value in filter["Values"] if value.startswith("!")]
    if any(is_in(texts, value) for value in unwanted):
        return False
    return not wanted or any(is_in(texts, value) for value in wanted)


def _searched(secret: Secret, key: str) -> tuple[list[str], bool]:
    """What a filter looks at, and whether it does by words."""
    tags = secret.tags or {}
    description = [secret.description] if secret.description else []
    searched: dict[str, tuple[list[str], bool]] = {
        "name": ([secret.name], False),
        "description": (description, True),
        "tag-key": (list(tags), False),
        "tag-value": (list(tags.values()), False),
        "all": ([secret.name, *description, *tags, *tags.values()], True),
    }
    return searched.get(key, ([], False))  # no secret has a primary region or an owning service here


def _has_beginning(texts: Iterable[str], beginning: str) -> bool:
    return any(text.startswith(beginning) for text in texts)


def _has_words(texts: Iterable[str], value: str) -> bool:
    words = [word for text in texts for word in _words(text)]
    return bool(_words(value)) and all(any(word.startswith(one) for word in words) for one in _words(value))


def _words(text: str) -> list[str]:
    """In lower case; a capital after a small letter begins a word: `MyTest` has two."""
    return [word.lower() for word in re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text))]
