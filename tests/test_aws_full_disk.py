"""The disk is full: what cannot be kept is refused, what was kept stays, and with room again all goes on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.parametrize("small_disk", [6], indirect=True)


@contextlib.contextmanager
def no_room(disk: Path) -> Iterator[None]:
    filling = disk / "filling"
    with filling.open("wb", 0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass
    yield
    filling.unlink()


def refused(call: Any, **request: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return caught.value.response["ResponseMetadata"]["HTTPStatusCode"], error["Code"], error["Message"]


FULL = "the server's disk is full; nothing was changed"


def test_statements(cramped_aws: Any, small_disk: Path) -> None:
    data = cramped_aws.client("redshift-data")

    def run(text: str) -> dict[str, Any]:
        run_id = data.execute_statement(Sql=text, Database="dev", WaitTimeSeconds=30)["Id"]
        described: dict[str, Any] = data.describe_statement(Id=run_id)
        return described

    kept = run("select 42 as a")["Id"]
    large = run("select generate_series(1, 2000000) * 7919 as i")
    assert (large["Status"], large["Error"]) == ("FAILED", "ERROR: the result cannot be kept: No space left on device")
    with no_room(small_disk):
        error = refused(data.execute_statement, Sql="select '" + "x" * 60_000 + "'", Database="dev")
        assert error == (500, "InternalServerException", FULL)
        assert data.get_statement_result(Id=kept)["Records"] == [[{"longValue": 42}]]
    assert run("select 1")["Status"] == "FINISHED"
    assert [one["Id"] for one in data.list_statements(Status="ALL")["Statements"]][1:] == [large["Id"], kept]


def test_a_statement_whose_end_cannot_be_kept(
    cramped_aws: Any, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = cramped_aws.client("redshift-data")
    statements = cramped_aws.warehouse.statements
    carry_out = statements._carry_out

    with contextlib.ExitStack() as full:

        def fill_up_before_the_end(live: Any) -> Any:
            results = carry_out(live)
            full.enter_context(no_room(small_disk))
            return results

        monkeypatch.setattr(statements, "_carry_out", fill_up_before_the_end)
        sql = "select repeat('x', 60000) as a"
        answer = data.execute_statement(Sql=sql, Database="dev", WaitTimeSeconds=30)
        assert answer["Status"] == "FAILED"
        assert data.describe_statement(Id=answer["Id"])["Error"] == f"ERROR: {FULL}"


def test_objects_and_parts(cramped_aws: Any, small_disk: Path) -> None:
    s3 = cramped_aws.client("s3")
    s3.create_bucket(Bucket="rides")
    s3.put_object(Bucket="rides", Key="k", Body=b"old")
    upload = {"Bucket": "rides", "Key": "parts"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    etag = s3.upload_part(**upload, PartNumber=1, Body=b"one")["ETag"]
    for call, request in (
        (s3.put_object, {"Bucket": "rides", "Key": "k"}),
        (s3.upload_part, {**upload, "PartNumber": 1}),
    ):
        status, code, message = refused(call, **request, Body=bytes(9_000_000))
        assert (status, code, "disk is full" in message) == (507, "InsufficientStorage", True)
    with no_room(small_disk):
        assert refused(s3.put_object, Bucket="rides", Key="new", Body=b"new")[:2] == (507, "InsufficientStorage")
        assert s3.get_object(Bucket="rides", Key="k")["Body"].read() == b"old"
    assert s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})["ETag"]
    listed = s3.list_objects_v2(Bucket="rides")["Contents"]
    assert [(one["Key"], one["Size"]) for one in listed] == [("k", 3), ("parts", 3)]


def test_secrets(cramped_aws: Any, small_disk: Path) -> None:
    manager = cramped_aws.client("secretsmanager")
    manager.create_secret(Name="login", SecretString="first")
    with no_room(small_disk):
        error = refused(manager.put_secret_value, SecretId="login", SecretString="second" * 10_000)
        assert error == (500, "InternalFailure", FULL)
        assert refused(manager.create_secret, Name="other", SecretString="x" * 60_000) == error
        assert manager.get_secret_value(SecretId="login")["SecretString"] == "first"
    manager.put_secret_value(SecretId="login", SecretString="second")
    assert manager.get_secret_value(SecretId="login")["SecretString"] == "second"
    assert [one["Name"] for one in manager.list_secrets()["SecretList"]] == ["login"]
