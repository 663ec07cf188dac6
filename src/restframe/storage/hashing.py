"""Writing a file and hashing what is written, each on a core of its own."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path

_WAITING = 4  # pieces between the two


def write_hashed(path: Path, pieces: Iterator[bytes]) -> str:
    """Write pieces to a new file; their MD5, which S3 calls an ETag."""
    digest = md5(usedforsecurity=False)
    with path.open("wb") as file:
        first = next(pieces, b"")
        file.write(first)
        second = next(pieces, None)
        if second is None:
            digest.update(first)
            return digest.hexdigest()
        waiting: queue.Queue[bytes | None] = queue.Queue(_WAITING)

        def hash_all() -> None:
            while (piece := waiting.get()) is not None:
                digest.update(piece)

        hashing = threading.Thread(target=hash_all, name="restframe-md5", daemon=True)
        hashing.start()
        try:
            waiting.put(first)
            piece: bytes | None = second
            while piece is not None:
                waiting.put(piece)
                file.write(piece)
                piece = next(pieces, None)
        finally:
            waiting.put(None)
            hashing.join()
    return digest.hexdigest()
