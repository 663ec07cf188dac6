"""Multipart uploads: CreateMultipartUpload, UploadPart, UploadPartCopy, CompleteMultipartUpload, AbortMultipartUpload.

Parts lie on the disk until they become one object or a week has passed without a new one.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import hashlib
import itertools
from collections.abc import Sequence

from restframe import errors
from restframe.aws import checksums
from restframe.aws.errors import AwsError
from restframe.aws.operation import Call, Input, Output
from restframe.aws.s3 import conditions, copy_source, crcs, descriptions
from restframe.aws.s3.copying import Hashed
from restframe.aws.s3.objects import check_early, sized_body, source
from restframe.aws.s3.objects import checksums_of as checksums_of_body
from restframe.aws.s3.requests import invalid_argument, not_implemented, object_url, operation, quoted, seconds, storage
from restframe.storage import ObjectInfo, ObjectUrl
from restframe.storage.uploads import Upload, UploadedPart, Uploads
from restframe.storage.urls import shown

_MIN_PART_BYTES = 5 << 20
_MAX_PARTS = 10_000
_ALGORITHM, _TYPE = "algorithm", "type"  # options of an upload


@operation("CreateMultipartUpload")
def create_multipart_upload(request: Input, call: Call) -> Output:
    """Begin an upload; what is to be kept with the object is said here.

    ChecksumType is FULL_OBJECT for CRC64NVME and COMPOSITE for others unless said.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
    """
    url = object_url(request)
    options = _checksum_options(request)
    upload = uploads(url, call).begin(url, descriptions.about(request), options)
    return {"Bucket": url.bucket, "Key": url.key, "UploadId": upload.id, **checksum_members(upload)}


def uploads(url: ObjectUrl, call: Call) -> Uploads:
    if not storage(call).is_own(url.bucket):
        raise not_implemented(f"multipart uploads to bucket {url.bucket}, which belongs to another S3 service")
    return storage(call).own.uploads


def checksum_members(upload: Upload) -> dict[str, str]:
    if _ALGORITHM not in upload.options:
        return {}
    return {"ChecksumAlgorithm": upload.options[_ALGORITHM].upper(), "ChecksumType": upload.options[_TYPE]}


def _checksum_options(request: Input) -> dict[str, str]:
    algorithm, kind = request.get("ChecksumAlgorithm"), request.get("ChecksumType")
    if algorithm is None:
        if kind is not None:
            message = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            raise AwsError("InvalidRequest", message, 400)
        return {}
    name = algorithm.lower()
    kind = kind or ("FULL_OBJECT" if name == "crc64nvme" else "COMPOSITE")
    if (kind == "FULL_OBJECT" and name not in crcs.ALGORITHMS) or (kind == "COMPOSITE" and name == "crc64nvme"):
        message = f"The {kind} checksum type cannot be used with the {name} checksum algorithm."
        raise AwsError("InvalidRequest", message, 400)
    return {_ALGORITHM: name, _TYPE: kind}


@operation("UploadPart", waits=True)
def upload_part(request: Input, call: Call) -> Output:
    """Store a part, on the disk on return; one that has its number is replaced.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
    """
    upload, number = _upload_and_number(request, call)
    body = sized_body(request)
    algorithm = upload.options.get(_ALGORITHM)

    def checksum(_: str) -> str:
        given = checksums_of_body(body)
        if algorithm is not None and algorithm not in given:
            actual = next(iter(given), "null")
            message = (
                f"Checksum Type mismatch occurred, expected checksum Type: {algorithm}, actual checksum Type: {actual}"
            )
            raise AwsError("InvalidRequest", message, 400)
        return given[algorithm] if algorithm else ""

    part = uploads(upload.url, call).put(upload, number, source(body), checksum)
    members = {descriptions.checksum_member(name): value for name, value in checksums_of_body(body).items()}
    return {"ETag": quoted(part.etag), **members}


@operation("UploadPartCopy", waits=True)
def upload_part_copy(request: Input, call: Call) -> Output:
    """Store an object, or a range of it, as a part.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
    """
    upload, number = _upload_and_number(request, call)
    algorithms = (upload.options[_ALGORITHM],) if _ALGORITHM in upload.options else ()
    with copy_source.opened(request, call) as found:
        hashed = Hashed(found.stream, algorithms)
        part = uploads(upload.url, call).put(
            upload, number, hashed, lambda _: next(iter(hashed.checksums().values()), "")
        )
    result = {"ETag": quoted(part.etag), "LastModified": seconds(part.modified)}
    return {"CopyPartResult": result | part_checksum(upload, part)}


def part_checksum(upload: Upload, part: UploadedPart) -> dict[str, str]:
    return {descriptions.checksum_member(upload.options[_ALGORITHM]): part.checksum} if part.checksum else {}


def _upload_and_number(request: Input, call: Call) -> tuple[Upload, int]:
    number = request["PartNumber"]
    if not 1 <= number <= _MAX_PARTS:
        message = f"Part number must be an integer between 1 and {_MAX_PARTS}, inclusive"
        raise invalid_argument(message, "partNumber", number)
    url = object_url(request)
    return uploads(url, call).find(url, request["UploadId"]), number


@operation("CompleteMultipartUpload", waits=True)
def complete_multipart_upload(request: Input, call: Call) -> Output:
    """Make the parts that are named one object: all of it appears at once. A repeated request has the same answer.

    The ETag is the MD5 of the parts' MD5s with their number. InvalidPart, InvalidPartOrder, EntityTooSmall for a part
    under 5 MB that is not the last, BadDigest, PreconditionFailed; the upload goes on then.
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
    """
    url = object_url(request)
    try:
        upload = uploads(url, call).find(url, request["UploadId"])
        info = _complete(request, upload, call)
    except errors.NoSuchUpload:
        done = _completed(request, call)
        if done is None:
            raise
        info = done
    http = call.http
    return {
        "Location": f"{http.scheme}://{http.host}{http.path}",
        "Bucket": url.bucket,
        "Key": url.key,
        "ETag": quoted(info.etag),
        **descriptions.checksums(info.about),
    }


def _completed(request: Input, call: Call) -> ObjectInfo | None:
    """The object, when it was made by this upload: the answer to an earlier request was lost."""
    with contextlib.suppress(errors.NoSuchKey):
        info = storage(call).head(object_url(request))
        if info.about.upload == request["UploadId"]:
            return info
    return None


def _complete(request: Input, upload: Upload, call: Call) -> ObjectInfo:
    listed = request.get("MultipartUpload", {}).get("Parts", [])
    if not listed:
        message = "The XML you provided was not well-formed or did not validate against our published schema"
        raise AwsError("MalformedXML", message, 400)
    condition = conditions.for_change(request)
    check_early(upload.url, condition, call)
    kept = uploads(upload.url, call)
    parts = _chosen(listed, upload, {part.number: part for part in kept.parts(upload)})
    size_bytes = sum(part.size_bytes for part in parts)
    if request.get("MpuObjectSize", size_bytes) != size_bytes:
        message = f"The provided 'x-amz-mp-object-size' header does not match what was computed: {size_bytes}"
        raise AwsError("InvalidRequest", message, 400)
    known = dataclasses.replace(upload.about, checksums=_checksums(request, upload, parts))
    md5s = b"".join(bytes.fromhex(part.etag) for part in parts)
    etag = f"{hashlib.md5(md5s, usedforsecurity=False).hexdigest()}-{len(parts)}"
    return kept.complete(upload, parts, known, etag, condition)


def _chosen(listed: Sequence[Input], upload: Upload, kept: dict[int, UploadedPart]) -> list[UploadedPart]:
    numbers = [one.get("PartNumber", 0) for one in listed]
    if any(first >= second for first, second in itertools.pairwise(numbers)):
        message = (
            "The list of parts was not in ascending order. The parts list must be specified in order by part number."
        )
        raise AwsError("InvalidPartOrder", message, 400, UploadId=upload.id)
    parts = [_match(one, upload, kept) for one in listed]
    for part in parts[:-1]:
        if part.size_bytes < _MIN_PART_BYTES:
            members = {
                "ProposedSize": part.size_bytes,
                "MinSizeAllowed": _MIN_PART_BYTES,
                "PartNumber": part.number,
                "ETag": part.etag,
            }
            message = "Your proposed upload is smaller than the minimum allowed size"
            raise AwsError("EntityTooSmall", message, 400, **members)
    return parts


def _match(one: Input, upload: Upload, kept: dict[int, UploadedPart]) -> UploadedPart:
    """The part that a client means; what it says about it must be so."""
    part = kept.get(one.get("PartNumber", 0))
    said = one.get("ETag", "").strip('"')
    checksum = one.get(descriptions.checksum_member(upload.options.get(_ALGORITHM, "")))
    if part is None or said != part.etag or checksum not in (None, part.checksum):
        message = (
            "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
            "specified entity tag may not match the part's entity tag."
        )
        members = {"UploadId": upload.id, "PartNumber": one.get("PartNumber"), "ETag": shown(said)}
        raise AwsError("InvalidPart", message, 400, **members)
    return part


def _checksums(request: Input, upload: Upload, parts: Sequence[UploadedPart]) -> dict[str, str]:
    """Of the object, compared with what the client says it must be."""
    algorithm = upload.options.get(_ALGORITHM)
    if algorithm is None:
        return {}
    if upload.options[_TYPE] == "FULL_OBJECT":
        value = crcs.combined(algorithm, [(part.checksum, part.size_bytes) for part in parts])
    else:
        hasher = checksums.new(algorithm)
        hasher.update(b"".join(base64.b64decode(part.checksum) for part in parts))
        value = f"{checksums.encoded(hasher)}-{len(parts)}"
    said = request.get(descriptions.checksum_member(algorithm))
    if said is not None and said.partition("-")[0] != value.partition("-")[0]:
        raise checksums.mismatch(algorithm)
    return {algorithm: value}


@operation("AbortMultipartUpload")
def abort_multipart_upload(request: Input, call: Call) -> None:
    """End an upload and give back the space of its parts.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
    """
    url = object_url(request)
    kept = uploads(url, call)
    kept.abort(kept.find(url, request["UploadId"]))
