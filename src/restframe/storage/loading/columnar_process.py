"""The parent's side of `columnar_child`: children that are kept for the next file, and what they answer."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import restframe
from restframe import errors
from restframe.storage.loading.columnar_child import HEAD, IDLE_S, LENGTH

if TYPE_CHECKING:
    import pyarrow as pa

Request = tuple[object, ...]  # see `columnar_child`

_MOST_IDLE = 2
_GLANCE_MS = 200
_PIPE_BYTES = 1 << 20
_MODULE = "restframe.storage.loading.columnar_child"
# What the child may know of our environment; credentials are not among it.
_PASSED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH",
           "PYTHONDONTWRITEBYTECODE", "OMP_NUM_THREADS")  # fmt: skip


class _Gone(Exception):
    """The child has ended without an answer."""


class Process:
    """One child, started by the constructor. One file at a time.

    clean : whether it waits for the next request, with nothing left to read
    """

    def __init__(self) -> None:
        environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
        root = str(Path(restframe.__file__).parents[1])
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH")]))
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", _MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            pipesize=_PIPE_BYTES,
            env=environment,
            start_new_session=True,  # an interrupt at the terminal is ours to handle
        )
        self.clean = True
        self._idle_since = time.monotonic()

    def read(self, request: Request, schema: pa.Schema, check: Callable[[], None]) -> Iterator[pa.RecordBatch]:
        """What the child makes of a file; the errors that it tells, CorruptObject when the file has ended it."""
        import pyarrow as pa

        self.clean = False
        try:
            self._ask(request)
            while True:
                letter, size = HEAD.unpack(self._exactly(HEAD.size, check))
                content = self._exactly(size, check)
                if letter == b"B":
                    yield pa.ipc.read_record_batch(pa.py_buffer(content), schema)
                    continue
                self.clean, self._idle_since = True, time.monotonic()
                if letter == b"E":
                    raise _told(content)
                return
        except _Gone:
            raise self._died(str(request[-1])) from None

    def _ask(self, request: Request) -> None:
        content = pickle.dumps(request)
        assert self._child.stdin is not None
        rest = memoryview(LENGTH.pack(len(content)) + content)
        try:
            while rest.nbytes:
                rest = rest[os.write(self._child.stdin.fileno(), rest) :]
        except BrokenPipeError as error:
            raise _Gone from error

    def _exactly(self, size: int, check: Callable[[], None]) -> bytearray:
        """So many bytes of an answer."""
        assert self._child.stdout is not None
        descriptor = self._child.stdout.fileno()
        waiting = select.poll()  # select() knows no descriptors above 1023
        waiting.register(descriptor, select.POLLIN)
        content = bytearray(size)
        rest = memoryview(content)
        while rest.nbytes:
            while not waiting.poll(_GLANCE_MS):
                check()
            read = os.readv(descriptor, [rest])
            if not read:
                raise _Gone
            rest = rest[read:]
        return content

    def _died(self, name: str) -> errors.Error:
        status = self._child.wait()
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        if status == -signal.SIGKILL:
            return errors.OutOfMemory(f'"{name[:200]}" could not be read: the process that read it was killed')
        return errors.CorruptObject(f'"{name[:200]}" is damaged: the process that read it ended with {how}')

    @property
    def stays(self) -> bool:
        """Whether the child is there and will not leave by itself in the next seconds."""
        return self._child.poll() is None and time.monotonic() - self._idle_since < IDLE_S / 2

    def end(self) -> None:
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _told(content: bytearray) -> errors.Error:
    said: dict[str, Any] = json.loads(content)
    kind = getattr(errors, str(said["kind"]), errors.CorruptObject)
    error: errors.Error = kind(said["message"], hint=said["hint"])
    return error


class Processes:
    """Children of this process, one for each file that is being read, and a few that wait for the next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[Process] = []

    @contextlib.contextmanager
    def process(self) -> Iterator[Process]:
        """For one file. One that was left in the middle of it is ended."""
        process = self._take() or Process()
        try:
            yield process
        finally:
            if not (process.clean and process.stays and self._keep(process)):
                process.end()

    def _take(self) -> Process | None:
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.stays:
                    return process
                process.end()
        return None

    def _keep(self, process: Process) -> bool:
        with self._lock:
            if len(self._idle) >= _MOST_IDLE:
                return False
            self._idle.append(process)
            return True

    def end(self) -> None:
        """End those that wait."""
        with self._lock:
            while self._idle:
                self._idle.pop().end()

    def forget(self) -> None:
        """In a process that was forked: they are its parent's."""
        self._lock = threading.Lock()
        self._idle = []


processes = Processes()
atexit.register(processes.end)
os.register_at_fork(after_in_child=processes.forget)
