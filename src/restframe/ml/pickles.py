"""Recognising files that run code when a library opens them, without opening them.

Pickle in all its protocols, and what wraps it: joblib (plain or compressed), skops, PyTorch, NumPy object arrays,
MLflow's Python models. Names count as well as contents.
"""

from __future__ import annotations

import bz2
import contextlib
import io
import lzma
import pickletools
import zipfile
import zlib
from pathlib import PurePosixPath

_SUFFIXES = {
    ".pkl": "a pickle",
    ".pickle": "a pickle",
    ".dill": "a pickle",
    ".cloudpickle": "a pickle",
    ".joblib": "a joblib file",
    ".skops": "a skops file",
    ".pt": "a PyTorch file",
    ".pth": "a PyTorch file",
}
_HEAD = 1 << 16
_MAX_ENTRIES = 10_000

_MAX_OPCODES = 1000
_CALLS = ("REDUCE", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD")


def find_code(name: str, content: bytes) -> str | None:
    """What the file is, when opening it with its own library could run code: `a pickle`; else None."""
    path = PurePosixPath(name)
    if path.name == "MLmodel":
        return "an MLflow model"
    if path.suffix.lower() in _SUFFIXES:
        return _SUFFIXES[path.suffix.lower()]
    if _is_pickle(content):
        return "a pickle"
    if content.startswith(b"\x93NUMPY") and _has_objects(content[:_HEAD]):
        return "an array of pickled objects"
    if content.startswith(b"PK"):
        return _in_zip(content)
    head = _decompressed_head(content)
    return "a compressed pickle" if head is not None and _is_pickle(head) else None


def _is_pickle(content: bytes) -> bool:
    if _is_pickle_head(content):
        return True
    # Protocols 0 and 1 have no magic number. What makes them dangerous is a global that is then called; they need
    # not end well for that, because opcodes run as they are read.
    names: list[str] = []
    with contextlib.suppress(Exception):  # genops raises whatever the damage leads to
        for opcode, _, _ in pickletools.genops(content):
            names.append(opcode.name)
            if opcode.name == "STOP" or len(names) == _MAX_OPCODES:
                break
    if "INST" in names:
        return "MARK" in names[: names.index("INST")]
    if "GLOBAL" not in names:
        return False
    after = names[names.index("GLOBAL") + 1 :]
    return "STOP" in after or any(name in _CALLS for name in after[1:])


def _is_pickle_head(content: bytes) -> bool:
    return len(content) > 1 and content[0] == 0x80 and 2 <= content[1] <= 5


def _has_objects(header: bytes) -> bool:
    return b"'O'" in header or b"|O" in header


def _in_zip(content: bytes) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist()[:_MAX_ENTRIES]:
                inside = PurePosixPath(entry.filename)
                if inside.name == "schema.json":
                    return "a skops file"
                if inside.suffix.lower() in _SUFFIXES:
                    return f"an archive with {_SUFFIXES[inside.suffix.lower()]}"
                with archive.open(entry) as file:
                    head = file.read(_HEAD)
                if _is_pickle_head(head) or (head.startswith(b"\x93NUMPY") and _has_objects(head)):
                    return "an archive with pickled objects"
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError, OSError):
        return "a damaged archive"
    return None


def _decompressed_head(content: bytes) -> bytes | None:
    try:
        if content.startswith((b"\x1f\x8b", b"x")):
            return zlib.decompressobj(47).decompress(content[:_HEAD], _HEAD)
        if content.startswith(b"BZh"):
            return bz2.BZ2Decompressor().decompress(content[:_HEAD], _HEAD)
        if content.startswith((b"\xfd7zXZ\x00", b"]\x00\x00")):
            return lzma.LZMADecompressor().decompress(content[:_HEAD], _HEAD)
    except (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError):
        pass
    return None
