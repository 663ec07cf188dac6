"""Objects in one piece, through boto3 and beside it."""

from __future__ import annotations

import base64
import hashlib
import http.client
import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from restframe.settings import Settings
from restframe.storage import ObjectUrl, Storage


def refused(call: Any, **arguments: Any) -> dict[str, Any]:
    """The error, with its HTTP status, that a call is answered with."""
    with pytest.raises(ClientError) as error:
        call(**arguments)
    response = error.value.response
    return {**response["Error"], "Status": response["ResponseMetadata"]["HTTPStatusCode"]}


def code(call: Any, **arguments: Any) -> tuple[int, str]:
    error = refused(call, **arguments)
    return error["Status"], error["Code"]


def test_put_get_head_delete(s3: Any, shared_aws: Any) -> None:
    put = s3.put_object(
        Bucket="rides",
        Key="2014/trip data ä+1.csv",
        Body=b"hello",
        ContentType="text/csv",
        CacheControl="no-cache",
        ContentDisposition='attachment; filename="a"',
        ContentEncoding="gzip",
        ContentLanguage="de",
        Expires=datetime(2030, 1, 2, tzinfo=UTC),
        Metadata={"Source": "nab", "empty": ""},
        StorageClass="STANDARD_IA",
        Tagging="team=taxi&year=2014",
    )
    assert put["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
    got = s3.get_object(Bucket="rides", Key="2014/trip data ä+1.csv")
    assert got["Body"].read() == b"hello"
    head = s3.head_object(Bucket="rides", Key="2014/trip data ä+1.csv")
    for found in (got, head):
        assert {name: found[name] for name in found if name not in ("Body", "ResponseMetadata", "LastModified")} == {
            "AcceptRanges": "bytes",
            "ContentLength": 5,
            "ETag": '"5d41402abc4b2a76b9719d911017c592"',
            "ContentType": "text/csv",
            "CacheControl": "no-cache",
            "ContentDisposition": 'attachment; filename="a"',
            "ContentEncoding": "gzip",
            "ContentLanguage": "de",
            "Expires": datetime(2030, 1, 2, tzinfo=UTC),
            "ExpiresString": "Wed, 02 Jan 2030 00:00:00 GMT",
            "Metadata": {"source": "nab", "empty": ""},
            "StorageClass": "STANDARD_IA",
            "TagCount": 2,
            **({"ChecksumCRC32": "NhCmhg==", "ChecksumType": "FULL_OBJECT"} if "ChecksumCRC32" in found else {}),
        }
        assert abs((datetime.now(UTC) - found["LastModified"]).total_seconds()) < 60
    # what SQL and a shell see is the same object
    assert shared_aws.warehouse.storage.read(ObjectUrl("rides", "2014/trip data ä+1.csv")) == b"hello"
    s3.delete_object(Bucket="rides", Key="2014/trip data ä+1.csv")
    s3.delete_object(Bucket="rides", Key="2014/trip data ä+1.csv")
    error = refused(s3.get_object, Bucket="rides", Key="2014/trip data ä+1.csv")
    assert error == {
        "Code": "NoSuchKey",
        "Message": "The specified key does not exist.",
        "Key": "2014/trip data ä+1.csv",
        "Status": 404,
        **{name: error[name] for name in ("Resource", "RequestId", "HostId") if name in error},
    }
    assert code(s3.head_object, Bucket="rides", Key="none") == (404, "404")


@pytest.mark.parametrize(
    ("algorithm", "value"),
    [
        ("CRC32", "NhCmhg=="),
        ("CRC32C", "mnG7TA=="),
        ("CRC64NVME", "M3eFcAZSQlc="),
        ("SHA1", "qvTGHdzF6KLavt4PO0gs2a6pQ00="),
        ("SHA256", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="),
    ],
)
def test_checksums_are_kept_and_answered(s3: Any, algorithm: str, value: str) -> None:
    member = f"Checksum{algorithm}"
    for body in (b"hello", io.BytesIO(b"hello")):
        put = s3.put_object(Bucket="rides", Key="k", Body=body, ChecksumAlgorithm=algorithm)
        assert (put[member], put["ChecksumType"]) == (value, "FULL_OBJECT")
    head = s3.head_object(Bucket="rides", Key="k", ChecksumMode="ENABLED")
    assert (head[member], head["ChecksumType"]) == (value, "FULL_OBJECT")
    assert s3.get_object(Bucket="rides", Key="k", ChecksumMode="ENABLED")["Body"].read() == b"hello"
    part = s3.get_object(Bucket="rides", Key="k", ChecksumMode="ENABLED", Range="bytes=1-2")
    assert (part["Body"].read(), part.get(member)) == (b"el", None)
    attributes = s3.get_object_attributes(
        Bucket="rides", Key="k", ObjectAttributes=["ETag", "Checksum", "ObjectSize", "StorageClass", "ObjectParts"]
    )
    del attributes["ResponseMetadata"], attributes["LastModified"]
    assert attributes == {
        "ETag": "5d41402abc4b2a76b9719d911017c592",
        "Checksum": {member: value, "ChecksumType": "FULL_OBJECT"},
        "ObjectSize": 5,
        "StorageClass": "STANDARD",
    }


def test_what_is_wrong_with_a_body_leaves_the_old_object(s3: Any, shared_aws: Any) -> None:
    s3.put_object(Bucket="rides", Key="k", Body=b"old")
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    assert code(s3.put_object, Bucket="rides", Key="k", Body=b"new", ChecksumSHA256=wrong) == (400, "BadDigest")
    md5 = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert code(s3.put_object, Bucket="rides", Key="k", Body=b"new", ContentMD5=md5) == (400, "BadDigest")
    headers = shared_aws.signed("s3", "PUT", "/rides/k", b"x" * 3_000_000)
    status, _, answer = shared_aws.send("PUT", "/rides/k", headers, b"x" * 2_999_999 + b"y")
    assert (status, b"<Code>XAmzContentSHA256Mismatch</Code>" in answer) == (400, True)
    assert s3.get_object(Bucket="rides", Key="k")["Body"].read() == b"old"
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="rides")["Contents"]] == ["k"]


def test_a_put_whose_client_leaves_stores_nothing(s3: Any, shared_aws: Any) -> None:
    headers = shared_aws.signed("s3", "PUT", "/rides/k", b"x" * 1_000_000)
    connection = http.client.HTTPConnection("127.0.0.1", shared_aws.port)
    connection.putrequest("PUT", "/rides/k", skip_host=True)
    for name, value in {**headers, "Content-Length": "1000000"}.items():
        connection.putheader(name, value)
    connection.endheaders(b"x" * 400_000)
    connection.close()
    s3.put_object(Bucket="rides", Key="other", Body=b"")
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="rides")["Contents"]] == ["other"]


def test_a_body_without_a_length_is_refused(s3: Any, shared_aws: Any) -> None:
    headers = shared_aws.signed("s3", "PUT", "/rides/k", b"hello")
    status, _, answer = shared_aws.send(
        "PUT", "/rides/k", {**headers, "Transfer-Encoding": "chunked"}, b"5\r\nhello\r\n0\r\n\r\n"
    )
    assert (status, b"<Code>MissingContentLength</Code>" in answer) == (411, True)


def test_a_body_of_more_than_five_gigabytes_is_refused_before_it_comes(s3: Any, shared_aws: Any) -> None:
    headers = shared_aws.signed("s3", "PUT", "/rides/k", b"", {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"})
    headers |= {"Content-Length": str(6 << 30), "Expect": "100-continue"}
    status, _, answer = shared_aws.send("PUT", "/rides/k", headers)
    assert (status, b"<Code>EntityTooLarge</Code>" in answer) == (400, True)


def test_readers_see_the_old_object_or_the_new_one(s3: Any) -> None:
    bodies = [bytes([letter]) * 3_000_000 for letter in b"abc"]
    s3.put_object(Bucket="rides", Key="k", Body=bodies[0])
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for body in bodies:
                s3.put_object(Bucket="rides", Key="k", Body=body)

    def read(_: int) -> bool:
        found = s3.get_object(Bucket="rides", Key="k")
        data = found["Body"].read()
        return data in bodies and found["ETag"] == f'"{hashlib.md5(data).hexdigest()}"'

    writer = threading.Thread(target=write)
    writer.start()
    with ThreadPoolExecutor(3) as pool:
        assert all(pool.map(read, range(30)))
    stop.set()
    writer.join()


def test_an_object_that_is_replaced_or_deleted_is_read_to_its_end(s3: Any) -> None:
    data = bytes(range(256)) * 40_000
    s3.put_object(Bucket="rides", Key="k", Body=data)
    first = s3.get_object(Bucket="rides", Key="k")["Body"]
    second = s3.get_object(Bucket="rides", Key="k")["Body"]
    assert first.read(10) == data[:10]
    s3.put_object(Bucket="rides", Key="k", Body=b"new")
    s3.delete_object(Bucket="rides", Key="k")
    assert (first.read(), second.read()) == (data[10:], data)


def test_upload_and_download_of_files(s3: Any, tmp_path: Path) -> None:
    data = hashlib.shake_128(b"seed").digest(20_000_000)
    (tmp_path / "up").write_bytes(data)
    s3.upload_file(str(tmp_path / "up"), "rides", "big", ExtraArgs={"Metadata": {"a": "b"}, "ContentType": "text/csv"})
    head = s3.head_object(Bucket="rides", Key="big")
    md5s = b"".join(hashlib.md5(data[at : at + (8 << 20)]).digest() for at in range(0, len(data), 8 << 20))
    assert head["ETag"] == f'"{hashlib.md5(md5s).hexdigest()}-3"'
    assert (head["ContentLength"], head["Metadata"], head["ContentType"]) == (20_000_000, {"a": "b"}, "text/csv")
    s3.download_file("rides", "big", str(tmp_path / "down"))
    assert (tmp_path / "down").read_bytes() == data
    s3.upload_fileobj(io.BytesIO(data), "rides", "stream")
    target = io.BytesIO()
    s3.download_fileobj("rides", "stream", target)
    assert target.getvalue() == data
    s3.copy({"Bucket": "rides", "Key": "big"}, "rides", "copied")
    assert s3.get_object(Bucket="rides", Key="copied")["Body"].read() == data


def test_keys_of_any_characters(shared_aws: Any, s3: Any) -> None:
    keys = [
        *("a//b", "/a", "a/", "../../etc/passwd", "a/../b", ".", "..", "%2e%2e/x", "a b+c%20d&e=f?g#h"),
        *("\x00", "\x01\x1f", "ä/日本/🚕", "line\nbreak", "\u2028", "k" * 300, ".restframe/about/x", "'\"<>&\\"),
    ]
    for key in keys:
        s3.put_object(Bucket="rides", Key=key, Body=key.encode())
    for key in keys:
        assert s3.get_object(Bucket="rides", Key=key)["Body"].read() == key.encode()
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="rides")["Contents"]] == sorted(keys)
    assert [one["Key"] for one in s3.list_objects(Bucket="rides")["Contents"]] == sorted(keys)
    directory = shared_aws.warehouse.settings.directory
    assert [path.name for path in directory.parent.iterdir()] == ["warehouse"]
    # a character that XML cannot hold cannot be named in the body of DeleteObjects
    in_xml = [key for key in keys if key.isprintable() or key in ("line\nbreak", "\u2028")]
    assert "Errors" not in s3.delete_objects(Bucket="rides", Delete={"Objects": [{"Key": key} for key in in_xml]})
    for key in set(keys) - set(in_xml):
        s3.delete_object(Bucket="rides", Key=key)
    assert "Contents" not in s3.list_objects_v2(Bucket="rides")


def test_keys_that_are_too_long(s3: Any, shared_aws: Any) -> None:
    s3.put_object(Bucket="rides", Key="ä" * 512, Body=b"x")
    error = refused(s3.put_object, Bucket="rides", Key="ä" * 512 + "x", Body=b"x")
    assert (error["Status"], error["Code"], error["Size"]) == (400, "KeyTooLongError", "1025")
    assert code(s3.get_object, Bucket="rides", Key="x" * 4096) == (400, "KeyTooLongError")
    headers = shared_aws.signed("s3", "GET", "/rides/%ff%fe")
    status, _, answer = shared_aws.send("GET", "/rides/%ff%fe", headers)
    assert (status, b"<Code>InvalidURI</Code>" in answer) == (400, True)


def test_keys_that_begin_like_others(s3: Any) -> None:
    for key in ("a", "a/b", "a/b/c", "x/y", "x"):
        s3.put_object(Bucket="rides", Key=key, Body=key.encode())
    for key in ("a", "a/b", "a/b/c", "x/y", "x"):
        assert s3.get_object(Bucket="rides", Key=key)["Body"].read() == key.encode()
    s3.delete_object(Bucket="rides", Key="a")
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="rides")["Contents"]] == ["a/b", "a/b/c", "x", "x/y"]


def test_metadata_of_more_than_two_kilobytes(s3: Any) -> None:
    s3.put_object(Bucket="rides", Key="k", Body=b"", Metadata={"ab": "x" * 2046})
    error = refused(s3.put_object, Bucket="rides", Key="k", Body=b"", Metadata={"ab": "x" * 2047})
    assert (error["Status"], error["Code"], error["Size"]) == (400, "MetadataTooLarge", "2049")


@pytest.mark.parametrize("version", [None, "s3v4"])
def test_presigned_urls(s3: Any, shared_aws: Any, version: str | None) -> None:
    """Without being told otherwise boto3 signs them in the old way in us-east-1."""
    s3 = shared_aws.client("s3", **({"signature_version": version} if version else {}))

    def send(method: str, url: str, body: bytes | None = None) -> tuple[int, bytes]:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc)
        connection.request(method, f"{parts.path}?{parts.query}", body)
        with connection.getresponse() as response:
            answer = response.read()
        connection.close()
        return response.status, answer

    where = {"Bucket": "rides", "Key": "a b/ä.csv"}
    assert send("PUT", s3.generate_presigned_url("put_object", where), b"hello") == (200, b"")
    assert send("GET", s3.generate_presigned_url("get_object", where)) == (200, b"hello")
    named = s3.generate_presigned_url("get_object", {**where, "ResponseContentType": "text/x"})
    assert send("GET", named) == (200, b"hello")
    assert send("GET", named.replace("text%2Fx", "text%2Fy"))[0] == 403
    assert send("GET", s3.generate_presigned_url("put_object", where))[0] == 403


def test_response_overrides(s3: Any) -> None:
    s3.put_object(Bucket="rides", Key="k", Body=b"hello", ContentType="text/csv")
    got = s3.get_object(
        Bucket="rides",
        Key="k",
        ResponseContentType="text/plain",
        ResponseContentDisposition="inline",
        ResponseCacheControl="private",
        ResponseContentEncoding="identity",
        ResponseContentLanguage="en",
        ResponseExpires=datetime(2031, 1, 1, tzinfo=UTC),
    )
    assert (got["ContentType"], got["ContentDisposition"], got["CacheControl"]) == ("text/plain", "inline", "private")
    assert (got["ContentEncoding"], got["ContentLanguage"]) == ("identity", "en")
    assert got["ExpiresString"] == "Wed, 01 Jan 2031 00:00:00 GMT"


def test_buckets_in_the_name_of_the_host(s3: Any, shared_aws: Any) -> None:
    headers = shared_aws.signed("s3", "PUT", "/k", b"hello", {"Host": f"rides.localhost:{shared_aws.port}"})
    headers["Host"] = f"rides.localhost:{shared_aws.port}"
    status, _, _ = shared_aws.send("PUT", "/k", headers, b"hello")
    assert status == 200
    assert s3.get_object(Bucket="rides", Key="k")["Body"].read() == b"hello"


def test_a_full_disk_leaves_the_old_object(
    s3: Any, shared_aws: Any, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = Storage(Settings(directory=small_disk))
    monkeypatch.setattr(shared_aws.warehouse.storage, "own", small.own)
    s3.put_object(Bucket="rides", Key="k", Body=b"old")
    error = refused(s3.put_object, Bucket="rides", Key="k", Body=b"x" * 2_000_000)
    assert (error["Status"], error["Code"]) == (507, "InsufficientStorage")
    assert "disk is full" in error["Message"]
    assert s3.get_object(Bucket="rides", Key="k")["Body"].read() == b"old"
    s3.put_object(Bucket="rides", Key="k", Body=b"x" * 500_000)


@pytest.fixture
def no_threads_left() -> Iterator[None]:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "restframe-md5"]


def test_hashing_ends_with_a_body_that_breaks_off(s3: Any, shared_aws: Any, no_threads_left: None) -> None:
    headers = shared_aws.signed("s3", "PUT", "/rides/k", b"x" * 9_000_000)
    status, _, _ = shared_aws.send("PUT", "/rides/k", headers, b"y" * 9_000_000)
    assert status == 400
