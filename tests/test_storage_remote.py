"""Buckets on another S3 service: a small one, speaking HTTP on this machine."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import pytest

from restframe import errors
from restframe.settings import S3Endpoint, Settings
from restframe.storage import About, ObjectUrl, Storage


class S3(ThreadingHTTPServer):
    """Buckets in a dictionary; `broken` keys answer as said when they are written, `torn` ones are cut when read."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, tuple[bytes, dict[str, str]]] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.broken: dict[str, int] = {}
        self.torn: set[str] = set()
        self.requests: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: S3

    def setup(self) -> None:
        super().setup()
        self.wfile = self.connection.makefile("wb", 1 << 16)  # type: ignore[assignment]

    def log_message(self, *_: object) -> None:
        pass

    def _begin(self) -> tuple[str, str, dict[str, str], bytes]:
        parts = urlsplit(self.path)
        bucket, _, key = unquote(parts.path)[1:].partition("/")
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append(f"{self.command} {key}")
        return bucket, key, query, body

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def _fail(self, status: int, code: str) -> None:
        self._answer(status, f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode())

    def do_GET(self) -> None:
        bucket, key, query, _ = self._begin()
        if bucket != "far":
            self._fail(404, "NoSuchBucket")
        elif not key:
            self._list(query)
        elif self.headers.get("Authorization", "").find("Credential=good/") < 0:
            self._fail(403, "AccessDenied")
        elif key not in self.server.objects:
            self._fail(404, "NoSuchKey")
        else:
            self._object(key)

    do_HEAD = do_GET  # noqa: N815

    def _object(self, key: str) -> None:
        data, headers = self.server.objects[key]
        etag = f'"{hashlib.md5(data).hexdigest()}"'
        if self.headers.get("If-Match", etag) != etag:
            return self._fail(412, "PreconditionFailed")
        status, length, extra = 200, len(data), {}
        if found := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")):
            start, end = int(found[1]), min(int(found[2]) + 1, length)
            status, extra, data = 206, {"Content_Range": f"bytes {start}-{end - 1}/{length}"}, data[start:end]
        self.send_response(status)
        for name, value in {"ETag": etag, "Last_Modified": _WHEN, **headers, **extra}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data[: len(data) // 2] if key in self.server.torn else data)
        self.wfile.flush()
        self.close_connection = key in self.server.torn
        return None

    def _list(self, query: dict[str, str]) -> None:
        found = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>{hashlib.md5(data).hexdigest()}</ETag><Size>{len(data)}</Size></Contents>"
            for key, (data, _) in sorted(self.server.objects.items())
            if key.startswith(query.get("prefix", "")) and key > query.get("start-after", "")
        )
        self._answer(200, f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode())

    def do_PUT(self) -> None:
        _, key, query, body = self._begin()
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        if key in self.server.broken:
            return self._fail(self.server.broken[key], "InvalidRequest")
        if "uploadId" in query:
            self.server.uploads[query["uploadId"]][int(query["partNumber"])] = body
        else:
            self.server.objects[key] = (body, self._kept())
        return self._answer(200, ETag=etag)

    def _kept(self) -> dict[str, str]:
        return {
            name: value
            for name, value in self.headers.items()
            if name.lower() == "content-type" or name.lower().startswith("x-amz-meta-")
        }

    def do_POST(self) -> None:
        _, key, query, body = self._begin()
        if "delete" in query:
            names = re.findall(r"<Key>(.*?)</Key>", body.decode())
            for name in names:
                self.server.objects.pop(ElementTree.fromstring(f"<k>{name}</k>").text or "", None)
            done = "".join(f"<Deleted><Key>{name}</Key></Deleted>" for name in names)
            self._answer(200, f"<DeleteResult>{done}</DeleteResult>".encode())
        elif "uploads" in query:
            self.server.uploads[key] = {}
            self.server.objects.setdefault(f"{key} pending", (b"", self._kept()))
            self._answer(
                200,
                f"<InitiateMultipartUploadResult><UploadId>{escape(key)}</UploadId>"
                f"</InitiateMultipartUploadResult>".encode(),
            )
        else:
            parts = self.server.uploads.pop(query["uploadId"])
            _, headers = self.server.objects.pop(f"{key} pending")
            self.server.objects[key] = (b"".join(parts[number] for number in sorted(parts)), headers)
            self._answer(
                200,
                b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>",
            )

    def do_DELETE(self) -> None:
        _, key, _, _ = self._begin()
        self.server.objects.pop(key, None)
        self._answer(204)


_WHEN = "Thu, 01 Jan 2026 00:00:00 GMT"


@pytest.fixture
def service() -> Iterator[S3]:
    server = S3()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def connect(service: S3, directory: Path, access_key_id: str = "good") -> Storage:
    endpoint = S3Endpoint(
        buckets=("far", "missing"),
        endpoint=f"http://127.0.0.1:{service.server_port}",
        access_key_id=access_key_id,
        secret_access_key="secret",
        allow_http=True,
    )
    return Storage(Settings(directory=directory, s3_endpoints=(endpoint,)))


@pytest.fixture
def storage(service: S3, tmp_path: Path) -> Storage:
    return connect(service, tmp_path)


def at(key: str) -> ObjectUrl:
    return ObjectUrl("far", key)


def test_put_then_read(storage: Storage) -> None:
    info = storage.put(at("trip data/ä+1.csv"), b"hello", about=About("text/csv", {"source": "nab"}))
    assert (info.size_bytes, info.etag) == (5, "5d41402abc4b2a76b9719d911017c592")
    assert (info.about.content_type, info.about.metadata) == ("text/csv", {"source": "nab"})
    assert storage.read(at("trip data/ä+1.csv")) == b"hello"
    assert storage.read(at("trip data/ä+1.csv"), 1, 3) == b"el"
    assert storage.read(at("trip data/ä+1.csv"), 3, 99) == b"lo"
    assert storage.read(at("trip data/ä+1.csv"), 99) == b""


def test_large_objects_go_up_in_parts_and_come_down_into_the_spool(
    storage: Storage, service: S3, tmp_path: Path
) -> None:
    data = bytes(range(256)) * 80_000
    (tmp_path / "large").write_bytes(data)
    storage.put(at("large"), tmp_path / "large")
    assert service.objects["large"][0] == data
    with storage.local_file(at("large")) as path:
        assert path.parent == tmp_path / "spool"
        assert path.read_bytes() == data
    assert list((tmp_path / "spool").iterdir()) == []


def test_list_takes_any_beginning_of_a_key_and_skips_folder_markers(storage: Storage, service: S3) -> None:
    for key in ("trip data/", "trip data/green_1", "trip data/green_2", "trip data/yellow", "other"):
        service.objects[key] = (b"x" if not key.endswith("/") else b"", {})
    service.objects["trip data/green_empty"] = (b"", {})
    listed = [(info.url.key, info.size_bytes) for info in storage.list(at("trip data/green"))]
    assert listed == [("trip data/green_1", 1), ("trip data/green_2", 1), ("trip data/green_empty", 0)]
    assert len(list(storage.list(at("trip data/")))) == 4
    assert [info.url.key for info in storage.list(at("trip data/g"), after="trip data/green_1")] == [
        "trip data/green_2",
        "trip data/green_empty",
    ]


def test_what_is_missing_or_forbidden_is_told_apart(storage: Storage, service: S3, tmp_path: Path) -> None:
    with pytest.raises(errors.NoSuchKey, match='object "s3://far/no" does not exist'):
        storage.read(at("no"))
    with pytest.raises(errors.NoSuchBucket, match='bucket "missing" does not exist'):
        list(storage.list(ObjectUrl("missing", "")))
    assert not storage.bucket_exists("missing")
    service.objects["k"] = (b"x", {})
    with pytest.raises(errors.StorageAccessDenied, match='access to "s3://far/k" was denied'):
        connect(service, tmp_path, access_key_id="bad").read(at("k"))


def test_a_download_that_ends_early_is_no_object(storage: Storage, service: S3, tmp_path: Path) -> None:
    service.objects["k"] = (b"x" * 4_000_000, {})
    service.torn.add("k")
    with pytest.raises(errors.StorageError), storage.local_file(at("k")):
        pytest.fail("half an object was handed out")
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_publication_uploads_in_order_and_deletes_last(storage: Storage, service: S3, tmp_path: Path) -> None:
    service.objects["out/old"] = (b"", {})
    with storage.publish() as publication:
        publication.stage(at("out/0000")).write_bytes(b"a")
        publication.stage(at("out/0001")).write_bytes(b"b")
        publication.put(at("out/manifest"), b"{}")
        publication.delete(at("out/old"))
        assert service.requests == []
    assert sorted(service.objects) == ["out/0000", "out/0001", "out/manifest"]
    puts = [request for request in service.requests if request.startswith("PUT")]
    assert puts == ["PUT out/0000", "PUT out/0001", "PUT out/manifest"]
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_publication_that_fails_takes_back_what_it_uploaded(storage: Storage, service: S3) -> None:
    service.objects["out/old"] = (b"", {})
    service.broken["out/0001"] = 400
    with (
        pytest.raises(errors.StorageError, match='"s3://far/out/0001": InvalidRequest'),
        storage.publish() as publication,
    ):
        publication.put(at("out/0000"), b"a")
        publication.put(at("out/0001"), b"b")
        publication.put(at("out/manifest"), b"{}")
        publication.delete(at("out/old"))
    assert sorted(service.objects) == ["out/old"]


def test_what_only_our_own_store_can_do_is_refused(storage: Storage) -> None:
    with pytest.raises(errors.NotSupportedError, match='"s3://far/a//b" is a key that only our own store can hold'):
        storage.put(at("a//b"), b"")
    with pytest.raises(errors.NotSupportedError, match="belongs to another S3 service"):
        storage.create_bucket("far")
    with pytest.raises(errors.NotSupportedError, match="takes no conditions"):
        storage.put(at("k"), b"", precondition=lambda old: None)


def test_the_environment_does_not_redirect_it(service: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    service.objects["k"] = (b"x", {})
    assert connect(service, tmp_path).read(at("k")) == b"x"
