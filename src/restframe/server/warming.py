"""Compiling kernels before anybody wants them: in a child of the server, or by `python -m restframe.server.warming`.

It does what uses them, once: so they are compiled for exactly the types of arrays that they are called with.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from restframe import kernels
from restframe.kernels import Group

logger = logging.getLogger(__name__)

_NICENESS = 5  # somebody may wait for it, and a machine be busy for hours
_LEAVE_S = 5.0


@contextlib.contextmanager
def warmed() -> Iterator[None]:
    """Compile in a child process what is not compiled yet, as long as the block lasts."""
    if kernels.directory() is None or not kernels.missing():
        yield
        return
    # It ends with us, however we end: then nobody holds the other end of its standard input.
    child = subprocess.Popen(
        [sys.executable, "-m", __name__, "--beside"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    logger.info("process %d compiles kernels, which is done once", child.pid)
    try:
        yield
    finally:
        child.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.communicate(timeout=_LEAVE_S)


def main(arguments: Sequence[str]) -> int:
    """1 when there is nowhere to keep them, or when another process is at it."""
    if "--beside" not in arguments:
        return 0 if warm() else 1
    os.nice(_NICENESS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warm()
    os._exit(0)  # what libraries say of an end in good order is not the server's to say


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def warm() -> bool:
    """Compile what is not compiled yet; whether all of it is there now."""
    with kernels.compiling() as place:
        if place is None:
            return not kernels.missing()
        with tempfile.TemporaryDirectory(prefix="restframe-kernels-") as directory:
            while groups := kernels.missing():
                USES[groups[0]](Path(directory) / groups[0])
                kernels.completed(groups[0])
        kernels.forget_old()
    return True


# What uses the kernels of a group

_TABLE = (
    "create table t (a smallint, b int, c bigint, d real, e double precision, f numeric(12,2), g numeric(38,4), h bool,"
    " i varchar(100), j char(10), k date, l time, m timestamp, n timestamptz, o varbyte(20), p timetz, q super)"
)
_ROW = (
    "1", "2", "3", "0.5", "0.25", "1.23", "1234567890123456789.1234", "t", "text", "char", "2020-01-31", "12:34:56",
    "2020-01-31 12:34:56.789", "2020-01-31 12:34:56+00", "616263", "12:34:56+00", "1",
)  # fmt: skip
_MANY = 1001  # rows that are written by kernels


class _Client:
    """Sends the same data whenever it is asked for some, and keeps what it receives."""

    def __init__(self) -> None:
        self.data: list[bytes] = []

    def receive(self, columns: int, binary: bool) -> Iterator[bytes]:
        return iter(self.data)

    def send(self, columns: int, binary: bool) -> Callable[[bytes | memoryview, Sequence[int]], None]:
        return lambda data, ends: self.data.append(bytes(data))


@contextlib.contextmanager
def _session(directory: Path) -> Iterator[Any]:
    from restframe.warehouse import Warehouse

    with Warehouse(directory, threads=1) as warehouse, warehouse.session() as session:
        session.copy_streams = _Client()
        session.execute(_TABLE)
        yield session


def _fill(session: Any, rows: int) -> None:
    names = ", ".join(f"$${cell}$$" for cell in _ROW)
    session.execute(f"insert into t select {names} from generate_series(1, {rows})")


def use_results(directory: Path) -> None:
    import restframe.storage.writing.messages  # noqa: F401  (where it is loaded, it is used from a few rows on)
    from restframe.pgwire.copying import Streams
    from restframe.pgwire.rows import Encoder

    class Channel:
        def send(self, data: bytes | bytearray | memoryview) -> None: ...

    with _session(directory) as session:
        _fill(session, _MANY)
        result = session.execute("select * from t")
        for batch in result.batches():
            for format_ in (0, 1):
                Encoder(result.columns, [format_]).encode(batch)
        session.copy_streams = Streams(Channel(), lambda: None)  # type: ignore[arg-type]
        for options in ("text", "csv", "binary"):
            session.execute(f"copy t to stdout (format {options})")


def use_copying(directory: Path) -> None:
    with _session(directory) as session:
        _fill(session, 1)
        client = session.copy_streams
        for format_ in ("binary", "text", "csv"):
            client.data = []
            session.execute(f"copy t to stdout (format {format_})")
            session.execute(f"copy t from stdin (format {format_})")


def use_loading(directory: Path) -> None:
    bucket = directory / "s3" / "kernels"
    bucket.mkdir(parents=True)
    line = ",".join(_ROW)
    names = "abcdefghijklmnopq"
    files = {
        "plain": (f"{line}\n", "delimiter ','"),
        "null": (f"{line}\n\0,\n", "delimiter ',' null as '\\0' fillrecord"),
        "csv": (f'"{line[0]}"{line[1:]}\n', "csv"),
        "escaped": (f"{line}\\\n\n", "delimiter ',' escape removequotes"),
        "fixed": ("".join(f"{cell:<30}" for cell in _ROW) + "\n", f"fixedwidth '{','.join(f'{n}:30' for n in names)}'"),
        "dates": (f"{line}\n", "delimiter ',' dateformat 'auto' timeformat 'auto'"),
        "json": ("{" + ",".join(f'"{n}":"{cell}"' for n, cell in zip(names, _ROW, strict=True)) + "}", "json 'auto'"),
    }
    with _session(directory) as session:
        for name, (text, options) in files.items():
            (bucket / name).write_text(text, encoding="ascii")
            session.execute(f"copy t from 's3://kernels/{name}' iam_role default {options} maxerror 10")


def use_forest(_: Path) -> None:
    import numpy as np

    from restframe.ml.random_cut_forest import attribution, fit, load, save, score

    for features in (1, 3):
        points = np.linspace(0, 1, 64 * features, dtype=np.float32).reshape(64, features)
        forest = fit(points, num_trees=2, num_samples_per_tree=32)
        score(forest, points)
        attribution(load(save(forest)), points)


def use_deepar(_: Path) -> None:
    import numpy as np

    from restframe.ml.deepar import Asked, Configuration, Model
    from restframe.ml.deepar.model import weight_shapes
    from restframe.ml.deepar.packing import measure
    from restframe.ml.forecasting.series import Series

    series = (Series(np.datetime64("2024-01-01", "s"), np.arange(40.0)),)
    configuration = Configuration(context_length=3, prediction_length=3, epochs=1, time_freq="D")
    weights = {name: np.zeros(shape, np.float32) for name, shape in weight_shapes(configuration).items()}
    Model(configuration, measure(series, configuration), weights, 0, 0.0).sample([Asked(series, samples=2)])


def use_smoothing(_: Path) -> None:
    import numpy as np

    from restframe.ml.forecasting.ets import smooth

    target = 10 + np.sin(np.arange(40.0)) + np.arange(40.0) / 10
    smooth(target, 7).sample_paths(3, 2, np.random.default_rng(0))


USES: dict[Group, Callable[[Path], None]] = {
    "loading": use_loading,
    "results": use_results,
    "copying": use_copying,
    "forest": use_forest,
    "deepar": use_deepar,
    "smoothing": use_smoothing,
}

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
