"""Transform jobs: how objects become requests and answers objects, and what is left when one fails."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from restframe import errors
from restframe.jobs import Channel, ModelSpec, Service, TransformDescription, TransformSpec, process, transform
from restframe.jobs.transform import LOG_GROUP, TransformProcess
from restframe.journal import Journal
from restframe.settings import Settings
from restframe.storage import ObjectUrl, Storage


class Brackets(BaseHTTPRequestHandler):
    """A server that puts what it is sent into brackets; it refuses "bad" and is slow about "slow"."""

    asked: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append(f"{self.headers['Content-Type']} {self.headers['Accept']}")
        if b"slow" in body:
            time.sleep(0.2)
        if b"bad" in body:
            self._answer(400, b'{"message": "this is bad"}')
        else:
            self._answer(200, b"[" + body + b"]")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def brackets() -> Iterator[ModelSpec]:
    Brackets.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Brackets)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield ModelSpec("brackets", url=f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()


class ServiceAlone(Service):
    """A service with a journal of its own."""

    def __init__(self, directory: Path) -> None:
        settings = Settings(directory=directory)
        directory.mkdir(parents=True, exist_ok=True)
        self.journal = Journal(directory / "service.sqlite")
        super().__init__(settings, Storage(settings), self.journal)

    def close(self) -> None:
        super().close()
        self.journal.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    found = ServiceAlone(tmp_path)
    yield found
    found.close()


def put(service: Service, objects: Mapping[str, bytes]) -> None:
    for key, data in objects.items():
        service.storage.put(ObjectUrl("rides", key), data)


def outputs(service: Service, prefix: str = "out/") -> dict[str, bytes]:
    """What lies below a prefix, by the rest of its key."""
    found = service.storage.list(ObjectUrl("rides", prefix)) if service.storage.bucket_exists("rides") else []
    return {one.url.key.removeprefix(prefix): service.storage.read(one.url) for one in found}


Transform = Callable[..., TransformDescription]


@pytest.fixture
def transformed(service: Service, brackets: ModelSpec) -> Transform:
    """A job's description when it has ended."""

    def run(name: str = "job", input: str | Channel = "s3://rides/in/", **given: Any) -> TransformDescription:  # noqa: A002
        channel = Channel(input) if isinstance(input, str) else input
        service.transforms.create(
            TransformSpec(**{"name": name, "model": brackets, "input": channel, "output": "s3://rides/out/", **given})
        )
        return service.transforms.wait(name, 120)

    return run


def log(service: Service, name: str = "job") -> list[str]:
    return [line.text for line in service.logs.lines(LOG_GROUP, service.transforms.stream(name))]


def test_an_object_is_a_request_when_it_is_not_split(service: Service, transformed: Transform) -> None:
    put(service, {"in/a.csv": b"1\n2\n", "in/sub/b.csv": b"3", "in/folder/": b""})
    done = transformed(input=Channel("s3://rides/in/", content_type="text/x-own"), accept="text/y-own")
    assert (done.status, done.failure) == ("Completed", None)
    assert done.started is not None
    assert done.ended is not None
    assert done.created <= done.started < done.ended == done.modified
    assert outputs(service) == {"a.csv.out": b"[1\n2\n]", "sub/b.csv.out": b"[3]"}
    assert Brackets.asked[-2:] == ["text/x-own text/y-own"] * 2
    assert log(service) == [
        "[sagemaker logs]: MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD",
        "[sagemaker logs]: 2 requests answered",
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"strategy": "SingleRecord", "assemble": "Line"}, b"[1]\n[22]\n[333]\n"),
        ({"strategy": "SingleRecord"}, b"[1][22][333]"),
        ({"strategy": "MultiRecord", "assemble": "Line"}, b"[1\n22\n333]\n"),
        ({"strategy": "SingleRecord", "assemble": "Line", "concurrent": 5}, b"[1]\n[22]\n[333]\n"),
    ],
)
def test_lines_are_sent_one_by_one_or_together(
    service: Service, transformed: Transform, given: dict[str, Any], expected: bytes
) -> None:
    # empty lines are no records, and Windows ends lines with two characters
    put(service, {"in/a.csv": b"1\n\n22\r\n\r\n333"})
    transformed(split="Line", **given)
    assert outputs(service) == {"a.csv.out": expected}


def test_a_request_holds_a_thousand_records_or_its_megabytes(service: Service, transformed: Transform) -> None:
    put(service, {"in/a": b"".join(b"%d\n" % i for i in range(2500)), "in/b": (b"x" * 400_000 + b"\n") * 6})
    transformed(split="Line", assemble="Line", max_payload_mb=1)
    written = outputs(service)
    assert [piece.count(b"\n") + 1 for piece in written["a.out"].split(b"]\n")] == [1000, 1000, 500, 1]
    assert [len(piece) for piece in written["b.out"].split(b"]\n")] == [800_002] * 3 + [0]


def test_answers_stand_in_the_order_of_their_records(service: Service, transformed: Transform) -> None:
    put(service, {"in/a": b"slow 0\n" + b"".join(b"%d\n" % i for i in range(1, 40)) + b"slow 40\n41\n"})
    transformed(split="Line", strategy="SingleRecord", assemble="Line", concurrent=6)
    numbers = [int(line.strip(b"[]").split()[-1]) for line in outputs(service)["a.out"].splitlines()]
    assert numbers == list(range(42))


def test_an_empty_object_has_an_empty_answer(service: Service, transformed: Transform) -> None:
    put(service, {"in/a": b"", "in/b": b"\n\n"})
    transformed(split="Line", strategy="SingleRecord")
    assert outputs(service) == {"a.out": b"", "b.out": b""}


def test_a_prefix_is_a_folder_an_object_or_the_beginning_of_names(service: Service, transformed: Transform) -> None:
    put(service, {"in/a.csv": b"1", "in/b/c.csv": b"2", "in-two/d.csv": b"3"})
    for number, (prefix, names) in enumerate(
        [
            ("s3://rides", ["in-two/d.csv.out", "in/a.csv.out", "in/b/c.csv.out"]),
            ("s3://rides/in", ["a.csv.out", "b/c.csv.out", "in-two/d.csv.out"]),
            ("s3://rides/in/a.csv", ["a.csv.out"]),
            ("s3://rides/in/b", ["c.csv.out"]),
        ]
    ):
        done = transformed(f"job{number}", prefix, output=f"s3://rides/out{number}")
        assert done.status == "Completed"
        assert list(outputs(service, f"out{number}/")) == names


def test_a_manifest_names_objects(service: Service, transformed: Transform) -> None:
    manifest = [{"prefix": "s3://rides/data/"}, "x/a.csv", "b.csv"]
    put(service, {"m.json": json.dumps(manifest).encode(), "data/x/a.csv": b"1", "data/b.csv": b"2"})
    transformed(input=Channel("s3://rides/m.json", "ManifestFile"))
    assert outputs(service) == {"b.csv.out": b"[2]", "x/a.csv.out": b"[1]"}
    put(service, {"m.json": json.dumps([*manifest, "b.csv"]).encode()})
    done = transformed("again", Channel("s3://rides/m.json", "ManifestFile"))
    assert done.failure == "ClientError: the answers about two of the objects would have the same name"


def test_gzip_is_read(service: Service, transformed: Transform) -> None:
    put(service, {"in/a.gz": gzip.compress(b"1\n2\n"), "broken/a.gz": gzip.compress(b"1\n2\n" * 1000)[:-12]})
    transformed(input=Channel("s3://rides/in/", compression="Gzip"), split="Line", strategy="SingleRecord")
    assert outputs(service) == {"a.gz.out": b"[1][2]"}
    done = transformed("broken", Channel("s3://rides/broken/", compression="Gzip"), output="s3://rides/none")
    assert done.failure == 'ClientError: "s3://rides/broken/a.gz" is no intact gzip file.'
    assert outputs(service, "none/") == {}


def test_a_refused_record_fails_the_job_with_its_line_and_leaves_nothing(
    service: Service, transformed: Transform, tmp_path: Path
) -> None:
    put(service, {"in/a": b"1\n2\n", "in/b": b"1\n\nbad\n4\n"})
    done = transformed(split="Line", strategy="SingleRecord")
    assert done.status == "Failed"
    assert done.failure is not None
    assert done.failure.startswith('ClientError: "s3://rides/in/b", line 3: endpoint "brackets" answered 400')
    assert "this is bad" in done.failure
    assert outputs(service) == {}
    assert log(service)[1:4] == [
        "[sagemaker logs]: rides/in/b: Bad HTTP status received from algorithm: 400",
        "[sagemaker logs]: rides/in/b: ",
        "[sagemaker logs]: rides/in/b: Message:",
    ]
    assert not list(tmp_path.joinpath("transforms").iterdir())
    together = transformed("together", split="Line")
    assert together.failure is not None
    assert '"s3://rides/in/b", lines 1 to 4: ' in together.failure


def test_what_is_too_large_or_not_there_fails_the_job(service: Service, transformed: Transform) -> None:
    put(service, {"in/a": b"1\n" + b"x" * (1 << 20) + b"y\n", "exact/a": b"x" * (1 << 20) + b"\n"})
    whole = transformed("whole", max_payload_mb=1)
    assert whole.failure is not None
    assert '"s3://rides/in/a" is larger than MaxPayloadInMB, 1 MB' in whole.failure
    line = transformed("line", max_payload_mb=1, split="Line")
    assert line.failure is not None
    assert '"s3://rides/in/a", line 2 is larger than MaxPayloadInMB, 1 MB' in line.failure
    assert transformed("exact", "s3://rides/exact/", max_payload_mb=1, split="Line").status == "Completed"
    nothing = transformed("nothing", "s3://rides/nowhere/")
    assert nothing.failure is not None
    assert 'no S3 objects found under S3 URL "s3://rides/nowhere/"' in nothing.failure
    gone = transformed("gone", model=ModelSpec("m", "random_cut_forest", "s3://rides/no.tar.gz"))
    assert gone.failure == 'ClientError: object "s3://rides/no.tar.gz" does not exist'


def test_what_is_wrong_is_said_before_the_job_begins(service: Service, transformed: Transform) -> None:
    with pytest.raises(errors.InvalidParameterValue, match="is not an object store location"):
        transformed(input="/etc/passwd")
    with pytest.raises(errors.InvalidParameterValue, match="is not an object store location"):
        transformed(output="out")
    with pytest.raises(errors.UndefinedObject, match="there is no algorithm"):
        transformed(model=ModelSpec("m", "xgboost", "s3://rides/m.tar.gz"))
    for given in ({"max_payload_mb": 0}, {"max_payload_mb": 101}, {"max_payload_mb": 60, "concurrent": 2}):
        with pytest.raises(errors.InvalidParameterValue, match="between 1 and 100"):
            transformed(**given)
    with pytest.raises(errors.InvalidParameterValue, match="invalid transform job name"):
        transformed("../x")
    assert service.transforms.describe_all() == []
    transformed()
    with pytest.raises(errors.DuplicateObject, match='transform job "job" already exists'):
        transformed()
    with pytest.raises(errors.UndefinedObject):
        service.transforms.describe("other")


class StandingStill(TransformProcess):
    """A child that is stopped before it can do anything."""

    def __init__(self, directory: Path, task: Mapping[str, Any]) -> None:
        super().__init__(directory, task)
        os.kill(self.pid, signal.SIGSTOP)


def let_go(pid: int) -> None:
    """Unless it has been killed by now."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)


def child_of(service: Service, name: str) -> int:
    deadline = time.monotonic() + 60
    while (pid := service.transforms.process_id(name)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    return pid


@pytest.fixture
def paused(service: Service, brackets: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> int:
    """The child of a job called paused."""
    monkeypatch.setattr(transform, "TransformProcess", StandingStill)
    monkeypatch.setattr(process, "_GRACE_S", 60)  # until the test lets it go on
    put(service, {"in/a": b"1"})
    service.transforms.create(TransformSpec("paused", brackets, Channel("s3://rides/in/"), "s3://rides/out"))
    return child_of(service, "paused")


def test_a_job_can_be_stopped(service: Service, paused: int) -> None:
    assert service.transforms.describe("paused").status == "InProgress"
    service.transforms.stop("paused")
    assert service.transforms.describe("paused").status == "Stopping"
    service.transforms.stop("paused")
    let_go(paused)
    assert service.transforms.wait("paused", 60).status == "Stopped"
    assert outputs(service) == {}
    with pytest.raises(errors.InvalidParameterValue, match="is Stopped, it cannot be stopped"):
        service.transforms.stop("paused")


def test_a_child_that_is_killed_fails_the_job(service: Service, paused: int) -> None:
    os.kill(paused, signal.SIGKILL)
    done = service.transforms.wait("paused", 60)
    assert done.status == "Failed"
    assert done.failure == (
        "AlgorithmError: the transform process was killed (SIGKILL), perhaps for lack of memory, exit code: 137"
    )
    assert outputs(service) == {}


def test_closing_the_warehouse_fails_what_runs(
    tmp_path: Path, brackets: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transform, "TransformProcess", StandingStill)
    closed = ServiceAlone(tmp_path / "other")
    put(closed, {"in/a": b"1"})
    closed.transforms.create(TransformSpec("job", brackets, Channel("s3://rides/in/"), "s3://rides/out"))
    threading.Timer(0.2, let_go, (child_of(closed, "job"),)).start()
    closed.close()
    again = ServiceAlone(tmp_path / "other")
    done = again.transforms.describe("job")
    assert done.status == "Failed"
    assert done.failure == "InternalServerError: the warehouse was closed while the job was running"
    again.close()


def test_a_job_that_ran_when_the_warehouse_was_killed_has_failed(
    tmp_path: Path,
    brackets: ModelSpec,
    eventually: Callable[[Callable[[], object]], None],
    is_gone: Callable[[int], bool],
) -> None:
    program = f"""
import os, signal, time
from restframe import Warehouse
from restframe.jobs import Channel, ModelSpec, TransformSpec
from restframe.storage import ObjectUrl

warehouse = Warehouse({str(tmp_path / "killed")!r})
warehouse.storage.put(ObjectUrl.parse("s3://rides/in/a"), b"slow\\n" * 1000)
model = ModelSpec("m", url={brackets.url!r})
warehouse.jobs.transforms.create(TransformSpec(
    "job", model, Channel("s3://rides/in/"), "s3://rides/out", split="Line", strategy="SingleRecord"
))
written = warehouse.settings.directory / "transforms/job/0.out"
while not written.exists():
    time.sleep(0.001)
print(warehouse.jobs.transforms.process_id("job"), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    service = ServiceAlone(tmp_path / "killed")
    eventually(lambda: is_gone(int(done.stdout)))  # the child ends by itself
    found = service.transforms.describe("job")
    assert found.status == "Failed"
    assert found.failure == "InternalServerError: the warehouse ended while the job was running"
    assert outputs(service) == {}
    assert not tmp_path.joinpath("killed", "transforms").exists()
    service.close()
