"""Multipart uploads, through boto3 and across kill -9 and restarts."""

from __future__ import annotations

import base64
import hashlib
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from awscrt import checksums
from botocore.exceptions import ClientError

from restframe.aws.s3.multipart import _MIN_PART_BYTES
from restframe.storage import ObjectUrl

MIN = 5 << 20
A, B, C = b"a" * MIN, b"b" * (MIN + 1), b"c" * 10
WHERE = {"Bucket": "rides", "Key": "2014/big ä.csv"}


def refused(call: Any, **arguments: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    return dict(error.value.response["Error"])


def begin(s3: Any, **options: Any) -> dict[str, Any]:
    return {**WHERE, "UploadId": s3.create_multipart_upload(**WHERE, **options)["UploadId"]}


def put(s3: Any, upload: dict[str, Any], *bodies: bytes, **options: Any) -> list[dict[str, Any]]:
    """The parts from number 1 on, as a client names them to complete the upload."""
    parts = []
    for number, body in enumerate(bodies, 1):
        answer = s3.upload_part(**upload, PartNumber=number, Body=body, **options)
        kept = {name: answer[name] for name in answer if name.startswith("Checksum") or name == "ETag"}
        parts.append({"PartNumber": number, **kept})
    return parts


def complete(s3: Any, upload: dict[str, Any], parts: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    answer = s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **options)
    del answer["ResponseMetadata"]
    return dict(answer)


def etag_of(*bodies: bytes) -> str:
    md5s = b"".join(hashlib.md5(body).digest() for body in bodies)
    return f'"{hashlib.md5(md5s).hexdigest()}-{len(bodies)}"'


def test_parts_become_one_object(s3: Any, shared_aws: Any) -> None:
    upload = begin(s3, ContentType="text/csv", Metadata={"a": "b"}, Tagging="t=1", StorageClass="STANDARD_IA")
    parts = put(s3, upload, A, B, C)
    assert "Contents" not in s3.list_objects_v2(Bucket="rides")
    answer = complete(s3, upload, parts)
    assert answer == {
        "Location": f"{shared_aws.url}/rides/2014/big%20%C3%A4.csv",
        "Bucket": "rides",
        "Key": "2014/big ä.csv",
        "ETag": etag_of(A, B, C),
        **{name: answer[name] for name in answer if name.startswith("Checksum")},
    }
    found = s3.get_object(**WHERE)
    assert found["Body"].read() == A + B + C
    assert (found["ContentType"], found["Metadata"], found["TagCount"]) == ("text/csv", {"a": "b"}, 1)
    assert (found["ETag"], found["StorageClass"]) == (etag_of(A, B, C), "STANDARD_IA")
    second = s3.get_object(**WHERE, PartNumber=2)
    assert second["Body"].read() == B
    assert (second["ContentRange"], second["PartsCount"]) == (f"bytes {MIN}-{2 * MIN}/{2 * MIN + 11}", 3)
    parts = s3.get_object_attributes(**WHERE, ObjectAttributes=["ObjectParts"])["ObjectParts"]
    assert parts["TotalPartsCount"] == 3
    assert (
        shared_aws.warehouse.storage.head(ObjectUrl(**{k.lower(): v for k, v in WHERE.items()})).size_bytes
        == 2 * MIN + 11
    )


def crc32(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "big")


def crc64(data: bytes) -> bytes:
    return checksums.crc64nvme(data).to_bytes(8, "big")


@pytest.mark.parametrize(
    ("algorithm", "kind", "function"),
    [
        ("CRC32", "COMPOSITE", crc32),
        ("CRC32", "FULL_OBJECT", crc32),
        ("CRC64NVME", "FULL_OBJECT", crc64),
        ("SHA256", "COMPOSITE", lambda data: hashlib.sha256(data).digest()),
    ],
)
def test_checksums_of_parts_and_of_the_whole(s3: Any, algorithm: str, kind: str, function: Any) -> None:
    member = f"Checksum{algorithm}"
    upload = begin(s3, ChecksumAlgorithm=algorithm, ChecksumType=kind)
    parts = put(s3, upload, A, C, ChecksumAlgorithm=algorithm)
    assert parts[1][member] == base64.b64encode(function(C)).decode()
    if kind == "FULL_OBJECT":
        expected = base64.b64encode(function(A + C)).decode()
    else:
        expected = base64.b64encode(function(function(A) + function(C))).decode() + "-2"
    wrong = {member: parts[1][member]}
    assert (
        refused(s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": parts}, **wrong)["Code"]
        == "BadDigest"
    )
    answer = complete(s3, upload, parts, **{member: expected})
    assert (answer[member], answer["ChecksumType"]) == (expected, kind)
    assert s3.get_object(**WHERE, ChecksumMode="ENABLED")["Body"].read() == A + C
    attributes = s3.get_object_attributes(**WHERE, ObjectAttributes=["Checksum", "ObjectParts"], MaxParts=1)
    assert attributes["Checksum"] == {member: expected, "ChecksumType": kind}
    listed = attributes["ObjectParts"]
    assert (listed["IsTruncated"], listed["NextPartNumberMarker"]) == (True, 1)
    assert listed["Parts"] == [{"PartNumber": 1, "Size": MIN, member: parts[0][member]}]


def test_kinds_of_checksums_that_do_not_go_together(s3: Any) -> None:
    for algorithm, kind in (("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE")):
        error = refused(s3.create_multipart_upload, **WHERE, ChecksumAlgorithm=algorithm, ChecksumType=kind)
        assert error["Code"] == "InvalidRequest"
    upload = begin(s3, ChecksumAlgorithm="SHA256")
    error = refused(s3.upload_part, **upload, PartNumber=1, Body=b"x", ChecksumAlgorithm="CRC32")
    assert "expected checksum Type: sha256, actual checksum Type: crc32" in error["Message"]


def test_parts_may_come_in_any_order_and_again(s3: Any) -> None:
    upload = begin(s3)
    last = s3.upload_part(**upload, PartNumber=10_000, Body=C)["ETag"]
    s3.upload_part(**upload, PartNumber=3, Body=b"old")
    with ThreadPoolExecutor(2) as pool:
        first = list(pool.map(lambda n: s3.upload_part(**upload, PartNumber=n, Body=A)["ETag"], (1, 3)))
    parts = [(1, first[0]), (3, first[1]), (10_000, last)]
    complete(s3, upload, [{"PartNumber": number, "ETag": etag} for number, etag in parts])
    assert s3.get_object(**WHERE)["Body"].read() == A + A + C


def test_lists_of_parts_that_are_refused(s3: Any) -> None:
    upload = begin(s3)
    one, two, three = put(s3, upload, A, C, C)

    def code(*parts: dict[str, Any]) -> str:
        call = s3.complete_multipart_upload
        return str(refused(call, **upload, MultipartUpload={"Parts": list(parts)})["Code"])

    assert code(two, one) == "InvalidPartOrder"
    assert code(one, one) == "InvalidPartOrder"
    assert code({"PartNumber": 4, "ETag": one["ETag"]}) == "InvalidPart"
    assert code({**one, "ETag": two["ETag"]}) == "InvalidPart"
    assert code(one, two, three) == "EntityTooSmall"
    assert code({"PartNumber": 1}) == "InvalidPart"
    empty = refused(s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": []})
    assert empty["Code"] in ("MalformedXML", "InvalidRequest")
    small = refused(s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": [two, three]})
    assert (small["Code"], small["ProposedSize"], small["MinSizeAllowed"]) == ("EntityTooSmall", "10", str(MIN))
    size = refused(s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": [one]}, MpuObjectSize=1)
    assert size["Code"] == "InvalidRequest"
    # the upload goes on after all of this
    complete(s3, upload, [one, two])
    assert s3.head_object(**WHERE)["ContentLength"] == MIN + 10


def test_numbers_that_are_none(s3: Any) -> None:
    upload = begin(s3)
    for number in (0, 10_001, -1):
        error = refused(s3.upload_part, **upload, PartNumber=number, Body=b"x")
        assert (error["Code"], error["ArgumentName"]) == ("InvalidArgument", "partNumber")


def test_an_upload_is_over_after_it_is_complete_or_aborted(s3: Any, shared_aws: Any) -> None:
    upload = begin(s3)
    parts = put(s3, upload, C)
    first = complete(s3, upload, parts)
    # the answer to a completion may be lost
    assert complete(s3, upload, parts) == first
    assert refused(s3.upload_part, **upload, PartNumber=1, Body=b"x")["Code"] == "NoSuchUpload"
    assert refused(s3.abort_multipart_upload, **upload)["Code"] == "NoSuchUpload"
    s3.put_object(**WHERE, Body=b"new")
    assert refused(s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": parts})["Code"] == "NoSuchUpload"
    assert s3.get_object(**WHERE)["Body"].read() == b"new"
    aborted = begin(s3)
    parts = put(s3, aborted, A)
    s3.abort_multipart_upload(**aborted)
    for call, arguments in (
        (s3.complete_multipart_upload, {"MultipartUpload": {"Parts": parts}}),
        (s3.upload_part, {"PartNumber": 1, "Body": b"x"}),
        (s3.list_parts, {}),
        (s3.abort_multipart_upload, {}),
    ):
        assert refused(call, **aborted, **arguments)["Code"] == "NoSuchUpload"
    left = (shared_aws.warehouse.settings.buckets / ".restframe" / "uploads").rglob("*-*")
    assert list(left) == []


def test_an_upload_belongs_to_its_key(s3: Any) -> None:
    upload = begin(s3)
    for other in ({"Key": "other"}, {"UploadId": "../../x"}, {"UploadId": "0" * 40}):
        error = refused(s3.upload_part, **{**upload, **other}, PartNumber=1, Body=b"x")
        assert error["Code"] == "NoSuchUpload"


def test_conditions_on_completing(s3: Any) -> None:
    s3.put_object(**WHERE, Body=b"old")
    upload = begin(s3)
    parts = {"MultipartUpload": {"Parts": put(s3, upload, C)}}
    assert refused(s3.complete_multipart_upload, **upload, **parts, IfNoneMatch="*")["Code"] == "PreconditionFailed"
    assert refused(s3.complete_multipart_upload, **upload, **parts, IfMatch='"x"')["Code"] == "PreconditionFailed"
    assert s3.get_object(**WHERE)["Body"].read() == b"old"
    complete(s3, upload, parts["MultipartUpload"]["Parts"], IfMatch=s3.head_object(**WHERE)["ETag"])
    assert s3.get_object(**WHERE)["Body"].read() == C


def test_of_many_who_complete_at_once_all_have_one_answer(s3: Any) -> None:
    upload = begin(s3)
    parts = put(s3, upload, A, C)
    together = threading.Barrier(4)

    def finish(_: int) -> str:
        together.wait()
        return str(complete(s3, upload, parts)["ETag"])

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(finish, range(4))) == {etag_of(A, C)}
    assert s3.get_object(**WHERE)["Body"].read() == A + C


def test_parts_copied_from_objects(s3: Any) -> None:
    s3.put_object(Bucket="rides", Key="source", Body=A + C)
    source = {"Bucket": "rides", "Key": "source"}
    upload = begin(s3, ChecksumAlgorithm="CRC32")
    whole = s3.upload_part_copy(**upload, PartNumber=1, CopySource=source)["CopyPartResult"]
    end = s3.upload_part_copy(**upload, PartNumber=2, CopySource=source, CopySourceRange=f"bytes={MIN}-{MIN + 9}")[
        "CopyPartResult"
    ]
    assert (end["ETag"], end["ChecksumCRC32"]) == (
        f'"{hashlib.md5(C).hexdigest()}"',
        base64.b64encode(crc32(C)).decode(),
    )
    parts = [
        {"PartNumber": number, "ETag": one["ETag"], "ChecksumCRC32": one["ChecksumCRC32"]}
        for number, one in ((1, whole), (2, end))
    ]
    complete(s3, upload, parts)
    assert s3.get_object(**WHERE)["Body"].read() == A + C + C


def test_ranges_of_sources_that_are_refused(s3: Any) -> None:
    s3.put_object(Bucket="rides", Key="source", Body=b"hello")
    upload = begin(s3)
    source = {"Bucket": "rides", "Key": "source"}
    for text in ("bytes=0-10485760", "bytes=5-3", "bytes=-5", "bytes=0-", "0-5", "bytes=0-1,3-4"):
        error = refused(s3.upload_part_copy, **upload, PartNumber=1, CopySource=source, CopySourceRange=text)
        assert (error["Code"], error["ArgumentName"]) == ("InvalidArgument", "x-amz-copy-source-range")


def test_conditions_on_the_source_of_a_part(s3: Any) -> None:
    s3.put_object(Bucket="rides", Key="source", Body=b"hello")
    upload = begin(s3)
    copy = {**upload, "PartNumber": 1, "CopySource": {"Bucket": "rides", "Key": "source"}}
    assert refused(s3.upload_part_copy, **copy, CopySourceIfMatch='"x"')["Code"] == "PreconditionFailed"
    future = datetime(2100, 1, 1, tzinfo=UTC)
    assert refused(s3.upload_part_copy, **copy, CopySourceIfModifiedSince=future)["Code"] == "PreconditionFailed"
    assert refused(s3.upload_part_copy, **{**copy, "CopySource": "rides/none"})["Code"] == "NoSuchKey"


def test_the_smallest_part_is_of_five_megabytes() -> None:
    assert _MIN_PART_BYTES == MIN
