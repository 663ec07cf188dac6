"""Decodes Parquet and ORC for COPY: `python -m restframe.storage.loading.columnar_child`.

Reads requests from its standard input, each pickled behind its length: (kind, columns, path, name). Answers on its
standard output in frames of a letter, a length and as many bytes: `B` a batch as Arrow's IPC writes it, `E` an error as
JSON, `D` the end of the file. It ends when nothing is asked for a while, or when its standard input does.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import select
import struct
import sys
from pathlib import Path
from typing import BinaryIO

from restframe import errors
from restframe.storage.loading.columnar_decoding import decode

LENGTH = struct.Struct("<Q")
HEAD = struct.Struct("<cQ")

IDLE_S = 600
_LEAST_MEMORY, _MEMORY_SHARE = 1 << 30, 4  # of the machine's memory, a fourth


def main() -> int:
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # whatever libraries print is not an answer
    _offer_to_oom_killer()
    limit = _limit_memory()
    requests = os.fdopen(0, "rb", buffering=0)
    while select.select([requests], [], [], IDLE_S)[0]:
        head = _exactly(requests, LENGTH.size)
        if not head:
            break
        _answer(pickle.loads(_exactly(requests, *LENGTH.unpack(head))), answers, limit)
    return 0


def _answer(request: tuple[object, ...], answers: BinaryIO, limit: int) -> None:
    kind, columns, path, name = request
    try:
        for batch in decode(kind, columns, Path(str(path)), str(name)):  # type: ignore[arg-type]
            _put(answers, b"B", memoryview(batch.serialize()))
    except MemoryError:
        _fail(answers, errors.OutOfMemory(f'"{str(name)[:200]}" takes more than {limit >> 20} MB of memory to read'))
    except errors.Error as error:
        _fail(answers, error)
    except Exception as error:  # noqa: BLE001  (whatever a file made for it brings up)
        _fail(
            answers, errors.CorruptObject(f'"{str(name)[:200]}" is damaged: {type(error).__name__} {str(error)[:200]}')
        )
    else:
        _put(answers, b"D", memoryview(b""))


def _fail(answers: BinaryIO, error: errors.Error) -> None:
    said = {"kind": type(error).__name__, "message": error.message, "hint": error.hint}
    _put(answers, b"E", memoryview(json.dumps(said).encode()))


def _put(answers: BinaryIO, letter: bytes, content: memoryview) -> None:
    for piece in (memoryview(HEAD.pack(letter, content.nbytes)), content.cast("B")):
        while piece.nbytes:
            piece = piece[answers.write(piece) :]


def _exactly(source: BinaryIO, size: int) -> bytes:
    """So many bytes; fewer, when there are no more."""
    content = b""
    while len(content) < size and (piece := source.read(size - len(content))):
        content += piece
    return content


def _limit_memory() -> int:
    """How much this process may take, where the system knows limits."""
    import resource

    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = max(_LEAST_MEMORY, memory // _MEMORY_SHARE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return limit


def _offer_to_oom_killer() -> None:
    """On Linux: when memory runs out this process goes, and not the warehouse."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


if __name__ == "__main__":
    sys.exit(main())
