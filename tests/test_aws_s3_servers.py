"""S3 of servers that are processes of their own: across kill -9, and one in front of the other."""

from __future__ import annotations

import contextlib
import http.client
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.config import Config

PART = 5 << 20


@contextlib.contextmanager
def client_of(server: Any) -> Iterator[Any]:
    environment = server.environment()
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=server.url,
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name="us-east-1",
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )
    yield client
    client.close()


def begin_to_send(url: str, data: bytes, length: int) -> http.client.HTTPConnection:
    """A PUT of which only the beginning is sent."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.putrequest("PUT", f"{parts.path}?{parts.query}")
    connection.putheader("Content-Length", str(length))
    connection.endheaders(data)
    return connection


def left(directory: Path) -> list[str]:
    """Files of uploads and of what was being written."""
    below = directory / "s3" / ".restframe"
    return [p.name for name in ("temporary", "uploads") for p in (below / name).rglob("*") if p.is_file()]


@pytest.mark.slow
def test_killed_while_objects_and_parts_arrive(serve: Callable[..., Any]) -> None:
    server = serve()
    where = {"Bucket": "rides", "Key": "big"}
    with client_of(server) as s3:
        s3.put_object(Bucket="rides", Key="k", Body=b"old", Metadata={"a": "b"})
        upload = {**where, "UploadId": s3.create_multipart_upload(**where)["UploadId"]}
        first = s3.upload_part(**upload, PartNumber=1, Body=b"a" * PART)["ETag"]
        links = [
            s3.generate_presigned_url("put_object", {"Bucket": "rides", "Key": "k"}),
            s3.generate_presigned_url("put_object", {"Bucket": "rides", "Key": "new"}),
            s3.generate_presigned_url("upload_part", {**upload, "PartNumber": 2}),
        ]
    connections = [begin_to_send(link, b"x" * 3_000_000, 4_000_000) for link in links]
    end = time.monotonic() + 60
    while len([name for name in left(server.directory) if "-" in name]) < 4 and time.monotonic() < end:
        time.sleep(0.02)
    server.end(signal.SIGKILL)
    for connection in connections:
        connection.close()
    again = serve()
    assert sorted(name.partition("-")[0] for name in left(server.directory)) == ["00001", "upload.json"]
    with client_of(again) as s3:
        assert [one["Key"] for one in s3.list_objects_v2(Bucket="rides")["Contents"]] == ["k"]
        old = s3.get_object(Bucket="rides", Key="k")
        assert (old["Body"].read(), old["Metadata"]) == (b"old", {"a": "b"})
        assert [(part["PartNumber"], part["ETag"]) for part in s3.list_parts(**upload)["Parts"]] == [(1, first)]
        second = s3.upload_part(**upload, PartNumber=2, Body=b"z")["ETag"]
        parts = [{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": second}]
        s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    again.end(signal.SIGKILL)
    assert left(server.directory) == []
    with client_of(serve()) as s3:
        assert s3.get_object(**where)["Body"].read() == b"a" * PART + b"z"


@pytest.mark.slow
def test_buckets_on_another_s3_service(serve: Callable[..., Any], shared_aws: Any, s3: Any, tmp_path: Path) -> None:
    """The other service is a server of ours, too, but one that is reached over HTTP."""
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "warehouse" / "restframe.toml").write_text(
        f"""
        [[s3_endpoints]]
        buckets = ["rides"]
        endpoint = "{shared_aws.url}"
        allow_http = true
        access_key_id = "{shared_aws.credentials.access_key_id}"
        secret_access_key = "{shared_aws.credentials.secret_access_key}"
        """
    )
    s3.put_object(Bucket="rides", Key="2014/jan", Body=b"january", ContentType="text/csv", Metadata={"a": "b"})
    with client_of(serve()) as near:
        got = near.get_object(Bucket="rides", Key="2014/jan")
        assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (b"january", "text/csv", {"a": "b"})
        part = near.get_object(Bucket="rides", Key="2014/jan", Range="bytes=1-2")
        assert (part["Body"].read(), part["ContentRange"]) == (b"an", "bytes 1-2/7")
        near.put_object(Bucket="rides", Key="feb", Body=b"february" * 100_000, ContentType="text/x")
        assert s3.get_object(Bucket="rides", Key="feb")["Body"].read() == b"february" * 100_000
        page = near.list_objects_v2(Bucket="rides", Delimiter="/")
        assert [one["Key"] for one in page["Contents"]] == ["feb"]
        assert page["CommonPrefixes"] == [{"Prefix": "2014/"}]
        near.copy_object(Bucket="own", Key="copy", CopySource={"Bucket": "rides", "Key": "feb"})
        near.copy_object(Bucket="rides", Key="back", CopySource={"Bucket": "own", "Key": "copy"})
        assert s3.head_object(Bucket="rides", Key="back")["ContentType"] == "text/x"
        near.delete_object(Bucket="rides", Key="back")
        near.delete_objects(Bucket="rides", Delete={"Objects": [{"Key": "feb"}]})
        assert [one["Key"] for one in s3.list_objects_v2(Bucket="rides")["Contents"]] == ["2014/jan"]
        for call, arguments in (
            (near.create_multipart_upload, {"Key": "k"}),
            (near.put_object, {"Key": "k", "Body": b"x", "IfNoneMatch": "*"}),
            (near.get_bucket_tagging, {}),
            (near.delete_bucket, {}),
        ):
            with pytest.raises(near.exceptions.ClientError, match="NotImplemented"):
                call(Bucket="rides", **arguments)
        assert [bucket["Name"] for bucket in near.list_buckets()["Buckets"]] == ["own"]
        with pytest.raises(near.exceptions.NoSuchKey):
            near.get_object(Bucket="rides", Key="none")
