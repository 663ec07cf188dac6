"""What several test files share."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture
def shared_data() -> Callable[[str], Path]:
    """Real data beside the checkout; a test that asks for a file which is not there is skipped, with the name."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"real data not present: {name}")
        return path

    return find


@pytest.fixture
def endless() -> str:
    """A query that runs for minutes when nothing stops it."""
    return """
        select count(*)
        from (select generate_series(1, 200000) as i) a, (select generate_series(1, 200000) as i) b
        where a.i + b.i = 7 and a.i * b.i = 11
    """


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    path = tmp_path / "small"
    path.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(path)], capture_output=True, text=True
    )
    if mount.returncode != 0:
        pytest.skip(f"cannot mount a small file system: {mount.stderr.strip()}")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)
