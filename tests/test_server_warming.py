"""The child process that compiles kernels, and that it leaves none to be compiled later."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

# Uses all kernels, and prints those that were not used; then what is compiled beyond that by what people do.
PROGRAM = """
import importlib, json, pkgutil, sys, tempfile
from pathlib import Path
import numpy as np
import restframe.ml.deepar, restframe.ml.forecasting, restframe.ml.random_cut_forest, restframe.storage
from numba.core.dispatcher import Dispatcher
from restframe import kernels
from restframe.server import warming

kernels._ours = True

def signatures():
    found = {}
    for package in (
        restframe.storage, restframe.ml.random_cut_forest, restframe.ml.forecasting, restframe.ml.deepar,
    ):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            for one in vars(importlib.import_module(module.name)).values():
                one = getattr(one, "dispatcher", one)
                if isinstance(one, Dispatcher) and one.stats.cache_path:
                    found[f"{one.py_func.__module__}.{one.py_func.__name__}"] = sorted(map(str, one.signatures))
    return found

directory = Path(tempfile.mkdtemp())
for group, use in warming.USES.items():
    use(directory / group)
used = signatures()
with warming._session(directory / "again") as session:
    client = session.copy_streams
    session.execute("create table two (a int, b varchar(20))")
    for options, data in {
        "(format csv, header)": b'a,b\\n1,"x"\\n', "(format csv, null 'n', delimiter '|')": b"1|n\\n",
        "(format text, header match)": b"a\\tb\\n1\\tx\\\\n\\n", "(delimiter '|')": b"1|x\\n2|y\\n",
    }.items():
        client.data = [data[:5], data[5:]]
        session.execute(f"copy two from stdin {options}")
    session.execute("copy two to stdout")
from restframe.ml.deepar import Asked, Configuration, fit, load, save
from restframe.ml.forecasting.series import Series
series = (Series(np.datetime64("2024-01-01", "s"), np.arange(60.0)),)
model = fit(series, Configuration(context_length=5, prediction_length=2, epochs=1, time_freq="D", num_layers=1))
load(save(model)).sample([Asked(series)])
again = signatures()
print(json.dumps([[name for name in used if not used[name]], [name for name in again if again[name] != used[name]]]))
"""


def test_all_kernels_are_compiled_for_all_that_they_are_called_with(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=os.environ | {"TMPDIR": str(tmp_path)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [[], []]


def _children(server: Any) -> list[int]:
    pid = server.process.pid
    return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def test_the_child_ends_with_the_server_however_that_ends(
    serve: Callable[..., Any],
    tmp_path: Path,
    eventually: Callable[[Callable[[], object]], None],
    is_gone: Callable[[int], bool],
) -> None:
    for end in (signal.SIGTERM, signal.SIGKILL):
        server = serve(NUMBA_CACHE_DIR=str(tmp_path / end.name))
        (child,) = _children(server)
        server.end(end)
        eventually(lambda child=child: is_gone(child))


def test_a_server_starts_no_child_where_kernels_are(serve: Callable[..., Any], tmp_path: Path) -> None:
    program = "from restframe import kernels; [kernels.completed(group) for group in kernels.GROUPS]"
    environment = {"NUMBA_CACHE_DIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env=os.environ | environment, check=True)
    assert _children(serve(**environment)) == []
