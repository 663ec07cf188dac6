"""Publications across kill -9, at every step a process takes, and across other failures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from restframe import errors
from restframe.settings import Settings
from restframe.storage import ObjectUrl, Storage

# A child process publishes, and at its n-th call that touches a file it kills itself, or the call fails; then the store
# is opened again.
_AT_EVERY_STEP = """
import errno, json, os, signal, sys, tempfile
from pathlib import Path
from restframe import errors
from restframe.settings import Settings
from restframe.storage import About, ObjectUrl, Storage

def at(key):
    return ObjectUrl("rides", key)

def state(storage):
    return {i.url.key: [storage.read(i.url).decode(), i.about.content_type] for i in storage.list(at(""))}

def publish(storage):
    with storage.publish() as publication:
        publication.stage(at("out/0000"), "text/csv").write_bytes(b"new 0")
        publication.stage(at("out//0001"), "text/csv").write_bytes(b"new 1")
        publication.stage(at("kept/deeper"), "text/csv").write_bytes(b"new 2")
        publication.put(at("out/manifest"), b"new manifest", "application/json")
        publication.delete(at("out/old"))
        publication.delete(at("out/0000"))

die_at, steps = None, 0
WATCHED = ("open", "os.rename", "os.remove", "os.mkdir", "os.utime", "os.link", "os.rmdir")

def count(event, arguments):
    global steps
    if event in WATCHED:
        steps += 1
        if steps == die_at and sys.argv[2] == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        elif steps == die_at:
            raise OSError(errno.EIO, "input/output error")

outcomes, stopped = [], True
while stopped:
    with tempfile.TemporaryDirectory(dir=sys.argv[1]) as directory:
        storage = Storage(Settings(directory=Path(directory)))
        storage.put(at("kept"), b"old kept", about=About("text/kept"))
        storage.put(at("out/0000"), b"old 0", about=About("text/old"))
        storage.put(at("out/old"), b"old", about=About("text/old"))
        child = os.fork()
        if child == 0:
            die_at = len(outcomes) + 1
            sys.addaudithook(count)
            try:
                publish(storage)
            except (errors.StorageError, OSError):
                os._exit(1)
            os._exit(steps >= die_at)  # 0 when there is no such step any more
        stopped = os.waitpid(child, 0)[1] != 0
        storage = Storage(Settings(directory=Path(directory)))
        storage.recover()
        left = [p.name for p in Path(directory, "s3/.restframe/intents").glob("*")]
        left += [p.name for p in Path(directory, "s3/.restframe/temporary").glob("*")]
        outcomes.append([state(storage), left])
print(json.dumps(outcomes))
"""

_OLD = {
    "kept": ["old kept", "text/kept"],
    "out/0000": ["old 0", "text/old"],
    "out/old": ["old", "text/old"],
}
_NEW = {
    "kept": ["old kept", "text/kept"],
    "kept/deeper": ["new 2", "text/csv"],
    "out//0001": ["new 1", "text/csv"],
    "out/0000": ["new 0", "text/csv"],
    "out/manifest": ["new manifest", "application/json"],
}


def at(key: str) -> ObjectUrl:
    return ObjectUrl("rides", key)


@pytest.mark.parametrize("how", ["killed", "failed"])
def test_stopped_at_any_step_a_publication_happens_whole_or_not_at_all(tmp_path: Path, how: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _AT_EVERY_STEP, str(tmp_path), how], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    states = [state for state, _ in outcomes]
    assert all(state in (_OLD, _NEW) for state in states)
    assert states.count(_OLD) > 10
    assert states.count(_NEW) > 10
    if how == "killed":  # early deaths leave nothing, late ones everything; a failure may be one that does not matter
        assert states == [_OLD] * states.count(_OLD) + [_NEW] * states.count(_NEW)
    assert all(left == [] for _, left in outcomes)


def test_what_was_written_after_the_crash_is_not_undone(tmp_path: Path) -> None:
    storage = Storage(Settings(directory=tmp_path))
    storage.put(at("deleted"), b"old")
    intents = tmp_path / "s3/.restframe/intents"
    record = _record_of_a_publication(storage, intents)
    storage.put(at("a"), b"newer")
    storage.put(at("deleted"), b"newer")
    intents.joinpath("1.json").write_text(record)
    (tmp_path / "s3/.restframe/temporary" / json.loads(record)["puts"][0]["staged"]).write_bytes(b"staged")
    storage.recover()
    assert storage.read(at("a")) == storage.read(at("deleted")) == b"newer"
    assert list(intents.iterdir()) == []


def _record_of_a_publication(storage: Storage, intents: Path) -> str:
    """The record as it stands while its objects get their keys."""
    found: list[str] = []
    replace = storage.own.replace

    def spy(*given: object) -> object:
        found.extend(path.read_text() for path in intents.iterdir())
        return replace(*given)  # type: ignore[arg-type]

    storage.own.replace = spy  # type: ignore[method-assign, assignment]
    with storage.publish() as publication:
        publication.put(at("a"), b"published")
        publication.delete(at("deleted"))
    storage.own.replace = replace  # type: ignore[method-assign]
    return found[0]


def test_an_exception_in_the_block_publishes_nothing(tmp_path: Path) -> None:
    storage = Storage(Settings(directory=tmp_path))
    storage.put(at("out/0"), b"old")
    with pytest.raises(ZeroDivisionError), storage.publish() as publication:
        publication.stage(at("out/1")).write_bytes(b"new")
        publication.delete(at("out/0"))
        raise ZeroDivisionError
    assert [info.url.key for info in storage.list(at(""))] == ["out/0"]
    assert list((tmp_path / "s3/.restframe/temporary").iterdir()) == []


def test_a_file_that_was_never_written_publishes_nothing(tmp_path: Path) -> None:
    storage = Storage(Settings(directory=tmp_path))
    with pytest.raises(errors.StorageError), storage.publish() as publication:
        publication.put(at("out/0"), b"new")
        publication.stage(at("out/1"))
    assert list(storage.list(at(""))) == []
