"""The command line: `restframe serve | env | keys | sql | train | endpoint | job | demo | doctor`.

Each command is a module with `add(subcommands)` saying what it takes and, behind it, a function that does it. Nothing
heavy is imported before the command is known.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

from restframe import errors
from restframe.cli.arguments import parser
from restframe.cli.reporting import name_server, report

# What a shell reports of a program that ctrl-C or a closed pipe ended.
_INTERRUPTED = 130
_BROKEN_PIPE = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 when it did what was asked."""
    given = parser().parse_args(arguments)
    module, function = given.run.split(":")
    try:
        status: int = getattr(importlib.import_module(module), function)(given)
        sys.stdout.flush()
    except errors.Error as error:
        if isinstance(error, errors.WarehouseLocked) and given.directory:
            name_server(error, given.directory)
        report(error)
        return 1
    except KeyboardInterrupt:
        print("cancelled", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; Python's own flush at the end must not complain about it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except OSError as error:
        what = f'"{error.filename}": ' if error.filename else ""
        report(errors.OperationalError(f"{what}{error.strerror or error}"))
        return 1
    return status
