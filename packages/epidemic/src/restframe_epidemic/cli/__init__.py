"""The command line: `restframe-epidemic ingest | forecast | score | gaps | run`.

Each command is a module with `add(subcommands)`, which says what it takes, and a function that does it. Nothing heavy
is imported before the command is known.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from types import FrameType

from restframe_epidemic import errors

COMMANDS: tuple[str, ...] = ("example", "ingest", "forecast", "score", "claims", "gaps", "run")
_INTERRUPTED = 130
_TERMINATED = 143


class _Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a command as ctrl-C does."""


def parser() -> argparse.ArgumentParser:
    """Of the whole command line. A command sets `run` to its function as `module:function`."""
    whole = argparse.ArgumentParser(prog="restframe-epidemic", description="Epidemic intelligence on a warehouse.")
    subcommands = whole.add_subparsers(title="commands", metavar="command", required=True)
    for name in COMMANDS:
        importlib.import_module(f"restframe_epidemic.cli.{name}").add(subcommands)
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 when it did what was asked."""
    given = parser().parse_args(arguments)
    module, function = given.run.split(":")
    try:
        with _terminable():
            status: int = getattr(importlib.import_module(module), function)(given)
    except errors.Error as error:
        print(f"error: {error}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return 1
    except OSError as error:  # a folder that is none, a disk that is full
        print(f"error: {error}", file=sys.stderr)
        return 1
    except Exception as error:
        known = sys.modules.get("restframe.errors")  # not imported for this: that takes its time
        if known is None or not isinstance(error, known.Error):
            raise
        print(f"error: the warehouse: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as stopped:
        print("cancelled; what is finished is kept, the same command goes on from there", file=sys.stderr)
        return _TERMINATED if isinstance(stopped, _Terminated) else _INTERRUPTED
    return status


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM raises for the time of a `with`; without that, workers' semaphores would be left to Python's tracker,
    which complains of them. Signals are the main thread's: elsewhere nothing changes."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def raised(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: a second one would stop the tidying up
        raise _Terminated

    before = signal.signal(signal.SIGTERM, raised)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
