"""What is kept with an object's bytes, from the members of a request and back into those of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from restframe.aws.errors import AwsError
from restframe.aws.operation import Input
from restframe.aws.s3.requests import quoted, seconds
from restframe.storage import DEFAULT_CONTENT_TYPE, About, ObjectInfo
from restframe.storage.urls import shown

_MAX_METADATA_BYTES = 2048
_MAX_TAGS, _MAX_BUCKET_TAGS = 10, 50
# Members of requests and answers, and the headers as which they are kept
_HEADERS = {
    "CacheControl": "cache-control",
    "ContentDisposition": "content-disposition",
    "ContentEncoding": "content-encoding",
    "ContentLanguage": "content-language",
    "Expires": "expires",
    "WebsiteRedirectLocation": "x-amz-website-redirect-location",
    "StorageClass": "x-amz-storage-class",
}
# What a GET can ask to be answered instead of what is kept
_OVERRIDES = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires")


def about(request: Input) -> About:
    """What a PutObject, CreateMultipartUpload or replacing CopyObject wants to be kept.

    MetadataTooLarge beyond 2 KB, InvalidTag for tags that S3 would not take.
    """
    metadata = dict(request.get("Metadata") or {})
    size_bytes = sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
    if size_bytes > _MAX_METADATA_BYTES:
        message = "Your metadata headers exceed the maximum allowed metadata size"
        raise AwsError("MetadataTooLarge", message, 400, Size=size_bytes, MaxSizeAllowed=_MAX_METADATA_BYTES)
    kept = {header: _text(member, request[member]) for member, header in _HEADERS.items() if request.get(member)}
    content_type = request.get("ContentType") or DEFAULT_CONTENT_TYPE
    return About(
        content_type,
        metadata,
        {header: value for header, value in kept.items() if value},
        tags_of_header(request.get("Tagging", "")),
    )


def _text(member: str, value: Any) -> str:
    if member == "ContentEncoding":
        # how the body was sent, not what the object is
        tokens = (token.strip() for token in value.split(","))
        return ",".join(token for token in tokens if token.lower() != "aws-chunked")
    return value.isoformat() if isinstance(value, datetime) else str(value)


def described(info: ObjectInfo, request: Input, whole: bool) -> dict[str, Any]:
    """The members that GetObject and HeadObject answer with about an object, beside its bytes and their range.

    whole : the checksums of all bytes would be none of the bytes of a range
    """
    kept: dict[str, Any] = {
        member: info.about.headers[header] for member, header in _HEADERS.items() if header in info.about.headers
    }
    if "Expires" in kept:
        kept["Expires"] = datetime.fromisoformat(kept["Expires"])
    if kept.get("StorageClass") == "STANDARD":
        del kept["StorageClass"]  # which S3 does not mention
    kept["ContentType"] = info.about.content_type
    kept |= {name: request["Response" + name] for name in _OVERRIDES if request.get("Response" + name)}
    wants_checksums = whole and request.get("ChecksumMode") == "ENABLED"
    return {
        **kept,
        **(checksums(info.about) if wants_checksums else {}),
        "AcceptRanges": "bytes",
        "LastModified": seconds(info.modified),
        "ETag": quoted(info.etag),
        "Metadata": dict(info.about.metadata),
        "TagCount": len(info.about.tags) or None,
        "PartsCount": (len(info.about.parts) or None) if "PartNumber" in request else None,
    }


def storage_class(known: About) -> str:
    return known.headers.get("x-amz-storage-class", "STANDARD")


def checksums(known: About) -> dict[str, str]:
    """The checksum members and their ChecksumType; nothing when there are none."""
    if not known.checksums:
        return {}
    return {
        **{checksum_member(algorithm): value for algorithm, value in known.checksums.items()},
        "ChecksumType": checksum_type(known),
    }


def checksum_type(known: About) -> str:
    # no base64 of ours has a hyphen
    return "COMPOSITE" if any("-" in value for value in known.checksums.values()) else "FULL_OBJECT"


def checksum_member(algorithm: str) -> str:
    return "Checksum" + algorithm.upper()


def tags_of_header(text: str) -> dict[str, str]:
    """`team=taxi&year=2014`, as the header x-amz-tagging has it."""
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MAX_TAGS)
    except ValueError as error:
        raise _invalid_tag(
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query "
            "parameters without tag name duplicates."
        ) from error
    return _checked(pairs, _MAX_TAGS)


def tags_of_set(tagging: Input, most: int = _MAX_TAGS) -> dict[str, str]:
    return _checked([(one["Key"], one["Value"]) for one in tagging["TagSet"]], most)


def tags_of_bucket(tagging: Input) -> dict[str, str]:
    return tags_of_set(tagging, _MAX_BUCKET_TAGS)


def tag_set(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _checked(pairs: list[tuple[str, str]], most: int) -> dict[str, str]:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html"""
    if len(pairs) > most:
        raise AwsError("BadRequest", f"Object tags cannot be greater than {most}", 400)
    tags = dict(pairs)
    if len(tags) < len(pairs):
        raise _invalid_tag("Cannot provide multiple Tags with the same key")
    for key, value in pairs:
        if not 1 <= len(key) <= 128 or key.startswith("aws:"):
            raise _invalid_tag("The TagKey you have provided is invalid", TagKey=shown(key))
        if len(value) > 256:
            raise _invalid_tag("The TagValue you have provided is invalid", TagKey=shown(key))
    return tags


def _invalid_tag(message: str, **members: str) -> AwsError:
    return AwsError("InvalidTag", message, 400, **members)
