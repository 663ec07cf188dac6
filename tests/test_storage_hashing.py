"""Writing and hashing at once."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restframe.storage.hashing import write_hashed


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_what_is_written_is_what_is_hashed(tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("hashing") / "file"
    assert write_hashed(path, iter(pieces)) == hashlib.md5(b"".join(pieces)).hexdigest()
    assert path.read_bytes() == b"".join(pieces)


def test_what_the_pieces_raise_is_raised_and_no_thread_is_left(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield from [b"x" * 1_000_000] * 10
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        write_hashed(tmp_path / "file", pieces())
    assert [one for one in threading.enumerate() if one.name == "restframe-md5"] == []
