"""model.tar.gz: written the same each time, read without running, writing or swelling anything."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restframe import errors
from restframe.ml import artifact


class Bomb:
    """Opening its pickle makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


def archive(*members: tarfile.TarInfo | tuple[str, bytes]) -> bytes:
    """A gzip-compressed tar of whatever members, safe or not."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                tar.addfile(info, io.BytesIO(member[1]))
    return out.getvalue()


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = target
    return info


def zipped(**entries: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return out.getvalue()


NAMES = st.lists(st.text("abc._-é", min_size=1, max_size=8), min_size=1, max_size=3).map("/".join)
SAFE = NAMES.filter(lambda name: not any(part in (".", "..") for part in name.split("/")))


@given(st.dictionaries(SAFE, st.binary(max_size=200).filter(lambda b: not b.startswith(b"\x80")), max_size=4))
@settings(max_examples=60, deadline=None)
def test_files_come_back(files: dict[str, bytes]) -> None:
    files = {name: b"=" + content for name, content in files.items()}
    assert artifact.read(artifact.write(files)) == files


def test_the_same_files_give_the_same_bytes() -> None:
    one = artifact.write({"b": b"2", "a": b"1"})
    assert one == artifact.write({"a": b"1", "b": b"2"})
    with tarfile.open(fileobj=io.BytesIO(one)) as tar:
        assert [(m.name, m.mtime, m.uid, m.uname, oct(m.mode)) for m in tar] == [
            ("a", 0, 0, "", "0o644"),
            ("b", 0, 0, "", "0o644"),
        ]


def test_an_archive_made_by_tar_is_read() -> None:
    folder = tarfile.TarInfo("./model")
    folder.type = tarfile.DIRTYPE
    assert artifact.read(archive(folder, ("./model/weights.json", b"{}"))) == {"model/weights.json": b"{}"}
    assert artifact.read(io.BytesIO(archive(("a", b"")))) == {"a": b""}


@pytest.mark.parametrize(
    ("member", "message"),
    [
        (("../outside", b"x"), 'the artefact holds "../outside", which lies outside its folder'),
        (("a/../../outside", b"x"), 'the artefact holds "a/../../outside", which lies outside its folder'),
        (("/etc/cron.d/x", b"x"), 'the artefact holds "/etc/cron.d/x", which lies outside its folder'),
        (("..\\outside", b"x"), 'the artefact holds "..\\outside", which lies outside its folder'),
        (special("link", tarfile.SYMTYPE, "/etc/passwd"), 'the artefact holds "link", which is a link'),
        (special("link", tarfile.LNKTYPE, "a"), 'the artefact holds "link", which is a link'),
        (special("null", tarfile.CHRTYPE), 'the artefact holds "null", which is not a plain file'),
        (special("disk", tarfile.BLKTYPE), 'the artefact holds "disk", which is not a plain file'),
        (special("pipe", tarfile.FIFOTYPE), 'the artefact holds "pipe", which is not a plain file'),
        (special("holes", tarfile.GNUTYPE_SPARSE), 'the artefact holds "holes", which is not a plain file'),
    ],
)
def test_members_that_are_no_plain_files_inside_are_refused(
    member: tarfile.TarInfo | tuple[str, bytes], message: str
) -> None:
    with pytest.raises(errors.UnsafeArtifact) as caught:
        artifact.read(archive(("a", b"1"), member))
    assert caught.value.message == message


def test_limits() -> None:
    bomb = gzip.compress(bytes(5_000_000))
    with pytest.raises(errors.UnsafeArtifact, match="larger than 1000000 bytes when unpacked"):
        artifact.read(bomb, max_bytes=1_000_000)
    many = archive(*((f"f{i}", b"") for i in range(11)))
    with pytest.raises(errors.UnsafeArtifact, match="more than 10 members"):
        artifact.read(many, max_members=10)
    with pytest.raises(errors.UnsafeArtifact, match='holds "a" twice'):
        artifact.read(archive(("a", b"1"), ("./a", b"2")))


def test_damage_is_found() -> None:
    whole = artifact.write({"a": bytes(range(256)) * 50})
    with pytest.raises(errors.DataError, match="no intact gzip file"):
        artifact.read(whole[:-20])
    with pytest.raises(errors.DataError, match="no intact gzip file"):
        artifact.read(whole[:-8] + b"\0" * 8)
    with pytest.raises(errors.DataError, match="no intact gzip file"):
        artifact.read(b"not an archive")
    with pytest.raises(errors.DataError, match="no intact tar archive"):
        artifact.read(gzip.compress(b"not a tar archive" * 100))
    long_member = archive(("a", b"x" * 5000))
    with pytest.raises(errors.DataError):
        artifact.read(gzip.compress(gzip.decompress(long_member)[:2000]))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("wrap", [bytes, zlib.compress, gzip.compress, bz2.compress, lzma.compress])
def test_pickles_are_refused_and_never_opened(tmp_path: Path, protocol: int, wrap: Callable[[bytes], bytes]) -> None:
    trap = tmp_path / "opened"
    content = pickle.dumps(Bomb(trap), protocol)
    with pytest.raises(errors.UnsafeArtifact, match="pickle, which can run code"):
        artifact.read(archive(("model", wrap(content))))
    assert not trap.exists()


def test_what_wraps_pickles_is_refused(tmp_path: Path) -> None:
    content = pickle.dumps(Bomb(tmp_path / "opened"))
    objects = io.BytesIO()
    np.save(objects, np.array([{}], dtype=object), allow_pickle=True)
    archived = io.BytesIO()
    np.savez(archived, a=np.array([{}], dtype=object))
    for name, data in {
        "model.pkl": b"",
        "MODEL.JOBLIB": b"",
        "model.pth": b"",
        "mlflow/MLmodel": b"flavors: {}",
        "a.npy": objects.getvalue(),
        "a.npz": archived.getvalue(),
        "a": zipped(**{"schema.json": b"{}"}),
        "b": zipped(**{"archive/data.pkl": content}),
        "c": zipped(weights=content),
        "d": zipped(x=b"y")[:-10],
        "e": b"cos\nsystem\n(S'true'\ntRgarbage",
        "f": b"(S'true'\nios\nsystem\n.",
    }.items():
        with pytest.raises(errors.UnsafeArtifact):
            artifact.read(archive((name, data)))
    assert not (tmp_path / "opened").exists()


def test_an_xgboost_pickle_gets_its_own_hint() -> None:
    with pytest.raises(errors.UnsafeArtifact) as caught:
        artifact.read(archive(("xgboost-model", pickle.dumps({}))))
    assert caught.value.message == 'the artefact\'s "xgboost-model" is a pickle, which can run code when it is opened'
    assert caught.value.hint is not None
    assert "Booster.save_model" in caught.value.hint


def test_plain_formats_are_no_pickles() -> None:
    numbers = io.BytesIO()
    np.savez(numbers, a=np.arange(3), b=np.array(["x"]))
    files = {
        "model.txt": b"tree\nversion=v3\n",
        "xgboost-model": b'{"learner":{}}',
        "model.npz": numbers.getvalue(),
        "classes.txt": b"cat\ndog\nbird\n",
        "scores.txt": b"0.5\n0.25\n",
        "x": b"xgboost",
        "empty": b"",
    }
    assert artifact.read(artifact.write(files)) == files
