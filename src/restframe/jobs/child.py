"""A training job's own process: `python -m restframe.jobs.child <file>`.

It knows nothing but the file: local paths of the input, hyper-parameters, where to leave the artefact. No credentials
reach it. What happens goes to its standard output, one JSON object a line: {"at", "log"}, and at the end {"metrics"}
or {"failure"}. When its standard input ends, its parent is gone, and it ends too.
"""

from __future__ import annotations

import contextlib
import faulthandler
import gzip
import json
import os
import signal
import sys
import threading
import time
import traceback
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from restframe import errors
from restframe.ml import artifact, registry
from restframe.ml.algorithm import Channel, Trained
from restframe.ml.hyperparameters import check
from restframe.ml.training_log import TrainingLog

Tell = Callable[[Mapping[str, Any]], None]
Work = Callable[[Mapping[str, Any], Tell], None]


def main(path: str, work: Work) -> int:
    """Do what the file says; the exit status is 0 when it is done."""
    tell = _outlet()
    faulthandler.enable()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _offer_to_oom_killer()
    try:
        work(json.loads(Path(path).read_text(encoding="utf-8")), tell)
    except errors.Error as error:
        hint = f" {error.hint}" if error.hint else ""
        tell({"failure": f"ClientError: {error.message}.{hint}"})
        return 1
    except MemoryError:
        tell({"failure": "AlgorithmError: out of memory"})
        return 1
    except Exception as error:  # noqa: BLE001  (whatever it was, the job failed, and its log says why)
        traceback.print_exc()
        tell({"failure": f"AlgorithmError: {type(error).__name__}: {str(error)[:500]}"})
        return 1
    return 0


def _train(task: Mapping[str, Any], tell: Tell) -> None:
    algorithm = registry.find(task["algorithm"])
    given = task["hyperparameters"]
    stopping = threading.Event()
    if algorithm.keeps_when_stopped:
        signal.signal(signal.SIGTERM, lambda _number, _frame: stopping.set())
    log = TrainingLog(lambda text: tell({"at": time.time(), "log": text}), algorithm.label, given, stopping.is_set)
    in_job = algorithm.checks_in_job
    complete = in_job or registry.is_image(task["algorithm"])
    parameters = check(algorithm.hyperparameters, given, complete, in_job)
    most = task["max_unpacked_bytes"]
    channels = {
        name: Channel(_objects(name, channel["objects"], channel["compression"], most), channel["content_type"])
        for name, channel in task["channels"].items()
    }
    trained: Trained = algorithm.train(parameters, channels, log)
    target = Path(task["artifact"])
    partial = target.with_suffix(".partial")
    partial.write_bytes(artifact.write(trained.files))
    partial.rename(target)
    tell({"metrics": dict(trained.metrics)})


def _objects(channel: str, listed: list[tuple[str, str]], compression: str, most: int) -> Iterator[tuple[str, bytes]]:
    """The objects of a channel. DataError for one that is no intact gzip, or when all unpack to more than `most`."""
    room = most
    for name, path in listed:
        content = Path(path).read_bytes() if compression != "Gzip" else _unpacked(name, path, room)
        if content is None:
            raise errors.DataError(
                f'the channel "{channel[:100]}" has more than {most} bytes when unpacked, at "{name[:200]}"',
                hint="The setting max_unpacked_bytes allows more; what is read takes up to 16 times as much memory.",
            )
        if compression == "Gzip":
            room -= len(content)
        yield name, content


def _unpacked(name: str, path: str, most: int) -> bytes | None:
    """What a file of gzip holds; None when that is more."""
    try:
        with gzip.open(path) as file:
            content = file.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise errors.DataError(f'"{name}" is no intact gzip file') from error
    return content if len(content) <= most else None


def _outlet() -> Tell:
    """Standard output for events alone; whatever libraries print goes where errors go."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    lock = threading.Lock()

    def tell(event: Mapping[str, Any]) -> None:
        with lock:
            events.write(json.dumps(event) + "\n")
            events.flush()

    return tell


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(1)


def _offer_to_oom_killer() -> None:
    """On Linux: when memory runs out this process goes, and not the warehouse."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], _train))
