"""COPY when the process is killed or the disk is full: nothing or everything, and the warehouse goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import restframe
from restframe import errors
from restframe.storage import ObjectUrl

ROWS = 150_000
DATA = b"".join(b"%d|zone %d|1.5\n" % (i, i % 1000) for i in range(ROWS))
TABLE = "create table rides (id int, zone varchar(10), fare decimal(8,2))"

# Loads the same file again and again, and tells after each load that it is done.
LOADER = """
import sys, restframe
with restframe.open(sys.argv[1]) as warehouse, warehouse.session() as session:
    print("ready", flush=True)
    while True:
        session.execute("copy rides from 's3://data/r'")
        print("loaded", flush=True)
"""


def test_a_killed_load_leaves_nothing_or_everything(tmp_path: Path) -> None:
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")
    drawn = random.Random(seed)
    with restframe.open(tmp_path) as warehouse:
        warehouse.sql(TABLE)
        warehouse.storage.put(ObjectUrl("data", "r"), DATA)
        warehouse.sql("copy rides from 's3://data/r' noload")
    acknowledged = 0
    for _ in range(8):
        command = [sys.executable, "-c", LOADER, str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(drawn.uniform(0.0, 0.5))
            child.send_signal(signal.SIGKILL)
            acknowledged += child.stdout.read().count("loaded\n")
        with restframe.open(tmp_path) as warehouse:
            rows = warehouse.sql("select count(*) from rides").scalar()
            loads = warehouse.sql("select count(*) from sys_load_history where status = 'completed'").scalar() - 1
            files = warehouse.sql("select count(*) from stl_load_commits").scalar() - 1
            complete = warehouse.sql("select count(distinct id) from rides").scalar()
        assert rows == ROWS * loads == ROWS * files
        assert acknowledged <= loads
        assert complete in (0, ROWS)
        acknowledged = loads


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(path)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a file system cannot be mounted here")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_full_disk(disk: Path, tmp_path: Path) -> None:
    with restframe.open(disk / "warehouse", buckets_directory=tmp_path / "buckets") as warehouse:
        warehouse.sql(TABLE)
        warehouse.storage.put(ObjectUrl("data", "small"), b"1|a|1\n2|b|2\n")
        noise = os.urandom(40_000_000).hex()
        lines = "\n".join(noise[i : i + 1000] for i in range(0, len(noise), 1000))
        warehouse.storage.put(ObjectUrl("data", "large"), lines.encode())
        warehouse.sql("create table noise (hex varchar(1000))")
        warehouse.sql("copy rides from 's3://data/small'")
        with pytest.raises(errors.DiskFull):
            warehouse.sql("copy noise from 's3://data/large'")
        assert warehouse.sql("select count(*) from noise").scalar() == 0
        warehouse.sql("copy rides from 's3://data/small'")
        assert warehouse.sql("select count(*) from rides").scalar() == 4
    with restframe.open(disk / "warehouse", buckets_directory=tmp_path / "buckets") as warehouse:
        assert warehouse.sql("select count(*) from rides").scalar() == 4
