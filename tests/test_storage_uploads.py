"""Objects in parts, as a client of our own store uploads them, and across kill -9."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from restframe import errors
from restframe.settings import Settings
from restframe.storage import About, ObjectUrl, Storage
from restframe.storage.objects import Part
from restframe.storage.uploads import Upload, UploadedPart

URL = ObjectUrl("rides", "2014/big.csv")


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    storage = Storage(Settings(directory=tmp_path))
    storage.create_bucket("rides")
    return storage


def put(storage: Storage, upload: Upload, number: int, data: bytes, checksum: str = "") -> UploadedPart:
    return storage.own.uploads.put(upload, number, data, lambda _: checksum)


def space(storage: Storage) -> int:
    """Bytes of parts and of files being written."""
    below = storage.own.root / ".restframe"
    return sum(p.stat().st_size for name in ("uploads", "temporary") for p in (below / name).rglob("*") if p.is_file())


def test_parts_become_one_object(storage: Storage) -> None:
    uploads = storage.own.uploads
    upload = uploads.begin(URL, About("text/csv", {"a": "b"}), {"algorithm": "crc32"})
    put(storage, upload, 2, b"world", "Y/c+")
    put(storage, upload, 1, b"hello ")
    assert list(storage.list(ObjectUrl("rides"))) == []
    found = uploads.find(URL, upload.id)
    assert (found.about, found.options) == (About("text/csv", {"a": "b"}), {"algorithm": "crc32"})
    parts = uploads.parts(found)
    assert [(p.number, p.size_bytes, p.checksum) for p in parts] == [(1, 6, ""), (2, 5, "Y/c+")]
    assert parts[0].etag == hashlib.md5(b"hello ").hexdigest()
    info = uploads.complete(found, parts, found.about, "mark-2")
    assert storage.head(URL) == info
    assert (info.etag, info.size_bytes, storage.read(URL)) == ("mark-2", 11, b"hello world")
    assert info.about == About("text/csv", {"a": "b"}, parts=(Part(6), Part(5, "Y/c+")), upload=upload.id)
    assert space(storage) == 0
    with pytest.raises(errors.NoSuchUpload):
        uploads.find(URL, upload.id)
    with pytest.raises(errors.NoSuchUpload):
        put(storage, upload, 3, b"late")
    assert space(storage) == 0


def test_only_the_parts_named_are_used_and_the_last_put_counts(storage: Storage) -> None:
    uploads = storage.own.uploads
    upload = uploads.begin(URL, About(), {})
    for number, data in ((1, b"old"), (3, b"c"), (1, b"a"), (2, b"unused")):
        put(storage, upload, number, data)
    one, _, three = uploads.parts(upload)
    uploads.complete(upload, [one, three], About(), "x-2")
    assert storage.read(URL) == b"ac"


def test_an_aborted_upload_is_gone_with_its_bytes(storage: Storage) -> None:
    uploads = storage.own.uploads
    upload = uploads.begin(URL, About(), {})
    put(storage, upload, 1, b"x" * 1000)
    uploads.abort(upload)
    assert space(storage) == 0
    with pytest.raises(errors.NoSuchUpload):
        uploads.abort(upload)
    with pytest.raises(errors.NoSuchUpload):
        uploads.complete(upload, [], About(), "x-0")


@pytest.mark.parametrize("name", ["", "..", "../../rides", "0" * 40, "a/b", "\0", "0" * 5000])
def test_names_that_are_no_uploads(storage: Storage, name: str) -> None:
    with pytest.raises(errors.NoSuchUpload) as refused:
        storage.own.uploads.find(URL, name)
    assert len(str(refused.value)) < 200


def test_an_upload_belongs_to_its_key(storage: Storage) -> None:
    upload = storage.own.uploads.begin(URL, About(), {})
    with pytest.raises(errors.NoSuchUpload):
        storage.own.uploads.find(ObjectUrl("rides", "other"), upload.id)
    with pytest.raises(errors.NoSuchBucket):
        storage.own.uploads.find(ObjectUrl("other", URL.key), upload.id)


def test_a_precondition_that_refuses_leaves_object_and_upload(storage: Storage) -> None:
    def refuse(_: object) -> None:
        raise errors.IntegrityError("no")

    storage.put(URL, b"old")
    upload = storage.own.uploads.begin(URL, About(), {})
    part = put(storage, upload, 1, b"new")
    with pytest.raises(errors.IntegrityError):
        storage.own.uploads.complete(upload, [part], About(), "x-1", refuse)
    assert storage.read(URL) == b"old"
    assert space(storage) > 0
    storage.own.uploads.complete(upload, [part], About(), "x-1")
    assert storage.read(URL) == b"new"


def test_a_part_whose_bytes_are_refused_is_not_stored(storage: Storage) -> None:
    def refuse(_: str) -> str:
        raise errors.IntegrityError("wrong checksum")

    upload = storage.own.uploads.begin(URL, About(), {})
    put(storage, upload, 1, b"first")
    with pytest.raises(errors.IntegrityError):
        storage.own.uploads.put(upload, 1, b"second", refuse)
    (part,) = storage.own.uploads.parts(upload)
    assert part.etag == hashlib.md5(b"first").hexdigest()


def test_uploads_are_listed_by_key_and_time(storage: Storage) -> None:
    uploads = storage.own.uploads
    begun = [uploads.begin(ObjectUrl("rides", key), About(), {}) for key in ("b", "a", "b", "c/d")]
    uploads.begin(ObjectUrl("other", "a"), About(), {})
    assert uploads.of("rides") == [begun[1], begun[0], begun[2], begun[3]]
    assert uploads.of("rides", "c/") == [begun[3]]
    with pytest.raises(errors.NoSuchBucket):
        uploads.of("none")


def test_uploads_outlive_the_process_and_are_removed_after_a_week(storage: Storage, tmp_path: Path) -> None:
    upload = storage.own.uploads.begin(URL, About(), {})
    old = storage.own.uploads.begin(URL, About(), {})
    put(storage, upload, 1, b"kept")
    put(storage, old, 1, b"x" * 100_000)
    week_ago = time.time() - 8 * 24 * 3600
    os.utime(storage.own.root / ".restframe" / "uploads" / "rides" / old.id, (week_ago, week_ago))
    reopened = Storage(Settings(directory=tmp_path))
    reopened.recover()
    assert reopened.own.uploads.of("rides") == [upload]
    assert space(reopened) < 10_000
    reopened.own.uploads.complete(upload, reopened.own.uploads.parts(upload), About(), "x-1")
    assert reopened.read(URL) == b"kept"


def test_many_parts_at_once_while_others_replace_them(storage: Storage) -> None:
    upload = storage.own.uploads.begin(URL, About(), {})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: put(storage, upload, n % 20 + 1, b"%04d" % n), range(200)))
    parts = storage.own.uploads.parts(upload)
    assert [part.number for part in parts] == list(range(1, 21))
    storage.own.uploads.complete(upload, parts, About(), "x-20")
    data = storage.read(URL)
    assert [int(data[i : i + 4]) % 20 + 1 for i in range(0, 80, 4)] == list(range(1, 21))


def test_removing_a_bucket_removes_its_uploads(storage: Storage) -> None:
    put(storage, storage.own.uploads.begin(URL, About(), {}), 1, b"x" * 100)
    storage.delete_bucket("rides")
    storage.create_bucket("rides")
    assert storage.own.uploads.of("rides") == []
    assert space(storage) == 0


def test_a_full_disk_leaves_upload_and_old_object(small_disk: Path) -> None:
    storage = Storage(Settings(directory=small_disk))
    storage.put(URL, b"old")
    upload = storage.own.uploads.begin(URL, About(), {})
    parts = [put(storage, upload, number, b"x" * 200_000) for number in (1, 2, 3)]
    with pytest.raises(errors.DiskFull):
        put(storage, upload, 4, b"x" * 1_000_000)
    with pytest.raises(errors.DiskFull):
        storage.own.uploads.complete(upload, parts, About(), "x-3")
    assert storage.read(URL) == b"old"
    assert storage.own.uploads.parts(upload) == parts
    storage.own.uploads.complete(upload, parts[:1], About(), "x-1")
    assert len(storage.read(URL)) == 200_000


# A child process uploads, and at its n-th call that touches a file it kills itself; then the store is opened again.
_AT_EVERY_STEP = """
import json, os, signal, sys, tempfile
from pathlib import Path
from restframe.settings import Settings
from restframe.storage import About, ObjectUrl, Storage

URL = ObjectUrl("rides", "k")
die_at, steps = None, 0
WATCHED = ("open", "os.rename", "os.remove", "os.mkdir", "os.utime", "os.listdir", "os.rmdir", "shutil.rmtree")

def count(event, arguments):
    global steps
    if event in WATCHED:
        steps += 1
        if steps == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

def upload(storage):
    uploads = storage.own.uploads
    upload = uploads.begin(URL, About("text/new"), {})
    for number, data in ((2, b"old"), (2, b"world"), (1, b"hello ")):
        uploads.put(upload, number, data, lambda _: "")
    uploads.complete(upload, uploads.parts(upload), upload.about, "new-2")

outcomes, killed = [], True
while killed:
    with tempfile.TemporaryDirectory(dir=sys.argv[1]) as directory:
        storage = Storage(Settings(directory=Path(directory)))
        storage.put(URL, b"old", about=About("text/old"))
        child = os.fork()
        if child == 0:
            die_at = len(outcomes) + 1
            sys.addaudithook(count)
            upload(storage)
            os._exit(0)
        killed = os.waitpid(child, 0)[1] != 0
        storage = Storage(Settings(directory=Path(directory)))
        storage.recover()
        seen = [[i.about.content_type, storage.read(i.url).decode()] for i in storage.list(ObjectUrl("rides"))]
        going_on = []
        for one in storage.own.uploads.of("rides"):
            parts = storage.own.uploads.parts(one)
            going_on.append([part.number for part in parts])
            if len(parts) == 2:
                storage.own.uploads.complete(one, parts, one.about, "new-2")
                going_on.append(storage.read(URL).decode())
        outcomes.append([seen, going_on])
print(json.dumps(outcomes))
"""


def test_killed_at_every_step(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _AT_EVERY_STEP, str(tmp_path)], capture_output=True, text=True, check=True
    )
    outcomes = json.loads(done.stdout)
    old, new = [["text/old", "old"]], [["text/new", "hello world"]]
    assert len(outcomes) > 20
    for seen, going_on in outcomes:
        assert seen in (old, new)
        assert going_on in ([], [[]], [[2]], [[1, 2], "hello world"])
    assert [old, []] in outcomes
    assert [old, [[2]]] in outcomes
    assert [old, [[1, 2], "hello world"]] in outcomes
    assert outcomes[-1] == [new, []]
