"""ListObjects, ListObjectsV2 and ListObjectVersions."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from restframe.aws import tokens
from restframe.aws.operation import Call, Input, Output
from restframe.aws.s3 import descriptions
from restframe.aws.s3.requests import continued, invalid_argument, operation, owner, quoted, seconds, storage
from restframe.storage import ObjectInfo, ObjectUrl

_MOST = 1000


@operation("ListObjectsV2")
def list_objects_v2(request: Input, call: Call) -> Output:
    """A page of up to 1,000 keys and common prefixes, in the order of their UTF-8 bytes.

    Nothing is remembered between the pages: a token says where to go on. What lies under a common prefix is not read.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
    """
    token = request.get("ContinuationToken")
    after = continued(request) if token is not None else request.get("StartAfter", "")
    page = _page(request, call, after)
    encoded = encoder(request)
    return {
        **_common(request, page, call, with_owner=request.get("FetchOwner", False)),
        "KeyCount": len(page.found),
        "ContinuationToken": token,
        "NextContinuationToken": tokens.write(page.last) if page.truncated else None,
        "StartAfter": encoded(request.get("StartAfter")),
    }


@operation("ListObjects")
def list_objects(request: Input, call: Call) -> Output:
    """As ListObjectsV2; a page ends with a marker only if there is a delimiter, else with its last key.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
    """
    page = _page(request, call, request.get("Marker", ""))
    encoded = encoder(request)
    return {
        **_common(request, page, call, with_owner=True),
        "Marker": encoded(request.get("Marker", "")),
        "NextMarker": encoded(page.last) if page.truncated and request.get("Delimiter") else None,
    }


@operation("ListObjectVersions")
def list_object_versions(request: Input, call: Call) -> Output:
    """Every object once, as its version `null`.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
    """
    page = _page(request, call, request.get("KeyMarker", ""))
    encoded = encoder(request)
    common = _common(request, page, call, with_owner=True)
    versions = [{**one, "VersionId": "null", "IsLatest": True} for one in common.pop("Contents")]
    return {
        **common,
        "Versions": versions,
        "KeyMarker": encoded(request.get("KeyMarker", "")),
        "VersionIdMarker": request.get("VersionIdMarker", ""),
        "NextKeyMarker": encoded(page.last) if page.truncated else None,
        "NextVersionIdMarker": "null" if page.truncated else None,
    }


@dataclass(frozen=True, slots=True)
class Page:
    found: list[ObjectInfo | str]
    truncated: bool

    @property
    def last(self) -> str:
        last = self.found[-1]
        return last if isinstance(last, str) else last.url.key


def _page(request: Input, call: Call, after: str) -> Page:
    most = size_of_page(request, "MaxKeys", "max-keys")
    prefix = ObjectUrl(request["Bucket"], request.get("Prefix", ""))
    found = list(itertools.islice(storage(call).browse(prefix, request.get("Delimiter", ""), after), most + 1))
    return Page(found[:most], most > 0 and len(found) > most)


def size_of_page(request: Input, member: str, name: str) -> int:
    asked = request.get(member, _MOST)
    if asked < 0:
        raise invalid_argument(f"Argument {name} must be an integer between 0 and 2147483647", name, asked)
    return int(min(asked, _MOST))


def _common(request: Input, page: Page, call: Call, *, with_owner: bool) -> dict[str, Any]:
    encoded = encoder(request)
    whose = {"Owner": owner(call)} if with_owner else {}
    return {
        "Name": request["Bucket"],
        "Prefix": encoded(request.get("Prefix", "")),
        "Delimiter": encoded(request.get("Delimiter")),
        "MaxKeys": size_of_page(request, "MaxKeys", "max-keys"),
        "EncodingType": request.get("EncodingType"),
        "IsTruncated": page.truncated,
        "Contents": [_entry(one, encoded) | whose for one in page.found if isinstance(one, ObjectInfo)],
        "CommonPrefixes": [{"Prefix": encoded(one)} for one in page.found if isinstance(one, str)],
    }


def _entry(info: ObjectInfo, encoded: Callable[[str], str | None]) -> dict[str, Any]:
    about = info.about
    entry: dict[str, Any] = {
        "Key": encoded(info.url.key),
        "LastModified": seconds(info.modified),
        "ETag": quoted(info.etag),
        "Size": info.size_bytes,
        "StorageClass": descriptions.storage_class(about),
    }
    if about.checksums:
        entry["ChecksumAlgorithm"] = [algorithm.upper() for algorithm in about.checksums]
        entry["ChecksumType"] = descriptions.checksum_type(about)
    return entry


def encoder(request: Input) -> Callable[[str | None], str | None]:
    """How keys are written: with encoding-type=url they can hold characters that XML cannot."""
    if request.get("EncodingType") == "url":
        return lambda text: None if text is None else quote(text, safe="/")
    return lambda text: text
