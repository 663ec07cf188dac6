"""model.tar.gz: what a training job leaves behind and an endpoint starts from.

Reading one never runs code, never writes to the disk and never takes more memory than its limits: an artefact may
come from anybody. Files that could run code when opened (pickles, whatever they are wrapped in) are refused.

https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html#td-serialization
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import BinaryIO

from restframe import errors
from restframe.ml.pickles import find_code

MAX_BYTES = 1 << 30  # unpacked
MAX_MEMBERS = 1000

# Python 3.11.4 and later know the rules of PEP 706; before, the checks below stand alone.
_data_filter = getattr(tarfile, "data_filter", None)


def write(files: Mapping[str, bytes]) -> bytes:
    """The archive of some files. The same files give the same bytes: no clock, no user, names in order."""
    out = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=out, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size = len(files[name])
            member.mode = 0o644
            archive.addfile(member, io.BytesIO(files[name]))
    return out.getvalue()


def read(source: bytes | BinaryIO, max_bytes: int = MAX_BYTES, max_members: int = MAX_MEMBERS) -> dict[str, bytes]:
    """The files of an archive by name, directories left out.

    UnsafeArtifact when a member is not a plain file inside the archive's folder, there are too many of them, they are
    larger than `max_bytes` together, or one could run code when opened. DataError when it is no intact model.tar.gz.
    """
    unpacked = _decompress(io.BytesIO(source) if isinstance(source, bytes) else source, max_bytes)
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=unpacked, mode="r:") as archive:
            for count, member in enumerate(archive, 1):
                if count > max_members:
                    raise errors.UnsafeArtifact(f"the artefact has more than {max_members} members")
                name = _checked_name(member)
                if member.isdir():
                    continue
                if name in files:
                    raise errors.UnsafeArtifact(f'the artefact holds "{_shown(name)}" twice')
                files[name] = _content(archive, member)
    except tarfile.TarError as error:
        raise errors.DataError(f"the artefact is no intact tar archive: {str(error)[:100]}") from error
    for name, content in files.items():
        _refuse_code(name, content)
    return files


def _decompress(source: BinaryIO, max_bytes: int) -> io.BytesIO:
    out = io.BytesIO()
    try:
        with gzip.GzipFile(fileobj=source) as compressed:
            while piece := compressed.read(1 << 20):
                out.write(piece)
                if out.tell() > max_bytes:
                    raise errors.UnsafeArtifact(f"the artefact is larger than {max_bytes} bytes when unpacked")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise errors.DataError(f"the artefact is no intact gzip file: {str(error)[:100]}") from error
    out.seek(0)
    return out


def _checked_name(member: tarfile.TarInfo) -> str:
    """The member's plain path inside the archive."""
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\\" in member.name or "\0" in member.name:
        raise errors.UnsafeArtifact(f'the artefact holds "{_shown(member.name)}", which lies outside its folder')
    if member.issym() or member.islnk():
        raise errors.UnsafeArtifact(f'the artefact holds "{_shown(member.name)}", which is a link')
    if member.issparse() or not (member.isfile() or member.isdir()):
        raise errors.UnsafeArtifact(f'the artefact holds "{_shown(member.name)}", which is not a plain file')
    if _data_filter is not None:
        try:
            _data_filter(member, ".")
        except tarfile.FilterError as error:
            raise errors.UnsafeArtifact(f"the artefact is not safe to unpack: {str(error)[:200]}") from error
    return str(path)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(member)
    content = b"" if file is None else file.read()
    if len(content) != member.size:
        raise errors.DataError(f'the artefact\'s "{_shown(member.name)}" is cut off')
    return content


def _refuse_code(name: str, content: bytes) -> None:
    found = find_code(name, content)
    if found is None:
        return
    hint = "Serve it by its own container and register that as an endpoint."
    if PurePosixPath(name).name == "xgboost-model":
        hint = "Convert it with Booster.save_model, or serve it by its own container and register that as an endpoint."
    raise errors.UnsafeArtifact(
        f'the artefact\'s "{_shown(name)}" is {found}, which can run code when it is opened', hint=hint
    )


def _shown(name: str) -> str:
    return name[:100].encode("utf-8", "replace").decode()
