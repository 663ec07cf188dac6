"""The parent's side of a training process: start it, hear what it says, end it, and say why it ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import restframe

# What the child may know of our environment; credentials are not among it.
_PASSED = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
    "NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE",
)  # fmt: skip
_GRACE_S = 5.0
_TAIL_BYTES = 4000


class TrainingProcess:
    """One child, started by the constructor. `stop` may be called from any thread, the rest from one.

    module : what runs in it
    """

    module = "restframe.jobs.child"

    def __init__(self, directory: Path, task: Mapping[str, Any]) -> None:
        path = directory / "task.json"
        path.write_text(json.dumps(task), encoding="utf-8")
        self._errors = directory / "stderr"
        root = str(Path(restframe.__file__).parents[1])
        environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH")]))
        with self._errors.open("wb") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", self.module, str(path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env=environment,
                cwd=directory,
                # an interrupt at the terminal is the parent's to handle
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def events(self) -> Iterator[list[dict[str, Any]]]:
        """What the child says, in the batches in which it arrives, until it ends."""
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        rest = b""
        while piece := os.read(descriptor, 1 << 16):
            *lines, rest = (rest + piece).split(b"\n")
            events = [_event(line) for line in lines]
            if events:
                yield events

    def finish(self) -> int:
        """Wait for the end, which `events` has seen coming; the exit status, negative for a signal."""
        try:
            return self._process.wait()
        finally:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()

    def stop(self, grace_s: float | None = None) -> None:
        """Ask it to end, and make it end after `grace_s`, which are some seconds unless it has something to save."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        timer = threading.Timer(_GRACE_S if grace_s is None else grace_s, self.kill)
        timer.daemon = True
        timer.start()

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()

    def last_words(self) -> list[str]:
        """The end of what it wrote to standard error."""
        content = self._errors.read_bytes()[-_TAIL_BYTES:]
        return content.decode("utf-8", "replace").splitlines()


def describe_exit(status: int, kind: str) -> str:
    """Why a process ended that did not say so itself.

    kind : of its job, training or transform
    """
    process = f"AlgorithmError: the {kind} process"
    if status >= 0:
        return f"{process} ended, exit code: {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = str(-status)
    if status == -signal.SIGKILL:
        return f"{process} was killed ({name}), perhaps for lack of memory, exit code: {128 - status}"
    return f"{process} crashed ({name}), exit code: {128 - status}"


def _event(line: bytes) -> dict[str, Any]:
    try:
        event = json.loads(line)
    except ValueError:
        event = None
    return event if isinstance(event, dict) else {"log": line[:1000].decode("utf-8", "replace")}
