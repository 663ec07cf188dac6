"""A short run of the fuzzer for the PostgreSQL protocol. `tests/fuzz_pgwire.py` itself runs for longer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_some_seconds_of_fuzzing_find_nothing(tmp_path: Path) -> None:
    # that something took long is no find here, where other tests may run beside this one
    options = ["--seed", "rides", "--minutes", "0.12", "--threads", "2", "--kill-every", "4", "--slow", "60"]
    fuzzer = Path(__file__).with_name("fuzz_pgwire.py")
    done = subprocess.run([sys.executable, fuzzer, *options, tmp_path], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 kinds of finds" in done.stdout
