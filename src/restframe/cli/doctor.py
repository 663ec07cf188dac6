"""`restframe doctor`: whether restframe can work here, and what to do where it cannot."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from restframe import __version__, errors, kernels
from restframe.cli.reporting import name_server

_MIN_MEMORY_GB = 2.0
_MIN_DISK_GB = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """advice : what to do, unless all is well"""

    status: Literal["ok", "warn", "fail"]
    what: str
    advice: str = ""


def run(given: argparse.Namespace) -> int:
    """Print one line per check as it is made; 1 when any of them failed."""
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    failed = False
    for check in CHECKS:
        try:
            findings = list(check(given.directory))
        except Exception as error:  # noqa: BLE001  (a check that breaks is a finding, too)
            name = check.__name__.strip("_").replace("_", " ")
            findings = [Finding("fail", f"{name}: {type(error).__name__}: {error}")]
        for finding in findings:
            failed = failed or finding.status == "fail"
            print(_line(finding, colour), flush=True)
    return 1 if failed else 0


def _line(finding: Finding, colour: bool) -> str:
    mark = f"{finding.status:<4}"
    if colour:
        mark = f"\x1b[{_COLOURS[finding.status]}m{mark}\x1b[0m"
    return f"{mark}  {finding.what}" + (f"\n      {finding.advice}" if finding.advice else "")


_COLOURS = {"ok": "32", "warn": "33", "fail": "31"}


# The checks


def _python(_: Path) -> Iterator[Finding]:
    version = platform.python_version()
    yield Finding("ok", f"restframe {__version__}, Python {version} on {platform.system()} {platform.machine()}")
    if sys.maxsize < 2**32:
        yield Finding("fail", "this Python is a 32-bit one", "Install a 64-bit Python.")


def _libraries(_: Path) -> Iterator[Finding]:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    for name in missing:
        yield Finding("fail", f"{_NEEDED[name]} is not installed", f"Run: pip install {_NEEDED[name]}")
    versions = [f"{_NEEDED[name]} {metadata.version(_NEEDED[name])}" for name in _NEEDED if name not in missing]
    yield Finding("ok", ", ".join(versions))
    if _is_compiled("sqlglot.parser"):
        yield Finding("ok", "the SQL parser is the compiled one")
    else:
        yield Finding(
            "warn",
            "the SQL parser is the slower one in pure Python",
            "For short statements in fast succession: pip install 'restframe[fast]'",
        )


_NEEDED = {
    "duckdb": "duckdb",
    "sqlglot": "sqlglot",
    "pyarrow": "pyarrow",
    "numba": "numba",
    "numpy": "numpy",
    "isal": "isal",
    "obstore": "obstore",
    "prompt_toolkit": "prompt_toolkit",
    "pygments": "pygments",
    "uvicorn": "uvicorn",
    "httptools": "httptools",
    "botocore": "botocore",
    "awscrt": "awscrt",
    "cryptography": "cryptography",
}


def _is_compiled(module: str) -> bool:
    with contextlib.suppress(ImportError):
        found = importlib.util.find_spec(module)
        return found is not None and found.origin is not None and not found.origin.endswith(".py")
    return False


def _processor(_: Path) -> Iterator[Finding]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    features = _processor_features()
    shown = f", {', '.join(features)}" if features else ""
    yield Finding("ok", f"{cores} processor core{'' if cores == 1 else 's'}{shown}")


def _processor_features() -> list[str]:
    """Those that make scoring faster, as Linux lists them; nothing where nobody tells."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    flags = next((line.split() for line in text.splitlines() if line.startswith(("flags", "Features"))), [])
    return [name for name in ("avx2", "avx512f", "asimd", "sve") if name in flags]


def _kernels(_: Path) -> Iterator[Finding]:
    place = kernels.directory()
    if place is None:
        yield Finding(
            "warn",
            "there is no place to keep compiled kernels, so each process compiles its own",
            "Set NUMBA_CACHE_DIR to a directory that can be written.",
        )
    elif all(map(kernels.complete, kernels.GROUPS)):
        yield Finding("ok", f"kernels are compiled, in {place}")
    else:
        yield Finding(
            "warn",
            "kernels are not compiled yet: the first COPY or training waits for it, unless a server does it before",
            "Do it now, which takes half a minute: python -m restframe.server.warming",
        )


def _memory(_: Path) -> Iterator[Finding]:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    limits = [total, *_memory_limits()]
    usable = min(limits)
    note = f" ({total:.1f} GB in the machine, this process may use less)" if usable < total * 0.99 else ""
    if usable < _MIN_MEMORY_GB:
        yield Finding(
            "warn",
            f"{usable:.1f} GB of memory{note}",
            "Set memory_limit in restframe.toml so that queries spill early.",
        )
    else:
        yield Finding("ok", f"{usable:.1f} GB of memory{note}")


def _memory_limits() -> Iterator[float]:
    """Of the container this process may be in, in GB."""
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with contextlib.suppress(OSError, ValueError):
            yield int(Path(path).read_text().strip()) / 2**30


def _directory(directory: Path) -> Iterator[Finding]:
    existing = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    if not existing.is_dir():
        yield Finding("fail", f"{existing} is not a directory", "Choose another one with -d.")
        return
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        yield Finding("fail", f"{existing} cannot be written: {error.strerror}", "Choose another directory with -d.")
        return
    state = "the warehouse is in" if (directory / "warehouse.duckdb").exists() else "a warehouse can be made in"
    yield Finding("ok", f"{state} {directory}")
    free = shutil.disk_usage(existing).free / 2**30
    if free < _MIN_DISK_GB:
        yield Finding("warn", f"{free:.1f} GB free on its disk", "Large loads and sorts need more; free some space.")
    else:
        yield Finding("ok", f"{free:.1f} GB free on its disk")


def _lock(directory: Path) -> Iterator[Finding]:
    """Opens the warehouse when there is one, which also shows that it is intact."""
    if not (directory / "warehouse.duckdb").exists():
        return
    from restframe.warehouse import Warehouse

    try:
        with Warehouse(directory) as warehouse:
            models = len(warehouse.sql("SHOW MODEL ALL").fetchall())
        yield Finding("ok", f"it opens, and has {models} model{'' if models == 1 else 's'}")
    except errors.WarehouseLocked as error:
        name_server(error, directory)
        yield Finding("warn", error.message, error.hint or "")
    except errors.Error as error:
        yield Finding("fail", f"it does not open: {error.message}", error.hint or "")


def _self_test(_: Path) -> Iterator[Finding]:
    """From a CSV in a bucket to an anomaly score in SQL, in a warehouse that is gone afterwards."""
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="restframe-doctor-") as directory:
        score = _score_of_an_outlier(Path(directory))
    if score < 1.5:
        yield Finding("fail", f"a small model ran and scored an outlier with {score}", "Please report this.")
    else:
        yield Finding("ok", f"loaded, trained, deployed and scored in SQL in {time.perf_counter() - started:.1f} s")


def _score_of_an_outlier(directory: Path) -> float:
    from restframe.warehouse import Warehouse

    bucket = directory / "s3" / "doctor"
    bucket.mkdir(parents=True)
    rows = "".join(f"{100 + i % 10}\n" for i in range(1000))
    (bucket / "rows.csv").write_text(rows + "9999\n", encoding="ascii")
    with Warehouse(directory) as warehouse:
        warehouse.sql("CREATE TABLE rows (n int)")
        warehouse.sql("COPY rows FROM 's3://doctor/rows.csv' IAM_ROLE DEFAULT CSV")
        job = warehouse.train(
            "random_cut_forest", {"train": "s3://doctor/rows.csv"}, "s3://doctor/models", name="doctor",
            hyperparameters={"feature_dim": 1, "num_trees": 50},
        )  # fmt: skip
        warehouse.deploy(job, "doctor")
        warehouse.sql(
            "CREATE MODEL doctor FUNCTION score(int) RETURNS decimal(10,6) SAGEMAKER 'doctor' IAM_ROLE DEFAULT"
        )
        return float(warehouse.sql("SELECT max(score(n)) FROM rows").scalar())


CHECKS: tuple[Callable[[Path], Iterator[Finding]], ...] = (
    _python,
    _libraries,
    _processor,
    _kernels,
    _memory,
    _directory,
    _lock,
    _self_test,
)
